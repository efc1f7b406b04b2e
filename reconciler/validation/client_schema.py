"""Finds what a client schema and its descriptor ask for that the tool does not do, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from reconciler.core.pointer import escape, resolve, unescape
from reconciler.core.values import object_member
from reconciler.provider.model import Chosen
from reconciler.provider.schema_views import facts, holds_secrets, member_views, says_secret, views
from reconciler.provider.secrets import client_secret, secret_candidates
from reconciler.validation.suggestions import closest_name, did_you_mean
from reconciler.validation.uris.fault import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.core.model import Json, JsonObject
    from reconciler.provider.model import Known, Provider

    # A JSON Pointer into the client schema, and what is wrong there.
    Fault = tuple[str, str]

_SWITCHES: Final = frozenset(
    {"set", "immutable", "secret", "volatile", "createOnly", "updateOnly", "keptWhenLeftOut"}
)
_AT_TOP: Final = _SWITCHES | {
    "compareBy",
    "known",
    "equal",
    "clear",
    "readAs",
    "message",
    "mask",
    "whenInvalid",
    "uri",
}
_OF_KNOWN: Final = frozenset({"path", "item", "made", "dropped"})
# What is true of a member inside a field.
_INSIDE: Final = frozenset({"secret", "mask", "keptWhenLeftOut", "clear", "message", "uri"})
# Words of JSON Schema that hold values and not schemas.
_DATA: Final = frozenset(
    {"enum", "const", "default", "examples", "x-reconciler", "required", "type"}
)
_NAMED: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})


def unsupported(provider: Provider, stated: JsonObject) -> Iterator[Fault]:
    """The faults of a client schema, `stated` as its file has it, and of the descriptor beside it.

    `provider` is made of both, every `$ref` in its place.
    """
    for name, field in object_member(stated, "properties").items():
        pointer = f"/properties/{escape(name)}"
        yield from _word_faults(cast("JsonObject", field), pointer, _AT_TOP)
        yield from _inner_faults(field, pointer)
    for word in sorted(stated.keys() - {"properties", "$defs"} - _DATA):
        if holds_secrets(stated[word]):
            yield f"/{word}", f"a secret below `{word}` is not known: it stands below `properties`"
    for name, part in object_member(stated, "$defs").items():
        yield from _inner_faults({"$defs": {name: part}}, "")
    yield from _list_faults(provider)
    yield from _secret_faults(provider)
    yield from _name_faults(provider)
    yield from _query_faults(provider)


def _inner_faults(schema: Json, pointer: str) -> Iterator[Fault]:
    """The faults of everything inside `schema`, itself aside."""
    if isinstance(schema, list):
        for index, part in enumerate(schema):
            yield from _place_faults(part, f"{pointer}/{index}")
    if not isinstance(schema, dict):
        return
    for word in schema.keys() - _DATA:
        below, part = f"{pointer}/{escape(word)}", schema[word]
        if word in _NAMED and isinstance(part, dict):
            for name, member in part.items():
                yield from _place_faults(member, f"{below}/{escape(name)}")
        elif isinstance(part, list):
            yield from _inner_faults(part, below)
        else:
            yield from _place_faults(part, below)


def _place_faults(schema: Json, pointer: str) -> Iterator[Fault]:
    if isinstance(schema, dict):
        # What a definition says may be of a field: where it is used is where it is judged.
        known = _AT_TOP if pointer.startswith("/$defs") else _INSIDE
        yield from _word_faults(schema, pointer, known)
    yield from _inner_faults(schema, pointer)


def _word_faults(schema: JsonObject, pointer: str, known: frozenset[str]) -> Iterator[Fault]:
    stated, place = facts(schema), f"{pointer}/x-reconciler"
    if "x-reconciler" in schema and not isinstance(schema["x-reconciler"], dict):
        yield place, "`x-reconciler` is an object of what is true of the field"
    for word in sorted(stated):
        if word not in _AT_TOP:
            near = closest_name(word, sorted(_AT_TOP))
            yield place, f"unknown word `{word}`" + (f": did you mean `{near}`?" if near else "")
        elif word not in known:
            yield place, f"`{word}` is known of a field and not of what is inside one"
        elif word in _SWITCHES and not isinstance(stated[word], bool):
            yield place, f"`{word}` is true or false"
    if "mask" in stated and not _are_texts(stated["mask"]):
        yield place, "`mask` is a list of texts"
    if "uri" in stated and stated["uri"] not in KINDS:
        yield place, f"`uri` is {' or '.join(KINDS)}"
    if {"mask", "keptWhenLeftOut"} & stated.keys() and stated.get("secret") is not True:
        yield place, "`mask` and `keptWhenLeftOut` are said of a secret: `secret: true` is missing"


def _are_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _list_faults(provider: Provider) -> Iterator[Fault]:
    for name, field in provider.fields.items():
        items = field.schema.get("items")
        if (field.is_set or field.compare_by) and holds_secrets(items):
            word = "set" if field.is_set else "compareBy"
            message = (
                f"a secret inside the members of `{name}` is not supported, since `{word}` finds a "
                "member by its value: leave out one of the two"
            )
            yield f"/properties/{escape(name)}", message
        if field.known is not None:
            stated = object_member(facts(field.schema), "known")
            yield from _known_faults(name, stated, field.known, field.compare_by)
        if field.secret and (field.is_set or field.compare_by or field.equal):
            yield f"/properties/{escape(name)}", f"`{name}` is secret: it is no set and has no keys"


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


def _secret_faults(provider: Provider) -> Iterator[Fault]:
    if provider.secret:
        if not _is_secret_place(provider):
            yield "", f"`secret: {provider.secret}` of provider.yaml points to no secret"
        return
    found = secret_candidates(provider)
    if found and not client_secret(provider):
        message = (
            f"{', '.join(found)} are secret, and which of them a client logs in with is not said: "
            f"`secret: {found[0]}` in provider.yaml does"
        )
        yield "", message


def _is_secret_place(provider: Provider) -> bool:
    first, *rest = map(unescape, provider.secret.split("/")[1:])
    field = provider.fields.get(first)
    if field is None:
        return False
    of = views(field.schema)
    for name in rest:
        of = member_views(of, name)
    return says_secret(of) or (field.secret and not rest)


def _name_faults(provider: Provider) -> Iterator[Fault]:
    identity = provider.identity
    named = {
        "identity.match": [identity.match] if identity.match is not None else [],
        "identity.recognize": identity.recognize,
        "endpoints.update.always": provider.always,
    }
    for word, names in named.items():
        for name in names:
            if name not in provider.fields:
                yield "", f"`{word}` of provider.yaml names `{name}`, and there is no such field"
    if identity.chosen is Chosen.FIELD:
        field = provider.fields.get(identity.pointer.removeprefix("/"))
        if field is None or field.read_only or not (field.immutable or field.create_only):
            word = "`identity.chosen: field` of provider.yaml needs a field"
            yield "", f"{word} at `{identity.pointer}` that a create takes and that is `immutable`"
    pointed = resolve(
        {name: field.secret for name, field in provider.fields.items()}, identity.pointer
    )
    if pointed is True:
        yield (
            "",
            f"`identity.pointer: {identity.pointer}` of provider.yaml is a secret: an id is shown",
        )


def _query_faults(provider: Provider) -> Iterator[Fault]:
    pages = provider.pagination
    if provider.list is None or pages is None:
        return
    taken = {pages.limit_parameter, pages.offset_parameter, pages.page_parameter}
    for name in sorted(provider.list.query.keys() & (taken | {pages.token_parameter})):
        yield "", f"`{name}` in `endpoints.list.query` of provider.yaml is what asks for a page"
