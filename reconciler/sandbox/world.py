"""Turns the switches of a sandbox into what its three vendors share: state, clock, tokens, faults, log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from reconciler.sandbox.faults import Faults
from reconciler.sandbox.mint import Mint
from reconciler.sandbox.ratelimit import Window
from reconciler.sandbox.state import Store
from reconciler.sandbox.tokens import Credential, Tokens, tenant_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_RATE_LIMIT = (100, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a sandbox is asked to be.

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
class Exchange:
    """One request as it arrived, and the status it got (None: no answer was sent)."""

    vendor: str
    method: str
    path: str
    query: str
    content_type: str
    body: bytes
    status: int | None


class World:
    """What the vendors share while the sandbox lives."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.faults = Faults(settings.faults)
        self.clock = settings.clock
        self.mint = Mint(settings.seed)
        self.store = Store(settings.state_path)
        self.tokens = Tokens(self.clock, self.mint)
        self.window = Window(settings.rate_limit, self.clock)
        self.credentials = tenant_credentials(self.store, self.mint, settings.credentials)
        self.log: list[Exchange] = []
        self.boruta_lists = 0

    def close(self) -> None:
        """Let go of the state file."""
        self.store.close()

    def now(self) -> str:
        """Give the moment as an RFC 3339 text with milliseconds, in UTC."""
        moment = datetime.fromtimestamp(self.clock(), UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
