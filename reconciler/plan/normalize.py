"""Brings wanted and live values of a field into one canonical form, in which equal meanings are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import MISSING, Json, Missing
from reconciler.core.secrets import reveal
from reconciler.core.values import canonical_json, same
from reconciler.provider.schema_views import (
    compare_by,
    equal_values,
    is_stated,
    item_views,
    member_views,
    views,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.provider.model import Field
    from reconciler.provider.schema_views import Views


def same_texts(one: Json, other: Json) -> bool:
    """Whether two arrays hold the same texts, and nothing else, in whatever order."""
    return (
        isinstance(one, list)
        and isinstance(other, list)
        and len(one) == len(other)
        and all(type(member) is str for member in one)
        and all(type(member) is str for member in other)
        # Sorted and not as sets: a duplicate counts (decision 0004).
        and sorted(one) == sorted(other)
    )


def canonical(field: Field, value: Json | Missing) -> Json | Missing:
    """The one spelling of `value` that all values of the same meaning share.

    A set is sorted by the JSON text of its members and keeps duplicates. Of values that mean the
    same, the first that the schema lists stands for all. A member that is not there means null
    where null is one of such values. What is inside is brought into that form as well, where the
    schema says anything of it.
    """
    # Before sets are sorted: the empty set may be equal to null.
    for group in field.equal:
        if (value is MISSING and None in group) or any(same(value, member) for member in group):
            return group[0]
    if field.inside:
        value = _inside(views(field.schema), value)
    if field.is_set and isinstance(value, list):
        return sorted_members(value)
    return _sort_members(value)


def canonical_part(of: Views, value: Json | Missing) -> Json | Missing:
    """The same for a value inside a field, of which `of` speaks."""
    for group in equal_values(of):
        if (value is MISSING and None in group) or any(same(value, member) for member in group):
            return group[0]
    value = _inside(of, value)
    return sorted_members(value) if is_stated(of, "set") and isinstance(value, list) else value


def _inside(of: Views, value: Json | Missing) -> Json | Missing:
    if isinstance(value, dict):
        return {
            name: canonical_part(member_views(of, name), member) for name, member in value.items()
        }
    if isinstance(value, list):
        return [canonical_part(item_views(of, index), item) for index, item in enumerate(value)]
    return value


def _sort_members(value: Json | Missing) -> Json | Missing:
    """`value` with the members of every object in it sorted by name, and no array touched."""
    if isinstance(value, dict):
        return {name: _sort_members(value[name]) for name in sorted(value)}
    # An array keeps its order: only the schema says which array is a set.
    if isinstance(value, list):
        return [_sort_members(member) for member in value]
    return value


def sorted_members(members: Sequence[Json]) -> list[Json]:
    """The members of a set in the order that every run gives them."""
    # The same order as below, in a sixth of the time: nearly all sets are of texts.
    if all(type(member) is str for member in members):
        return sorted(members)  # type: ignore[type-var]
    return sorted(map(_sort_members, members), key=_sort_key)


def _sort_key(member: Json) -> str:
    # By value: a secret has to come where its plain counterpart on the server does.
    plain = reveal(member)
    return plain if isinstance(plain, str) else canonical_json(plain)


def declared_part(field: Field, wanted: Json, live: Json | Missing) -> Json | Missing:
    """`live`, cut to the members that `wanted` declares: what is not declared is not compared."""
    return _declared(views(field.schema) if field.inside else (), field.compare_by, wanted, live)


def differs(of: Views, wanted: Json, live: Json | Missing) -> bool:
    """Whether a value inside a field, of which `of` speaks, differs from `live` in what it declares."""
    declared = _declared(of, compare_by(of), wanted, live)
    return not same(reveal(canonical_part(of, wanted)), reveal(canonical_part(of, declared)))


def _declared(of: Views, by: Sequence[str], wanted: Json, live: Json | Missing) -> Json | Missing:
    if by and isinstance(wanted, list) and isinstance(live, list):
        return _declared_members(of, by, wanted, live)
    if not isinstance(wanted, dict) or not isinstance(live, dict):
        return live
    members = ((name, member_views(of, name)) for name in wanted)
    return {
        name: part
        for name, inner in members
        if (part := _declared_member(inner, wanted[name], live.get(name, MISSING))) is not MISSING
    }


def _declared_member(of: Views, wanted: Json, live: Json | Missing) -> Json | Missing:
    # What changes by itself is as wanted, whatever it is.
    if is_stated(of, "volatile"):
        return wanted
    # Not there may mean null, and then what null means.
    return (
        canonical_part(of, live) if live is MISSING else _declared(of, compare_by(of), wanted, live)
    )


def _declared_members(
    of: Views, by: Sequence[str], wanted: Sequence[Json], live: Sequence[Json]
) -> list[Json]:
    """Each live object cut to what its wanted counterpart declares, the others to what identifies them."""
    index, inner = live_by_identity(by, live), item_views(of, 0)
    pairs = [(want, index.get(identity(by, want))) for want in wanted]
    matched = {position for _, position in pairs}
    others = [member for position, member in enumerate(live) if position not in matched]
    return [
        *(
            _declared(inner, (), want, live[position])
            for want, position in pairs
            if position is not None
        ),
        *(_identifying_part(by, member) for member in others),
    ]


def settled_part(of: Views, live: Json) -> Json:
    """`live`, of which `of` speaks, without the members that change by themselves."""
    if isinstance(live, list):
        return [settled_part(item_views(of, index), item) for index, item in enumerate(live)]
    if not isinstance(live, dict):
        return live
    return {
        name: settled_part(inner, member)
        for name, member in live.items()
        if not is_stated(inner := member_views(of, name), "volatile")
    }


def live_by_identity(by: Sequence[str], live: Sequence[Json]) -> dict[tuple[str, str] | None, int]:
    """The place of each live object in its list, by everything that identifies it."""
    # Backwards, so that of two live members with one identity the first is found.
    return {
        (name, canonical_json(reveal(member[name]))): position
        for position, member in reversed(list(enumerate(live)))
        if isinstance(member, dict)
        for name in by
        if name in member
    }


def identity(by: Sequence[str], member: Json) -> tuple[str, str] | None:
    """What identifies `member`: the first of its identifying members, with its value."""
    if not isinstance(member, dict):
        return None
    return next(
        ((name, canonical_json(reveal(member[name]))) for name in by if name in member), None
    )


def _identifying_part(by: Sequence[str], member: Json) -> Json:
    if not isinstance(member, dict):
        return member
    return {name: member[name] for name in by if name in member}
