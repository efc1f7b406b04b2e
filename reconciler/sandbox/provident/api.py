"""Plays Provident's OAuth clients API (docs.provident.ae, "OAuth clients": create, read, update, rotate)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Route

from reconciler.sandbox.answers import (
    NotJson,
    Refused,
    answer,
    json_body,
    listing,
    media_type,
    raw,
)
from reconciler.sandbox.endpoints import guarded, unrouted
from reconciler.sandbox.provident.fields import CREATE_DEFAULTS, REQUIRED, issues
from reconciler.sandbox.state import Row
from reconciler.sandbox.token_endpoint import token_route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.sandbox.endpoints import Handler
    from reconciler.sandbox.world import World

_SETS = ("redirectUris", "allowedScopes", "allowedIps")


def app(world: World) -> Starlette:
    """Serve the vendor under `/v2`."""

    def route(path: str, method: str, handler: Handler) -> Route:
        return Route(path, guarded(world, handler, _admission(world)), methods=[method])

    many, one = "/v2/oauth2/clients", "/v2/oauth2/clients/{client_id}"
    routes = [
        token_route(world, "provident", "/v2/oauth2/token"),
        route(many, "POST", _create),
        route(one, "GET", _read),
        route(one, "PUT", _update),
        route(f"{one}/rotate-secret", "POST", _rotate),
    ]
    if world.settings.provident_list:
        routes[1:1] = [
            route(many, "GET", _list),
            route(one, "DELETE", _delete),
        ]
    return Starlette(
        routes=routes,
        exception_handlers=unrouted(lambda _request, status, text: _error(status, text)),
    )


def fill(world: World, fields: Mapping[str, Any]) -> Row:
    """Make a stored client of `fields`, generated values and defaults for the rest."""
    now = world.now()
    body = {
        "id": world.mint.uuid(),
        "clientId": f"cli_{world.mint.hexadecimal(20)}",
        "clientSecret": world.mint.secret(64),
        "name": "",
        "redirectUris": [],
        "allowedScopes": [],
        "isActive": True,
        "createdAt": now,
        "updatedAt": now,
        **_spoken(CREATE_DEFAULTS),
        **fields,
    }
    return Row(id=body["clientId"], body=_ordered(body))


def touch(world: World, row: Row, fields: Mapping[str, Any]) -> Row:
    """Change stored fields, spelled as in answers, as an administrator would."""
    return Row(id=row.id, body=_ordered({**row.body, **fields, "updatedAt": world.now()}))


def _ordered(body: dict[str, Any]) -> dict[str, Any]:
    # The three lists are sets: the server keeps no order of theirs.
    return body | {name: sorted(body[name]) for name in _SETS}


def _spoken(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {("ip_restriction" if k == "ipRestriction" else k): v for k, v in fields.items()}


def _admission(world: World) -> Callable[[Request], None]:
    def admit(request: Request) -> None:
        if world.tokens.grant("provident", request.headers.get("authorization", "")) is None:
            raise Refused(_error(401, "Unauthorized"))

    return admit


async def _fields(request: Request) -> dict[str, Any]:
    if media_type(request) != "application/json":
        raise Refused(_error(415, "Unsupported Media Type"))
    try:
        body = await json_body(request)
    except NotJson:
        raise Refused(_error(400, "Malformed JSON")) from None
    if not isinstance(body, dict):
        raise Refused(_error(400, "Validation failed", [("", "expected an object")]))
    return body


async def _create(world: World, request: Request) -> Response:
    fields = await _fields(request)
    found = issues(fields, accepts_activity=False)
    found += [(name, "required") for name in REQUIRED if name not in fields]
    if found:
        return _error(400, "Validation failed", found)
    row = fill(world, _spoken(fields))
    world.store.add("provident", [row])
    return answer(201, row.body)


async def _read(world: World, request: Request) -> Response:
    return answer(200, _found(world, request).body)


async def _update(world: World, request: Request) -> Response:
    row, fields = _found(world, request), await _fields(request)
    found = issues(fields, accepts_activity=True)
    if found:
        return _error(400, "Validation failed", found)
    if world.settings.provident_put == "replace":
        fields = (
            {"redirectUris": [], "allowedScopes": [], "isActive": True} | CREATE_DEFAULTS | fields
        )
    changed = touch(world, row, _spoken(fields))
    world.store.put("provident", changed)
    return answer(200, changed.body)


async def _rotate(world: World, request: Request) -> Response:
    changed = touch(world, _found(world, request), {"clientSecret": world.mint.secret(64)})
    world.store.put("provident", changed)
    return answer(200, {"clientSecret": changed.body["clientSecret"]})


async def _list(world: World, _request: Request) -> Response:
    texts = world.store.texts("provident")
    return raw(200, f'{{"items":{listing(texts)},"total":{len(texts)}}}')


async def _delete(world: World, request: Request) -> Response:
    world.store.remove("provident", _found(world, request).id)
    return answer(200, {"success": True})


def _found(world: World, request: Request) -> Row:
    row = world.store.get("provident", request.path_params["client_id"])
    if row is None:
        raise Refused(_error(404, "OAuth client not found"))
    return row


def _error(status: int, title: str, found: list[tuple[str, str]] | None = None) -> Response:
    """Answer an error; the vendor's page shows none, so this shape is nobody's promise."""
    problems = [{"path": path, "problem": problem} for path, problem in found or []]
    return answer(
        status, {"success": False, "error": {"status": status, "title": title, "issues": problems}}
    )
