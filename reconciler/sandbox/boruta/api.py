"""The admin clients API of boruta-server 0.10.5, as recorded from an unmodified one."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.routing import Route

from reconciler.sandbox.boruta import errors as refuse
from reconciler.sandbox.boruta.bodies import client_fields, wanted_scopes
from reconciler.sandbox.boruta.fields import DEFAULTS, BadText, Changes, changed_client, is_uuid
from reconciler.sandbox.boruta.keys import Crash
from reconciler.sandbox.boruta.rows import (
    CLIENTS,
    IDENTITY_PROVIDERS,
    SCOPES,
    SECRET_LENGTH,
    all_fields,
    identity_provider,
    in_stored_order,
    look_up_scopes,
    to_row,
)
from reconciler.sandbox.endpoints import (
    Refused,
    empty_response,
    json_array,
    json_response,
    json_text_response,
    make_endpoint,
)
from reconciler.sandbox.tokens import BORUTA_CLIENTS, BORUTA_IDENTITY_PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.sandbox.boruta.checks import Mode
    from reconciler.sandbox.endpoints import Handler
    from reconciler.sandbox.state import Row
    from reconciler.sandbox.world import World


_NOT_FOUND: Final = 404
_NOT_ALLOWED: Final = 405
_ACCEPTED: Final = frozenset({"", "*/*", "application/*", "application/json"})


def admin_app(world: World) -> Starlette:
    """The application of the admin API, under `/api`."""

    def route(path: str, method: str, handler: Handler, scope: str = BORUTA_CLIENTS) -> Route:
        endpoint = make_endpoint(world, handler, _access_check(world, scope))
        return Route(f"/api{path}", endpoint, methods=[method])

    return Starlette(
        routes=[
            route("/clients", "GET", _list),
            route("/clients", "POST", _create),
            route("/clients/{id}", "GET", _read),
            route("/clients/{id}", "PUT", _update),
            route("/clients/{id}", "PATCH", _update),
            route("/clients/{id}", "DELETE", _delete),
            route("/clients/{id}/regenerate_key_pair", "POST", _regenerate),
            route("/scopes", "GET", _scopes),
            route("/identity-providers", "GET", _identity_providers, BORUTA_IDENTITY_PROVIDERS),
        ],
        exception_handlers={_NOT_FOUND: _no_route, _NOT_ALLOWED: _no_route},
    )


def _access_check(world: World, scope: str) -> Callable[[Request], None]:
    def check_access(request: Request) -> None:
        grant = world.tokens.grant("boruta", request.headers.get("authorization", ""))
        if grant is None:
            raise Refused(refuse.unauthorized())
        if scope not in grant.scopes:
            raise Refused(refuse.forbidden())
        if _asked_for(request) not in _ACCEPTED:
            raise Refused(refuse.not_acceptable("json", _asked_for(request)))

    return check_access


async def _list(world: World, _request: Request) -> Response:
    texts = world.store.texts(CLIENTS)
    # No order is promised, and none is kept: each list starts elsewhere.
    world.boruta_lists += 1
    start = world.boruta_lists * 7 % (len(texts) or 1)
    return json_text_response(200, f'{{"data":{json_array(texts[start:][::-1] + texts[:start])}}}')


async def _create(world: World, request: Request) -> Response:
    fields = await client_fields(request)
    client_id = fields.get("id") or world.mint.uuid()
    blank = DEFAULTS | {"id": client_id, "secret": world.mint.secret(SECRET_LENGTH)}
    found = _changes(fields, blank, "create")
    if not is_uuid(client_id):
        found.errors["id"] = ["is invalid"]
    provider = _wanted_provider(world, fields, found)
    if provider is None:
        found.errors.setdefault("identity_provider_id", ["can't be blank"])
    if found.errors:
        return refuse.unprocessable(found.errors)
    scopes = _granted_scopes(world, request, fields)
    secret = found.after["secret"] or world.mint.secret(SECRET_LENGTH)
    made = found.after | {
        "id": client_id.lower(),
        "secret": world.mint.note(secret),
        "public_key": world.mint.public_key(),
        "did": None,
        "identity_provider": provider,
        "authorized_scopes": in_stored_order(world.store, _each_once(scopes)),
    }
    row = to_row(made, {})
    try:
        world.store.add(CLIENTS, [row])
    except sqlite3.IntegrityError:
        return refuse.unprocessable({"id": ["has already been taken"]})
    # The answer of a write has the scopes in the request's order; a later read in the table's.
    location = {"location": f"/api/clients/{row.id}"}
    return json_response(201, {"data": row.body | {"authorized_scopes": scopes}}, location)


async def _read(world: World, request: Request) -> Response:
    return json_response(200, {"data": _stored_client(world, request).body})


async def _update(world: World, request: Request) -> Response:
    fields = await client_fields(request)
    row = _writable(world, request)
    before = all_fields(row)
    found = _changes(fields, before, "update")
    # Whether the identity provider exists is only seen after the rest has been saved.
    late = Changes(after={})
    provider = _wanted_provider(world, fields, late)
    if found.errors:
        return refuse.unprocessable(found.errors)
    scopes = _each_once(_granted_scopes(world, request, fields))
    # A PUT with null or "" wipes the secret, and is answered with 200.
    world.mint.note(found.after["secret"] or "")
    saved = to_row(
        found.after
        | {
            "identity_provider": provider or before["identity_provider"],
            "authorized_scopes": in_stored_order(world.store, scopes),
        },
        row.hidden,
    )
    world.store.put(CLIENTS, saved)
    if late.errors:
        return refuse.unprocessable(late.errors)
    return json_response(200, {"data": saved.body | {"authorized_scopes": scopes}})


async def _delete(world: World, request: Request) -> Response:
    world.store.remove(CLIENTS, _writable(world, request).id)
    return empty_response()


async def _regenerate(world: World, request: Request) -> Response:
    row = _stored_client(world, request)
    # Nothing but the public key changes.
    changed = to_row(all_fields(row) | {"public_key": world.mint.public_key()}, row.hidden)
    world.store.put(CLIENTS, changed)
    return json_response(200, {"data": changed.body})


async def _scopes(world: World, _request: Request) -> Response:
    return json_text_response(200, f'{{"data":{json_array(world.store.texts(SCOPES))}}}')


async def _identity_providers(world: World, _request: Request) -> Response:
    return json_text_response(
        200, f'{{"data":{json_array(world.store.texts(IDENTITY_PROVIDERS))}}}'
    )


def _changes(fields: dict[str, Any], before: dict[str, Any], mode: Mode) -> Changes:
    try:
        return changed_client(fields, before, mode)
    except BadText as refused:
        raise Refused(refuse.bad_request(str(refused))) from None
    except Crash as crash:
        shown = (before["id"], fields.get("name"), fields.get("secret") or before["secret"])
        is_row = "violates not-null" in str(crash)
        reason = refuse.failing_row(str(crash), *shown) if is_row else str(crash)
        raise Refused(refuse.crashed(reason)) from None


def _wanted_provider(world: World, fields: dict[str, Any], found: Changes) -> dict[str, Any] | None:
    """The identity provider that is asked for, None when none is; adds an error for an unknown one."""
    wanted = fields.get("identity_provider") or {}
    if not isinstance(wanted, dict):
        raise Refused(refuse.crashed("no function clause matching in Access.get/3"))
    wanted_id = wanted.get("id")
    if wanted_id is None:
        return None
    provider = identity_provider(world.store, wanted_id)
    if provider is None:
        text = "does not exist" if is_uuid(wanted_id) else "has invalid format"
        found.errors["identity_provider_id"] = [text]
    return provider


def _granted_scopes(world: World, request: Request, fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The scopes that a write asks for; the fault drop-scopes loses the last of them without a word."""
    scopes = look_up_scopes(world, wanted_scopes(fields))
    return scopes[:-1] if "drop-scopes" in request.scope["faults"] else scopes


def _each_once(scopes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({scope["id"]: scope for scope in scopes}.values())


def _stored_client(world: World, request: Request) -> Row:
    client_id = request.path_params["id"]
    if not is_uuid(client_id):
        raise Refused(refuse.no_uuid(client_id, request.method))
    row = world.store.get(CLIENTS, client_id.lower())
    if row is None:
        raise Refused(refuse.not_found(client_id))
    return row


def _writable(world: World, request: Request) -> Row:
    row = _stored_client(world, request)
    # The client of the admin UI can be read and neither changed nor deleted.
    if row.hidden.get("protected"):
        raise Refused(refuse.forbidden())
    return row


async def _no_route(request: Request, error: Exception) -> Response:
    # A path that the API does not know is for the admin UI, which speaks HTML.
    if getattr(error, "status_code", None) == _NOT_FOUND:
        return refuse.not_acceptable("html", _asked_for(request))
    path = request.url.path
    return refuse.no_route(request.method, path[path.index("/api") :])


def _asked_for(request: Request) -> str:
    return request.headers.get("accept", "*/*").split(",")[0].split(";")[0].strip()
