"""Keeps the one time by which all of an exchange must be over: token, connection, request and answer."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class _Until(threading.local):
    """The end of the exchange that a thread is in, by the monotonic clock; infinite outside of one."""

    time: float = math.inf


class Deadline:
    """Each thread has its own exchange, and each exchange `seconds` from its `start`."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self.seconds = seconds
        self._monotonic = monotonic
        self._until = _Until()

    def start(self) -> None:
        """Begin an exchange of this thread."""
        self._until.time = self._monotonic() + self.seconds

    def left(self) -> float:
        """The seconds that are left, 0 where it is over."""
        return max(0.0, self._until.time - self._monotonic())

    def is_over(self) -> bool:
        """Whether the time of this thread's exchange has run out."""
        return self.left() <= 0

    def without(self, wait: Callable[[], None]) -> None:
        """Wait for what is no fault of the server, such as our own pace: that time does not count."""
        before = self._monotonic()
        wait()
        self._until.time += self._monotonic() - before

    def limit(self, timeout: float | None, error: type[Exception]) -> float:
        """The seconds that one step may take, at most `timeout`. Raises `error` where none are left."""
        left = self.left()
        if left <= 0:
            raise error("the whole exchange took too long")
        return left if timeout is None else min(timeout, left)
