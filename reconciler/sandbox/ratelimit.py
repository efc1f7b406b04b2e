"""Turns moments of requests into leave to go on, or the seconds to wait."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Window:
    """A sliding window: at most `limit[0]` requests of one key in any `limit[1]` seconds; None is no limit."""

    def __init__(self, limit: tuple[int, float] | None, clock: Callable[[], float]) -> None:
        self.limit = limit
        self._clock = clock
        self._taken: defaultdict[str, deque[float]] = defaultdict(deque)

    def take(self, key: str) -> int:
        """Count a request: 0 when it may go on, else the whole seconds for Retry-After."""
        if self.limit is None:
            return 0
        requests, seconds = self.limit
        now = self._clock()
        taken = self._taken[key]
        while taken and taken[0] <= now - seconds:
            taken.popleft()
        if len(taken) < requests:
            taken.append(now)
            return 0
        return max(1, math.ceil(taken[0] + seconds - now))
