"""Turns the first Ctrl-C (or SIGTERM) into a wish to stop, and leaves the second its own force."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_STDERR: Final = 2


@contextmanager
def graceful(notice: str = "") -> Iterator[threading.Event]:
    """Give an event that the first signal sets, with a `notice`; the next raises KeyboardInterrupt.

    Outside the main thread, where no handler can be set, the event is never set.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def first(_signal: int, _frame: object) -> None:
        stop.set()
        for number in _SIGNALS:
            signal.signal(number, signal.default_int_handler)
        # Not print: the main thread may be in the middle of a write to that stream.
        os.write(_STDERR, f"\n{notice}\n".encode() if notice else b"\n")

    previous = {number: signal.signal(number, first) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
