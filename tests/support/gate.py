"""Stands between the tool and a sandbox on loopback, and may break any exchange at either side of it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    _Before: TypeAlias = Callable[["Call"], "Reply | Dropped | None"]
    _After: TypeAlias = Callable[["Call", "Reply"], "Reply | Dropped | None"]

_REASON = "as the gate was told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it arrived, `number` from 1 since the gate was last set."""

    number: int
    method: str
    path: str
    body: bytes

    @property
    def is_token(self) -> bool:
        return self.path.endswith("/token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; `content` may be endless, as pieces. With `length` it promises another size."""

    status: int = 200
    content: bytes | Iterable[bytes] = b"{}"
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None


class Dropped:
    """The connection is cut, and no answer is sent."""


DROPPED = Dropped()


def _pass_on(_call: Call, _reply: Reply | None = None) -> None:
    """Let the exchange go on."""


class Gate:
    """What becomes of each request: `before` may answer in the server's place, `after` instead of it.

    Both give None to let the exchange go on. `handled` are the exchanges that the server carried out.
    `address` is where it listens.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._changed = threading.Condition()
        self._connections = 0
        self._start_anew(_pass_on, _pass_on)

    def set(
        self,
        before: _Before = _pass_on,
        after: _After = _pass_on,
    ) -> None:
        """Put these in place of what was before, and count anew."""
        self.drain()
        self._start_anew(before, after)

    def _start_anew(self, before: _Before, after: _After) -> None:
        self.before, self.after = before, after
        self.handled: list[tuple[Call, Reply]] = []
        self.count = 0

    def set_aside(self) -> None:
        """Let everything pass from now on."""
        self.drain()
        self.before, self.after = _pass_on, _pass_on

    def drain(self) -> None:
        """Wait until the server has done with all that was sent to it, by clients that are gone by now.

        What a client sent before it was killed may lie in its connection, and the connection may
        still wait to be accepted. They are accepted in the order in which they were made. So once
        one that is made now is seen to be closed, all others are counted, and each is counted until
        whatever came over it is done. One that a client keeps open would be waited for for ever.
        """
        with socket.create_connection(self._address) as last:
            last.shutdown(socket.SHUT_WR)
            last.recv(1)
        with self._changed:
            self._changed.wait_for(lambda: self._connections == 0)

    def accepted(self) -> None:
        """Count one more connection, before any later one is accepted."""
        with self._changed:
            self._connections += 1

    def done(self) -> None:
        """Count one connection less: nothing that came over it is under way any more."""
        with self._changed:
            self._connections -= 1
            self._changed.notify_all()

    def exchange(
        self,
        method: str,
        path: str,
        headers: Any,
        body: bytes,
        upstream: http.client.HTTPConnection,
    ) -> Reply | Dropped:
        with self._changed:
            self.count += 1
            call = Call(number=self.count, method=method, path=path, body=body)
        broken = self.before(call)
        if broken is not None:
            return broken
        upstream.request(method, path, body or None, headers)
        answer = upstream.getresponse()
        reply = Reply(
            status=answer.status,
            content=answer.read(),
            media_type=answer.headers.get("content-type", ""),
            headers=tuple((k, v) for k, v in answer.headers.items() if k.startswith("retry")),
        )
        self.handled.append((call, reply))
        broken = self.after(call, reply)
        return reply if broken is None else broken


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream_port)

    def finish(self) -> None:
        self._upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def _pass(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            # Whoever sent this died over it: nothing whole ever reached the server.
            self.close_connection = True
            return
        kept = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "host")}
        answer = self.server.gate.exchange(self.command, self.path, kept, body, self._upstream)
        if isinstance(answer, Dropped):
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(answer)

    def _send(self, reply: Reply) -> None:
        whole = isinstance(reply.content, bytes)
        lines = [f"HTTP/1.1 {reply.status} {_REASON}", f"content-type: {reply.media_type}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        length = reply.length if not whole or reply.length is not None else len(reply.content)
        if length is not None and reply.status != 204:
            lines.append(f"content-length: {length}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if whole:
            self.wfile.write(head + (b"" if reply.status == 204 else reply.content))
        else:
            self.close_connection = True
            self.wfile.write(head)
            for piece in reply.content:
                self.wfile.write(piece)
        if reply.length is not None:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass  # noqa: N815 - the base class's names

    def log_message(self, *_args: object) -> None:
        """Be silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, upstream_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream_port = upstream_port
        self.gate = Gate(self.server_address)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.gate.accepted()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.gate.done()


@contextlib.contextmanager
def gate(port: int) -> Iterator[tuple[Gate, int]]:
    """A gate in front of the server on `port` of loopback, and the port that it listens on."""
    server = _Server(port)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="gate", daemon=True
    )
    thread.start()
    try:
        yield server.gate, server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
