"""Sends requests to one target over HTTP and turns every failure into one of our errors."""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import httpx

from reconciler.core.errors import AccessRefused, RemoteError, SinkError, Unauthorized
from reconciler.core.model import EMPTY
from reconciler.core.secrets import secret_texts
from reconciler.http.auth import (
    OWN_TOKEN,
    LoginAuth,
    TokenRequestFailed,
    headers_of,
    is_token_request,
)
from reconciler.http.client import make_client
from reconciler.http.failures import failure_reply
from reconciler.http.links import same_origin
from reconciler.http.responses import (
    Answer,
    Call,
    Reply,
    SendState,
    encode,
    no_answer_error,
    read_answer,
    send_state,
)
from reconciler.http.retry import Retrier, retry_after
from reconciler.http.wire.answer import TooLarge
from reconciler.http.wire.deadline import Deadline
from reconciler.provider.errors import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from reconciler.core.model import Json
    from reconciler.http.connection import Connection
    from reconciler.http.registration.grants import Grant, Grants

# In bytes, after decompression: a small answer may unfold to a huge one.
LARGEST_ANSWER: Final = 64 * 1024 * 1024
# In bytes. What httpx reads by itself, without asking us: a token, or the 401 before a renewal.
_LARGEST_LOGIN_ANSWER: Final = 64 * 1024
# The read timeout is for each piece that arrives. All of an exchange, its token included, may take
# this many of them, so that one of which a byte comes now and then does not hang the run.
_READ_TIMEOUTS_IN_ALL: Final = 5
# Under this name a request carries what is asked right before it leaves.
_BEFORE: Final = "before_try"
# What httpcore calls the moment before a request's first bytes leave, in each version of HTTP.
_FIRST_BYTES: Final = "send_request_headers.started"
# RFC 3986 section 5.2.4: `.` and `..` would be removed, and the request go to another address.
_DOT_SEGMENT: Final = re.compile(r"/\.\.?(?=/|$)")


