"""Refuses schemas that point out of their file, whose patterns or branches take too long, or that are too large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.pointer import escape
from reconciler.provider import patterns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.model import Json, JsonObject

# The largest schema of a vendor here has 900 parts and is 14 deep.
MAX_DEPTH: Final = 64
MAX_PARTS: Final = 20_000  # objects, lists and values
MAX_PATTERNS: Final = 250  # different ones
# How many schemas are held against one value: with `unevaluated...` inside one another it is no
# longer their number, since each asks all branches below it once more.
MAX_WORK: Final = 100_000

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_DYNAMIC: Final = ("$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor")
# The words of JSON Schema 2020-12 (core, section 10; validation, section 8) that hold schemas.
_SINGLE: Final = frozenset(
    {
        *("items", "contains", "additionalProperties", "propertyNames", "not", "contentSchema"),
        *("unevaluatedItems", "unevaluatedProperties", "if", "then", "else"),
    }
)
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
NAMED: Final = frozenset(
    {"properties", "patternProperties", "dependentSchemas", "$defs", "definitions", "dependencies"}
)
# Of these, those whose schemas are about the same value, and tell what of it was evaluated.
_IN_PLACE: Final = frozenset(
    {"allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "contains"}
)
_UNEVALUATED: Final = frozenset({"unevaluatedItems", "unevaluatedProperties"})


class Unusable(ValueError):
    """A schema that is not taken; `pointer` is where what is wrong with it stands."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def check(schema: JsonObject) -> None:
    """Raise Unusable for a schema, as its file has it, that is too large or asks for what is not done.

    Nothing is fetched for a schema and no other file is read, so that it may not name any: neither
    another dialect by `$schema`, nor another base by an `$id` inside, nor what `$dynamicRef` finds.
    """
    _check_size(schema)
    seen: set[str] = set()
    for pointer, part in _schemas(schema, ""):
        _check_names(pointer, part)
        for pattern in _patterns(part):
            _check_pattern(pointer, pattern, seen)


def check_work(schema: JsonObject) -> None:
    """Raise Unusable for a schema, without `$ref`, that takes too long to hold against one value."""
    for name, field in _below(schema):
        if _work(field)[0] > MAX_WORK:
            raise Unusable(
                name,
                "`unevaluatedProperties` or `unevaluatedItems` are nested so deep in one another "
                "that no value could be held against them in a reasonable time: use fewer",
            )


def _check_size(schema: JsonObject) -> None:
    """Refuse what is deep before anything walks over it by recursion."""
    pending: list[tuple[str, int, Json]] = [("", 1, schema)]
    parts = 0
    while pending:
        pointer, depth, value = pending.pop()
        parts += 1
        if depth > MAX_DEPTH:
            raise Unusable(pointer, f"the schema is more than {MAX_DEPTH} levels deep")
        if parts > MAX_PARTS:
            raise Unusable("", f"the schema has more than {MAX_PARTS} parts")
        if isinstance(value, dict):
            members = [(f"{pointer}/{escape(name)}", value[name]) for name in value]
        elif isinstance(value, list):
            members = [(f"{pointer}/{index}", item) for index, item in enumerate(value)]
        else:
            continue
        pending.extend((place, depth + 1, member) for place, member in members)


def _below(schema: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """The schemas right below one, with their pointers relative to it."""
    for word, stated in schema.items():
        if word in _SINGLE:
            named = [(word, stated)]
        elif word in _LISTS and isinstance(stated, list):
            named = [(f"{word}/{index}", part) for index, part in enumerate(stated)]
        elif word in NAMED and isinstance(stated, dict):
            named = [(f"{word}/{escape(name)}", part) for name, part in stated.items()]
        else:
            continue
        yield from ((f"/{place}", part) for place, part in named if isinstance(part, dict))


def _schemas(schema: JsonObject, pointer: str) -> Iterator[tuple[str, JsonObject]]:
    """`schema` and all schemas in it, with their pointers; what is no schema is left out."""
    yield pointer, schema
    for place, part in _below(schema):
        yield from _schemas(part, pointer + place)


def _check_names(pointer: str, schema: JsonObject) -> None:
    for word in _DYNAMIC:
        if word in schema:
            raise Unusable(
                f"{pointer}/{word}",
                f"`{word}` is not followed: only a `$ref` such as `#/$defs/name` is",
            )
    stated = schema.get("$schema", _DIALECT)
    if not isinstance(stated, str) or stated.removesuffix("#") != _DIALECT:
        raise Unusable(
            f"{pointer}/$schema",
            f"`$schema: {stated}` is not read, and nothing is fetched: the schema is one of {_DIALECT}",
        )
    check_ref(pointer, schema.get("$ref", "#/"))
    if pointer and "$id" in schema:
        raise Unusable(
            f"{pointer}/$id",
            "`$id` stands at the top alone: a file is one schema, and nothing is fetched by its name",
        )


def check_ref(pointer: str, stated: Json) -> None:
    """Raise Unusable for a `$ref` that does not point into its own file."""
    if not isinstance(stated, str) or not stated.startswith("#/"):
        raise Unusable(
            pointer, f"`$ref: {stated}` is not followed: only a pointer such as `#/$defs/name` is"
        )


def _patterns(schema: JsonObject) -> Iterator[str]:
    named = schema.get("patternProperties")
    if isinstance(named, dict):
        yield from named
    stated = schema.get("pattern")
    if isinstance(stated, str):
        yield stated


def _check_pattern(pointer: str, pattern: str, seen: set[str]) -> None:
    if pattern in seen:
        return
    seen.add(pattern)
    if len(seen) > MAX_PATTERNS:
        raise Unusable(pointer, f"the schema has more than {MAX_PATTERNS} different patterns")
    if reason := patterns.fault(pattern):
        raise Unusable(pointer, f"the pattern `{pattern}` is not taken: {reason}")


def _work(schema: JsonObject) -> tuple[int, int]:
    """How many schemas are held against values by `schema`, and once more to tell what it evaluated."""
    below = [(place.split("/")[1], _work(part)) for place, part in _below(schema)]
    again = sum(once + more for word, (once, more) in below if word in _IN_PLACE)
    once = 1 + sum(once for _, (once, _) in below)
    return once + (again if _UNEVALUATED & schema.keys() else 0), again
