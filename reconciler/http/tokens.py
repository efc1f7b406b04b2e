"""Turns the token endpoint's answers into one bearer token for all threads (RFC 6749 section 4.4)."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from reconciler.core.errors import BadAnswer, RemoteError, ServerFailed, Unauthorized
from reconciler.http.assertion import client_assertion
from reconciler.provider.errors import clean
from reconciler.provider.model import ClientAuthentication

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.model import Json, Secret
    from reconciler.http.connection import Credentials

# A token is renewed this many seconds before it ends, or after 4/5 of a short life.
_RENEW_BEFORE_END: Final = 60.0
# In seconds. A server may state any number, and a larger one overflows the float that it becomes.
_LONGEST_LIFE: Final = 1_000_000
# As many as requests may be under way, each with a token of its own, and more.
_TOKENS_KEPT: Final = 32
# RFC 6750 section 2.1: what may stand in the header, and nothing that could end it.
_BEARER: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
# RFC 6749 section 5.2. Other words of a server are not quoted: they may repeat what was sent.
_ERROR_CODES: Final = {
    "invalid_request": "the request is malformed",
    "invalid_client": "the client id or the client secret is wrong",
    "invalid_grant": "the grant is not valid",
    "unauthorized_client": "this client may not use the client credentials grant",
    "unsupported_grant_type": "it does not know the client credentials grant",
    "invalid_scope": "the scope is unknown, or too much for this client",
}
# Those that wrong, outdated or unknown credentials are answered with.
_OF_CREDENTIALS: Final = frozenset({"invalid_client", "invalid_grant"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token; `renew_at` is by the monotonic clock, None where the server states no end."""

    value: str = field(repr=False)
    renew_at: float | None


class TokenCache:
    """The one token of a target. Who asks for the next one holds `lock` until it is here."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        # Held across the token request: threads that are refused together ask for one token.
        self.lock = threading.Lock()
        self._monotonic = monotonic
        self._token: Token | None = None
        # Also those before: what was sent with one of them may be answered, and quote it, only now.
        self._values: deque[str] = deque(maxlen=_TOKENS_KEPT)

    def get(self, *, other_than: str = "") -> str | None:
        """The token, None when there is none, when its end is near, or when it is `other_than`."""
        token = self._token
        if token is None or token.value == other_than:
            return None
        if token.renew_at is not None and self._monotonic() >= token.renew_at:
            return None
        return token.value

    def put(self, token: Token) -> None:
        """Hand `token` to every thread from now on."""
        self._token = token
        self._values.append(token.value)

    def note(self, secret: str) -> None:
        """Remember what is sent for a token, as a secret."""
        if secret:
            self._values.append(secret)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The last tokens of this run, to be masked wherever they turn up."""
        return tuple(self._values)


def token_of_user(target: str, token: Secret) -> Token:
    """The token that the user gives and renews; Unauthorized where it cannot stand in a header."""
    value = str(token.value)
    if not _BEARER.fullmatch(value):
        raise Unauthorized(
            f"{target}: auth.token is no bearer token (RFC 6750 section 2.1); "
            "look for a line break or a blank in it"
        )
    return Token(value=value, renew_at=None)


def basic_value(user: str, password: str) -> str:
    """What stands behind `Basic` in an Authorization header (RFC 7617 section 2)."""
    return base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def token_request_parts(
    target: str, credentials: Credentials, url: str, scope: str | None
) -> tuple[dict[str, str], dict[str, str]]:
    """The fields and the headers of a token request, with what proves who the client is.

    That is its secret in the body or in a header (RFC 6749 section 2.3.1), or an assertion that it
    signs (RFC 7523 section 2.2). Raises Unauthorized where nothing can be signed.
    """
    secret = str(credentials.client_secret.value)
    fields = {**credentials.parameters, "grant_type": "client_credentials"}
    headers = {}
    if credentials.authentication is ClientAuthentication.BASIC:
        # Encoded first, as the RFC has it: either may hold a colon.
        headers["authorization"] = (
            f"Basic {basic_value(quote_plus(credentials.client_id), quote_plus(secret))}"
        )
    elif credentials.authentication is ClientAuthentication.PRIVATE_KEY_JWT:
        fields |= {
            "client_id": credentials.client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": client_assertion(target, credentials, url),
        }
    else:
        fields |= {"client_id": credentials.client_id, "client_secret": secret}
    # Asked for only where it is known which: some servers refuse a scope that they do not know, and
    # some grant a token without any right where none is asked for.
    return fields if scope is None else {**fields, "scope": scope}, headers


def read_token(
    target: str, address: str, status: int, content: bytes, asked_at: float, *, hint: str = ""
) -> Token:
    """The token in an answer of the token endpoint, or the error that says why there is none.

    `asked_at` is the monotonic time before the request left: a token's life is counted from there.
    `hint` is what the vendor's descriptor says of refused credentials.
    """
    where = f"{target}: the token server {address}"
    body = _json_or_none(content)
    if status != 200:  # noqa: PLR2004 - RFC 6749 section 5.1
        raise _refusal_error(where, status, body, hint)
    value = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(value, str) or not _BEARER.fullmatch(value):
        raise BadAnswer(f"{where} answered 200 without a usable access_token", status=status)
    # RFC 6749 section 5.1 demands the member, and says that its case does not matter.
    if str(body.get("token_type", "bearer")).lower() != "bearer":
        raise BadAnswer(f"{where} gave a token that is not a bearer token", status=status)
    return Token(value=value, renew_at=_renewal_time(body.get("expires_in"), asked_at))


def _json_or_none(content: bytes) -> Json:
    try:
        parsed: Json = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed


def _renewal_time(expires_in: Json, asked_at: float) -> float | None:
    # True is an int in Python, and no number of seconds.
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float):
        return None
    life = min(expires_in, _LONGEST_LIFE)
    return asked_at + life - min(_RENEW_BEFORE_END, life / 5)


def _refusal_error(where: str, status: int, body: Json, hint: str) -> RemoteError:
    code = body.get("error") if isinstance(body, dict) else None
    meaning = _ERROR_CODES.get(code) if isinstance(code, str) else None
    if status in (400, 401, 403):
        why = f"{clean(str(code))}, {meaning}" if meaning else "check auth in the project file"
        if hint and (meaning is None or code in _OF_CREDENTIALS):
            why = f"{why}. {hint[0].upper()}{hint[1:]}"
        return Unauthorized(f"{where} refused the credentials with {status}: {why}", status=status)
    if 400 <= status < 500 and status != 429:  # noqa: PLR2004
        return Unauthorized(
            f"{where} answered {status}: there is no token to be had; "
            "check baseUrl and auth.tokenUrl in the project file",
            status=status,
        )
    if 300 <= status < 400:  # noqa: PLR2004
        # Never followed: the form with the client secret would go to wherever it points.
        return BadAnswer(f"{where} answered with a redirect; check its address", status=status)
    return ServerFailed(f"{where} answered {status}", status=status)
