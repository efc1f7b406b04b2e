"""Turns a vendor's handlers into endpoints: admission first, and early refusals as answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from starlette.exceptions import HTTPException

from reconciler.sandbox.answers import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.sandbox.world import World

    Handler: TypeAlias = Callable[[World, Request], Awaitable[Response]]
    Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def guarded(world: World, handler: Handler, admit: Callable[[Request], None]) -> Endpoint:
    """Call `handler` for the requests that `admit` lets pass; both may raise Refused."""

    async def endpoint(request: Request) -> Response:
        try:
            admit(request)
            return await handler(world, request)
        except Refused as refused:
            return refused.answer

    return endpoint


def unrouted(refusal: Callable[[Request, int, str], Response]) -> dict[Any, Any]:
    """Give exception handlers that answer unknown paths and methods in the vendor's own shape."""

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - starlette calls it for no other
        answer = refusal(request, error.status_code, error.detail)
        answer.headers.update(error.headers or {})
        return answer

    return {404: refuse, 405: refuse}
