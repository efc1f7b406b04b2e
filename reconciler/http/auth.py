"""Puts what says who sends it on each request, and asks for a token where there is none that is fresh."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import httpx

from reconciler.core.errors import RemoteError, Unreachable
from reconciler.core.model import Secret
from reconciler.http.connection import UserPassword
from reconciler.http.responses import Reply, SendState, send_state
from reconciler.http.tokens import (
    Token,
    TokenCache,
    basic_value,
    read_token,
    token_of_user,
    token_request_parts,
)
from reconciler.provider.model import Scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from reconciler.http.connection import Connection, Credentials
    from reconciler.http.wire.deadline import Deadline

# Under this name a request carries the token of the one client that it is about (RFC 7592).
OWN_TOKEN: Final = "own_token"  # noqa: S105 - a name
USER_AGENT: Final = "oauth-client-reconciler"


class TokenRequestFailed(Exception):
    """Carries the reply to a failed token request out through httpx, which calls us for it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class LoginAuth(httpx.Auth):
    """Puts on each request what says who sends it: a token, in the scheme that the server knows, or nothing.

    A request has one turn at the target's pace: `next_turn` gives it another, where a token request
    took that one.
    """

    def __init__(
        self,
        connection: Connection,
        monotonic: Callable[[], float],
        next_turn: Callable[[], None],
        deadline: Deadline,
    ) -> None:
        self._connection = connection
        self._monotonic = monotonic
        self._deadline = deadline
        self._next_turn = next_turn
        self._cache = TokenCache(monotonic)
        self._credentials: Credentials | None = None
        self._also_secret: tuple[str, ...] = ()
        # RFC 6750: what a token endpoint gives is sent so, whatever the server's own tokens are.
        self._scheme = "Bearer"
        if isinstance(connection.auth, Secret):
            self._cache.put(token_of_user(connection.target, connection.auth))
            self._scheme = _scheme_of_tokens(connection)
        elif isinstance(connection.auth, UserPassword):
            password = str(connection.auth.password.value)
            value = basic_value(connection.auth.username, password)
            self._cache.put(Token(value=value, renew_at=None))
            self._scheme, self._also_secret = "Basic", (password,)
        elif connection.auth is not None:
            self._credentials = connection.auth
            self._also_secret = (str(connection.auth.client_secret.value),)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets that a server gets to log in, to be masked where it repeats them."""
        return (*self._cache.secrets, *self._also_secret)

    @property
    def asks_for_tokens(self) -> bool:
        """Whether the tokens come from a server, and not from the user."""
        return self._credentials is not None

    @property
    def has_token(self) -> bool:
        """Whether a token is at hand that is good for a while."""
        return self._cache.get() is not None

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Send `request` with the token, and once more with a new one when it is answered 401."""
        # A client's own token: no other is any better, so that a 401 is the answer.
        if own := request.extensions.get(OWN_TOKEN):
            request.headers["authorization"] = f"Bearer {own}"
            yield request
            return
        token, asked = yield from self._fresh_token()
        if asked:
            self._wait_turn()
        if token:
            request.headers["authorization"] = f"{self._scheme} {token}"
        response = yield request
        # Safe for a POST too: a 401 says that it was refused. A second 401 is the answer.
        if response.status_code == httpx.codes.UNAUTHORIZED and self._credentials is not None:
            self._wait_turn()
            token, asked = yield from self._fresh_token(other_than=token)
            # Not while the token is waited for: those who wait for it have turns that this one needs.
            if asked:
                self._wait_turn()
            request.headers["authorization"] = f"{self._scheme} {token}"
            yield request

    def login_only(self) -> httpx.Auth:
        """An auth that ends with the token request, whose answer is that to the whole."""
        return _LoginOnly(self._fresh_token)

    def _fresh_token(
        self, *, other_than: str = ""
    ) -> Generator[httpx.Request, httpx.Response, tuple[str, bool]]:
        """The token, and whether a request was sent for it."""
        with self._locked_cache():
            cached = self._cache.get(other_than=other_than)
            if cached is not None or self._credentials is None:
                return cached or "", False
            asked_at = self._monotonic()
            request, assertion = _token_request(self._connection, self._credentials)
            # Signed for this request alone, and yet a credential for as long as it lives.
            self._cache.note(assertion)
            response = yield request
            response.read()
            token = _token_in_answer(self._connection, response, asked_at)
            self._cache.put(token)
            return token.value, True

    def _wait_turn(self) -> None:
        # Our own wait, and not the server's: the exchange has as much time after it as before.
        self._deadline.without(self._next_turn)

    @contextmanager
    def _locked_cache(self) -> Iterator[None]:
        """Hold the cache, for which the request of another thread may be under way for a while."""
        if not self._cache.lock.acquire(timeout=min(self._deadline.left(), threading.TIMEOUT_MAX)):
            where = f"{self._connection.target}: the token server {self._connection.token_url}"
            error = Unreachable(f"{where} gave no token within {self._deadline.seconds:g} s")
            raise TokenRequestFailed(Reply(state=SendState.ANSWERED, error=error))
        try:
            yield
        finally:
            self._cache.lock.release()


