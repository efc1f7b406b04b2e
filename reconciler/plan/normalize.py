"""Brings wanted and live values of a field into one canonical form, in which equal meanings are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import MISSING, Json, Missing
from reconciler.core.secrets import reveal
from reconciler.core.values import canonical_json, same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.provider.model import Field


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
    where null is one of such values.
    """
    # Before sets are sorted: the empty set may be equal to null.
    for group in field.equal:
        if (value is MISSING and None in group) or any(same(value, member) for member in group):
            return group[0]
    if field.is_set and isinstance(value, list):
        return sorted_members(value)
    return _sort_members(value)


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
    if field.compare_by and isinstance(wanted, list) and isinstance(live, list):
        return _declared_members(field.compare_by, wanted, live)
    return _cut_to_wanted(wanted, live)


def _cut_to_wanted(wanted: Json, live: Json | Missing) -> Json | Missing:
    if isinstance(wanted, dict) and isinstance(live, dict):
        return {name: _cut_to_wanted(wanted[name], live[name]) for name in wanted if name in live}
    return live


def _declared_members(
    by: Sequence[str], wanted: Sequence[Json], live: Sequence[Json]
) -> list[Json]:
    """Each live object cut to what its wanted counterpart declares, the others to what identifies them."""
    index = live_by_identity(by, live)
    pairs = [(want, index.get(identity(by, want))) for want in wanted]
    matched = {position for _, position in pairs}
    others = [member for position, member in enumerate(live) if position not in matched]
    return [
        *(_cut_to_wanted(want, live[position]) for want, position in pairs if position is not None),
        *(_identifying_part(by, member) for member in others),
    ]


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
