"""TLS within TLS: to a server, through a proxy that speaks TLS itself, each step within a time."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpcore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.http.wire.deadline import Deadline

T = TypeVar("T")

# In bytes, as much as a record of TLS holds (RFC 8446 section 5.1).
_RECORD: Final = 16 * 1024


class TunnelledTls(httpcore.NetworkStream):
    """TLS over `outer`, which speaks TLS to the proxy.

    That of httpcore gives each piece of a record the whole timeout, so that a server which sends it
    byte by byte is waited for without an end.
    """

    def __init__(
        self,
        outer: httpcore.NetworkStream,
        deadline: Deadline,
        context: ssl.SSLContext,
        hostname: str | None,
        timeout: float | None,
    ) -> None:
        self._outer = outer
        self._deadline = deadline
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=hostname)
        try:
            with _as(httpcore.ConnectTimeout, httpcore.ConnectError):
                self._perform(self._tls.do_handshake, timeout)
        except BaseException:
            self.close()
            raise

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What the server sent, decrypted; b"" at its end."""
        with _as(httpcore.ReadTimeout, httpcore.ReadError):
            return self._perform(lambda: self._tls.read(max_bytes), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Encrypt and send all of `buffer`."""
        with _as(httpcore.WriteTimeout, httpcore.WriteError):
            # OpenSSL takes all of it: it goes to memory, which is never full.
            self._perform(lambda: self._tls.write(buffer), timeout)

    def close(self) -> None:
        """Close the connection to the proxy, and with it this one."""
        self._outer.close()

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks a connection: about TLS of this one, else of the one to the proxy."""
        return self._tls if info == "ssl_object" else self._outer.get_extra_info(info)

    def _perform(self, step: Callable[[], T], timeout: float | None) -> T:
        """The result of one step of TLS, for which bytes may have to come and go first."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._send(timeout)
                self._receive(timeout)
            else:
                self._send(timeout)
                return result

    def _send(self, timeout: float | None) -> None:
        if content := self._leaving.read():
            self._outer.write(content, self._deadline.limit(timeout, httpcore.WriteTimeout))

    def _receive(self, timeout: float | None) -> None:
        content = self._outer.read(_RECORD, self._deadline.limit(timeout, httpcore.ReadTimeout))
        if content:
            self._arrived.write(content)
        else:
            self._arrived.write_eof()


@contextmanager
def _as(slow: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """Raise these of a step for what went wrong beneath it."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise slow(str(error)) from error
    except (httpcore.NetworkError, ssl.SSLError) as error:
        raise broken(str(error)) from error
