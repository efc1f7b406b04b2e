"""Logs in: puts the bearer token on each request, and asks for one where there is none that is fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx

from reconciler.core.errors import RemoteError
from reconciler.core.model import Secret
from reconciler.http import tokens
from reconciler.http.limits import Delivery, delivery
from reconciler.http.responses import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from reconciler.http.connection import Connection

USER_AGENT: Final = "oauth-client-reconciler"


class Settled(Exception):
    """Carries what a try came to out of the places where httpx calls us."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class Bearer(httpx.Auth):
    """Puts the bearer token on each request, and asks for one when there is none that is fresh."""

    def __init__(self, connection: Connection, monotonic: Callable[[], float]) -> None:
        self._connection = connection
        self._monotonic = monotonic
        self._vault = tokens.Vault(monotonic)
        self._credentials: tokens.Credentials | None = None
        if isinstance(connection.auth, Secret):
            self._vault.keep(tokens.stated(connection.target, connection.auth))
        else:
            self._credentials = connection.auth

    @property
    def known(self) -> tuple[str, ...]:
        """The secrets that a server was shown to log in, to be masked where it repeats them."""
        if self._credentials is None:
            return self._vault.known
        return (*self._vault.known, str(self._credentials.client_secret.value))

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Send `request` with the token, and once more with a new one when it is answered 401."""
        token = yield from self._token()
        request.headers["authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED and self._credentials is not None:
            token = yield from self._token(but_not=token)
            request.headers["authorization"] = f"Bearer {token}"
            yield request

    def _token(self, *, but_not: str = "") -> Generator[httpx.Request, httpx.Response, str]:
        with self._vault.lock:
            held = self._vault.fresh(but_not=but_not)
            if held is not None or self._credentials is None:
                return held or ""
            asked_at = self._monotonic()
            response = yield _token_request(self._connection, self._credentials)
            response.read()
            token = _granted(self._connection, response, asked_at)
            self._vault.keep(token)
            return token.value


def _token_request(connection: Connection, credentials: tokens.Credentials) -> httpx.Request:
    return httpx.Request(
        "POST",
        connection.token_url or "",
        data=tokens.form(credentials, connection.token_scope),
        headers={"accept": "application/json", "user-agent": USER_AGENT},
        extensions={"token": True, "timeout": timeout_of(connection).as_dict()},
    )


def _granted(connection: Connection, response: httpx.Response, asked_at: float) -> tokens.Token:
    status, address = response.status_code, connection.token_url or ""
    try:
        return tokens.read(connection.target, address, status, response.content, asked_at)
    except RemoteError as error:
        reached = delivery(status)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            reached = Delivery.NEVER_SENT
        settled = Settled(Reply(reached=reached, headers=headers_of(response), error=error))
    raise settled


def timeout_of(connection: Connection) -> httpx.Timeout:
    """The limits of one request, a token request included, in seconds."""
    return httpx.Timeout(connection.read_timeout, connect=connection.connect_timeout)


def headers_of(response: httpx.Response) -> dict[str, str]:
    """The headers of an answer by lower-case name."""
    return {name.lower(): value for name, value in response.headers.items()}


def is_for_token(request: httpx.Request) -> bool:
    """Whether this is a token request, sent before the request that waits for it."""
    return "token" in request.extensions
