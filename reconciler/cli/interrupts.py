"""Turns the first Ctrl-C (or SIGTERM, or SIGHUP) into a request to stop, and the second into the end of the process."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.run_state import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_STDERR: Final = 2
_NAP: Final = 0.1  # seconds
_SHOW_CURSOR: Final = b"\x1b[?25h"  # a progress bar hides it


def _abort(*, is_writing: bool) -> None:  # pragma: no cover - nothing is left to measure it
    """End the process at once: an exception would wait for the threads that send requests."""
    cursor = _SHOW_CURSOR if os.isatty(_STDERR) else b""
    _say(cursor + b"\nAborted. What was under way may have been done: plan again.\n")
    os._exit(ExitCode.PARTLY_APPLIED if is_writing or current.changed else ExitCode.FAILED)


def _say(words: bytes) -> None:
    # Not print: the main thread may be in the middle of a write to that stream. A terminal that was
    # hung up takes nothing, and that ends no run.
    with suppress(OSError):
        os.write(_STDERR, words)


def _heeded() -> list[signal.Signals]:
    """The signals that end a run, SIGHUP only where it is not ignored, as nohup has it."""
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN:
        return [signal.SIGINT, signal.SIGTERM]
    return [signal.SIGINT, signal.SIGTERM, hangup]


@contextmanager
def _on_first_signal(act: Callable[[], None], *, echo: float, is_writing: bool) -> Iterator[None]:
    """Call `act` at the first signal in the block; one after `echo` seconds more ends the process.

    `is_writing` says that something may be on its way to a server then.
    """

    def first(_signal: int, _frame: object) -> None:
        began = time.monotonic()

        def again(_signal: int, _frame: object) -> None:
            # make and timeout pass on the signal that the terminal has sent to us already.
            if time.monotonic() - began >= echo:
                _abort(is_writing=is_writing)

        for number in previous:
            signal.signal(number, again)
        act()

    previous = {number: signal.getsignal(number) for number in _heeded()}
    for number in previous:
        signal.signal(number, first)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def stop_on_signal(notice: str = "", *, echo: float = 1.0) -> Iterator[threading.Event]:
    """Yield an event that the first signal sets: SIGINT, SIGTERM or SIGHUP; the next ends the process.

    The first prints `notice`, which a command has that writes to servers: aborted, its code is that
    of a run that may have changed something. A signal within `echo` seconds counts as the same. Outside of the main thread, where
    Python sets no handlers, the event is never set.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def act() -> None:
        stop.set()
        _say(f"\n{notice}\n".encode() if notice else b"\n")

    with _on_first_signal(act, echo=echo, is_writing=bool(notice)):
        yield stop


@contextmanager
def end_in_order(*, echo: float = 1.0) -> Iterator[None]:
    """Have the first signal in the block raise KeyboardInterrupt, so that every `finally` is run."""

    def act() -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _on_first_signal(act, echo=echo, is_writing=False):
        yield


def run_interruptibly(work: Callable[[], T]) -> T:
    """Run `work` in a thread, wait for it without missing a signal, and return what it returns."""
    from concurrent.futures import ThreadPoolExecutor, wait  # noqa: PLC0415 - few commands need it

    with ThreadPoolExecutor(1, thread_name_prefix="work") as pool:
        future = pool.submit(work)
        # A signal that arrives just before the main thread sleeps is seen only when it wakes up.
        while not wait([future], timeout=_NAP).done:
            pass
        return future.result()


def wait_for(stop: threading.Event) -> None:
    """Wait for `stop` without missing a signal."""
    while not stop.wait(_NAP):
        pass
