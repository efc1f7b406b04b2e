"""Provident's OAuth clients API (docs.provident.ae, "OAuth clients": create, read, update, rotate)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Route

from reconciler.sandbox.endpoints import (
    NotJson,
    Refused,
    json_array,
    json_body,
    json_response,
    json_text_response,
    make_endpoint,
    media_type,
    routing_error_handlers,
    token_route,
)
from reconciler.sandbox.provident.fields import CREATE_DEFAULTS, REQUIRED, issues
from reconciler.sandbox.state import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.sandbox.endpoints import Handler
    from reconciler.sandbox.world import World

_SETS = ("redirectUris", "allowedScopes", "allowedIps")


def app(world: World) -> Starlette:
    """The application of the vendor, under `/v2`."""

    def route(path: str, method: str, handler: Handler) -> Route:
        return Route(path, make_endpoint(world, handler, _access_check(world)), methods=[method])

    many, one = "/v2/oauth2/clients", "/v2/oauth2/clients/{client_id}"
    routes = [
        token_route(world, "provident", "/v2/oauth2/token"),
        route(many, "POST", _create),
        route(one, "GET", _read),
        route(one, "PUT", _update),
        route(f"{one}/rotate-secret", "POST", _rotate),
    ]
    # The page has neither list nor delete; a tenant may have both all the same.
    if world.settings.provident_list:
        routes[1:1] = [
            route(many, "GET", _list),
            route(one, "DELETE", _delete),
        ]
    return Starlette(
        routes=routes,
        exception_handlers=routing_error_handlers(
            lambda _request, status, text: _error(status, text)
        ),
    )


def new_row(world: World, fields: Mapping[str, Any]) -> Row:
    """A client to store, of `fields`, with generated values and defaults for the rest."""
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
        **_answer_names(CREATE_DEFAULTS),
        **fields,
    }
    return Row(id=body["clientId"], body=_sort_sets(body))


def edited_row(world: World, row: Row, fields: Mapping[str, Any]) -> Row:
    """A stored client with fields, spelled as in answers, changed as by an administrator."""
    return Row(id=row.id, body=_sort_sets({**row.body, **fields, "updatedAt": world.now()}))


def _sort_sets(body: dict[str, Any]) -> dict[str, Any]:
    # The three lists are sets: the server keeps no order of theirs.
    return body | {name: sorted(body[name]) for name in _SETS}


def _answer_names(fields: Mapping[str, Any]) -> dict[str, Any]:
    # Written in camelCase and answered in snake_case, this one field alone: as the page has it.
    return {("ip_restriction" if k == "ipRestriction" else k): v for k, v in fields.items()}


def _access_check(world: World) -> Callable[[Request], None]:
    def check_access(request: Request) -> None:
        if world.tokens.grant("provident", request.headers.get("authorization", "")) is None:
            raise Refused(_error(401, "Unauthorized"))

    return check_access


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
    # Only a create has required fields; a PUT may be empty.
    found += [(name, "required") for name in REQUIRED if name not in fields]
    if found:
        return _error(400, "Validation failed", found)
    row = new_row(world, _answer_names(fields))
    world.store.add("provident", [row])
    return json_response(201, row.body)


async def _read(world: World, request: Request) -> Response:
    return json_response(200, _stored_client(world, request).body)


async def _update(world: World, request: Request) -> Response:
    row, fields = _stored_client(world, request), await _fields(request)
    found = issues(fields, accepts_activity=True)
    if found:
        return _error(400, "Validation failed", found)
    if world.settings.provident_put == "replace":
        # Read as replacing, a PUT sets every field that it leaves out to its default.
        fields = (
            {"redirectUris": [], "allowedScopes": [], "isActive": True} | CREATE_DEFAULTS | fields
        )
    changed = edited_row(world, row, _answer_names(fields))
    world.store.put("provident", changed)
    return json_response(200, changed.body)


async def _rotate(world: World, request: Request) -> Response:
    changed = edited_row(
        world, _stored_client(world, request), {"clientSecret": world.mint.secret(64)}
    )
    world.store.put("provident", changed)
    # The page says "returns new client secret" and shows no body: this one is the smallest.
    return json_response(200, {"clientSecret": changed.body["clientSecret"]})


async def _list(world: World, _request: Request) -> Response:
    texts = world.store.texts("provident")
    return json_text_response(200, f'{{"items":{json_array(texts)},"total":{len(texts)}}}')


async def _delete(world: World, request: Request) -> Response:
    world.store.remove("provident", _stored_client(world, request).id)
    return json_response(200, {"success": True})


def _stored_client(world: World, request: Request) -> Row:
    row = world.store.get("provident", request.path_params["client_id"])
    if row is None:
        raise Refused(_error(404, "OAuth client not found"))
    return row


def _error(status: int, title: str, found: list[tuple[str, str]] | None = None) -> Response:
    """The response of an error; the vendor's page shows none, so this shape is a guess."""
    problems = [{"path": path, "problem": problem} for path, problem in found or []]
    return json_response(
        status, {"success": False, "error": {"status": status, "title": title, "issues": problems}}
    )
