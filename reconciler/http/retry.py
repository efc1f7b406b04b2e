"""Sends one call again where that is safe, after the wait and at the pace that the target asks for."""

from __future__ import annotations

import math
import threading
from collections import deque
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Ambiguous, InventoryError, RemoteError, ServerFailed
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
        """The reply to the last try, and whether an earlier try may have been carried out.

        Raises InventoryError where `send_once` does, for a lock that was lost, and Ambiguous where
        an earlier try may have been carried out by then.
        """
        attempt, maybe_done, reply = 1, False, self._send_in_turn(send_once)
        while attempt < ATTEMPTS and may_repeat(method, reply.state):
            # It stays so when a later try is refused or never leaves: that says nothing of this one.
            maybe_done = maybe_done or reply.state is SendState.UNKNOWN
            self._wait_after(attempt, reply)
            attempt += 1
            try:
                reply = self._send_in_turn(send_once)
            except InventoryError as lost:
                if maybe_done:
                    raise Ambiguous(f"an earlier try may have been carried out: {lost}") from None
                raise
        return reply, maybe_done

    def next_turn(self) -> None:
        """Give back the turn that this thread has, and wait for another: it sends one more request."""
        self._pace.end_turn()
        self._pace.wait_turn(self._sleep)

    def _send_in_turn(self, send_once: Callable[[], Reply]) -> Reply:
        # The place among those in flight first: the turn is for the moment at which a request leaves.
        return self._gate.send(lambda: self._send_paced(send_once))

    def _send_paced(self, send_once: Callable[[], Reply]) -> Reply:
        self._pace.wait_turn(self._sleep)
        try:
            # Asked after the wait: another thread may have met such a wait meanwhile.
            if self._wait_is_too_long is None:
                return send_once()
        finally:
            self._pace.end_turn()
        # A new error each time: one that several threads raise would mix their tracebacks.
        error = ServerFailed(str(self._wait_is_too_long), status=self._wait_is_too_long.status)
        return Reply(state=SendState.ANSWERED, error=error)

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
    """Turns to send, shared by threads: no more than `requests` in any window of `seconds`.

    It counts where the server does. A request arrives at some time between its beginning and its
    end, so its turn is free again `seconds` after its end: whatever the network delays, whoever
    takes that turn next arrives in another window. `requests` is infinite where there is no limit.
    """

    def __init__(self, *, requests: float, seconds: float, monotonic: Callable[[], float]) -> None:
        # Less than one request in a window is one in a longer window.
        self._seconds = seconds / min(1.0, requests)
        self._turns = requests if math.isinf(requests) else max(1, math.floor(requests))
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._under_way = 0
        # When the turns that ended come free, in order. Never more of them than there are turns.
        self._free_at: deque[float] = deque()
        self._not_before = self._one_by_one_until = -math.inf

    def wait_turn(self, sleep: Callable[[float], None]) -> None:
        """Wait for a turn and take it. Each is to be ended with `end_turn`."""
        while (seconds := self.take_turn()) > 0:
            if math.isinf(seconds):
                self._wait_for_change()
            else:
                sleep(seconds)

    def take_turn(self) -> float:
        """Take a turn: 0, or the seconds to wait and ask again; infinite until another one ends."""
        with self._changed:
            now = self._monotonic()
            while self._free_at and self._free_at[0] <= now:
                self._free_at.popleft()
            wait = self._not_before - now
            if self._is_full:
                wait = max(wait, self._free_at[0] - now if self._free_at else math.inf)
            if wait > 0:
                return wait
            self._under_way += 1
            if now < self._one_by_one_until:
                self._not_before = now + self._seconds / self._turns
            return 0.0

    def end_turn(self) -> None:
        """Say that the request of a turn is over, answered or not."""
        with self._changed:
            self._under_way -= 1
            if not math.isinf(self._turns):
                self._free_at.append(self._monotonic() + self._seconds)
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Let nobody go for `seconds`, and nobody in a burst after that: the server is busy."""
        with self._changed:
            # The longer of two pauses counts: threads that were sent together are refused together.
            self._not_before = max(self._not_before, self._monotonic() + seconds)
            self._one_by_one_until = self._not_before + self._seconds

    @property
    def _is_full(self) -> bool:
        return self._under_way + len(self._free_at) >= self._turns

    def _wait_for_change(self) -> None:
        with self._changed:
            # Asked under the lock: a turn that ended in between would never be told of.
            self._changed.wait_for(lambda: bool(self._free_at) or not self._is_full)


def _pace_for(rate: Rate | None, monotonic: Callable[[], float]) -> Pace:
    if rate is None:
        return Pace(requests=math.inf, seconds=0.0, monotonic=monotonic)
    return Pace(requests=rate.share * rate.requests, seconds=rate.seconds, monotonic=monotonic)
