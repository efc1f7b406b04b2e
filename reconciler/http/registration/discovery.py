"""Finds the registration endpoint of an authorization server in what that publishes of itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reconciler.core.addresses import open_http_host
from reconciler.core.errors import BadAnswer, NotFound, Rejected, Unauthorized
from reconciler.http.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

    from reconciler.core.model import Json
    from reconciler.http.connection import Connection

_RFC8414: Final = "/.well-known/oauth-authorization-server"
_OIDC: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where clients are registered: `base_url` is its origin, `path` the rest, and where tokens are given.

    `token_url` is None where the server names no token endpoint.
    """

    base_url: str
    path: str
    token_url: str | None = None


def discover(connection: Connection, *, allow_http: bool) -> Endpoints:
    """The endpoints of the issuer that is the connection's base URL (RFC 8414; OpenID Connect Discovery 1.0).

    Nobody logs in for it. Raises the RemoteErrors; BadAnswer where the metadata are of another
    issuer, or name no registration endpoint that may be used.
    """
    issuer = connection.base_url
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(issuer))
    asking = replace(connection, base_url=origin, auth=None, grants=None)
    with Transport(asking) as transport:
        for path in _places(urlsplit(issuer).path.rstrip("/")):
            try:
                found = transport.send("GET", path).body
            except (NotFound, Rejected, BadAnswer, Unauthorized):
                # Where they have nothing, some answer with a page for people, or ask who is there.
                continue
            return _endpoints(connection, found, allow_http=allow_http)
    raise BadAnswer(
        f"{connection.target}: {issuer} publishes no metadata: neither {_RFC8414} (RFC 8414) nor {_OIDC} is "
        "there. State `baseUrl` and `collection` in place of `issuer`"
    )


def _places(path: str) -> Iterator[str]:
    """Where the metadata of an issuer with this path may be (RFC 8414 section 3; OpenID Connect Discovery 1.0 section 4)."""
    yield f"{_RFC8414}{path}"
    yield f"{path}{_OIDC}"


def _endpoints(connection: Connection, found: Json, *, allow_http: bool) -> Endpoints:
    metadata = found if isinstance(found, dict) else {}
    issuer, target = connection.base_url, connection.target
    # RFC 8414 section 3.3: else another server could give out its endpoints for this one's.
    if str(metadata.get("issuer")).rstrip("/") != issuer:
        raise BadAnswer(f"{target}: the metadata at {issuer} are of another issuer")
    parts = _usable(metadata.get("registration_endpoint"), allow_http=allow_http)
    if parts is None:
        raise BadAnswer(
            f"{target}: {issuer} names no registration_endpoint in its metadata that can be used: an https "
            "address without query and user. Where there is one, state it as `baseUrl` and `collection` in "
            "place of `issuer`"
        )
    token = _usable(metadata.get("token_endpoint"), allow_http=allow_http)
    return Endpoints(
        base_url=f"{parts.scheme}://{parts.netloc}",
        path=parts.path,
        token_url=None if token is None else token.geturl(),
    )


def _usable(stated: Json, *, allow_http: bool) -> SplitResult | None:
    """An endpoint that a server names, if what is sent there may be secret; else None."""
    try:
        parts = urlsplit(stated if isinstance(stated, str) else "")
    except ValueError:
        return None
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and (allow_http or not open_http_host(parts.geturl()))
    )
    is_plain = parts.netloc and "@" not in parts.netloc and not (parts.query or parts.fragment)
    return parts if is_safe and is_plain else None
