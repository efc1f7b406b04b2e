"""A proxy on loopback that opens tunnels, passes requests on, or fails in a way that a test names."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from support.listening import listening

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


@dataclass
class Proxy:
    """What a proxy does: `answer` is sent as it is in place of its own work, None hangs up.

    `heads` are the requests that it got, down to the blank line. `tls` is what it speaks itself.
    """

    port: int = 0
    answer: bytes | None = b""
    heads: list[bytes] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    works: bool = True


@contextlib.contextmanager
def proxy(answer: bytes | None = b"", *, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """A proxy that gives `answer` to everything; one that works where it is empty."""
    state = Proxy(answer=answer, tls=tls, works=answer == b"")
    with listening(partial(_handle, state)) as state.port:
        yield state


def _handle(state: Proxy, connection: socket.socket) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        stream = stack.enter_context(connection)
        if state.tls is not None:
            stream = stack.enter_context(state.tls.wrap_socket(connection, server_side=True))
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = stream.recv(4096)
            if not chunk:
                return
            head += chunk
            if not state.works and not head[:1].isalpha():
                break  # SOCKS, or TLS
        state.heads.append(head)
        if not state.works:
            if state.answer is not None:
                stream.sendall(state.answer)
                stream.shutdown(socket.SHUT_WR)
                # Read to its end: to close over what was not read would take the answer back.
                while stream.recv(4096):
                    pass
            return
        _work(stream, head)


def _work(stream: socket.socket, head: bytes) -> None:
    method, target, rest = head.split(b" ", 2)
    place = target if method == b"CONNECT" else target.split(b"/")[2]
    host, _, port = place.decode().rpartition(":")
    with socket.create_connection((host, int(port))) as onward:
        if method == b"CONNECT":
            stream.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = b"/" + target.split(b"/", 3)[3]
            onward.sendall(b" ".join((method, path, rest)))
        back = threading.Thread(target=_pump, args=(onward, stream), daemon=True)
        back.start()
        _pump(stream, onward)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
