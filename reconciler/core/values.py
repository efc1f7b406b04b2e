"""Compares JSON values, spells them the one way that equal ones share, and looks into them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.core.model import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.core.model import Json, JsonObject, Missing

# So much of a value a reader takes in, in characters.
_LONGEST: Final = 120
_FEW: Final = 5
# Of two values of one of these types, Python's own equality is that of JSON.
_PLAIN: Final = frozenset({str, int, bool, float})


def same(one: Json, other: Json) -> bool:
    """Whether two JSON values are equal: 1 is 1.0 but not true, and an array has an order."""
    # Python's equality first: what it finds different is different in JSON, and most values are the same.
    if one != other:
        return False
    kind = type(one)
    if kind is type(other) and kind in _PLAIN:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same(member, other[name]) for name, member in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool)


def canonical_json(value: Json) -> str:
    """`value` as the one JSON text that equal values share: sorted members, no white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def map_leaves(value: Json, convert: Callable[[Json], Json]) -> Json:
    """`value` with `convert` applied to each value in it that is neither an object nor an array."""
    if isinstance(value, dict):
        return {name: map_leaves(member, convert) for name, member in value.items()}
    if isinstance(value, list):
        return [map_leaves(item, convert) for item in value]
    return convert(value)


def object_member(holder: JsonObject, name: str) -> Mapping[str, Json]:
    """The object that `holder` has under `name`, empty where it has none."""
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def first_few(names: Sequence[str]) -> str:
    """The first of `names`, and a sign that there are more where there are, in a sentence."""
    return ", ".join(names[:_FEW]) + (", ..." if len(names) > _FEW else "")


def brief_text(value: Json | Missing) -> str:
    """`value` in a sentence: its canonical JSON, cut where it is long, "not there" for MISSING."""
    text = "not there" if value is MISSING else canonical_json(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
