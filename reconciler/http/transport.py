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
from reconciler.http.auth import USER_AGENT, Bearer, Settled, headers_of, is_for_token, timeout_of
from reconciler.http.connection import Connection, Rate
from reconciler.http.limits import Delivery, delivery
from reconciler.http.responses import Answer, Call, Reply, conclude, encode, secrets_in
from reconciler.http.retry import Courier
from reconciler.http.tokens import Credentials
from reconciler.provider.errors import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from reconciler.core.model import Json

__all__ = ["Answer", "Connection", "Credentials", "Rate", "Transport"]

LARGEST_ANSWER: Final = 64 * 1024 * 1024
# What httpx reads by itself, a token or the 401 before a renewal: at most this, as it arrives.
_LARGEST_ASIDE: Final = 64 * 1024
# A body may take this many read timeouts in all, so that one that drips in does not hang the run.
_PATIENCE: Final = 10
# Servers close an idle connection after 5 seconds or more: a POST must not be the one to find out.
_IDLE: Final = 4.0
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# `.` and `..` would be folded away, and the request would go to another address.
_FOLDED: Final = re.compile(r"/\.\.?(?=/|$)")
_NEVER_SENT: Final = (
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
        self._auth = Bearer(connection, monotonic)
        self._courier = Courier(
            connection.target, connection.rate, sleep=sleep, monotonic=monotonic, jitter=jitter
        )
        self._client = _client(connection, http_transport, self._before, self._after)

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
        """Send one request, again where that is safe, and give the answer.

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
            known=tuple(secrets_in(body)),
        )
        reply, doubt = self._courier.deliver(method, lambda: self._exchange(call))
        known = (*call.known, *self._auth.known)
        return conclude(self._connection.provider, call, reply, doubt=doubt, known=known)

    def _exchange(self, call: Call) -> Reply:
        """One try. What httpx raises ends here, with the headers that it holds."""
        try:
            request = self._request(call)
            response = self._client.send(request, auth=self._auth, stream=True)
            try:
                return _reply(response)
            finally:
                response.close()
        except Settled as settled:
            return settled.reply
        except httpx.InvalidURL:
            cause = "the address cannot be used; check baseUrl in the project file"
            return Reply(reached=Delivery.ANSWERED, cause=cause)
        except httpx.RequestError as error:
            self._log(error.request, type(error).__name__)
            return _lost(error, self._connection.read_timeout)

    def _request(self, call: Call) -> httpx.Request:
        if _FOLDED.search(call.path):
            raise httpx.InvalidURL(call.path)
        return self._client.build_request(
            call.method,
            self._connection.base_url.rstrip("/") + call.path,
            params=dict(call.query) or None,
            content=call.content,
            headers={} if call.content_type is None else {"content-type": call.content_type},
        )

    def _before(self, request: httpx.Request) -> None:
        request.extensions["started"] = self._monotonic()

    def _after(self, response: httpx.Response) -> None:
        self._log(response.request, str(response.status_code))
        aside = is_for_token(response.request) or response.status_code == httpx.codes.UNAUTHORIZED
        response.stream = _Bounded(
            response,
            most=_LARGEST_ASIDE if aside else LARGEST_ANSWER,
            until=self._monotonic() + _PATIENCE * self._connection.read_timeout,
            monotonic=self._monotonic,
        )

    def _log(self, request: httpx.Request, result: str) -> None:
        milliseconds = (self._monotonic() - request.extensions["started"]) * 1000
        path = request.url.raw_path.decode("ascii")
        self._connection.log(f"{request.method} {path} {result} {milliseconds:.0f} ms")


class _Bounded(httpx.SyncByteStream):
    """The body of an answer as it arrives, up to `most` bytes and until a time."""

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


def _reply(response: httpx.Response) -> Reply:
    status, content = response.status_code, bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise _TooLarge("the answer is too large", request=response.request)
    headers = headers_of(response)
    return Reply(reached=delivery(status), status=status, headers=headers, content=bytes(content))


def _lost(error: httpx.RequestError, read_timeout: float) -> Reply:
    aside = is_for_token(error.request)
    where = "the token server" if aside else "the server"
    if isinstance(error, _NEVER_SENT):
        return _never_sent(error, f"{where} {error.request.url.host}")
    if isinstance(error, _TooLarge | httpx.DecodingError):
        reached = Delivery.UNREADABLE
        cause = f"{where} sent an answer that cannot be read: too large, or broken compression"
    else:
        slow = isinstance(error, httpx.TimeoutException)
        cause = f"{where} gave no whole answer" + (f" within {read_timeout:g} s" if slow else "")
        reached = Delivery.UNKNOWN
    # Without a token the request itself never left.
    return Reply(reached=Delivery.NEVER_SENT if aside else reached, cause=cause)


def _never_sent(error: httpx.RequestError, where: str) -> Reply:
    cause = f"{where} cannot be reached: {clean(str(error)) or type(error).__name__}"
    if "CERTIFICATE_VERIFY_FAILED" in cause:
        cause += ". Give the authority that signed its certificate as caBundle"
        return Reply(reached=Delivery.ANSWERED, error=Unreachable(cause))
    return Reply(reached=Delivery.NEVER_SENT, cause=cause)


def _client(
    connection: Connection,
    http_transport: httpx.BaseTransport | None,
    before: Callable[[httpx.Request], None],
    after: Callable[[httpx.Response], None],
) -> httpx.Client:
    addresses = [urlsplit(url) for url in (connection.base_url, connection.token_url) if url]
    return httpx.Client(
        transport=http_transport,
        verify=_trust(connection, encrypted=any(url.scheme == "https" for url in addresses)),
        timeout=timeout_of(connection),
        limits=httpx.Limits(
            max_connections=connection.workers,
            max_keepalive_connections=connection.workers,
            keepalive_expiry=_IDLE,
        ),
        # A proxy is for other hosts: the sandbox must work behind one.
        trust_env=not all(url.hostname in _LOOPBACK for url in addresses),
        headers={"accept": "application/json", "user-agent": USER_AGENT},
        event_hooks={"request": [before], "response": [after]},
    )


def _trust(connection: Connection, *, encrypted: bool) -> ssl.SSLContext:
    if not encrypted:
        # It trusts nobody. Loading the authorities takes 60 ms that plain HTTP has no use for.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return authorities(connection.ca_bundle)
    except OSError as error:
        reason = error.strerror or "it holds no certificate"
    raise RemoteError(
        f"{connection.target}: caBundle {connection.ca_bundle} cannot be used: {reason}"
    )


@lru_cache
def authorities(ca_bundle: str | None) -> ssl.SSLContext:
    """The context that all connections which trust the same authorities share."""
    if ca_bundle is None:
        return httpx.create_ssl_context()
    return ssl.create_default_context(cafile=ca_bundle)
