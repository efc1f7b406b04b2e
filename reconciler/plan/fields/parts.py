"""Compares the inside of a field member by member, where some of its members are secret or never shown."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from reconciler.core.dataclass import dataclass
from reconciler.core.model import MISSING, Json, JsonObject, Missing, Redacted, Secret
from reconciler.core.pointer import escape
from reconciler.core.secrets import fingerprint, holds_secret, redact, reveal
from reconciler.core.values import brief_text, map_leaves, same
from reconciler.provider.schema_views import (
    hides_members,
    item_views,
    member_views,
    says,
    says_secret,
    views,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.model import InventoryEntry
    from reconciler.provider.model import Field
    from reconciler.provider.schema_views import Views


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """One value from every side, secrets Redacted: live, wanted, and as it was last applied.

    `seen` is `before` with what was applied in the place of what the server does not show. A
    member that is nowhere is MISSING.
    """

    before: Json
    after: Json
    seen: Json
    applied: Json

    @property
    def is_as_wanted(self) -> bool:
        """Whether the server has what is wanted, as far as can be told."""
        return same(self.seen, self.after)


def is_hidden(live: Json | Missing) -> bool:
    """Whether the server shows nothing of a secret, though there may be one."""
    return live is MISSING or live == "" or (isinstance(live, Secret) and live.masked)


def part_key(field: Field, pointer: str) -> str:
    """The name in the inventory of the fingerprint of a secret inside a field, at `pointer`."""
    return f"/{escape(field.name)}{pointer}"


def held_parts(field: Field, entry: InventoryEntry | None) -> Mapping[str, str]:
    """The fingerprints of the secrets inside a field that were last applied, by pointer."""
    start = part_key(field, "/")
    fingerprints = {} if entry is None else entry.fingerprints
    return {
        name.removeprefix(start[:-1]): value
        for name, value in fingerprints.items()
        if name.startswith(start)
    }


def compare_parts(
    field: Field, wanted: Json, live: Json | Missing, entry: InventoryEntry | None, key: bytes
) -> Sides:
    """Every side of a field; `wanted` and `live` are canonical, and cut to what is declared."""
    applied = MISSING if entry is None else entry.applied.get(field.name, MISSING)
    pairing = _Pairing(held_parts(field, entry), key)
    return pairing.sides(views(field.schema), wanted, live, applied, "")


class _Pairing:
    """What stays the same while the inside of one field is walked."""

    def __init__(self, held: Mapping[str, str], key: bytes) -> None:
        self._held = held
        self._key = key

    def sides(  # noqa: PLR0911 - one answer for each kind of value
        self, of: Views, wanted: Json, live: Json | Missing, applied: Json | Missing, pointer: str
    ) -> Sides:
        if isinstance(wanted, Secret) or isinstance(live, Secret) or pointer in self._held:
            return self._secret(of, wanted, live, pointer)
        if not self._has_parts(of, wanted, live, pointer):
            return Sides(before=live, after=wanted, seen=live, applied=applied)
        if isinstance(wanted, dict) and isinstance(live, dict):
            names = [*wanted, *(name for name in live if name not in wanted)]
            return _of_members(
                (name, self._below(of, name, (wanted, live, applied), pointer)) for name in names
            )
        if isinstance(wanted, list) and isinstance(live, list):
            return _of_items(self._items(of, wanted, live, applied, pointer))
        if isinstance(wanted, dict) and wanted and live is MISSING:
            return _absent(self.sides(of, wanted, {}, applied, pointer))
        if live is MISSING and says(of, "writeOnly"):
            return Sides(before=applied, after=wanted, seen=applied, applied=applied)
        before, after = redacted(live, self._key), redacted(wanted, self._key)
        return Sides(before=before, after=after, seen=before, applied=applied)

    def _has_parts(self, of: Views, wanted: Json, live: Json | Missing, pointer: str) -> bool:
        """Whether anything in it is secret, was, or is never shown: all else is one plain value."""
        return (
            holds_secret(wanted)
            or holds_secret(live)
            or any(place.startswith(f"{pointer}/") for place in self._held)
            or any(map(hides_members, of))
        )

    def _below(
        self, of: Views, name: str, three: tuple[JsonObject, JsonObject, Json], pointer: str
    ) -> Sides:
        wanted, live, applied = three
        was = applied.get(name, MISSING) if isinstance(applied, dict) else MISSING
        return self.sides(
            member_views(of, name),
            wanted.get(name, MISSING),
            live.get(name, MISSING),
            was,
            f"{pointer}/{escape(name)}",
        )

    def _items(
        self, of: Views, wanted: list[Json], live: list[Json], applied: Json, pointer: str
    ) -> Iterator[Sides]:
        was = applied if isinstance(applied, list) else []
        three = zip_longest(wanted, live, was, fillvalue=MISSING)
        for index, (one, other, old) in enumerate(three):
            yield self.sides(item_views(of, index), one, other, old, f"{pointer}/{index}")

    def _secret(self, of: Views, wanted: Json, live: Json | Missing, pointer: str) -> Sides:
        held = self._held.get(pointer)
        was: Json = MISSING if held is None else Redacted(held)
        before, after = _redact(live, self._key), _redact(wanted, self._key)
        unseen = says(of, "writeOnly") or (is_hidden(live) and says_secret(of))
        # By value first: a text that looks like a mask may be the secret itself.
        if wanted is not MISSING and unseen and not same(before, after):
            shown = was if same(was, after) else MISSING
            return Sides(before=shown, after=after, seen=was, applied=was)
        return Sides(before=before, after=after, seen=before, applied=was)


def _absent(inside: Sides) -> Sides:
    """An object that the server does not show: as wanted only where it would show nothing of it."""
    if inside.is_as_wanted:
        return inside
    return Sides(before=MISSING, after=inside.after, seen=MISSING, applied=inside.applied)


def _redact(value: Json | Missing, key: bytes) -> Json:
    return redact(value if value is MISSING else reveal(value), key)


def _of_members(members: Iterator[tuple[str, Sides]]) -> Sides:
    known = list(members)
    return Sides(
        **{
            side: {
                name: value
                for name, sides in known
                if (value := getattr(sides, side)) is not MISSING
            }
            for side in ("before", "after", "seen", "applied")
        }
    )


def _of_items(items: Iterator[Sides]) -> Sides:
    known = list(items)
    return Sides(
        **{
            side: [value for sides in known if (value := getattr(sides, side)) is not MISSING]
            for side in ("before", "after", "seen", "applied")
        }
    )


def redacted(value: Json | Missing, key: bytes) -> Json:
    """`value` with each secret inside it as a fingerprint."""

    def hide(leaf: Json) -> Json:
        return Redacted(fingerprint(key, leaf)) if isinstance(leaf, Secret) else leaf

    return map_leaves(value, hide)


def open_part(value: Json | Missing) -> Json:
    """`value` without the members of its objects that are secret, or were."""
    if isinstance(value, dict):
        return {
            name: open_part(member)
            for name, member in value.items()
            if not isinstance(member, Secret | Redacted)
        }
    return [open_part(item) for item in value] if isinstance(value, list) else value


def secret_parts(value: Json) -> Iterator[tuple[str, Secret]]:
    """The secrets inside `value`, by JSON Pointer."""
    return ((place, part) for place, part in _leaves(value, "") if isinstance(part, Secret))


def redacted_parts(value: Json) -> Iterator[tuple[str, Redacted]]:
    """The fingerprints inside `value`, by JSON Pointer."""
    return ((place, part) for place, part in _leaves(value, "") if isinstance(part, Redacted))


def _leaves(value: Json, pointer: str) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, f"{pointer}/{escape(name)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{pointer}/{index}")
    else:
        yield pointer, value


def is_whole_secret(field: Field, wanted: Json) -> bool:
    """Whether the whole value of a field counts as secret, so that nothing of it is shown.

    That is so too where a secret is an item of a list: what stands beside it would tell its place.
    """
    if field.secret or isinstance(wanted, Secret):
        return True
    return (field.is_set and holds_secret(wanted)) or _is_listed(wanted)


def _is_listed(value: Json) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, Secret) or _is_listed(item) for item in value)
    return isinstance(value, dict) and any(map(_is_listed, value.values()))


def secret_text(value: Json | Missing) -> str:
    """`value`, its secrets Redacted, in a sentence."""
    if isinstance(value, Redacted):
        return str(value)
    return brief_text(map_leaves(value, _in_words))


def _in_words(leaf: Json) -> Json:
    return str(leaf) if isinstance(leaf, Redacted) else leaf
