"""Turns the first Ctrl-C (or SIGTERM, or SIGHUP) into a request to stop, and the second into the end of the process."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_STDERR: Final = 2
_NAP: Final = 0.1  # seconds
_SHOW_CURSOR: Final = b"\x1b[?25h"  # a progress bar hides it


def _abort() -> None:  # pragma: no cover - nothing is left to measure it
    """End the process at once: an exception would wait for the threads that send requests."""
    cursor = _SHOW_CURSOR if os.isatty(_STDERR) else b""
    os.write(_STDERR, cursor + b"\nAborted. What was under way may have been done: plan again.\n")
    os._exit(ExitCode.FAILED)


def _heeded() -> list[signal.Signals]:
    """The signals that end a run, SIGHUP only where it is not ignored, as nohup has it."""
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN:
        return [signal.SIGINT, signal.SIGTERM]
    return [signal.SIGINT, signal.SIGTERM, hangup]


@contextmanager
def stop_on_signal(notice: str = "", *, echo: float = 1.0) -> Iterator[threading.Event]:
    """Yield an event that the first signal sets; the next signal ends the process, code 1.

    The first prints `notice`. One within `echo` seconds of it counts as the same. Outside of the
    main thread, where Python sets no handlers, the event is never set.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def first(_signal: int, _frame: object) -> None:
        stop.set()
        began = time.monotonic()

        def again(_signal: int, _frame: object) -> None:
            # make and timeout pass on the signal that the terminal has sent to us already.
            if time.monotonic() - began >= echo:
                _abort()

        for number in previous:
            signal.signal(number, again)
        # Not print: the main thread may be in the middle of a write to that stream.
        # A terminal that was hung up takes nothing, and that ends no run.
        with suppress(OSError):
            os.write(_STDERR, f"\n{notice}\n".encode() if notice else b"\n")

    previous = {number: signal.signal(number, first) for number in _heeded()}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def run_interruptibly(work: Callable[[], T]) -> T:
    """Run `work` in a thread, wait for it without missing a signal, and return what it returns."""
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
