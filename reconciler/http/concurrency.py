"""Decides how many requests to one target may be in flight: fewer after a failure of the server, then more again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from reconciler.http.responses import Reply, SendState

if TYPE_CHECKING:
    from collections.abc import Callable

# RFC 9110 section 15.6.
_SERVER_ERRORS = range(500, 600)


class Window:
    """How many requests may be in flight: additive increase, multiplicative decrease (RFC 5681 section 3.1).

    It begins at `most` and stays between 1 and that. Requests are known by the number that `begin`
    gives them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = float(most)
        self._begun = 0
        self._in_flight = 0
        # The last request that was in flight already when the window last shrank.
        self._shrunk_at = 0

    @property
    def is_open(self) -> bool:
        """Whether one more request may leave."""
        return self._in_flight < int(self._size)

    def begin(self) -> int:
        """Count one more request in flight; the value is its number."""
        self._begun += 1
        self._in_flight += 1
        return self._begun

    def end(self, number: int, *, overloaded: bool) -> None:
        """Count a request out. One that overloaded the server halves the window; any other widens it."""
        self._in_flight -= 1
        if not overloaded:
            # One more for each round of a whole window that went well.
            self._size = min(self._most, self._size + 1 / int(self._size))
        elif number > self._shrunk_at:
            # Those that were in flight together fail together, and are one sign and not many.
            self._shrunk_at = self._begun
            self._size = max(1.0, self._size / 2)


class Gate:
    """Lets the threads of one target send, as many at once as the window allows."""

    def __init__(self, most: int) -> None:
        self._window = Window(most)
        self._changed = threading.Condition()

    def send(self, send_once: Callable[[], Reply]) -> Reply:
        """The reply of `send_once`, called once there is room for one more request."""
        with self._changed:
            self._changed.wait_for(lambda: self._window.is_open)
            number = self._window.begin()
        overloaded = False
        try:
            reply = send_once()
            overloaded = overloads(reply)
        finally:
            # Also after an error that nobody foresaw: a place that is never given back blocks the run.
            with self._changed:
                self._window.end(number, overloaded=overloaded)
                self._changed.notify_all()
        return reply


def overloads(reply: Reply) -> bool:
    """Whether a reply is a sign that too much is in flight: a 5xx, or no answer to a request that left."""
    # A 429 is not: it counts requests over time, which is what the pace is for.
    if reply.status is None:
        return reply.state is SendState.UNKNOWN
    return reply.status in _SERVER_ERRORS
