"""Compares what is wanted of a client with what its server shows: one FieldChange a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.changes import FieldChange, NestedChange, Origin
from reconciler.core.model import MISSING, InventoryEntry, Json, JsonObject, Missing
from reconciler.core.secrets import fingerprint, redact, reveal
from reconciler.core.values import same
from reconciler.plan.fields.inside import inner_changes, surplus
from reconciler.plan.fields.parts import (
    compare_parts,
    is_hidden,
    is_whole_secret,
    open_part,
    redacted_parts,
)
from reconciler.plan.fields.taken import is_spelling
from reconciler.plan.normalize import canonical, declared_part, same_texts
from reconciler.provider.schema_views import views

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.plan.fields.parts import Sides
    from reconciler.provider.model import Field, Provider


def compare(
    provider: Provider,
    wanted: JsonObject,
    body: JsonObject,
    *,
    key: bytes,
    entry: InventoryEntry | None = None,
    ignore: Collection[str] = (),
) -> tuple[FieldChange, ...]:
    """The declared fields of `wanted`, a resolved spec, that differ from `body`, a sealed answer.

    They are sorted by name. `entry`, what was last applied, stands in for fields that no answer
    shows, and tells drift from a change in git. `ignore` are field names that are left out. `key`
    is the one for fingerprints.
    """
    fields = provider.fields
    changes = [
        change
        for name, value in wanted.items()
        if name not in ignore
        and (change := _compare_field(fields[name], value, body, entry, key)) is not None
    ]
    # A manifest may be written in any order, and the same plan has to come out as the same bytes.
    changes.sort(key=lambda change: change.field)
    return tuple(changes)


def _compare_field(
    field: Field, wanted: Json, body: JsonObject, entry: InventoryEntry | None, key: bytes
) -> FieldChange | None:
    if field.volatile:
        return None
    live = body.get(field.name, MISSING)
    # Most fields are as wanted. Finding that out before anything is brought into canonical form
    # takes a third to a quarter of the time, measured with whole clients of three vendors.
    if not field.write_only and (same(wanted, live) or (field.is_set and same_texts(wanted, live))):
        return None
    # A value that was last applied as a secret may be on the server still: it stays hidden, also
    # when git states a plain value now. So does one in which the server repeats a secret.
    held = entry is not None and field.name in entry.fingerprints
    if held or is_whole_secret(field, wanted) or is_whole_secret(field, live):
        return _compare_secret(field, wanted, body, entry, key)
    if field.write_only:
        live = MISSING if entry is None else entry.applied.get(field.name, MISSING)
    before = canonical(field, declared_part(field, wanted, live))
    after = canonical(field, wanted)
    if same(before, after):
        return None
    sides = compare_parts(field, after, before, entry, key)
    if sides.is_as_wanted or _is_accepted_spelling(field, sides.before, sides.after, entry):
        return None
    return _field_change(field, sides.before, sides.after, _origin(sides))


def _compare_secret(
    field: Field, wanted: Json, body: JsonObject, entry: InventoryEntry | None, key: bytes
) -> FieldChange | None:
    """A secret is compared by value where the server shows one, else by fingerprint."""
    after = canonical(field, reveal(wanted))
    applied = None if entry is None else entry.fingerprints.get(field.name)
    live = body.get(field.name, MISSING)
    before = canonical(field, declared_part(field, after, reveal(live)))
    # By value first: every fingerprint changes when the tool's own credential is rotated, and then
    # no secret that the server shows has changed (decision 0003).
    if same(before, after) and not field.write_only:
        return None
    if field.write_only or (field.secret and is_hidden(live)):
        if applied == fingerprint(key, after):
            return None
        # No answer shows it, so only git can be seen to have moved.
        return FieldChange(
            field=field.name, before=MISSING, after=redact(after, key), origin=Origin.CONFIG
        )
    live_moved = applied is not None and applied != fingerprint(key, before)
    git_moved = applied != fingerprint(key, after)
    return FieldChange(
        field=field.name,
        before=redact(before, key),
        after=redact(after, key),
        origin=_origin_of(live_moved=live_moved, git_moved=git_moved),
    )


def _is_accepted_spelling(
    field: Field, before: Json | Missing, after: Json | Missing, entry: InventoryEntry | None
) -> bool:
    """Whether the server answered this wanted value with this live value once before.

    Sending it again would get the same answer, on every run. A value that lacks a part of what was
    wanted, or has more, is no spelling, whoever has recorded it as one.
    """
    if entry is None or field.name not in entry.answered:
        return False
    hidden, shown = dict(redacted_parts(after)), dict(redacted_parts(before))
    return (
        hidden == shown
        and same(open_part(before), entry.answered[field.name])
        and same(open_part(after), entry.applied.get(field.name, MISSING))
        and is_spelling(open_part(after), open_part(before))
    )


def accepted_spellings(
    provider: Provider, wanted: JsonObject, entry: InventoryEntry | None
) -> list[str]:
    """The fields for which the server made another value of the last applied one, which is still wanted."""
    if entry is None or not entry.answered:
        return []
    return [
        name
        for name in wanted
        if name in entry.answered
        and same(
            open_part(canonical(provider.fields[name], wanted[name])),
            entry.applied.get(name, MISSING),
        )
        and is_spelling(entry.applied[name], entry.answered[name])
    ]


def _origin(sides: Sides) -> Origin:
    # Never applied, so there is no earlier state that the server could have moved from.
    if sides.applied is MISSING:
        return Origin.CONFIG
    return _origin_of(
        live_moved=not same(sides.seen, sides.applied),
        git_moved=not same(sides.after, sides.applied),
    )


def _origin_of(*, live_moved: bool, git_moved: bool) -> Origin:
    if live_moved and git_moved:
        return Origin.BOTH
    return Origin.DRIFT if live_moved else Origin.CONFIG


def _field_change(
    field: Field, before: Json | Missing, after: Json | Missing, origin: Origin
) -> FieldChange:
    added: tuple[Json, ...] = ()
    removed: tuple[Json, ...] = ()
    nested: tuple[NestedChange, ...] = ()
    if field.is_set:
        old, new = _members(before), _members(after)
        added, removed = tuple(surplus(new, old)), tuple(surplus(old, new))
    elif isinstance(before, dict | list) and isinstance(after, dict | list):
        of = views(field.schema) if field.inside or field.compare_by else ()
        nested = tuple(inner_changes(of, before, after))
    return FieldChange(
        field=field.name,
        before=before,
        after=after,
        origin=origin,
        added=added,
        removed=removed,
        nested=nested,
    )


def _members(of: Json | Missing) -> list[Json]:
    return of if isinstance(of, list) else []
