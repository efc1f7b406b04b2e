"""Sends requests to one target over HTTP and turns every failure into one of our errors."""

from __future__ import annotations

import random
import re
import ssl
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

import httpx

from reconciler.core.errors import RemoteError, Unreachable
from reconciler.core.model import EMPTY
from reconciler.http.auth import (
    USER_AGENT,
    BearerAuth,
    TokenRequestFailed,
    headers_of,
    is_token_request,
    timeout_of,
)
from reconciler.http.responses import (
    Answer,
    Call,
    Reply,
    SendState,
    encode,
    read_answer,
    secrets_in,
    send_state,
)
from reconciler.http.retry import Retrier, retry_after
from reconciler.provider.errors import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from reconciler.core.model import Json
    from reconciler.http.connection import Connection

# In bytes, after decompression: a small answer may unfold to a huge one.
LARGEST_ANSWER: Final = 64 * 1024 * 1024
# In bytes. What httpx reads by itself, without asking us: a token, or the 401 before a renewal.
_LARGEST_LOGIN_ANSWER: Final = 64 * 1024
# The read timeout is for each chunk: a body may take this many of them in all, so that one that
# drips in does not hang the run.
_READ_TIMEOUTS_FOR_BODY: Final = 10
# In seconds. Servers close an idle connection after 5 seconds or more: a POST must not be the one
# to find out, since it could not be sent again.
_KEEPALIVE: Final = 4.0
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# RFC 3986 section 5.2.4: `.` and `..` would be removed, and the request go to another address.
_DOT_SEGMENT: Final = re.compile(r"/\.\.?(?=/|$)")
# No byte of the request has left. A write timeout is not among them: part of it may have arrived.
_NOT_SENT_ERRORS: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


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
        self._auth = BearerAuth(connection, monotonic)
        self._retrier = Retrier(
            connection.target,
            connection.rate,
            concurrency=connection.workers,
            sleep=sleep,
            monotonic=monotonic,
            jitter=jitter,
        )
        self._client = _make_client(connection, http_transport, self._on_request, self._on_response)

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

    def wait_to_repeat(self, attempt: int, failed: RemoteError) -> None:
        """Wait after the `attempt`, from 1, that `failed`, as its answer asks for, before it is sent again."""
        self._retrier.wait_to_repeat(attempt, failed.retry_after, failed.status)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] = EMPTY,
        body: Json = None,
        content_type: str | None = "application/json",
        expect: Collection[int] = (200,),
        subject: str = "",
    ) -> Answer:
        """The answer to one request, which is sent again where that is safe.

        `path` is percent-encoded and relative to the base URL; Secrets in `body` are revealed on
        the way out. `subject` is the key of the client that it is about, for messages. Raises the
        RemoteErrors; Ambiguous where a write may have been carried out and no answer says so.
        """
        call = Call(
            target=self._connection.target,
            method=method,
            path=path,
            subject=subject,
            query=query,
            content=encode(body),
            content_type=None if body is None else content_type,
            expect=frozenset(expect),
            secrets=tuple(secrets_in(body)),
        )
        reply, maybe_done = self._retrier.send_with_retries(method, lambda: self._send_once(call))
        # Asked for after the tries: a token that was renewed meanwhile is masked as well.
        secrets = (*call.secrets, *self._auth.secrets)
        try:
            return read_answer(
                self._connection.provider, call, reply, maybe_done=maybe_done, secrets=secrets
            )
        except RemoteError as error:
            # For a caller that can find out what became of a write, and then sends it again.
            error.retry_after = retry_after(reply.headers)
            raise

    def _send_once(self, call: Call) -> Reply:
        """The reply to one try. What httpx raises ends here, with the headers that it holds."""
        try:
            request = self._build_request(call)
            response = self._client.send(request, auth=self._auth, stream=True)
            try:
                return _read_reply(response)
            finally:
                response.close()
        except TokenRequestFailed as failed:
            return failed.reply
        except httpx.InvalidURL:
            cause = "the address cannot be used; check baseUrl in the project file"
            # No state of its own: what matters is that it is not sent again.
            return Reply(state=SendState.ANSWERED, cause=cause)
        except httpx.RequestError as error:
            self._log(error.request, type(error).__name__)
            return _failure_reply(error, self._connection.read_timeout)

    def _build_request(self, call: Call) -> httpx.Request:
        if _DOT_SEGMENT.search(call.path):
            raise httpx.InvalidURL(call.path)
        return self._client.build_request(
            call.method,
            self._connection.base_url.rstrip("/") + call.path,
            params=dict(call.query) or None,
            content=call.content,
            headers={} if call.content_type is None else {"content-type": call.content_type},
        )

    def _on_request(self, request: httpx.Request) -> None:
        request.extensions["started"] = self._monotonic()

    def _on_response(self, response: httpx.Response) -> None:
        self._log(response.request, str(response.status_code))
        # httpx reads these two before it goes on with the login, so the limit must be in the stream.
        is_login = (
            is_token_request(response.request) or response.status_code == httpx.codes.UNAUTHORIZED
        )
        response.stream = _LimitedBody(
            response,
            most=_LARGEST_LOGIN_ANSWER if is_login else LARGEST_ANSWER,
            until=self._monotonic() + _READ_TIMEOUTS_FOR_BODY * self._connection.read_timeout,
            monotonic=self._monotonic,
        )

    def _log(self, request: httpx.Request, result: str) -> None:
        milliseconds = (self._monotonic() - request.extensions["started"]) * 1000
        path = request.url.raw_path.decode("ascii")
        self._connection.log(f"{request.method} {path} {result} {milliseconds:.0f} ms")


