"""Turns a world into the one application that serves all three vendors, recorded and with its faults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import anyio
from starlette.applications import Starlette
from starlette.routing import Mount

from reconciler.sandbox.boruta import api as boruta
from reconciler.sandbox.boruta import oauth as boruta_oauth
from reconciler.sandbox.boruta import rows as boruta_rows
from reconciler.sandbox.provident import api as provident
from reconciler.sandbox.sailpoint import api as sailpoint
from reconciler.sandbox.state import dump
from reconciler.sandbox.world import RecordedRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reconciler.sandbox.world import World

_STATUSES: Final = {"429-burst": 429, "5xx": 503, "500": 500, "502": 502, "503": 503, "504": 504}
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_COLLECTIONS: Final = ("/clients", "/oauth-clients", "/oauth-clients/v1")


def build(world: World, abort: Callable[[Any], None]) -> FaultInjector:
    """The application that serves `world`; `abort` cuts the connection of a (host, port) pair."""
    boruta_rows.populate(world)
    vendors = Starlette(
        routes=[
            Mount("/provident", provident.app(world)),
            Mount("/sailpoint", sailpoint.app(world)),
            Mount("/boruta", boruta.admin_app(world)),
            Mount("/boruta-oauth", boruta_oauth.app(world)),
        ]
    )
    return FaultInjector(vendors, world, abort)


class FaultInjector:
    """The outermost ASGI application: records each request and applies the faults in force.

    `abort` cuts the connection of a (host, port) pair.
    """

    def __init__(self, app: ASGIApp, world: World, abort: Callable[[Any], None]) -> None:
        self._app = app
        self._world = world
        self._abort = abort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or fail to, as the faults say."""
        body = await _read(receive)
        path, method = scope["path"], scope["method"]
        words = words_of(method, path)
        vendor = path.split("/")[1].removesuffix("-oauth")
        # Before anything can fail: a request that gets no answer is recorded too.
        number = self._record(vendor, scope, body)
        struck = self._world.faults.strike(words)
        if "latency" in struck:
            await anyio.sleep(struck["latency"])
        answer = _fault_answer(vendor, struck)
        if answer is None and "drop" not in struck:
            answer = await _collect_answer(self._app, {**scope, "faults": struck}, body)
        # After the application has run: the write is done, and nobody hears of it.
        if answer is None or "drop-after-write" in struck:
            await self._drop(scope, receive)
            return
        # As the vendor answers it: what a fault cuts off is no part of that.
        self._world.log[number] = replace(
            self._world.log[number], status=answer.status, answer=answer.body
        )
        await (answer.cut() if "broken-json" in struck else answer).send(send)

    def _record(self, vendor: str, scope: Scope, body: bytes) -> int:
        headers = dict(scope["headers"])
        self._world.log.append(
            RecordedRequest(
                vendor=vendor,
                method=scope["method"],
                path=scope["path"],
                query=scope["query_string"].decode("latin-1"),
                content_type=headers.get(b"content-type", b"").decode("latin-1"),
                body=body,
                status=None,
            )
        )
        return len(self._world.log) - 1

    async def _drop(self, scope: Scope, receive: Receive) -> None:
        self._abort(scope["client"])
        # The server would answer 500 for us, unless it has seen the connection go.
        await receive()


def words_of(method: str, path: str) -> frozenset[str]:
    """The words by which a fault option can name this request."""
    words = {method.lower(), path.split("/")[1].removesuffix("-oauth")}
    if path.endswith("/token"):
        return frozenset(words | {"token"})
    if method == "GET" and path.endswith(_COLLECTIONS):
        words.add("list")
    return frozenset(words | {"write" if method in _WRITES else "read"})


async def _read(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


class _Answer:
    """A whole response, collected before it is sent: a fault may still cut it or drop it."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.body = body
        self._headers = headers

    def cut(self) -> _Answer:
        """The answer with the second half of its body missing."""
        body = self.body[: len(self.body) // 2]
        # With the old length a client would wait for the rest instead of meeting broken JSON.
        headers = [(k, v) for k, v in self._headers if k != b"content-length"]
        return _Answer(self.status, [*headers, (b"content-length", b"%d" % len(body))], body)

    async def send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self.body})


async def _collect_answer(app: ASGIApp, scope: dict[str, Any], body: bytes) -> _Answer:
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in messages[1:])
    return _Answer(messages[0]["status"], list(messages[0]["headers"]), content)


def _fault_answer(vendor: str, struck: dict[str, float]) -> _Answer | None:
    status = next((_STATUSES[kind] for kind in _STATUSES if kind in struck), None)
    if status is None:
        return None
    kind, text = _fault_body(vendor, status)
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(text))]
    # Gateways say when to come back; a server that broke does not.
    if status in (429, 503):
        headers.append((b"retry-after", b"1"))
    return _Answer(status, headers, text)


def _fault_body(vendor: str, status: int) -> tuple[bytes, bytes]:
    if status == 429:  # noqa: PLR2004 - the status says it best
        return b"application/json", b'{"message":"API rate limit exceeded"}'
    if status != 500:  # noqa: PLR2004 - the status says it best
        return b"text/html", b"<html><body><h1>%d</h1>upstream unavailable</body></html>" % status
    bodies: dict[str, object] = {
        "sailpoint": {
            "detailCode": "500 Internal Server Error",
            "trackingId": "0" * 32,
            "messages": [{"locale": "en-US", "localeOrigin": "DEFAULT", "text": "Internal fault."}],
            "causes": [],
        },
        "boruta": {"code": "INTERNAL_SERVER_ERROR", "message": "** (RuntimeError) internal fault"},
    }
    return b"application/json", dump(bodies.get(vendor, {"error": "internal fault"})).encode()
