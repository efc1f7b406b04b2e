"""Turns a vendor's handlers into endpoints: JSON in and out, access first, refusals as responses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from reconciler.sandbox.state import dump
from reconciler.sandbox.tokens import ISSUERS, Invalid, check_token_request, token_request_form

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import Request

    from reconciler.sandbox.world import World

    Handler: TypeAlias = Callable[[World, Request], Awaitable[Response]]
    Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


class Refused(Exception):
    """The request ends early, with the response that this carries."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


class NotJson(ValueError):
    """The body of a request is not JSON."""


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """A response with `body` as JSON."""
    return json_text_response(status, dump(body), headers)


def json_text_response(
    status: int, text: str, headers: Mapping[str, str] | None = None
) -> Response:
    """A response with JSON that is text already."""
    return Response(text, status_code=status, headers=headers, media_type="application/json")


def empty_response() -> Response:
    """A response 204."""
    return Response(status_code=204)


def json_array(texts: Sequence[str]) -> str:
    """The JSON array of JSON texts."""
    return "[" + ",".join(texts) + "]"


def media_type(request: Request) -> str:
    """The request's content type without its parameters, in lower case."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def json_body(request: Request) -> Any:
    """The value of the body; raises NotJson when it is none."""
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error


def make_endpoint(
    world: World, handler: Handler, check_access: Callable[[Request], None]
) -> Endpoint:
    """An endpoint that calls `handler` unless `check_access` refuses; both may raise Refused."""

    async def endpoint(request: Request) -> Response:
        try:
            check_access(request)
            return await handler(world, request)
        except Refused as refused:
            return refused.answer

    return endpoint


def routing_error_handlers(refusal: Callable[[Request, int, str], Response]) -> dict[Any, Any]:
    """The exception handlers that answer unknown paths and methods in the vendor's own shape."""

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - starlette calls it for no other
        answer = refusal(request, error.status_code, error.detail)
        answer.headers.update(error.headers or {})
        return answer

    return {404: refuse, 405: refuse}


def token_route(world: World, vendor: str, path: str) -> Route:
    """The route `POST path` that issues tokens for client credentials (RFC 6749, section 4.4)."""
    issuer = ISSUERS[vendor]

    async def issue(request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        try:
            form = token_request_form(
                issuer, authorization, media_type(request), await request.body()
            )
            credential, scopes = check_token_request(issuer, form, world.credentials)
        except Invalid as invalid:
            return json_response(
                invalid.status, {"error": invalid.code, "error_description": invalid.description}
            )
        return json_response(
            200,
            {
                "access_token": world.tokens.issue(credential, scopes, issuer.lifetime),
                "token_type": issuer.bearer_spelling,
                "expires_in": issuer.lifetime,
                "scope": " ".join(sorted(scopes)),
            },
            {"cache-control": "no-store"},  # RFC 6749, section 5.1
        )

    return Route(path, issue, methods=["POST"])
