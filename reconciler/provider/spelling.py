"""Brings a client as answers spell it into the spelling of manifests, as `readAs` of its schema says."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.core.model import MISSING, Json, JsonObject, Missing
from reconciler.core.pointer import escape, resolve, unescape
from reconciler.core.values import object_member
from reconciler.provider.schema_views import item_views, member_views, read_as, views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.provider.model import Field, Provider
    from reconciler.provider.schema_views import Views


def respelled(provider: Provider, body: JsonObject) -> JsonObject:
    """`body`, an answer without its envelope, with each field under its own name.

    What a field was copied from stays in its place: pointers of the descriptor may lead there.
    """
    fields = _respelled_fields(provider)
    if not fields:
        return body
    changed = dict(body)
    for field in fields:
        # Some answers spell a field as requests do: then it has its own name already.
        live = resolve(body, field.read_as)
        live = body.get(field.name, MISSING) if live is MISSING else live
        if live is not MISSING:
            changed[field.name] = _inside(views(field.schema), live) if field.inside else live
    return changed


@lru_cache(maxsize=64)
def _respelled_fields(provider: Provider) -> tuple[Field, ...]:
    return tuple(
        field
        for field in provider.fields.values()
        if field.inside or field.read_as != f"/{escape(field.name)}"
    )


@lru_cache(maxsize=64)
def answer_names(provider: Provider) -> frozenset[str]:
    """The names, in requests and in answers, of the members that hold a field or a part of one."""
    fields = provider.fields.values()
    return frozenset(name for field in fields for name in (field.name, first_name(field.read_as)))


def first_name(pointer: str) -> str:
    """The name of the member of a client that a JSON Pointer leads into."""
    return unescape(pointer.split("/")[1])


def _inside(of: Views, live: Json) -> Json:
    if isinstance(live, list):
        return [_inside(item_views(of, index), item) for index, item in enumerate(live)]
    if not isinstance(live, dict):
        return live
    members: JsonObject = live
    for name in _described(of):
        pointer = read_as(member_views(of, name), name)
        found = resolve(live, pointer)
        if pointer != f"/{escape(name)}" and found is not MISSING:
            members = {**_without(members, pointer), name: found}
    return {name: _inside(member_views(of, name), member) for name, member in members.items()}


def _described(of: Views) -> Iterator[str]:
    return (name for view in of for name in object_member(view, "properties"))


def _without(value: JsonObject, pointer: str) -> JsonObject:
    """`value` without what is at `pointer`, and without the objects that hold nothing else."""
    name, rest = first_name(pointer), pointer[1:].partition("/")[2]
    left: Json | Missing = MISSING
    if rest and isinstance(inner := value.get(name), dict):
        left = _without(inner, f"/{rest}") or MISSING
    kept = {key: member for key, member in value.items() if key != name}
    return kept if left is MISSING else {**kept, name: left}
