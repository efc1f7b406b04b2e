"""Puts what a `$ref` points to in its place, so that whoever looks into a schema finds all of it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.model import MISSING
from reconciler.core.pointer import escape, resolve
from reconciler.provider.schema_limits import (
    MAX_DEPTH,
    MAX_PARTS,
    NAMED,
    Unusable,
    check_ref,
)

if TYPE_CHECKING:
    from reconciler.core.model import Json, JsonObject

# Values and not schemas: what looks like a `$ref` in them is data.
_DATA: Final = frozenset({"enum", "const", "default", "examples", "x-reconciler"})


def without_refs(schema: JsonObject) -> JsonObject:
    """`schema` with the schemas that its `$ref`s point to in their place, and so without `$defs`.

    Only pointers into the same file are followed (`#/$defs/name`). Raises Unusable for others, for
    a schema that holds itself, which would have no end, and for one that grows too large by it.
    """
    if "$ref" not in _words(schema):
        return schema
    whole = {name: value for name, value in schema.items() if name != "$defs"}
    inlined = _Inliner(schema).inline(whole, "", (), 1)
    return inlined if isinstance(inlined, dict) else {}


def _words(value: Json) -> set[str]:
    """The names of all members in `value`, at any depth."""
    if isinstance(value, list):
        return set().union(*map(_words, value))
    if isinstance(value, dict):
        return set(value).union(*map(_words, value.values()))
    return set()


class _Inliner:
    """Copies the schema `root`, and counts the parts of the copy: `$ref`s that double it grow fast."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._parts = 0

    def inline(self, value: Json, pointer: str, above: tuple[str, ...], depth: int) -> Json:
        """`value` without `$ref`s; `pointer` is its place in the file, `above` what is followed here."""
        self._count(pointer, depth)
        if isinstance(value, list):
            return [
                self.inline(item, f"{pointer}/{index}", above, depth + 1)
                for index, item in enumerate(value)
            ]
        if not isinstance(value, dict):
            return value
        own = {
            name: self._member(name, member, f"{pointer}/{escape(name)}", above, depth + 1)
            for name, member in value.items()
            if name != "$ref"
        }
        stated = value.get("$ref")
        if not isinstance(stated, str):
            return own
        found = _target(self._root, stated, pointer, above)
        place = stated.removeprefix("#")
        return _joined(self.inline(found, place, (*above, stated), depth + 1), own)

    def _member(
        self, word: str, value: Json, pointer: str, above: tuple[str, ...], depth: int
    ) -> Json:
        """What a schema says by `word`, without `$ref`s: data as it is, and names are no words."""
        if word in _DATA:
            return value
        if word not in NAMED or not isinstance(value, dict):
            return self.inline(value, pointer, above, depth)
        # A field may be called `$ref` or `default`: then it is described by a schema.
        return {
            name: self.inline(part, f"{pointer}/{escape(name)}", above, depth + 1)
            for name, part in value.items()
        }

    def _count(self, pointer: str, depth: int) -> None:
        self._parts += 1
        if depth > MAX_DEPTH:
            raise Unusable(
                pointer,
                f"with its `$ref`s in place the schema is more than {MAX_DEPTH} levels deep",
            )
        if self._parts > MAX_PARTS:
            raise Unusable(
                pointer, f"with its `$ref`s in place the schema has more than {MAX_PARTS} parts"
            )


def _target(root: JsonObject, stated: str, pointer: str, above: tuple[str, ...]) -> Json:
    check_ref(pointer, stated)
    if stated in above:
        raise Unusable(pointer, f"`$ref: {stated}` holds itself: a field has to have an end")
    found = resolve(root, stated.removeprefix("#"))
    if found is MISSING:
        raise Unusable(pointer, f"`$ref: {stated}` points to nothing")
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
