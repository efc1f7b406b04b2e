"""Says how one target is reached, as values that the project file and the environment resolve to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.model import Secret
    from reconciler.provider.model import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The documented limit, `requests` per `seconds`, and the share of it to keep to."""

    requests: float
    seconds: float
    # The rest is left to others: people's logins may count against the same quota.
    share: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The client that the tool itself logs in as (RFC 6749 section 2.3.1)."""

    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How one target is reached; times are in seconds.

    `auth` is the client to log in as, or a bearer token that somebody else renews. `token_url` is
    absolute. `ca_bundle` is a PEM file that is trusted instead of the public authorities. `log`
    gets one line for each request: never a header, never a body.
    """

    target: str
    provider: Provider
    base_url: str
    auth: Credentials | Secret
    token_url: str | None = None
    token_scope: str | None = None
    rate: Rate | None = None
    ca_bundle: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    workers: int = 8
    log: Callable[[str], None] = field(default=lambda _line: None)
