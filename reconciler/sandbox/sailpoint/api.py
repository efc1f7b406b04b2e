"""SailPoint's OAuth clients API (developer.sailpoint.com, "OAuth Clients", v1 and the legacy paths)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.routing import Route

from reconciler.sandbox.endpoints import (
    NotJson,
    Refused,
    empty_response,
    json_array,
    json_body,
    json_response,
    json_text_response,
    make_endpoint,
    media_type,
    routing_error_handlers,
    token_route,
)
from reconciler.sandbox.sailpoint.fields import FIELDS, create_problems
from reconciler.sandbox.sailpoint.filters import BadQuery, filter_rows, page_of
from reconciler.sandbox.sailpoint.patch import Unpatchable, apply_patch, has_tests
from reconciler.sandbox.state import Row
from reconciler.sandbox.tokens import SAILPOINT_ALL, SAILPOINT_CLIENTS, SAILPOINT_READ

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.sandbox.tokens import Grant
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
_TITLES: Final = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    501: "Not Implemented",
}


def app(world: World) -> Starlette:
    """The application of the token endpoint and of the clients under the current and every legacy path."""

    def clients(version: str, base: str) -> list[Route]:
        check_access, one = _access_check(world, version), base + "/{id}"
        return [
            Route(base, make_endpoint(world, _list, check_access), methods=["GET"]),
            Route(base, make_endpoint(world, _create, check_access), methods=["POST"]),
            Route(one, make_endpoint(world, _read, check_access), methods=["GET"]),
            Route(one, make_endpoint(world, _patch, check_access), methods=["PATCH"]),
            Route(one, make_endpoint(world, _delete, check_access), methods=["DELETE"]),
        ]

    routes = [token_route(world, "sailpoint", "/oauth/token"), *clients("v1", "/oauth-clients/v1")]
    for version in LEGACY:
        routes += clients(version, f"/{version}/oauth-clients")
    refusals = routing_error_handlers(lambda _request, status, text: failure(world, status, text))
    return Starlette(routes=routes, exception_handlers=refusals)


def new_row(world: World, fields: Mapping[str, Any]) -> Row:
    """A client to store, of `fields`, with generated values and defaults for the rest."""
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
    return Row(id=body["id"], body=_sort_sets(body), hidden={"secret": secret, "tenant": None})


def edited_row(world: World, row: Row, fields: Mapping[str, Any]) -> Row:
    """A stored client with fields changed as by an administrator."""
    body = {**row.body, **fields, "modified": world.now()}
    return Row(id=row.id, body=_sort_sets(body), hidden=row.hidden)


def _sort_sets(body: dict[str, Any]) -> dict[str, Any]:
    # These lists are sets: the server keeps no order of theirs.
    return body | {name: sorted(body[name]) for name in _SETS if isinstance(body[name], list)}


def failure(world: World, status: int, text: str) -> Response:
    """The response in the shape of 400, 403, 404 and 500; 401 and 429 have others."""
    return json_response(
        status,
        {
            "detailCode": f"{status} {_TITLES.get(status, 'Internal Server Error')}",
            "trackingId": world.mint.hexadecimal(32),
            "messages": [{"locale": "en-US", "localeOrigin": "DEFAULT", "text": text}],
            "causes": [],
        },
    )


def _access_check(world: World, version: str) -> Callable[[Request], None]:
    def check_access(request: Request) -> None:
        grant = world.tokens.grant("sailpoint", request.headers.get("authorization", ""))
        if grant is None:
            raise Refused(
                json_response(401, {"error": "JWT validation failed: JWT is missing or expired"})
            )
        # Per client and API version, as the vendor documents it: 100 requests in 10 seconds.
        wait = world.window.take(f"{grant.client_id} {version}")
        if wait:
            limit = {"message": "API rate limit exceeded"}
            raise Refused(json_response(429, limit, {"retry-after": str(wait)}))
        if not _may(request, grant):
            text = "The server understood the request but refuses to authorize it."
            raise Refused(failure(world, 403, text))

    return check_access


def _may(request: Request, grant: Grant) -> bool:
    """Whether a token may do what is asked, by the `security` of the operation in the specification."""
    reads = request.method == "GET"
    scopes = {SAILPOINT_ALL, SAILPOINT_CLIENTS, *((SAILPOINT_READ,) if reads else ())}
    # A plain API client has no user behind it: `applicationAuth`, which is for a read by id alone.
    by_id = reads and "id" in request.path_params
    return bool(grant.scopes & scopes) and (grant.user or by_id)


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
        # The page for this list declares no paging; this is that of the vendor's general guide.
        limit, offset = page_of(request.query_params)
        if "unpaged" in struck:
            limit, offset = -1, 0
        filters = request.query_params.get("filters")
        if filters is not None:
            rows = filter_rows(world.store.texts("sailpoint"), filters)[offset : offset + limit]
            return json_text_response(200, json_array(rows))
    except BadQuery as error:
        return failure(world, 400, str(error))
    if "short-pages" in struck:
        limit = min(limit, int(struck["short-pages"]) or max(1, limit // 2))
    offset = 0 if "repeat-pages" in struck else offset
    return json_text_response(
        200, json_array(world.store.texts("sailpoint", limit=limit, offset=offset))
    )


async def _create(world: World, request: Request) -> Response:
    fields = await _body(world, request, "application/json")
    if not isinstance(fields, dict):
        return failure(world, 400, "The body must be an object.")
    found = create_problems(fields)
    if found:
        return failure(world, 400, " ".join(found))
    # "If no scope is specified, the client will be created with the default scope".
    fields["scope"] = fields.get("scope") or [SAILPOINT_ALL]
    if "widen-scopes" in request.scope["faults"]:
        fields["scope"] = [*dict.fromkeys([*fields["scope"], SAILPOINT_ALL])]
    row = new_row(world, fields)
    world.store.add("sailpoint", [row])
    # A create's answer has no null in these; every later read does. It does not have the last two.
    shown = {"businessName": "", "homepageUrl": "", "description": "", "redirectUris": []}
    without_nulls = {name: empty for name, empty in shown.items() if row.body[name] is None}
    body = {n: value for n, value in row.body.items() if n not in ("lastUsed", "metadata")}
    # 200 and not 201, and the only answer that ever holds the secret.
    return json_response(200, {**body, **without_nulls, "secret": row.hidden["secret"]})


async def _read(world: World, request: Request) -> Response:
    return json_response(200, _stored_client(world, request).body | {"secret": None})


async def _patch(world: World, request: Request) -> Response:
    row = _stored_client(world, request)
    operations = await _body(world, request, "application/json-patch+json")
    refused = request.scope["faults"].get("refuse-tests")
    if refused is not None and has_tests(operations):
        return failure(world, int(refused) or 400, "The operation test is not supported.")
    try:
        after = apply_patch({**row.body, "tenant": row.hidden["tenant"]}, operations)
    except Unpatchable as error:
        return failure(world, 400, str(error))
    tenant = after.pop("tenant")
    changed = edited_row(world, row, after)
    world.store.put(
        # `tenant` can be patched and is in no answer, so it is stored among what answers never show.
        "sailpoint",
        Row(id=row.id, body=changed.body, hidden=row.hidden | {"tenant": tenant}),
    )
    return json_response(200, changed.body | {"secret": None})


async def _delete(world: World, request: Request) -> Response:
    world.store.remove("sailpoint", _stored_client(world, request).id)
    return empty_response()


def _stored_client(world: World, request: Request) -> Row:
    row = world.store.get("sailpoint", request.path_params["id"])
    if row is None:
        raise Refused(failure(world, 404, "The server did not find the requested OAuth client."))
    return row
