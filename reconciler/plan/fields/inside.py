"""Says what differs inside a value, by JSON Pointer: members of objects, and of lists as the schema compares them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import NestedChange
from reconciler.core.model import MISSING, Json, Missing, Redacted
from reconciler.core.pointer import escape
from reconciler.core.values import canonical_json, map_leaves, same
from reconciler.plan.normalize import identity
from reconciler.provider.schema_views import compare_by, is_stated, item_views, member_views

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.provider.schema_views import Views

# No text of a manifest or an answer begins so: YAML and vendors have no use for it.
_MARK: Final = "\0secret "


def inner_changes(of: Views, before: Json, after: Json) -> Iterator[NestedChange]:
    """What differs inside two containers of which `of` speaks, sorted by pointer.

    An object in a list whose members are told apart by a key stands under its key, and what is new in
    a set, or gone from it, stands under the pointer of the set.
    """
    return _changes(of, before, after, "") if of else _plain_changes(before, after, "")


def _changes(
    of: Views, before: Json | Missing, after: Json | Missing, pointer: str
) -> Iterator[NestedChange]:
    if same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({**before, **after}):
            below = f"{pointer}/{escape(name)}"
            one, other = before.get(name, MISSING), after.get(name, MISSING)
            yield from _changes(member_views(of, name), one, other, below)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _item_changes(of, before, after, pointer)
    else:
        yield NestedChange(pointer=pointer, before=before, after=after)


def _item_changes(
    of: Views, before: list[Json], after: list[Json], pointer: str
) -> Iterator[NestedChange]:
    by = compare_by(of)
    old, new = _by_key(by, before), _by_key(by, after)
    if by and len(old) == len(before) and len(new) == len(after):
        for key in sorted({**old, **new}):
            below = f"{pointer}/{escape(key)}"
            one, other = old.get(key, MISSING), new.get(key, MISSING)
            yield from _changes(item_views(of, 0), one, other, below)
    elif by or is_stated(of, "set"):
        for member in surplus(after, before):
            yield NestedChange(pointer=pointer, before=MISSING, after=member)
        for member in surplus(before, after):
            yield NestedChange(pointer=pointer, before=member, after=MISSING)
    else:
        yield from _plain_changes(before, after, pointer)


def _by_key(by: Sequence[str], members: Sequence[Json]) -> Mapping[str, Json]:
    """The members by the text of what identifies them; fewer than there are where one has nothing."""
    found: dict[str, Json] = {}
    for member in members:
        key = identity(by, member)
        if key is not None and isinstance(member, dict):
            value = member[key[0]]
            found[value if isinstance(value, str) else key[1]] = member
    return found


def surplus(members: list[Json], others: list[Json]) -> Iterator[Json]:
    """The members that `others` holds fewer of, in their order."""
    # Counted and not a set: a server may hold a member twice, and that is drift (decision 0004).
    spare = Counter(map(canonical_json, others))
    for member in members:
        text = canonical_json(member)
        if spare[text] > 0:
            spare[text] -= 1
        else:
            yield member


def _plain_changes(before: Json, after: Json, pointer: str) -> Iterator[NestedChange]:
    from deepdiff import DeepDiff  # noqa: PLC0415 - 300 ms that most runs never need

    # Never with ignore_order: what has an order here means it, and sets were compared by then
    # (decision 0004).
    tree = DeepDiff(map_leaves(before, _marked), map_leaves(after, _marked), view="tree")
    found = {
        _pointer(level.path(output_format="list")): (_value(level.t1), _value(level.t2))
        for levels in tree.values()
        for level in levels
    }
    for below, (old, new) in sorted(found.items()):
        yield NestedChange(pointer=f"{pointer}{below}", before=old, after=new)


def _value(of: object) -> Json | Missing:
    from deepdiff.helper import notpresent  # noqa: PLC0415 - as above

    return MISSING if of is notpresent else map_leaves(of, _unmarked)


def _marked(leaf: Json) -> Json:
    """A text in the place of a fingerprint, which is one value and has no inside."""
    return f"{_MARK}{leaf.fingerprint}" if isinstance(leaf, Redacted) else leaf


def _unmarked(leaf: Json) -> Json:
    if isinstance(leaf, str) and leaf.startswith(_MARK):
        return Redacted(leaf.removeprefix(_MARK))
    return leaf


def _pointer(path: list[str | int]) -> str:
    return "".join(f"/{escape(str(part))}" for part in path)
