"""Says how one target is reached, as values that the project file and the environment resolve to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.provider.model import ClientAuthentication

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.model import Secret
    from reconciler.http.registration.grants import Grants
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
    """The client that the tool itself logs in as, and how it proves that at the token endpoint.

    `client_secret` is its secret (RFC 6749 section 2.3.1) or, where it signs assertions (RFC 7523),
    its private key as PEM or JWK. `parameters` go into each token request.
    """

    client_id: str
    client_secret: Secret
    authentication: ClientAuthentication = ClientAuthentication.POST
    key_id: str | None = None
    algorithm: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPassword:
    """What HTTP Basic sends with every request (RFC 7617)."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How one target is reached; times are in seconds.

    `auth` is the client to log in as, a user, a token that somebody else renews, or None for a server
    that asks nobody. `token_url` is
    absolute. `ca_bundle` is a PEM file that is trusted instead of the public authorities. `grants` are what
    each client is read and changed by, None where the tool's own login is good for all. `log`
    gets one line for each request: never a header, never a body.
    """

    target: str
    provider: Provider
    base_url: str
    auth: Credentials | UserPassword | Secret | None
    token_url: str | None = None
    token_scope: str | None = None
    rate: Rate | None = None
    ca_bundle: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    workers: int = 8
    grants: Grants | None = None
    log: Callable[[str], None] = field(default=lambda _line: None)
