"""Turns client credentials into bearer tokens (RFC 6749, section 4.4) and tokens into what they allow."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus

from reconciler.sandbox.state import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.sandbox.state import Store
    from reconciler.sandbox.world import Mint

BORUTA_CLIENTS = "clients:manage:all"
BORUTA_IDENTITY_PROVIDERS = "identity-providers:manage:all"
SAILPOINT_ALL = "sp:scopes:all"
SAILPOINT_CLIENTS = "sp:oauth-client:manage"
SAILPOINT_READ = "sp:oauth-client:read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A client that may ask for tokens; `user` False is an API client without a user behind it."""

    vendor: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    user: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token allows, to whom, until when (seconds since the epoch)."""

    vendor: str
    client_id: str
    scopes: frozenset[str]
    user: bool
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """How one vendor issues tokens; `grants_all_scopes` where a request names none.

    `takes_basic` where client credentials may come by HTTP Basic (RFC 6749, section 2.3.1).
    """

    vendor: str
    lifetime: int
    bearer_spelling: str
    grants_all_scopes: bool
    takes_basic: bool


ISSUERS = {
    "provident": Issuer(
        vendor="provident",
        lifetime=3600,
        bearer_spelling="Bearer",
        grants_all_scopes=True,
        takes_basic=False,
    ),
    "sailpoint": Issuer(
        vendor="sailpoint",
        lifetime=749,
        bearer_spelling="bearer",
        grants_all_scopes=True,
        takes_basic=False,
    ),
    "boruta": Issuer(
        vendor="boruta",
        lifetime=86400,
        bearer_spelling="bearer",
        grants_all_scopes=False,
        takes_basic=True,
    ),
}


class Invalid(Exception):
    """A token request is refused, with status and `error` code as in RFC 6749, section 5.2."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.status, self.code, self.description = status, code, description


class Tokens:
    """The tokens in circulation."""

    def __init__(self, clock: Callable[[], float], mint: Mint) -> None:
        self._clock = clock
        self._mint = mint
        self._grants: dict[str, Grant] = {}

    def issue(self, credential: Credential, scopes: frozenset[str], lifetime: float) -> str:
        """Issue a token that lives `lifetime` seconds, and return it."""
        token = self._mint.secret(48)
        self._grants[token] = Grant(
            vendor=credential.vendor,
            client_id=credential.client_id,
            scopes=scopes,
            user=credential.user,
            expires_at=self._clock() + lifetime,
        )
        return token

    def grant(self, vendor: str, authorization: str) -> Grant | None:
        """What an Authorization header allows at this vendor, None when that is nothing."""
        scheme, _, token = authorization.partition(" ")
        grant = self._grants.get(token.strip())
        if grant is None or scheme.lower() != "bearer" or grant.vendor != vendor:
            return None
        return grant if self._clock() < grant.expires_at else None

    def expire(self) -> None:
        """Make every token worthless at once."""
        self._grants.clear()


def token_request_form(
    issuer: Issuer, authorization: str, media_type: str, body: bytes
) -> dict[str, str]:
    """The form of a token request, credentials from HTTP Basic laid over it where the vendor takes them."""
    if media_type != "application/x-www-form-urlencoded":
        raise Invalid(400, "invalid_request", "The body must be a form.")
    form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    if issuer.takes_basic and authorization.lower().startswith("basic "):
        client_id, client_secret = _basic(authorization)
        form |= {"client_id": client_id, "client_secret": client_secret}
    return form


def _basic(authorization: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(authorization[6:], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Invalid(401, "invalid_client", "The Basic credentials cannot be read.") from error
    client_id, _, client_secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(client_secret)


def check_token_request(
    issuer: Issuer, form: Mapping[str, str], credentials: Mapping[str, Credential]
) -> tuple[Credential, frozenset[str]]:
    """The client that asks for a token, and the scopes it gets; raises Invalid when it is refused."""
    if form.get("grant_type") != "client_credentials":
        raise Invalid(400, "unsupported_grant_type", "Only client_credentials is served here.")
    # Compared as a pair: which of the two is wrong is never said.
    pair = form.get("client_id"), form.get("client_secret")
    for credential in credentials.values():
        if credential.vendor == issuer.vendor and pair == (
            credential.client_id,
            credential.client_secret,
        ):
            break
    else:
        raise Invalid(401, "invalid_client", "Invalid client_id or client_secret.")
    scopes = frozenset(form.get("scope", "").split())
    if not scopes <= set(credential.scopes):
        raise Invalid(400, "invalid_scope", "Given scopes are unknown or unauthorized.")
    return credential, frozenset(
        credential.scopes
    ) if issuer.grants_all_scopes and not scopes else scopes


def tenant_credentials(
    store: Store, mint: Mint, given: Mapping[str, Credential]
) -> dict[str, Credential]:
    """The credentials a sandbox accepts: the given ones, else those of its state, else new ones.

    `sailpoint-api-client` is the plain API client whose calls SailPoint answers with 403.
    """
    fresh = {
        "provident": _new_credential(
            "provident", f"cli_{mint.hexadecimal(20)}", mint, ("clients:write",)
        ),
        "sailpoint": _new_credential("sailpoint", mint.hexadecimal(32), mint, (SAILPOINT_ALL,)),
        "sailpoint-api-client": _new_credential(
            "sailpoint", mint.hexadecimal(32), mint, (SAILPOINT_ALL,), user=False
        ),
        "boruta": _new_credential(
            "boruta", mint.uuid(), mint, (BORUTA_CLIENTS, BORUTA_IDENTITY_PROVIDERS)
        ),
    }
    stored = {row.id: _of_row(row) for row in store.rows("credentials")}
    store.add("credentials", (_row(name, one) for name, one in fresh.items() if name not in stored))
    known = fresh | stored | dict(given)
    for credential in known.values():
        mint.note(credential.client_secret)
    return known


def _new_credential(
    vendor: str, client_id: str, mint: Mint, scopes: tuple[str, ...], *, user: bool = True
) -> Credential:
    return Credential(
        vendor=vendor, client_id=client_id, client_secret=mint.secret(64), scopes=scopes, user=user
    )


def _row(name: str, credential: Credential) -> Row:
    return Row(
        id=name,
        body={
            "vendor": credential.vendor,
            "client_id": credential.client_id,
            "client_secret": credential.client_secret,
            "scopes": credential.scopes,
            "user": credential.user,
        },
    )


def _of_row(row: Row) -> Credential:
    return Credential(**row.body | {"scopes": tuple(row.body["scopes"])})
