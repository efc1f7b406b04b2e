"""Decides how fast requests may follow each other, which may be repeated, and after what wait."""

from __future__ import annotations

import math
import threading
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

ATTEMPTS: Final = 5
# A server that asks for a longer wait gets an error instead: a run must end.
LONGEST_WAIT: Final = 60.0
_FIRST_BACKOFF: Final = 0.5
_LONGEST_BACKOFF: Final = 20.0
_BUSY: Final = frozenset({502, 503, 504})
# RFC 9110 section 9.2.2. PATCH is not among them, and a POST twice is a client twice.
_IDEMPOTENT: Final = frozenset({"GET", "PUT", "DELETE"})


class Delivery(Enum):
    """How far a request got, as far as anyone can tell."""

    NEVER_SENT = "never sent"
    UNKNOWN = "it may have been carried out"
    TURNED_AWAY = "429: not carried out, for now"
    ANSWERED = "answered"
    UNREADABLE = "answered, with something that cannot be read"


def delivery(status: int) -> Delivery:
    """What an answer's status says of its request."""
    if status == 429:  # noqa: PLR2004 - RFC 6585 section 4
        return Delivery.TURNED_AWAY
    return Delivery.UNKNOWN if status in _BUSY else Delivery.ANSWERED


def may_repeat(method: str, reached: Delivery) -> bool:
    """Whether the request may be sent again without the risk of doing something twice."""
    if reached is Delivery.UNKNOWN:
        return method in _IDEMPOTENT
    return reached in (Delivery.NEVER_SENT, Delivery.TURNED_AWAY)


def backoff(attempt: int, jitter: Callable[[], float]) -> float:
    """Seconds to wait after the failed `attempt`, from 1: exponential, with full jitter.

    `jitter` gives a number from 0 to 1.
    """
    return jitter() * min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** (attempt - 1))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110 section 10.2.3), None without one.

    A date is held against the answer's own Date, so that no clock but the server's counts.
    `headers` are by lower-case name.
    """
    stated = headers.get("retry-after", "").strip()
    if stated.isascii() and stated.isdigit():
        # Longer numbers overflow a float, and are longer than any wait.
        return float(stated[:12])
    until, now = _date(stated), _date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
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
        """Take the next place in line, and give the seconds to wait before it comes."""
        with self._lock:
            now = self._monotonic()
            start = max(now, self._full_at - self._tolerance)
            self._full_at = max(self._full_at, start) + self._interval
            return start - now

    def hold(self, seconds: float) -> None:
        """Let nobody go for `seconds`, and nobody in a burst after that: the server is busy."""
        with self._lock:
            empty = self._monotonic() + seconds + self._tolerance
            self._full_at = max(self._full_at, empty)
