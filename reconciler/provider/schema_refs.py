"""Puts what a `$ref` points to in its place, so that whoever looks into a schema finds all of it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.model import MISSING
from reconciler.core.pointer import escape, resolve

if TYPE_CHECKING:
    from reconciler.core.model import Json, JsonObject

# Values and not schemas: what looks like a `$ref` in them is data.
_DATA: Final = frozenset({"enum", "const", "default", "examples", "x-reconciler"})


class Unresolvable(ValueError):
    """A `$ref` that cannot be put in place; `pointer` is where it stands."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def without_refs(schema: JsonObject) -> JsonObject:
    """`schema` with the schemas that its `$ref`s point to in their place, and so without `$defs`.

    Only pointers into the same file are followed (`#/$defs/name`). Raises Unresolvable for others,
    and for a schema that holds itself, which would have no end.
    """
    if "$ref" not in _words(schema):
        return schema
    whole = {name: value for name, value in schema.items() if name != "$defs"}
    inlined = _inline(schema, whole, "", ())
    return inlined if isinstance(inlined, dict) else {}


def _words(value: Json) -> set[str]:
    """The names of all members in `value`, at any depth."""
    if isinstance(value, list):
        return set().union(*map(_words, value))
    if isinstance(value, dict):
        return set(value).union(*map(_words, value.values()))
    return set()


def _inline(root: JsonObject, value: Json, pointer: str, above: tuple[str, ...]) -> Json:
    if isinstance(value, list):
        return [_inline(root, item, f"{pointer}/{i}", above) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    own = {
        name: member if name in _DATA else _inline(root, member, f"{pointer}/{escape(name)}", above)
        for name, member in value.items()
        if name != "$ref"
    }
    stated = value.get("$ref")
    # A field may be called `$ref` too; then it is described by a schema and not by a text.
    if not isinstance(stated, str):
        return own if stated is None else {**own, "$ref": _inline(root, stated, pointer, above)}
    found = _target(root, stated, pointer, above)
    return _joined(_inline(root, found, stated.removeprefix("#"), (*above, stated)), own)


def _target(root: JsonObject, stated: str, pointer: str, above: tuple[str, ...]) -> Json:
    if not stated.startswith("#/"):
        raise Unresolvable(
            pointer, f"`$ref: {stated}` is not followed: only a pointer such as `#/$defs/name` is"
        )
    if stated in above:
        raise Unresolvable(pointer, f"`$ref: {stated}` holds itself: a field has to have an end")
    found = resolve(root, stated.removeprefix("#"))
    if found is MISSING:
        raise Unresolvable(pointer, f"`$ref: {stated}` points to nothing")
    return found


def _joined(found: Json, own: JsonObject) -> Json:
    """What holds of a value by its `$ref` and beside it (JSON Schema 2020-12 core, section 8.2.3.1)."""
    if not isinstance(found, dict) or not own:
        return found
    notes = {"title", "description", "$comment", "default", "examples"}
    facts = {
        **_object(found.get("x-reconciler")),
        **_object(own.get("x-reconciler")),
    }
    said = {"x-reconciler": facts} if facts else {}
    if (found.keys() & own.keys()) <= notes | {"x-reconciler"}:
        return {**found, **own, **said}
    beside = own.get("allOf")
    return {**own, "allOf": [found, *(beside if isinstance(beside, list) else [])], **said}


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
