"""Finds what a client schema says of its fields that does not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.pointer import escape
from reconciler.core.values import object_member
from reconciler.provider.schema_views import compare_by, facts, holds_secrets, is_stated
from reconciler.validation.suggestions import closest_name, did_you_mean
from reconciler.validation.vocabulary.words import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.core.model import Json, JsonObject
    from reconciler.provider.model import Known, Provider
    from reconciler.validation.vocabulary.words import Fault

_OF_KNOWN: Final = frozenset({"path", "item", "made", "dropped"})


def field_faults(provider: Provider, stated: JsonObject) -> Iterator[Fault]:
    """The faults of the fields; `provider` has every `$ref` in its place, `stated` is as the file has it."""
    for word in sorted(stated.keys() - {"properties", "$defs"} - DATA):
        if holds_secrets(stated[word]):
            yield f"/{word}", f"a secret below `{word}` is not known: it stands below `properties`"
    for name, field in provider.fields.items():
        place = f"/properties/{escape(name)}"
        for word in _lists_with_secrets(field.schema):
            what = f"a secret inside the members of `{name}` is not supported"
            yield (
                place,
                f"{what}, since `{word}` finds a member by its value: leave out one of the two",
            )
        if field.known is not None:
            said = object_member(facts(field.schema), "known")
            yield from _known_faults(name, said, field.known, field.compare_by)
        if field.secret and (field.is_set or field.compare_by or field.equal):
            yield place, f"`{name}` is secret: it is no set and has no keys"


def _lists_with_secrets(schema: Json) -> Iterator[str]:
    """The words, at any depth, by which the members of a list are told apart that hold a secret."""
    if isinstance(schema, list):
        for part in schema:
            yield from _lists_with_secrets(part)
    if not isinstance(schema, dict):
        return
    word = "set" if is_stated((schema,), "set") else "compareBy" if compare_by((schema,)) else ""
    if word and holds_secrets(schema.get("items")):
        yield word
    for name, part in schema.items():
        if name not in DATA:
            yield from _lists_with_secrets(part)


def _known_faults(
    name: str, stated: Mapping[str, Json], known: Known, compare_by: Sequence[str]
) -> Iterator[Fault]:
    members = (*known.made, *known.dropped)
    place = f"/properties/{escape(name)}/x-reconciler"
    for word in sorted(stated.keys() - _OF_KNOWN):
        near = closest_name(word, sorted(_OF_KNOWN))
        yield (
            place,
            f"unknown word `{word}` in `known`" + (f": {did_you_mean(near)}" if near else ""),
        )
    if not members or set(members) - set(compare_by):
        yield place, "`made` and `dropped` of `known` name members, and only those of `compareBy`"
    if known.path is not None and not known.path.startswith("/"):
        yield place, "`path` of `known` begins with a slash, after the base URL"
