"""Turns the settings of a sandbox into what its vendors share: state, clock, tokens, faults, requests."""

from __future__ import annotations

import base64
import math
import random
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from reconciler.sandbox.faults import Faults
from reconciler.sandbox.state import Store
from reconciler.sandbox.tokens import Credential, Tokens, tenant_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_RATE_LIMIT = (100, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a sandbox.

    `rate_limit`: requests and seconds of SailPoint's limit, None for none. `clock`: seconds since the epoch,
    drives expiry, limits and timestamps. `seed`: makes every generated value repeat. `provident_put`: the
    page does not say whether PUT replaces or merges, so both can be played. `provident_list`: a tenant that
    has list and delete although the page has neither.
    """

    faults: tuple[str, ...] = ()
    state_path: str | None = None
    rate_limit: tuple[int, float] | None = DEFAULT_RATE_LIMIT
    clock: Callable[[], float] = time.time
    seed: int | None = None
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    provident_put: Literal["replace", "merge"] = "replace"
    provident_list: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """One request as it arrived, and its answer; `status` is None where none was sent."""

    vendor: str
    method: str
    path: str
    query: str
    content_type: str
    body: bytes
    status: int | None
    answer: bytes = b""


class Mint:
    """A source of ids, keys and secrets; with a `seed` it makes the same values in every run."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 - a seed is asked for where runs must repeat  # nosec B311
        self.issued: set[str] = set()

    def uuid(self) -> str:
        """A random UUID (version 4) in lower case."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def hexadecimal(self, digits: int) -> str:
        """A text of `digits` random hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def secret(self, characters: int) -> str:
        """A text of random characters of the base64url alphabet, added to `issued`."""
        return self.note(self._text(characters))

    def _text(self, characters: int) -> str:
        drawn = self._random.getrandbits(8 * characters).to_bytes(characters)
        return base64.urlsafe_b64encode(drawn).decode()[:characters]

    def note(self, secret: str) -> str:
        """Add a secret that came from elsewhere to `issued`, and return it."""
        if secret:
            self.issued.add(secret)
        return secret

    def public_key(self) -> str:
        """A text in the shape of a PEM public key; no private key belongs to it."""
        text = base64.b64encode(self._random.getrandbits(2048).to_bytes(256)).decode()
        return f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"


class SlidingWindow:
    """A sliding window: at most `limit[0]` requests of one key in any `limit[1]` seconds; None is no limit."""

    def __init__(self, limit: tuple[int, float] | None, clock: Callable[[], float]) -> None:
        self.limit = limit
        self._clock = clock
        self._taken: defaultdict[str, deque[float]] = defaultdict(deque)

    def take(self, key: str) -> int:
        """Count a request; return 0 when it may go on, else the whole seconds for Retry-After."""
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


class World:
    """What the vendors share while the sandbox runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.faults = Faults(settings.faults)
        self.clock = settings.clock
        self.mint = Mint(settings.seed)
        self.store = Store(settings.state_path)
        self.tokens = Tokens(self.clock, self.mint)
        self.window = SlidingWindow(settings.rate_limit, self.clock)
        self.credentials = tenant_credentials(self.store, self.mint, settings.credentials)
        self.log: list[RecordedRequest] = []
        self.boruta_lists = 0

    def close(self) -> None:
        """Close the state file."""
        self.store.close()

    def now(self) -> str:
        """The time now as RFC 3339 text with milliseconds, in UTC."""
        moment = datetime.fromtimestamp(self.clock(), UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
