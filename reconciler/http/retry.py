"""Delivers one call by as many tries as are safe, at the pace that the target allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.errors import RemoteError, ServerFailed
from reconciler.http.limits import (
    ATTEMPTS,
    LONGEST_WAIT,
    Delivery,
    Pace,
    backoff,
    may_repeat,
    retry_after,
)
from reconciler.http.responses import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.http.connection import Rate

_NO_LIMIT = float("inf")


class Courier:
    """Paces and repeats the tries of all threads of one target."""

    def __init__(
        self,
        target: str,
        rate: Rate | None,
        *,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._target = target
        self._pace = _pace(rate, monotonic)
        self._sleep = sleep
        self._jitter = jitter
        self._closed: RemoteError | None = None

    def deliver(self, method: str, send: Callable[[], Reply]) -> tuple[Reply, bool]:
        """What the last of the tries came to, and whether an earlier one may have been carried out.

        `send` makes one try.
        """
        attempt, doubt, reply = 1, False, self._try(send)
        while attempt < ATTEMPTS and may_repeat(method, reply.reached):
            doubt = doubt or reply.reached is Delivery.UNKNOWN
            self._rest(attempt, reply)
            attempt, reply = attempt + 1, self._try(send)
        return reply, doubt

    def _try(self, send: Callable[[], Reply]) -> Reply:
        self._wait(self._pace.reserve())
        if self._closed is not None:
            # A new error each time: one that several threads raise would mix their tracebacks.
            closed = ServerFailed(str(self._closed), status=self._closed.status)
            return Reply(reached=Delivery.ANSWERED, error=closed)
        return send()

    def _rest(self, attempt: int, reply: Reply) -> None:
        """Wait before the next try, all threads together where the server turned one away."""
        asked = retry_after(reply.headers)
        if asked is not None and asked > LONGEST_WAIT:
            self._closed = ServerFailed(
                f"{self._target}: the server asks to wait {asked:.0f} s (Retry-After), more than "
                f"the {LONGEST_WAIT:.0f} s that a run waits; run again after that",
                status=reply.status,
            )
        elif asked is not None:
            self._pace.hold(asked)
        elif reply.reached is Delivery.TURNED_AWAY:
            self._pace.hold(backoff(attempt, self._jitter))
        else:
            self._wait(backoff(attempt, self._jitter))

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)


def _pace(rate: Rate | None, monotonic: Callable[[], float]) -> Pace:
    if rate is None:
        return Pace(burst=1, per_second=_NO_LIMIT, monotonic=monotonic)
    requests = rate.share * rate.requests
    return Pace(burst=requests, per_second=requests / rate.seconds, monotonic=monotonic)
