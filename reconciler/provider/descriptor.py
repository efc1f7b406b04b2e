"""Turns a descriptor and the schemas beside it into a Provider."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from reconciler.core.model import MISSING, Json, JsonObject
from reconciler.core.project import RateLimit, seconds
from reconciler.provider.model import (
    ChosenSecret,
    Clear,
    Endpoint,
    ErrorShape,
    Field,
    Identity,
    Pagination,
    Provider,
    Switch,
    TokenRequest,
    UpdateStyle,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_EMPTY: Final[JsonObject] = MappingProxyType({})

# What a target's overlay need not say of an endpoint that the vendor's descriptor does not have.
_USUAL: Final[Mapping[str, JsonObject]] = MappingProxyType(
    {
        "list": MappingProxyType({"method": "GET", "expect": (200,)}),
        "delete": MappingProxyType({"method": "DELETE", "path": "/{id}", "expect": (204,)}),
    }
)


def parse_provider(
    descriptor: JsonObject,
    client: JsonObject,
    create: JsonObject,
    update: JsonObject,
    *,
    overlay: JsonObject = _EMPTY,
) -> Provider:
    """Read a descriptor that `provider.schema.json` holds valid, with its three schemas.

    `overlay` may hold a target's `collection` and `endpoints`; members of an endpoint that it
    leaves out stay as the descriptor has them.
    """
    endpoints = _endpoints(_object(descriptor, "endpoints"), _object(overlay, "endpoints"))
    rate = cast("JsonObject | None", descriptor.get("rateLimit"))
    fields = _fields(client)
    return Provider(
        name=cast("str", descriptor["name"]),
        title=cast("str", descriptor["title"]),
        kind=cast("str", descriptor["clientKind"]),
        collection=cast("str", overlay.get("collection", descriptor["collection"])),
        list=_optional_endpoint(endpoints, "list"),
        pagination=_pagination(_object(endpoints.get("list", _EMPTY), "pagination")),
        create=_endpoint(endpoints["create"]),
        read=_endpoint(endpoints["read"]),
        update=_endpoint(endpoints["update"]),
        delete=_optional_endpoint(endpoints, "delete"),
        style=UpdateStyle(endpoints["update"]["style"]),
        always=_strings(endpoints["update"], "always"),
        identity=_identity(_object(descriptor, "identity")),
        token=_token(_object(descriptor, "token")),
        errors=_errors(_object(descriptor, "errors")),
        rate_limit=None if rate is None else _rate_limit(rate),
        fields=fields,
        client_schema=client,
        create_schema=create,
        update_schema=update,
        protected=frozenset(_strings(descriptor, "protected")),
        switch=_switch(_object(descriptor, "switch"), fields),
        rotate=_rotate(_object(descriptor, "rotate"), fields),
        request_id_header=cast("str | None", descriptor.get("requestIdHeader")),
    )


def _endpoints(own: JsonObject, overlay: JsonObject) -> dict[str, JsonObject]:
    return {
        name: {**_USUAL.get(name, _EMPTY), **_object(own, name), **_object(overlay, name)}
        for name in [*own, *overlay]
    }


def _optional_endpoint(endpoints: Mapping[str, JsonObject], name: str) -> Endpoint | None:
    return _endpoint(endpoints[name]) if name in endpoints else None


def _endpoint(stated: JsonObject) -> Endpoint:
    return Endpoint(
        method=cast("str", stated["method"]),
        path=cast("str", stated.get("path", "")),
        expect=frozenset(cast("list[int]", stated["expect"])),
        content_type=cast("str", stated.get("contentType", "application/json")),
        envelope=cast("str | None", stated.get("envelope")),
        item=cast("str", stated.get("item", "")),
    )


def _pagination(stated: JsonObject) -> Pagination | None:
    if stated.get("style", "none") == "none":
        return None
    return Pagination(
        limit_parameter=cast("str", stated["limitParameter"]),
        offset_parameter=cast("str", stated["offsetParameter"]),
        page_size=cast("int", stated["pageSize"]),
        total=cast("str | None", stated.get("total")),
    )


def _identity(stated: JsonObject) -> Identity:
    return Identity(
        pointer=cast("str", stated["pointer"]),
        chosen=cast("bool", stated.get("chosen", False)),
        match=cast("str | None", stated.get("match")),
        recognize=_strings(stated, "recognize"),
        created=cast("str | None", stated.get("created")),
        last_used=cast("str | None", stated.get("lastUsed")),
    )


def _switch(stated: JsonObject, fields: Mapping[str, Field]) -> Switch | None:
    """The switch; ValueError for a field that no update can set."""
    if not stated:
        return None
    field = cast("str", stated["field"])
    if field not in fields or fields[field].read_only:
        raise ValueError(f"the switch {field!r} of provider.yaml is no writable field")
    return Switch(field=field, off=stated["off"], on=stated["on"])


def _rotate(stated: JsonObject, fields: Mapping[str, Field]) -> Endpoint | ChosenSecret | None:
    """How a client gets a new secret; ValueError for a field that is none, or that no update can set."""
    if not stated:
        return None
    if stated["style"] == "call":
        return _endpoint(stated)
    name = cast("str", stated["field"])
    if name not in fields or not fields[name].secret or fields[name].read_only:
        raise ValueError(f"the rotate field {name!r} of provider.yaml is no writable secret field")
    return ChosenSecret(field=name)


def _token(stated: JsonObject) -> TokenRequest:
    return TokenRequest(
        path=cast("str | None", stated.get("path")),
        scope=cast("str | None", stated.get("scope")),
    )


def _errors(stated: JsonObject) -> ErrorShape:
    hints = cast("Mapping[str, str]", stated.get("hints", {}))
    return ErrorShape(
        messages=_strings(stated, "messages"),
        fields=cast("str | None", stated.get("fields")),
        tracking=cast("str | None", stated.get("tracking")),
        speaks_on=frozenset(cast("list[int]", stated["speaksOn"])),
        documented=cast("bool", stated.get("documented", True)),
        hints={int(status): hint for status, hint in hints.items()},
    )


def _rate_limit(stated: JsonObject) -> RateLimit:
    return RateLimit(
        requests=cast("int", stated["requests"]),
        seconds=seconds(cast("str", stated["per"])),
    )


def _fields(client: JsonObject) -> dict[str, Field]:
    properties = cast("Mapping[str, JsonObject]", client["properties"])
    return {name: _field(name, schema) for name, schema in properties.items()}


def _field(name: str, schema: JsonObject) -> Field:
    own = _object(schema, "x-reconciler")
    groups = cast("list[list[Json]]", own.get("equal", []))
    return Field(
        name=name,
        schema=schema,
        read_as=cast("str", own.get("readAs", name)),
        is_set=bool(own.get("set", False)),
        compare_by=_strings(own, "compareBy"),
        equal=tuple(tuple(group) for group in groups),
        clear=_clear(own),
        immutable=bool(own.get("immutable", False)),
        secret=bool(own.get("secret", False)),
        volatile=bool(own.get("volatile", False)),
        create_only=bool(own.get("createOnly", False)),
        update_only=bool(own.get("updateOnly", False)),
        read_only=bool(schema.get("readOnly", False)),
        write_only=bool(schema.get("writeOnly", False)),
        default=schema.get("default", MISSING),
    )


def _clear(own: JsonObject) -> Clear | None:
    if "clear" not in own:
        return None
    stated = _object(own, "clear")
    return Clear(remove=bool(stated.get("remove", False)), value=stated.get("value", MISSING))


def _object(holder: JsonObject, name: str) -> JsonObject:
    return cast("JsonObject", holder.get(name, _EMPTY))


def _strings(holder: JsonObject, name: str) -> tuple[str, ...]:
    return tuple(cast("list[str]", holder.get(name, [])))
