"""Turns a place in a document, or a validator's path, into what the schema says there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from reconciler.core.pointer import escape
from reconciler.core.values import object_member

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.core.model import Json, JsonObject

# A name that lies deeper than `/targets/*/auth/clientId` is rarely the place that was meant.
# It also bounds the walk: a schema may refer to itself.
_DEEPEST: Final = 4


def message_of(schema: object) -> str:
    """The message that `x-reconciler.message` sets in place of a validator's own words, "" for none."""
    if not isinstance(schema, dict):
        return ""
    return str(object_member(schema, "x-reconciler").get("message", ""))


def is_reference(schema: JsonObject) -> bool:
    """Whether a schema is the one of `{env: NAME}` and `{file: path}`."""
    return schema.get("title") == "Reference"


def resolve_ref(root: JsonObject, schema: JsonObject) -> JsonObject:
    """The schema with what its `$ref` into the `$defs` of `root` points to laid under it."""
    pointer = schema.get("$ref")
    if not isinstance(pointer, str):
        return schema
    return {**object_member(object_member(root, "$defs"), pointer.rpartition("/")[2]), **schema}


def rule_of(root: JsonObject, path: Sequence[str | int]) -> str:
    """The message of the innermost then, else or allOf member on a validator's schema path."""
    node: Json = root
    message = ""
    for place, step in enumerate(path):
        if isinstance(node, dict):
            node = resolve_ref(root, node)[cast("str", step)]
        else:
            node = cast("list[Json]", node)[cast("int", step)]
        if step in {"then", "else"} or (place and path[place - 1] == "allOf"):
            message = message_of(node) or message
    return message


def node_at(root: JsonObject, path: Sequence[str | int]) -> JsonObject:
    """The schema of the place `path` in a document, {} where there is none."""
    node = root
    for step in path:
        node = _child(root, node, step)
    return node


def _child(root: JsonObject, node: JsonObject, step: str | int) -> JsonObject:
    properties = object_member(node, "properties")
    if isinstance(step, int):
        found = object_member(node, "items")
    elif step in properties:
        found = object_member(properties, step)
    else:
        found = object_member(node, "additionalProperties")
    return resolve_ref(root, found)


def places_of(root: JsonObject, name: str) -> list[str]:
    """The JSON Pointers of the objects that may hold a member `name`; `*` is any name."""
    return sorted({holder for holder, known in _members(root, root, "", 0) if name == known})


def _members(
    root: JsonObject, node: JsonObject, pointer: str, depth: int
) -> Iterator[tuple[str, str]]:
    if depth == _DEEPEST:
        return
    others = object_member(node, "additionalProperties")
    if others:
        yield from _members(root, resolve_ref(root, others), f"{pointer}/*", depth + 1)
    members = cast("Mapping[str, JsonObject]", object_member(node, "properties"))
    for name, schema in members.items():
        if not schema.get("readOnly"):
            yield pointer, name
            below = f"{pointer}/{escape(name)}"
            yield from _members(root, resolve_ref(root, schema), below, depth + 1)
