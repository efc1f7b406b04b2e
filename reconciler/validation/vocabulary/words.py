"""Finds words of `x-reconciler` that do not exist, stand where they mean nothing, or have a wrong value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from reconciler.core.pointer import escape
from reconciler.core.values import object_member
from reconciler.provider.schema_views import facts
from reconciler.validation.suggestions import closest_name, did_you_mean
from reconciler.validation.uris.fault import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from reconciler.core.model import Json, JsonObject

    # A JSON Pointer into the schema, and what is wrong there.
    Fault: TypeAlias = tuple[str, str]


def _is_switch(value: Json) -> bool:
    return isinstance(value, bool)


def _are_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _are_names(value: Json) -> bool:
    return _are_texts(value) and bool(value)


def _are_groups(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(one, list) and len(one) > 1 for one in value)


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and bool(value)


def _is_clear(value: Json) -> bool:
    return value == {"remove": True} or (isinstance(value, dict) and value.keys() == {"value"})


def _is_object(value: Json) -> bool:
    return isinstance(value, dict)


def _is_kind(value: Json) -> bool:
    return value in KINDS


def _is_anything(_: Json) -> bool:
    return True


_SWITCH: Final = (_is_switch, "true or false")
# What each word may be, and how to say so.
WORDS: Final[Mapping[str, tuple[Callable[[Json], bool], str]]] = {
    **dict.fromkeys(("set", "immutable", "secret", "volatile", "keptWhenLeftOut"), _SWITCH),
    **dict.fromkeys(("createOnly", "updateOnly"), _SWITCH),
    "compareBy": (_are_names, "a list of names of members, such as `[id, name]`"),
    "mask": (_are_texts, "a list of texts"),
    "equal": (_are_groups, 'a list of groups of values, such as `[[null, ""]]`'),
    "clear": (_is_clear, "`{remove: true}` or `{value: ...}`"),
    "readAs": (_is_text, "a name, or a JSON Pointer into the answer"),
    "message": (_is_text, "a text"),
    "uri": (_is_kind, " or ".join(KINDS)),
    "known": (_is_object, "an object"),
    "whenInvalid": (_is_anything, ""),
}
# What is true of a field and of nothing inside one.
_OF_FIELDS: Final = frozenset({"known", "createOnly", "updateOnly", "whenInvalid"})
_ALL: Final = frozenset(WORDS)
_INSIDE: Final = _ALL - _OF_FIELDS
# Words of JSON Schema that hold values and not schemas.
DATA: Final = frozenset(
    {"enum", "const", "default", "examples", "x-reconciler", "required", "type"}
)
_NAMED: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})


def client_words(stated: JsonObject) -> Iterator[Fault]:
    """The faults of the words in a client schema, `stated` as its file has it."""
    for name, field in object_member(stated, "properties").items():
        pointer = f"/properties/{escape(name)}"
        yield from _word_faults(cast("JsonObject", field), pointer, _ALL)
        yield from _inner_faults(field, pointer, _INSIDE)
    for name, part in object_member(stated, "$defs").items():
        # What a definition says may be of a field: where it is used is where it is judged.
        yield from _inner_faults({"$defs": {name: part}}, "", _ALL)


def body_words(stated: JsonObject) -> Iterator[Fault]:
    """The faults of the words in the schema of a request's body, which may be a copy of the client's."""
    yield from _place_faults(stated, "", _ALL)


def _inner_faults(schema: Json, pointer: str, known: frozenset[str]) -> Iterator[Fault]:
    """The faults of everything inside `schema`, itself aside."""
    if isinstance(schema, list):
        for index, part in enumerate(schema):
            yield from _place_faults(part, f"{pointer}/{index}", known)
    if not isinstance(schema, dict):
        return
    for word in schema.keys() - DATA:
        below, part = f"{pointer}/{escape(word)}", schema[word]
        if word in _NAMED and isinstance(part, dict):
            for name, member in part.items():
                yield from _place_faults(member, f"{below}/{escape(name)}", known)
        elif isinstance(part, list):
            yield from _inner_faults(part, below, known)
        else:
            yield from _place_faults(part, below, known)


def _place_faults(schema: Json, pointer: str, known: frozenset[str]) -> Iterator[Fault]:
    if isinstance(schema, dict):
        yield from _word_faults(schema, pointer, known)
    yield from _inner_faults(schema, pointer, known)


def _word_faults(schema: JsonObject, pointer: str, known: frozenset[str]) -> Iterator[Fault]:
    stated, place = facts(schema), f"{pointer}/x-reconciler"
    if "x-reconciler" in schema and not isinstance(schema["x-reconciler"], dict):
        yield place, "`x-reconciler` is an object of what is true of the field"
    for word in sorted(stated):
        if message := _fault(word, stated[word], known):
            yield f"{place}/{escape(word)}", message
    if {"mask", "keptWhenLeftOut"} & stated.keys() and stated.get("secret") is not True:
        yield place, "`mask` and `keptWhenLeftOut` are said of a secret: `secret: true` is missing"


def _fault(word: str, value: Json, known: frozenset[str]) -> str:
    if word not in WORDS:
        near = closest_name(word, sorted(WORDS))
        return f"unknown word `{word}`" + (f": {did_you_mean(near)}" if near else "")
    if word not in known:
        return f"`{word}` is known of a field and not of what is inside one"
    fits, kind = WORDS[word]
    return "" if fits(value) else f"`{word}` is {kind}"
