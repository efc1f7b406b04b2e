"""Tells whether a schema takes a value in one field, whatever else the body may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from reconciler.core.pointer import escape
from reconciler.core.secrets import reveal
from reconciler.validation.validator import Validator

if TYPE_CHECKING:
    from reconciler.core.model import Json, JsonObject

_field_validators: Final[dict[tuple[int, str], tuple[JsonObject, Validator]]] = {}


def field_accepts(schema: JsonObject, field: str, value: Json) -> bool:
    """Whether a body by `schema` may hold `field` with `value`, whatever else it holds.

    Of a JSON Patch schema: whether an operation may set the field to it, or remove it for null.
    """
    plain = reveal(value)
    if schema.get("type") == "array":
        return _validator(schema, "").accepts([_operation(field, plain)])
    properties = cast("JsonObject", schema.get("properties", {}))
    return field in properties and _validator(schema, field).accepts({field: plain})


def _operation(field: str, value: Json) -> JsonObject:
    path = f"/{escape(field)}"
    if value is None:
        return {"op": "remove", "path": path}
    return {"op": "replace", "path": path, "value": value}


def _validator(schema: JsonObject, field: str) -> Validator:
    """The validator of one field, made once."""
    key = (id(schema), field)
    if key not in _field_validators:
        # With the schema itself: while it is referred to, no other one can have its id.
        _field_validators[key] = (
            schema,
            Validator(_field_schema(schema, field) if field else schema),
        )
    return _field_validators[key][1]


def _field_schema(schema: JsonObject, field: str) -> JsonObject:
    properties = cast("JsonObject", schema["properties"])
    shared = {name: schema[name] for name in ("$schema", "$defs") if name in schema}
    return {**shared, "type": "object", "properties": {field: properties[field]}}
