"""Finds the references in a spec, and puts the secrets that they stand for in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard, cast

from reconciler.core.pointer import escape
from reconciler.core.project import reference
from reconciler.core.values import object_member

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.model import Json, JsonObject, Secret
    from reconciler.core.project import Reference
    from reconciler.provider.model import Provider


def find(spec: JsonObject, provider: Provider) -> tuple[tuple[str, Reference], ...]:
    """Every reference in a valid `spec`, with its JSON Pointer relative to the spec, in its order.

    A mapping is a reference only where the client schema takes text: an object field, such as a
    JSON Web Key, may hold a member named `env` and mean it.
    """
    return tuple(
        found
        for name, value in spec.items()
        if _may_hold_one(value) and name in provider.fields
        for found in _find_within(value, provider.fields[name].schema, f"/{escape(name)}")
    )


def _may_hold_one(value: Json) -> TypeGuard[dict[str, Json] | list[Json]]:
    """Whether to look into `value`: most fields are texts or lists of texts."""
    if isinstance(value, list):
        return any(isinstance(item, dict | list) for item in value)
    return isinstance(value, dict)


def _find_within(
    value: dict[str, Json] | list[Json], schema: JsonObject, pointer: str
) -> Iterator[tuple[str, Reference]]:
    if isinstance(value, list):
        items = object_member(schema, "items")
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _find_within(item, items, f"{pointer}/{index}")
    # An object that a schema describes may have a member called `env`, and mean it.
    elif takes_text(schema):
        if (found := reference(value)) is not None:
            yield pointer, found
    else:
        members = object_member(schema, "properties")
        for name, member in value.items():
            if isinstance(member, dict | list):
                yield from _find_within(
                    member, object_member(members, name), f"{pointer}/{escape(name)}"
                )


def takes_text(schema: JsonObject) -> bool:
    """Whether `schema` takes text of the writer's own choosing, where a reference may stand."""
    types = schema.get("type", ())
    text = types == "string" or (isinstance(types, list | tuple) and "string" in types)
    return text and "enum" not in schema and "const" not in schema


def substitute(spec: JsonObject, values: Mapping[str, Secret]) -> JsonObject:
    """`spec` with each value of `values` at its JSON Pointer, as `find` gave it.

    What does not change is shared with `spec`, which stays as it is.
    """
    if not values:
        return spec
    return cast("JsonObject", _substitute(spec, "", values, _ancestors(values)))


def _ancestors(values: Mapping[str, Secret]) -> frozenset[str]:
    return frozenset(
        pointer[:end]
        for pointer in values
        for end in (index for index, character in enumerate(pointer) if character == "/")
    )


def _substitute(
    value: Json, pointer: str, values: Mapping[str, Secret], ancestors: frozenset[str]
) -> Json:
    if pointer in values:
        return values[pointer]
    if pointer not in ancestors:
        return value
    if isinstance(value, dict):
        return {
            name: _substitute(member, f"{pointer}/{escape(name)}", values, ancestors)
            for name, member in value.items()
        }
    return [
        _substitute(item, f"{pointer}/{index}", values, ancestors)
        for index, item in enumerate(cast("list[Json]", value))
    ]