class Transport:
    """The open connections to one target. Threads may share it."""

    def __init__(
        self,
        connection: Connection,
        *,
        http_transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connection = connection
        self._monotonic = monotonic
        self._retrier = Retrier(
            connection.target,
            connection.rate,
            concurrency=connection.workers,
            sleep=sleep,
            monotonic=monotonic,
            jitter=jitter,
        )
        self._deadline = Deadline(_READ_TIMEOUTS_IN_ALL * connection.read_timeout, monotonic)
        self._auth = LoginAuth(connection, monotonic, self._retrier.next_turn, self._deadline)
        self._client = make_client(
            connection, http_transport, self._deadline, self._on_request, self._on_response
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    @property
    def target(self) -> str:
        """The target's name, for messages."""
        return self._connection.target

    @property
    def workers(self) -> int:
        """How many threads may send at once without waiting for a connection."""
        return self._connection.workers

    def quote(self, text: str) -> str:
        """`text`, which the server chose, for a message: on one line, without what we log in with."""
        return clean(text, self.secrets)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What the tool logs in with by now, and the tokens that it got for that."""
        return self._auth.secrets

    @property
    def base_url(self) -> str:
        """The address that paths are relative to."""
        return self._connection.base_url

    def wait_to_repeat(self, attempt: int, failed: RemoteError) -> None:
        """Wait after the `attempt`, from 1, that `failed`, as its answer asks for, before it is sent again."""
        self._retrier.wait_to_repeat(attempt, failed.retry_after, failed.status)

    def send(  # noqa: PLR0913 - what is asked of one request
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] = EMPTY,
        body: Json = None,
        content_type: str | None = "application/json",
        expect: Collection[int] = (200,),
        about: str = "",
        subject: str = "",
        secrets: Iterable[str] = (),
        before_try: Callable[[], None] | None = None,
    ) -> Answer:
        """The answer to one request, which is sent again where that is safe.

        `before_try` is called each time right before it leaves, after every wait and login, and once
        more when there is a connection: what it raises ends the call, and nothing is sent.

        `path` is percent-encoded and relative to the base URL; Secrets in `body` are revealed on
        the way out. `about` is the remote id of the client that it is for, "" for none: where each
        has a token of its own, that goes along, and one that an answer tells is kept before this
        returns. `subject` is the key of the client that it is about, for messages, in which
        `secrets` that the server has of it are masked, as all in `body` are. Raises the
        RemoteErrors; Ambiguous where a write may have been carried out and no answer says so.
        """
        grant = self._grant_of(about)
        call = Call(
            target=self._connection.target,
            method=method,
            path=path,
            grant=grant,
            subject=subject,
            query=query,
            content=encode(body),
            content_type=None if body is None else content_type,
            expect=frozenset(expect),
            secrets=(*secret_texts(body), *secrets, *secret_texts(grant and grant.token)),
        )
        reply, maybe_done = self._retrier.send_with_retries(
            method, lambda: self._try(lambda: self._send_once(call, before_try))
        )
        # Asked for after the tries: a token that was renewed meanwhile is masked as well.
        secrets = (*call.secrets, *self._auth.secrets)
        try:
            answer = read_answer(
                self._connection.provider, call, reply, maybe_done=maybe_done, secrets=secrets
            )
        except Unauthorized as error:
            if grant is None:
                raise
            raise _refused_access(error, about) from None
        except RemoteError as error:
            # For a caller that can find out what became of a write, and then sends it again.
            error.retry_after = retry_after(reply.headers)
            raise
        grants = self._connection.grants
        return (
            answer
            if grants is None
            else replace(answer, body=grants.take(subject, about, answer.body))
        )

    @property
    def grants(self) -> Grants | None:
        """What each client is read and changed by, None where the tool's own login is good for all."""
        return self._connection.grants

    def _grant_of(self, remote_id: str) -> Grant | None:
        """The grant of a client, None where none is needed. Raises AccessRefused where it is missing."""
        grants, base_url = self._connection.grants, self._connection.base_url
        if grants is None or not remote_id:
            return None
        where = f"{self._connection.target}: {remote_id}"
        try:
            grant = grants.find(remote_id)
        except SinkError as error:
            raise AccessRefused(
                f"{where} has a token of its own, which cannot be read: {error}"
            ) from None
        if grant is None:
            raise AccessRefused(
                f"{where} has a token of its own (RFC 7592), which the sink does not have"
            )
        if grant.uri and not same_origin(grant.uri, base_url):
            raise AccessRefused(
                f"{where} has an address of its own that is on another server than {base_url}, and its token "
                "is sent to none but that"
            )
        return grant

    def log_in(self) -> bool:
        """Get a token where none is at hand, and say whether the target's own server gave one.

        False: the token is the user's, or comes from another server, so that nothing is known of
        the target's. Raises the RemoteErrors. Not while other threads send.
        """
        if not self._auth.asks_for_tokens:
            return False
        if not self._auth.has_token:
            reply, _ = self._retrier.send_with_retries("POST", lambda: self._try(self._log_in_once))
            if reply.status is None:
                raise no_answer_error(f"{self._connection.target}: the login", reply)
        return same_origin(self._connection.token_url or "", self._connection.base_url)

    def _log_in_once(self) -> Reply:
        """The reply to one token request; the token is kept for what is sent next."""
        request = httpx.Request("POST", self._connection.token_url or "")
        # Only for its login: the flow ends before this request itself would leave.
        response = self._client.send(request, auth=self._auth.login_only())
        return Reply(state=SendState.ANSWERED, status=response.status_code)

    def _send_once(self, call: Call, before_try: Callable[[], None] | None) -> Reply:
        request = self._build_request(call)
        if call.grant is not None:
            request.extensions |= {OWN_TOKEN: str(call.grant.token.value)}
        if before_try is not None:
            request.extensions |= {_BEFORE: before_try, "trace": partial(_on_step, before_try)}
        response = self._client.send(request, auth=self._auth, stream=True)
        try:
            return _read_reply(response)
        finally:
            response.close()

    def _try(self, send_once: Callable[[], Reply]) -> Reply:
        """The reply to one try. What httpx raises ends here, with the headers that it holds."""
        self._deadline.start()
        try:
            return send_once()
        except TokenRequestFailed as failed:
            return failed.reply
        except httpx.InvalidURL:
            cause = "the address cannot be used; check baseUrl in the project file"
            # No state of its own: what matters is that it is not sent again.
            return Reply(state=SendState.ANSWERED, cause=cause)
        except httpx.RequestError as error:
            self._log(error.request, type(error).__name__)
            over = self._deadline.seconds if self._deadline.is_over() else None
            return failure_reply(error, self._connection, self._auth.secrets, over)

    def _build_request(self, call: Call) -> httpx.Request:
        own = "" if call.grant is None else call.grant.uri
        if _DOT_SEGMENT.search(own or call.path):
            raise httpx.InvalidURL(call.path)
        return self._client.build_request(
            call.method,
            own or self._connection.base_url.rstrip("/") + call.path,
            # httpx puts these in the place of a query, which a client's own address may have.
            params=None if own else dict(call.query) or None,
            content=call.content,
            headers={} if call.content_type is None else {"content-type": call.content_type},
        )

    def _on_request(self, request: httpx.Request) -> None:
        # Not for a login, which is a request of its own.
        if before_try := request.extensions.get(_BEFORE):
            before_try()
        request.extensions["started"] = self._monotonic()

    def _on_response(self, response: httpx.Response) -> None:
        self._log(response.request, str(response.status_code))
        # httpx reads these two before it goes on with the login, so the limit must be in the stream.
        is_login = (
            is_token_request(response.request) or response.status_code == httpx.codes.UNAUTHORIZED
        )
        most = _LARGEST_LOGIN_ANSWER if is_login else LARGEST_ANSWER
        response.stream = _LimitedBody(response, most=most)

    def _log(self, request: httpx.Request, result: str) -> None:
        milliseconds = (self._monotonic() - request.extensions["started"]) * 1000
        path = request.url.raw_path.decode("ascii")
        self._connection.log(f"{request.method} {path} {result} {milliseconds:.0f} ms")


class _LimitedBody(httpx.SyncByteStream):
    """The body of an answer as it arrives, up to `most` bytes."""

    def __init__(self, response: httpx.Response, *, most: int) -> None:
        self._request = response.request
        self._stream = cast("httpx.SyncByteStream", response.stream)
        self._most = most

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > self._most:
                raise TooLarge("too large", request=self._request)
            yield chunk

    def close(self) -> None:
        self._stream.close()


def _read_reply(response: httpx.Response) -> Reply:
    status, content = response.status_code, bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        # Counted once more: the stream counts what arrives, this what it decompresses to.
        if len(content) > LARGEST_ANSWER:
            raise TooLarge("too large", request=response.request)
    return Reply(
        state=send_state(status),
        status=status,
        headers=headers_of(response),
        content=bytes(content),
        via=str(response.extensions.get("via", "")),
    )


def _refused_access(error: RemoteError, remote_id: str) -> AccessRefused:
    message = (
        f"{error}. That is how a server answers for a client that is gone, and for one that has another "
        f"registration access token (RFC 7592 section 2): if {remote_id} is gone, forget it"
    )
    return AccessRefused(message, status=error.status, tracking=error.tracking)


def _on_step(before_try: Callable[[], None], step: str, _facts: Mapping[str, object]) -> None:
    """Ask again when there is a connection: to make one, through a proxy too, may have taken long."""
    if step.endswith(_FIRST_BYTES):
        before_try()
