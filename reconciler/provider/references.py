"""Finds the references in a spec, and puts the secrets that they stand for in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeGuard, cast

from reconciler.core.pointer import escape
from reconciler.core.project import reference
from reconciler.provider.schema_views import (
    describes_object,
    item_views,
    member_views,
    says_secret,
    views,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.model import Json, JsonObject, Secret
    from reconciler.core.project import Reference
    from reconciler.provider.model import Provider
    from reconciler.provider.schema_views import Views

# With one of these a schema says what a value is, itself or by its branches.
_SHAPES: Final = frozenset(
    {
        "type",
        "enum",
        "const",
        "properties",
        "items",
        "allOf",
        "anyOf",
        "oneOf",
        "additionalProperties",
    }
)


def find(spec: JsonObject, provider: Provider) -> tuple[tuple[str, Reference], ...]:
    """Every reference in a valid `spec`, with its JSON Pointer relative to the spec, in its order.

    A mapping is a reference only where the client schema takes text: an object field, such as a
    JSON Web Key, may hold a member named `env` and mean it.
    """
    return tuple(
        found
        for name, value in spec.items()
        if _may_hold_one(value) and name in provider.fields
        for found in _find_within(value, views(provider.fields[name].schema), f"/{escape(name)}")
    )


def _may_hold_one(value: Json) -> TypeGuard[dict[str, Json] | list[Json]]:
    """Whether to look into `value`: most fields are texts or lists of texts."""
    if isinstance(value, list):
        return any(isinstance(item, dict | list) for item in value)
    return isinstance(value, dict)


def _find_within(
    value: dict[str, Json] | list[Json], of: Views, pointer: str
) -> Iterator[tuple[str, Reference]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _find_within(item, item_views(of, index), f"{pointer}/{index}")
    # An object that a schema describes may have a member called `env`, and mean it.
    elif _takes_reference(of):
        if (found := reference(value)) is not None:
            yield pointer, found
    else:
        for name, member in value.items():
            if isinstance(member, dict | list):
                yield from _find_within(member, member_views(of, name), f"{pointer}/{escape(name)}")


def _takes_reference(of: Views) -> bool:
    takers = [view for view in of if takes_text(view) or is_bare_secret(view)]
    return bool(takers) and not any(
        describes_object(view) for view in of if not any(view is taker for taker in takers)
    )


def takes_text(schema: JsonObject) -> bool:
    """Whether `schema` takes text of the writer's own choosing, where a reference may stand."""
    types = schema.get("type", ())
    text = types == "string" or (isinstance(types, list | tuple) and "string" in types)
    return text and "enum" not in schema and "const" not in schema


def is_bare_secret(schema: JsonObject) -> bool:
    """Whether `schema` calls a value secret and does not say of which type it is."""
    return says_secret((schema,)) and not (_SHAPES & schema.keys())


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
