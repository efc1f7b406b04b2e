"""Opens and reads connections for httpcore, each step within what is left of the exchange's time."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final

import httpcore

from reconciler.http.wire.answer import AnswerSize
from reconciler.http.wire.tunnel import TunnelledTls

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from httpcore import SOCKET_OPTION

    from reconciler.http.wire.deadline import Deadline

# In bytes. So much is handed to the system at once: a server that takes it byte by byte is met by the
# deadline between one such piece and the next.
_PIECE: Final = 1024


class LimitedNetwork(httpcore.NetworkBackend):
    """Connections of which no step goes on after the deadline of the exchange that it belongs to.

    httpcore closes the socket of a step that fails.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first of the host's addresses that takes one."""
        problem: Exception = httpcore.ConnectError(f"{host} has no address")
        # One after the other, since a name may have hundreds: each is tried in what time is left.
        for address in _addresses(host, port):
            limit = self._deadline.limit(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(
                    address, port, limit, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _LimitedStream(stream, self._deadline)
        raise problem


class _LimitedStream(httpcore.NetworkStream):
    """One connection, with the size of the answer that arrives on it counted."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline
        self._answer = AnswerSize()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._inner.read(max_bytes, self._deadline.limit(timeout, httpcore.ReadTimeout))
        self._answer.add(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            limit = self._deadline.limit(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + _PIECE], limit)
        self._answer.begin()

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        limit = self._deadline.limit(timeout, httpcore.ConnectTimeout)
        stream = (
            self._inner.start_tls(ssl_context, server_hostname, limit)
            if self._inner.get_extra_info("ssl_object") is None
            else TunnelledTls(self._inner, self._deadline, ssl_context, server_hostname, limit)
        )
        return _LimitedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # A name that cannot be asked for, such as `a..b`: that of a proxy is in a variable.
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from None
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    # As it is stated where there is one: an address may name the interface that leads to it.
    return addresses if len(addresses) > 1 else [host]
