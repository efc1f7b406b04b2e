"""The keywords that jsonschema would take too long over, or judge otherwise than the fast validator."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from jsonschema.exceptions import ValidationError

from reconciler.core.values import canonical_json, map_leaves, object_member
from reconciler.provider.patterns import matches
from reconciler.validation.validator import Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.core.model import Json, JsonObject

_UNEVALUATED: Final = ("unevaluatedProperties", "unevaluatedItems")


def replaced(root: JsonObject) -> Mapping[str, Callable[..., Iterator[ValidationError]]]:
    """Our own keywords, by name, for a validator of the schema `root`.

    Python's `re` goes back in a text, for ever with some patterns; `uniqueItems` compares each item
    with each; what is unevaluated is found by asking all branches again, at each level.
    """
    return {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
        "enum": _Enum(),
        **dict.fromkeys(_UNEVALUATED, partial(_unevaluated, root)),
    }


def _pattern(
    _validator: object, pattern: str, instance: Json, _schema: object
) -> Iterator[ValidationError]:
    """The error of a text that `pattern` does not match, by ECMA-262, as JSON Schema wants it."""
    if isinstance(instance, str) and not matches(pattern, instance):
        yield ValidationError("does not match")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, JsonObject], instance: Json, _schema: object
) -> Iterator[ValidationError]:
    """The errors of the members of an object whose names a pattern matches, by its schema."""
    members = instance.items() if isinstance(instance, dict) else ()
    for pattern, below in patterns.items():
        for name, value in members:
            if matches(pattern, name):
                yield from validator.descend(value, below, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, below: Json, instance: Json, schema: JsonObject
) -> Iterator[ValidationError]:
    """The errors of the members of an object that the schema does not name, by `below`."""
    if not isinstance(instance, dict):
        return
    extras = list(unnamed_members(schema, instance))
    if isinstance(below, dict):
        for name in extras:
            yield from validator.descend(instance[name], below, path=name)
    elif not below and extras:
        yield ValidationError("a member is not known")


def unnamed_members(schema: JsonObject, instance: JsonObject) -> Iterator[str]:
    """The names in `instance` that neither `properties` nor `patternProperties` of `schema` have."""
    known = object_member(schema, "properties")
    patterns = object_member(schema, "patternProperties")
    for name in instance:
        if name not in known and not any(matches(pattern, name) for pattern in patterns):
            yield name


def _unique_items(
    _validator: object, wanted: Json, instance: Json, _schema: object
) -> Iterator[ValidationError]:
    """The error of a list that holds a value twice, found in one pass."""
    if wanted and isinstance(instance, list) and len(set(map(_key, instance))) < len(instance):
        yield ValidationError("a value is listed twice")


def _key(item: Json) -> str:
    """The one text of equal values: of 1 and 1.0 the same, of 1 and True not, as Python has it."""
    return canonical_json(map_leaves(item, _as_integer))


def _as_integer(leaf: Json) -> Json:
    return int(leaf) if isinstance(leaf, float) and leaf.is_integer() else leaf


class _Enum:
    """The keyword `enum`, which jsonschema compares a value with member by member."""

    def __init__(self) -> None:
        # With the list itself: while it is referred to, no other one can have its id.
        self._known: dict[int, tuple[list[Json], frozenset[str]]] = {}

    def __call__(
        self, _validator: object, allowed: list[Json], instance: Json, _schema: object
    ) -> Iterator[ValidationError]:
        """The error of a value that is none of the allowed."""
        if id(allowed) not in self._known:
            self._known[id(allowed)] = (allowed, frozenset(map(_key, allowed)))
        if _key(instance) not in self._known[id(allowed)][1]:
            yield ValidationError("not among the allowed")


def _unevaluated(
    root: JsonObject, _validator: object, _below: Json, instance: Json, schema: JsonObject
) -> Iterator[ValidationError]:
    """The error of a value in which something is unevaluated, and nothing else wrong."""
    whole = {**schema, "$defs": root.get("$defs", {})}
    others = {word: stated for word, stated in whole.items() if word not in _UNEVALUATED}
    is_alone = Validator(others).accepts(instance)
    if is_alone and not Validator(whole).accepts(instance):
        yield ValidationError("something is unevaluated")
