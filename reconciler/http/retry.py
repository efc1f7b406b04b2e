"""Sends one call again where that is safe, after the wait and at the pace that the target asks for."""

from __future__ import annotations

import math
import threading
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import RemoteError, ServerFailed
from reconciler.http.concurrency import Gate
from reconciler.http.responses import Reply, SendState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from reconciler.http.connection import Rate

ATTEMPTS: Final = 5
# A server that asks for a longer wait gets an error instead: a run must end. In seconds.
LONGEST_WAIT: Final = 60.0
_FIRST_BACKOFF: Final = 0.5
_LONGEST_BACKOFF: Final = 20.0
# RFC 9110 section 9.2.2. PATCH is not among them, and a POST twice is a client twice.
_IDEMPOTENT: Final = frozenset({"GET", "PUT", "DELETE"})


class Retrier:
    """Sends the calls of all threads of one target at its pace, and again where that is safe."""

    def __init__(
        self,
        target: str,
        rate: Rate | None,
        *,
        concurrency: int,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._target = target
        self._pace = _pace_for(rate, monotonic)
        self._gate = Gate(concurrency)
        self._sleep = sleep
        self._jitter = jitter
        self._wait_is_too_long: RemoteError | None = None

    def send_with_retries(self, method: str, send_once: Callable[[], Reply]) -> tuple[Reply, bool]:
        """The reply to the last try, and whether an earlier try may have been carried out."""
        attempt, maybe_done, reply = 1, False, self._send_in_turn(send_once)
        while attempt < ATTEMPTS and may_repeat(method, reply.state):
            # It stays so when a later try is refused or never leaves: that says nothing of this one.
            maybe_done = maybe_done or reply.state is SendState.UNKNOWN
            self._wait_after(attempt, reply)
            attempt, reply = attempt + 1, self._send_in_turn(send_once)
        return reply, maybe_done

    def _send_in_turn(self, send_once: Callable[[], Reply]) -> Reply:
        self._wait(self._pace.reserve())
        # Asked after the wait: another thread may have met such a wait meanwhile.
        if self._wait_is_too_long is not None:
            # A new error each time: one that several threads raise would mix their tracebacks.
            error = ServerFailed(str(self._wait_is_too_long), status=self._wait_is_too_long.status)
            return Reply(state=SendState.ANSWERED, error=error)
        return self._gate.send(send_once)

    def wait_to_repeat(self, attempt: int, asked: float | None, status: int | None) -> None:
        """Wait after the failed `attempt`, from 1, before the same is sent again.

        `asked` are the seconds of the server's Retry-After, for which all threads wait together.
        Where they are more than a run waits, whatever is sent next ends in an error instead.
        """
        if asked is not None and asked > LONGEST_WAIT:
            self._wait_is_too_long = ServerFailed(
                f"{self._target}: the server asks to wait {asked:.0f} s (Retry-After), more than "
                f"the {LONGEST_WAIT:.0f} s that a run waits; run again after that",
                status=status,
            )
        elif asked is not None:
            self._pace.pause(asked)
        else:
            self._wait(backoff(attempt, self._jitter))

    def _wait_after(self, attempt: int, reply: Reply) -> None:
        asked = retry_after(reply.headers)
        # A 429 is for all threads, also where it does not say for how long.
        if asked is None and reply.state is SendState.RATE_LIMITED:
            asked = backoff(attempt, self._jitter)
        self.wait_to_repeat(attempt, asked, reply.status)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)


def may_repeat(method: str, state: SendState) -> bool:
    """Whether the request may be sent again without the risk of doing something twice."""
    if state is SendState.UNKNOWN:
        return method in _IDEMPOTENT
    return state in (SendState.NEVER_SENT, SendState.RATE_LIMITED)


def backoff(attempt: int, jitter: Callable[[], float]) -> float:
    """The seconds to wait after the failed `attempt`, from 1: exponential, with full jitter.

    `jitter` gives a number from 0 to 1.
    """
    return jitter() * min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** (attempt - 1))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110 section 10.2.3), None without one.

    A date is held against the answer's own Date, so that no clock but the server's counts.
    `headers` are by lower-case name.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        # Longer numbers overflow a float, and are longer than any wait.
        return float(value[:12])
    until, now = _parse_date(value), _parse_date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return max(0.0, (until - now).total_seconds())


def _parse_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    # Without a zone it cannot be subtracted from one that has it, and HTTP dates are in GMT.
    return moment if moment.tzinfo is not None else None


class Pace:
    """A token bucket shared by threads: `burst` requests at once, then `per_second` of them.

    Kept as the one number that the generic cell rate algorithm (ITU-T I.371) needs: when the
    bucket will be full again.
    """

    def __init__(self, *, burst: float, per_second: float, monotonic: Callable[[], float]) -> None:
        self._interval = 1.0 / per_second
        self._tolerance = (max(1.0, burst) - 1.0) * self._interval
        self._full_at = -math.inf
        self._monotonic = monotonic
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Take the next place in line; the value is the seconds to wait before it comes."""
        # The caller sleeps outside of the lock, so that those behind it can take their places.
        with self._lock:
            now = self._monotonic()
            start = max(now, self._full_at - self._tolerance)
            self._full_at = max(self._full_at, start) + self._interval
            return start - now

    def pause(self, seconds: float) -> None:
        """Let nobody go for `seconds`, and nobody in a burst after that: the server is busy."""
        with self._lock:
            empty_at = self._monotonic() + seconds + self._tolerance
            # The longer of two pauses counts: threads that were sent together are refused together.
            self._full_at = max(self._full_at, empty_at)


def _pace_for(rate: Rate | None, monotonic: Callable[[], float]) -> Pace:
    if rate is None:
        return Pace(burst=1, per_second=math.inf, monotonic=monotonic)
    requests = rate.share * rate.requests
    return Pace(burst=requests, per_second=requests / rate.seconds, monotonic=monotonic)
