"""Reads the body of a Boruta request, and refuses what the server's controllers and casts refuse."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from reconciler.sandbox.boruta import errors as refuse
from reconciler.sandbox.endpoints import NotJson, Refused, json_body, media_type

if TYPE_CHECKING:
    from starlette.requests import Request


async def client_fields(request: Request) -> dict[str, Any]:
    """The fields under `client` in a body of JSON or of a form; raises Refused."""
    body = await _parsed_body(request)
    if not isinstance(body, dict) or "client" not in body:
        raise Refused(refuse.no_envelope(request))
    fields = body["client"]
    if fields is None:
        raise Refused(refuse.no_map("nil"))
    if isinstance(fields, list):
        lists = "the Access module supports only keyword lists (with atom keys)"
        search = "If you want to search lists of tuples, use List.keyfind/3"
        raise Refused(refuse.crashed(f'{lists}, got: "identity_provider"\n\n{search}'))
    if not isinstance(fields, dict):
        raise Refused(refuse.crashed("no function clause matching in Access.get/3"))
    return fields


async def _parsed_body(request: Request) -> Any:
    content = await request.body()
    kind = media_type(request)
    if kind == "application/x-www-form-urlencoded":
        return _form(content.decode("utf-8", "replace"))
    # A body of another type is never parsed, so it has no `client` in it; nor has one of no bytes.
    if kind != "application/json" or not content:
        return None
    try:
        return await json_body(request)
    except NotJson:
        raise Refused(refuse.malformed()) from None


def _form(text: str) -> dict[str, Any]:
    """The members of a form, nested as Plug nests them: `client[identity_provider][id]`."""
    found: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = re.findall(r"[^\[\]]+", key) or [key]
        place = found
        for name, following in zip([first, *rest], rest, strict=False):
            place = place.setdefault(name, {})
            first = following
        place[first] = value
    return found


def wanted_scopes(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The members of `authorized_scopes`; raises Refused for one that is no mapping."""
    # What is not asked for is taken away, whatever else the request leaves alone.
    wanted = fields.get("authorized_scopes") or []
    if isinstance(wanted, dict):
        name, value = next(iter(wanted.items()))
        raise Refused(refuse.no_map(f'{{"{name}", {_inspect(value)}}}'))
    members = wanted if isinstance(wanted, list) else [wanted]
    for member in members:
        if not isinstance(member, dict):
            raise Refused(refuse.no_map(_inspect(member)))
    return members


def _inspect(value: Any) -> str:
    """A value as Elixir prints it."""
    if isinstance(value, dict):
        inner = ", ".join(f'"{name}" => {_inspect(member)}' for name, member in value.items())
        return f"%{{{inner}}}"
    return "nil" if value is None else json.dumps(value, ensure_ascii=False)
