"""Looks into a client schema: which of its parts speak of a value at any depth, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, cast

from reconciler.core.pointer import escape
from reconciler.core.values import object_member
from reconciler.provider.patterns import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.core.model import Json, JsonObject

# Every part of a schema that speaks of one value.
Views: TypeAlias = "tuple[JsonObject, ...]"

# The words of JSON Schema 2020-12 (core, section 10.2) whose schemas are about the same value. `not`
# is none of them: what it describes is what the value is not.
_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SINGLE: Final = ("then", "else")


def views(schema: JsonObject) -> Views:
    """`schema`, which holds no `$ref`, and the branches in it that are about the same value.

    A branch counts though another may hold: what one of them calls secret must not be shown.
    """
    return tuple(_views(schema))


def _views(schema: Json) -> Iterator[JsonObject]:
    if not isinstance(schema, dict):
        return
    yield schema
    for word in _LISTS:
        for branch in _list(schema.get(word)):
            yield from _views(branch)
    for word in _SINGLE:
        yield from _views(schema.get(word))
    for branch in object_member(schema, "dependentSchemas").values():
        yield from _views(branch)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def member_views(of: Views, name: str) -> Views:
    """What speaks of the member `name` of an object that `of` speaks of; empty where nothing does."""
    return tuple(view for schema in of for part in _member(schema, name) for view in _views(part))


def _member(schema: JsonObject, name: str) -> Iterator[Json]:
    named = [
        *(part for known, part in object_member(schema, "properties").items() if known == name),
        *(
            part
            for pattern, part in object_member(schema, "patternProperties").items()
            if _may_match(pattern, name)
        ),
    ]
    yield from named or (schema.get("additionalProperties"), schema.get("unevaluatedProperties"))


def _may_match(pattern: str, name: str) -> bool:
    try:
        return matches(pattern, name)
    except ValueError:
        # A pattern that cannot be matched: a secret is rather hidden than shown.
        return True


def item_views(of: Views, index: int) -> Views:
    """What speaks of the item `index` of a list that `of` speaks of; empty where nothing does."""
    return tuple(view for schema in of for part in _item(schema, index) for view in _views(part))


def _item(schema: JsonObject, index: int) -> Iterator[Json]:
    first = _list(schema.get("prefixItems"))
    yield first[index] if index < len(first) else schema.get("items")
    yield schema.get("contains")
    yield schema.get("unevaluatedItems")


def facts(schema: JsonObject) -> JsonObject:
    """What `x-reconciler` says in `schema` itself."""
    return object_member(schema, "x-reconciler")


def says_secret(of: Views) -> bool:
    """Whether the value must never be shown."""
    return any(facts(view).get("secret") is True for view in of)


def says(of: Views, word: str) -> bool:
    """Whether the schema says `word`, such as readOnly, of the value."""
    return any(view.get(word) is True for view in of)


def is_stated(of: Views, word: str) -> bool:
    """Whether `x-reconciler` says `word`, such as `set`, of the value."""
    return any(facts(view).get(word) is True for view in of)


def compare_by(of: Views) -> Sequence[str]:
    """The members that tell the objects of a list apart, the surest first; none where nothing does."""
    found = (_list(facts(view).get("compareBy")) for view in of)
    return cast("Sequence[str]", next(filter(None, found), ()))


def equal_values(of: Views) -> Iterator[list[Json]]:
    """The groups of values that mean the same."""
    for view in of:
        yield from cast("list[list[Json]]", _list(facts(view).get("equal")))


def read_as(of: Views, name: str) -> str:
    """The JSON Pointer to the member `name`, of which `of` speaks, in an object as answers have it."""
    found = (facts(view).get("readAs") for view in of)
    return answer_pointer(next((word for word in found if isinstance(word, str)), name))


def answer_pointer(word: str) -> str:
    """What `readAs` says as a JSON Pointer: it may be a name as well."""
    return word if word.startswith("/") else f"/{escape(word)}"


# What holds of the inside of a value, and not of the value as a whole alone.
_DEEP_WORDS: Final = frozenset({"set", "compareBy", "equal", "volatile", "immutable", "readAs"})


def speaks_of_inside(schema: JsonObject) -> bool:
    """Whether a word that a comparison minds stands inside `schema`, itself aside."""
    inside = [part for word, part in schema.items() if word != "x-reconciler"]
    return _anywhere(inside, lambda part: bool(_DEEP_WORDS & facts(part).keys()))


def masks_of(of: Views) -> frozenset[Json]:
    """The texts that the server shows in place of the value."""
    return frozenset(text for view in of for text in _list(facts(view).get("mask")))


def describes_object(view: JsonObject) -> bool:
    """Whether a part of a schema takes an object."""
    types = view.get("type", ())
    named = types == "object" or (isinstance(types, list | tuple) and "object" in types)
    return named or bool({"properties", "patternProperties"} & view.keys())


def holds_secrets(schema: Json) -> bool:
    """Whether anything in `schema`, at any depth, is said to be secret."""
    return _anywhere(schema, lambda part: facts(part).get("secret") is True)


def hides_members(schema: Json) -> bool:
    """Whether answers never show something in `schema`, at any depth."""
    return _anywhere(schema, lambda part: part.get("writeOnly") is True)


def _anywhere(schema: Json, holds: Callable[[JsonObject], bool]) -> bool:
    """Whether `holds` is true of any object in `schema`, itself among them."""
    if isinstance(schema, list):
        return any(_anywhere(part, holds) for part in schema)
    if not isinstance(schema, dict):
        return False
    return holds(schema) or any(_anywhere(part, holds) for part in schema.values())


def is_secret_path(client: JsonObject, path: Sequence[str]) -> bool:
    """Whether the value at `path` of a spec, or one that holds it, is said to be secret."""
    of = views(client)
    for step in path:
        below = member_views(of, step)
        of = item_views(of, int(step)) if not below and step.isdecimal() else below
        if says_secret(of):
            return True
    return False