class _LoginOnly(httpx.Auth):
    """Gets a token, and sends nothing with it."""

    def __init__(
        self,
        fresh_token: Callable[[], Generator[httpx.Request, httpx.Response, tuple[str, bool]]],
    ) -> None:
        self._fresh_token = fresh_token

    def sync_auth_flow(
        self,
        request: httpx.Request,  # noqa: ARG002 - httpx gives it
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token request, and not `request`."""
        yield from self._fresh_token()


def _scheme_of_tokens(connection: Connection) -> str:
    """How a token of the user's is sent. A server that asks nobody may stand behind one that does."""
    scheme = connection.provider.token.scheme
    return Scheme.BEARER.value if scheme in (Scheme.NONE, Scheme.BASIC) else scheme.value


def _token_request(connection: Connection, credentials: Credentials) -> tuple[httpx.Request, str]:
    """The request, and the assertion in it, "" for none."""
    # Not built by the client, so its timeouts do not come by themselves: without them none apply.
    url = connection.token_url or ""
    fields, headers = token_request_parts(
        connection.target, credentials, url, connection.token_scope
    )
    request = httpx.Request(
        "POST",
        url,
        data=fields,
        headers={"accept": "application/json", "user-agent": USER_AGENT, **headers},
        extensions={"token": True, "timeout": timeout_of(connection).as_dict()},
    )
    return request, fields.get("client_assertion", "")


def _token_in_answer(connection: Connection, response: httpx.Response, asked_at: float) -> Token:
    status, address = response.status_code, connection.token_url or ""
    if "via" in response.extensions:
        address += f" (through {response.extensions['via']})"
    try:
        hint = connection.provider.token.hint
        return read_token(connection.target, address, status, response.content, asked_at, hint=hint)
    except RemoteError as error:
        state = send_state(status)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            # The request that waits for the token has not left, so even a POST may be tried again.
            state = SendState.NEVER_SENT
        failed = TokenRequestFailed(Reply(state=state, headers=headers_of(response), error=error))
    # Outside of the handler, so that no traceback leads back to the request and its form.
    raise failed


def timeout_of(connection: Connection) -> httpx.Timeout:
    """The limits of one request, a token request included, in seconds."""
    return httpx.Timeout(connection.read_timeout, connect=connection.connect_timeout)


def headers_of(response: httpx.Response) -> dict[str, str]:
    """The headers of an answer by lower-case name."""
    return {name.lower(): value for name, value in response.headers.items()}


def is_token_request(request: httpx.Request) -> bool:
    """Whether this is a token request, sent before the request that waits for it."""
    return "token" in request.extensions