class _LimitedBody(httpx.SyncByteStream):
    """The body of an answer as it arrives, up to `most` bytes and until a time by the clock."""

    def __init__(
        self, response: httpx.Response, *, most: int, until: float, monotonic: Callable[[], float]
    ) -> None:
        self._request = response.request
        self._stream = cast("httpx.SyncByteStream", response.stream)
        self._most = most
        self._until = until
        self._monotonic = monotonic

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > self._most:
                raise _TooLarge("the answer is too large", request=self._request)
            if self._monotonic() > self._until:
                raise httpx.ReadTimeout("the answer drips in", request=self._request)
            yield chunk

    def close(self) -> None:
        self._stream.close()


class _TooLarge(httpx.RequestError):
    """An answer was larger than any that is read."""


def _read_reply(response: httpx.Response) -> Reply:
    status, content = response.status_code, bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        # Counted once more: the stream counts what arrives, this what it decompresses to.
        if len(content) > LARGEST_ANSWER:
            raise _TooLarge("the answer is too large", request=response.request)
    headers = headers_of(response)
    return Reply(state=send_state(status), status=status, headers=headers, content=bytes(content))


def _failure_reply(error: httpx.RequestError, read_timeout: float) -> Reply:
    is_token = is_token_request(error.request)
    where = "the token server" if is_token else "the server"
    if isinstance(error, _NOT_SENT_ERRORS):
        return _not_sent_reply(error, f"{where} {error.request.url.host}")
    if isinstance(error, _TooLarge | httpx.DecodingError):
        state = SendState.UNREADABLE
        cause = f"{where} sent an answer that cannot be read: too large, or broken compression"
    else:
        slow = isinstance(error, httpx.TimeoutException)
        cause = f"{where} gave no whole answer" + (f" within {read_timeout:g} s" if slow else "")
        state = SendState.UNKNOWN
    # Without a token the request itself never left.
    return Reply(state=SendState.NEVER_SENT if is_token else state, cause=cause)


def _not_sent_reply(error: httpx.RequestError, where: str) -> Reply:
    cause = f"{where} cannot be reached: {clean(str(error)) or type(error).__name__}"
    if "CERTIFICATE_VERIFY_FAILED" in cause:
        cause += ". Give the authority that signed its certificate as caBundle"
        # Not tried again: a certificate does not become good by waiting.
        return Reply(state=SendState.ANSWERED, error=Unreachable(cause))
    return Reply(state=SendState.NEVER_SENT, cause=cause)


def _make_client(
    connection: Connection,
    http_transport: httpx.BaseTransport | None,
    on_request: Callable[[httpx.Request], None],
    on_response: Callable[[httpx.Response], None],
) -> httpx.Client:
    addresses = [urlsplit(url) for url in (connection.base_url, connection.token_url) if url]
    return httpx.Client(
        transport=http_transport,
        verify=_ssl_context(connection, encrypted=any(url.scheme == "https" for url in addresses)),
        timeout=timeout_of(connection),
        limits=httpx.Limits(
            max_connections=connection.workers,
            max_keepalive_connections=connection.workers,
            keepalive_expiry=_KEEPALIVE,
        ),
        # A proxy is for other hosts: the sandbox must work behind one.
        trust_env=not all(url.hostname in _LOOPBACK for url in addresses),
        headers={"accept": "application/json", "user-agent": USER_AGENT},
        event_hooks={"request": [on_request], "response": [on_response]},
    )


def _ssl_context(connection: Connection, *, encrypted: bool) -> ssl.SSLContext:
    if not encrypted:
        # It trusts no one. Loading the authorities takes 60 ms that plain HTTP has no use for.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return trusting_context(connection.ca_bundle)
    except OSError as error:
        reason = error.strerror or "it holds no certificate"
    raise RemoteError(
        f"{connection.target}: caBundle {connection.ca_bundle} cannot be used: {reason}"
    )


@lru_cache
def trusting_context(ca_bundle: str | None) -> ssl.SSLContext:
    """The context that trusts a PEM file, or the public authorities; raises OSError.

    All connections which trust the same share it: 60 ms each would be 6 s for a hundred targets.
    """
    if ca_bundle is None:
        return httpx.create_ssl_context()
    return ssl.create_default_context(cafile=ca_bundle)
