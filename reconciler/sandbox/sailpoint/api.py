"""Plays SailPoint's OAuth clients API (developer.sailpoint.com, "OAuth Clients", v1 and the legacy paths)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.routing import Route

from reconciler.sandbox.answers import (
    NotJson,
    Refused,
    answer,
    json_body,
    listing,
    media_type,
    nothing,
    raw,
)
from reconciler.sandbox.endpoints import guarded, unrouted
from reconciler.sandbox.sailpoint.fields import FIELDS, create_problems
from reconciler.sandbox.sailpoint.filters import BadQuery, matching, page_of
from reconciler.sandbox.sailpoint.patch import Unpatchable, patched
from reconciler.sandbox.state import Row
from reconciler.sandbox.token_endpoint import token_route
from reconciler.sandbox.tokens import SAILPOINT_ALL, SAILPOINT_CLIENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.sandbox.world import World

LEGACY: Final = ("v3", "beta", "v2024", "v2025", "v2026")
# What a stored client has when nobody said: a create has to say, a seeded fleet need not.
_SEEDED: Final = {
    "name": "client",
    "description": "",
    "accessTokenValiditySeconds": 750,
    "grantTypes": ["CLIENT_CREDENTIALS"],
    "accessType": "OFFLINE",
    "enabled": True,
}
_SETS: Final = ("redirectUris", "grantTypes", "scope")
_TITLES: Final = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}


def app(world: World) -> Starlette:
    """Serve the token endpoint and the clients under the current and every legacy path."""

    def clients(version: str, base: str) -> list[Route]:
        admit, one = _admission(world, version), base + "/{id}"
        return [
            Route(base, guarded(world, _list, admit), methods=["GET"]),
            Route(base, guarded(world, _create, admit), methods=["POST"]),
            Route(one, guarded(world, _read, admit), methods=["GET"]),
            Route(one, guarded(world, _patch, admit), methods=["PATCH"]),
            Route(one, guarded(world, _delete, admit), methods=["DELETE"]),
        ]

    routes = [token_route(world, "sailpoint", "/oauth/token"), *clients("v1", "/oauth-clients/v1")]
    for version in LEGACY:
        routes += clients(version, f"/{version}/oauth-clients")
    refusals = unrouted(lambda _request, status, text: failure(world, status, text))
    return Starlette(routes=routes, exception_handlers=refusals)


def fill(world: World, fields: Mapping[str, Any]) -> Row:
    """Make a stored client of `fields`, generated values and defaults for the rest."""
    now = world.now()
    body = {
        "id": world.mint.hexadecimal(32),
        **{name: field.default for name, field in FIELDS.items()},
        **_SEEDED,
        "created": now,
        "modified": now,
        "lastUsed": None,
        "metadata": None,
        **fields,
    }
    secret = body.pop("secret", None) or world.mint.secret(64)
    return Row(id=body["id"], body=_ordered(body), hidden={"secret": secret, "tenant": None})


def touch(world: World, row: Row, fields: Mapping[str, Any]) -> Row:
    """Change stored fields as an administrator would."""
    body = {**row.body, **fields, "modified": world.now()}
    return Row(id=row.id, body=_ordered(body), hidden=row.hidden)


def _ordered(body: dict[str, Any]) -> dict[str, Any]:
    # These lists are sets: the server keeps no order of theirs.
    return body | {name: sorted(body[name]) for name in _SETS if isinstance(body[name], list)}


def failure(world: World, status: int, text: str) -> Response:
    """Answer in the shape of 400, 403, 404 and 500; 401 and 429 have others."""
    return answer(
        status,
        {
            "detailCode": f"{status} {_TITLES.get(status, 'Internal Server Error')}",
            "trackingId": world.mint.hexadecimal(32),
            "messages": [{"locale": "en-US", "localeOrigin": "DEFAULT", "text": text}],
            "causes": [],
        },
    )


def _admission(world: World, version: str) -> Callable[[Request], None]:
    def admit(request: Request) -> None:
        grant = world.tokens.grant("sailpoint", request.headers.get("authorization", ""))
        if grant is None:
            raise Refused(
                answer(401, {"error": "JWT validation failed: JWT is missing or expired"})
            )
        wait = world.window.take(f"{grant.client_id} {version}")
        if wait:
            limit = {"message": "API rate limit exceeded"}
            raise Refused(answer(429, limit, {"retry-after": str(wait)}))
        if not (grant.user and grant.scopes & {SAILPOINT_ALL, SAILPOINT_CLIENTS}):
            text = "The server understood the request but refuses to authorize it."
            raise Refused(failure(world, 403, text))

    return admit


async def _body(world: World, request: Request, wanted: str) -> Any:
    if media_type(request) != wanted:
        raise Refused(failure(world, 400, f"The content type must be {wanted}."))
    try:
        return await json_body(request)
    except NotJson:
        raise Refused(failure(world, 400, "The body is not well-formed JSON.")) from None


async def _list(world: World, request: Request) -> Response:
    struck = request.scope["faults"]
    try:
        limit, offset = page_of(request.query_params)
        filters = request.query_params.get("filters")
        if filters is not None:
            rows = matching(world.store.texts("sailpoint"), filters)[offset : offset + limit]
            return raw(200, listing(rows))
    except BadQuery as error:
        return failure(world, 400, str(error))
    if "short-pages" in struck:
        limit = min(limit, int(struck["short-pages"]) or max(1, limit // 2))
    offset = 0 if "repeat-pages" in struck else offset
    return raw(200, listing(world.store.texts("sailpoint", limit=limit, offset=offset)))


async def _create(world: World, request: Request) -> Response:
    fields = await _body(world, request, "application/json")
    if not isinstance(fields, dict):
        return failure(world, 400, "The body must be an object.")
    found = create_problems(fields)
    if found:
        return failure(world, 400, " ".join(found))
    row = fill(world, fields)
    world.store.add("sailpoint", [row])
    # A create's answer has no null in these; every later read does.
    shown = {"businessName": "", "homepageUrl": "", "description": "", "redirectUris": []}
    spoken = {name: empty for name, empty in shown.items() if row.body[name] is None}
    return answer(200, {**row.body, **spoken, "secret": row.hidden["secret"]})


async def _read(world: World, request: Request) -> Response:
    return answer(200, _found(world, request).body | {"secret": None})


async def _patch(world: World, request: Request) -> Response:
    row = _found(world, request)
    operations = await _body(world, request, "application/json-patch+json")
    try:
        after = patched({**row.body, "tenant": row.hidden["tenant"]}, operations)
    except Unpatchable as error:
        return failure(world, 400, str(error))
    tenant = after.pop("tenant")
    changed = touch(world, row, after)
    world.store.put(
        "sailpoint", Row(id=row.id, body=changed.body, hidden=row.hidden | {"tenant": tenant})
    )
    return answer(200, changed.body | {"secret": None})


async def _delete(world: World, request: Request) -> Response:
    world.store.remove("sailpoint", _found(world, request).id)
    return nothing()


def _found(world: World, request: Request) -> Row:
    row = world.store.get("sailpoint", request.path_params["id"])
    if row is None:
        raise Refused(failure(world, 404, "The server did not find the requested OAuth client."))
    return row
