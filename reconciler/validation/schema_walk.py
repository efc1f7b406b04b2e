"""Finds its way in a schema: from a place in a document, or a validator's path, to what is said there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from reconciler.core.pointer import escape
from reconciler.core.values import object_member

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.core.model import Json, JsonObject

# A name that lies deeper than `/targets/*/auth/clientId` helps nobody who looks for its place.
_DEEPEST: Final = 4


def message_of(schema: object) -> str:
    """What `x-reconciler.message` says in place of a validator's own words, "" where nothing does."""
    if not isinstance(schema, dict):
        return ""
    return str(object_member(schema, "x-reconciler").get("message", ""))


def is_reference(schema: JsonObject) -> bool:
    """Whether `schema` is the one of `{env: NAME}` and `{file: path}`."""
    return schema.get("title") == "Reference"


def resolved(root: JsonObject, schema: JsonObject) -> JsonObject:
    """`schema`, or what its `$ref` into the `$defs` of `root` points to, with what stands beside it."""
    pointer = schema.get("$ref")
    if not isinstance(pointer, str):
        return schema
    return {**object_member(object_member(root, "$defs"), pointer.rpartition("/")[2]), **schema}


def rule_of(root: JsonObject, path: Sequence[str | int]) -> str:
    """The message of the innermost rule on a validator's schema path: a then, an else, an allOf member."""
    node: Json = root
    message = ""
    for place, step in enumerate(path):
        if isinstance(node, dict):
            node = resolved(root, node)[cast("str", step)]
        else:
            node = cast("list[Json]", node)[cast("int", step)]
        if step in {"then", "else"} or (place and path[place - 1] == "allOf"):
            message = message_of(node) or message
    return message


def node_at(root: JsonObject, path: Sequence[str | int]) -> JsonObject:
    """The schema that describes the place `path` of a document, {} where none is found."""
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
    return resolved(root, found)


def places_of(root: JsonObject, name: str) -> list[str]:
    """Where a document may hold a member `name`: the JSON Pointers of its holders, `*` for any name."""
    return sorted({holder for holder, known in _members(root, root, "", 0) if name == known})


def _members(
    root: JsonObject, node: JsonObject, pointer: str, depth: int
) -> Iterator[tuple[str, str]]:
    if depth == _DEEPEST:
        return
    others = object_member(node, "additionalProperties")
    if others:
        yield from _members(root, resolved(root, others), f"{pointer}/*", depth + 1)
    members = cast("Mapping[str, JsonObject]", object_member(node, "properties"))
    for name, schema in members.items():
        if not schema.get("readOnly"):
            yield pointer, name
            below = f"{pointer}/{escape(name)}"
            yield from _members(root, resolved(root, schema), below, depth + 1)
