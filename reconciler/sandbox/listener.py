"""Turns an application into a uvicorn server on loopback whose connections can be cut."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp


class Connections:
    """The open connections of one server, by the peer's (host, port)."""

    def __init__(self) -> None:
        self._transports: dict[Any, asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """A protocol class whose connections are registered here."""
        transports = self._transports

        class RegisteredProtocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                # asyncio does this only for sockets that name TCP as their protocol; without it
                # the head and the body of an answer lie 40 ms apart.
                connected = transport.get_extra_info("socket")
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self.client, None)
                super().connection_lost(exc)

        return RegisteredProtocol

    def abort(self, peer: Any) -> None:
        """Cut a connection without an answer."""
        self._transports[tuple(peer)].abort()


class Listener(uvicorn.Server):
    """A server that says when it listens, and that a signal ends without ending the process."""

    def __init__(
        self, app: ASGIApp, connections: Connections, on_ready: Callable[[], None]
    ) -> None:
        config = uvicorn.Config(
            app,
            http=connections.protocol(),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            # Whether an idle connection is closed under a request must not be a matter of luck.
            timeout_keep_alive=3600,
        )
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then call `on_ready`."""
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM end the server, and no more: uvicorn would raise them again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        ending = (signal.SIGINT, signal.SIGTERM)
        before = {one: signal.signal(one, self.handle_exit) for one in ending}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
