"""Plans moves: a client that is known by another key, or of another target, stays the client that it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.changes import Action, Change, RecordMove, Refusal
from reconciler.core.places import place_text, split_place
from reconciler.plan.context import spelled_id
from reconciler.plan.guards.rules import Rule
from reconciler.plan.secrets.places import moved_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.core.model import Inventory, InventoryEntry, Manifest
    from reconciler.core.places import Place
    from reconciler.core.project import Target
    from reconciler.plan.context import Neighbour, TargetContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A target as it will be once its moves are recorded, and those moves.

    `refused` are the keys whose move is refused: nothing else of them is planned. `leaving` says
    which clients of this target move to another, `target/key` by key.
    """

    context: TargetContext
    changes: tuple[Change, ...] = ()
    refused: frozenset[str] = frozenset()
    leaving: Mapping[str, str]


def former_names(target: Target) -> tuple[str, ...]:
    """The names that a target had before."""
    return tuple(stated for stated in target.formerly if "://" not in stated)


def former_addresses(target: Target) -> tuple[str, ...]:
    """The base URLs that a target had before."""
    return tuple(stated for stated in target.formerly if "://" in stated)


def plan_moves(context: TargetContext, manifests: Sequence[Manifest]) -> Moved:
    """The moves that manifests and the target state, and the target's context after them."""
    if not _anything_stated(context, manifests):
        return Moved(context=context, leaving={})
    names = {manifest.name for manifest in manifests}
    now = replace(context, named=frozenset(names | context.others.keys()))
    leaving = _leaving(now)
    claims = _claims(now, manifests)
    changes: list[Change] = []
    for manifest in manifests:
        change = _plan_move(now, manifest, claims)
        if change is not None:
            changes.append(change)
            now = now if change.refusal else _after(now, change)
    for change in _left_behind(now):
        changes.append(change)
        now = now if change.refusal else _after(now, change)
    entries = {key: one for key, one in now.inventory.entries.items() if key not in leaving}
    return Moved(
        context=replace(now, inventory=replace(now.inventory, entries=entries)),
        changes=tuple(changes),
        refused=frozenset(change.key for change in changes if change.refusal),
        leaving=leaving,
    )


def _anything_stated(context: TargetContext, manifests: Iterable[Manifest]) -> bool:
    neighbours = (one for each in context.neighbours for one in each.manifests.values())
    return bool(former_names(context.target)) or any(
        manifest.formerly for group in (manifests, neighbours) for manifest in group
    )


def _former_places(target: Target, manifest: Manifest) -> Iterator[Place]:
    """Where the record of a client may be: by what its manifest says, then by its target's names."""
    names = former_names(target)
    for stated in manifest.formerly:
        named, key = split_place(stated)
        yield from ((place, key) for place in ((named,) if named else (target.name, *names)))
    yield from ((name, manifest.name) for name in names)


def _leaving(context: TargetContext) -> dict[str, str]:
    """The clients of this target that a manifest of another says were formerly here."""
    own = context.target.name
    return {
        key: place_text(neighbour.target, manifest.name)
        for neighbour in context.neighbours
        for manifest in neighbour.manifests.values()
        for named, key in map(split_place, manifest.formerly)
        if named == own and key in context.inventory.entries and key not in context.named
    }


def _claims(context: TargetContext, manifests: Sequence[Manifest]) -> dict[Place, list[str]]:
    """Who says to have been formerly at a place, of those that have no client of their own yet."""
    own = {**context.others, **{manifest.name: manifest for manifest in manifests}}
    groups: list[tuple[str, Mapping[str, Manifest], Mapping[str, InventoryEntry]]]
    groups = [(context.target.name, own, context.inventory.entries)]
    groups += [(one.target, one.manifests, one.inventory.entries) for one in context.neighbours]
    found: dict[Place, list[str]] = {}
    for target, named, entries in groups:
        for key in named.keys() - entries.keys():
            for place in {(at or target, old) for at, old in map(split_place, named[key].formerly)}:
                found.setdefault(place, []).append(place_text(target, key))
    return found


def _plan_move(
    context: TargetContext, manifest: Manifest, claims: Mapping[Place, Sequence[str]]
) -> Change | None:
    """The move that brings a manifest its client; None where there is nothing to move."""
    own = context.inventory.entries.get(manifest.name)
    found = [
        (place, entry)
        for place in dict.fromkeys(_former_places(context.target, manifest))
        if place != (context.target.name, manifest.name)
        if (entry := _entry_at(context, place)) is not None
        # A move that was cut short left the client in both places; another client is no business of it.
        if own is None or own.remote_id == entry.remote_id
    ]
    if not found:
        return None
    place, entry = found[0]
    change = _move(context, place, manifest.name, entry, manifest)
    refusal = _claims_refusal(place, claims.get(place, ())) or _move_refusal(
        context, manifest, found
    )
    return replace(change, refusal=refusal)


def _claims_refusal(place: Place, claimants: Sequence[str]) -> Refusal | None:
    if len(claimants) <= 1:
        return None
    return Refusal(
        rule=Rule.AMBIGUOUS_MOVE,
        message=f"{' and '.join(sorted(claimants))} were all formerly {place_text(*place)}, as their "
        "manifests say, and it is one client: take it out of metadata.formerly of all but one",
    )


def _move_refusal(
    context: TargetContext, manifest: Manifest, found: Sequence[tuple[Place, InventoryEntry]]
) -> Refusal | None:
    (place, entry), others = found[0], [entry.remote_id for _, entry in found[1:]]
    where = place_text(*place)
    if any(remote_id != entry.remote_id for remote_id in others):
        places = ", ".join(place_text(*each) for each, _ in found)
        return Refusal(
            rule=Rule.AMBIGUOUS_MOVE,
            message=f"it was formerly several clients ({places}): name the one in metadata.formerly",
        )
    if _is_named(context, place):
        return Refusal(
            rule=Rule.AMBIGUOUS_MOVE,
            message=f"it was formerly {where}, and a manifest is still named so: rename that one "
            "first, or take the key out of metadata.formerly",
        )
    if manifest.id is not None and spelled_id(context.provider, manifest.id) != entry.remote_id:
        return Refusal(
            rule=Rule.BOUND_ELSEWHERE,
            message=f"it was formerly {where}, which is {entry.remote_id}, and metadata.id names "
            f"{manifest.id}: take one of the two out",
        )
    return _pending_move_refusal(context, place)


def _pending_move_refusal(context: TargetContext, place: Place) -> Refusal | None:
    inventory = _inventory_at(context, place[0])
    if inventory is None or place[1] not in inventory.pending:
        return None
    return Refusal(
        rule=Rule.PENDING_CREATE,
        message=f"a run began to create {place_text(*place)} anew and could not record what came of "
        "it: apply under the old name first, or resolve it there, and move it then",
    )


def _left_behind(context: TargetContext) -> Iterator[Change]:
    """The moves of what the record of a former name holds besides: each keeps its key."""
    for name in former_names(context.target):
        inventory = _inventory_at(context, name)
        if inventory is None or _neighbour(context, name) is None:
            continue
        for key in sorted(inventory.entries):
            if key in context.inventory.entries or _is_named(context, (name, key)):
                continue
            change = _move(context, (name, key), key, inventory.entries[key], None)
            yield replace(change, refusal=_pending_move_refusal(context, (name, key)))


def _move(
    context: TargetContext, place: Place, key: str, entry: InventoryEntry, manifest: Manifest | None
) -> Change:
    target, old_key = place
    where = old_key if target == context.target.name else place_text(target, old_key)
    at = entry.secret_at or place_text(target, old_key)
    stays = f"its secret stays in the sink where {at} has it"
    return Change(
        target=context.target.name,
        key=key,
        action=Action.MOVE,
        reason=f"it was {where}",
        remote_id=entry.remote_id,
        manifest=manifest,
        warnings=(stays,) if entry.secret == "stored" else (),  # noqa: S105 - a state
        record=RecordMove(target=target, key=old_key),
    )


def _after(context: TargetContext, change: Change) -> TargetContext:
    """The context once a move is recorded."""
    if not isinstance(change.record, RecordMove):
        return context
    source, old_key = change.record.target, change.record.key
    entry = _entry_at(context, (source, old_key))
    neighbours = tuple(
        replace(each, inventory=_without(each.inventory, old_key))
        if each.target == source
        else each
        for each in context.neighbours
    )
    inventory = context.inventory
    if source == context.target.name:
        inventory = _without(inventory, old_key)
    place = (context.target.name, change.key)
    moved = {} if entry is None else {change.key: moved_entry(entry, (source, old_key), place)}
    entries = {**inventory.entries, **moved}
    return replace(context, neighbours=neighbours, inventory=replace(inventory, entries=entries))


def _without(inventory: Inventory, key: str) -> Inventory:
    entries = {name: one for name, one in inventory.entries.items() if name != key}
    return replace(inventory, entries=entries)


def _entry_at(context: TargetContext, place: Place) -> InventoryEntry | None:
    inventory = _inventory_at(context, place[0])
    return None if inventory is None else inventory.entries.get(place[1])


def _inventory_at(context: TargetContext, target: str) -> Inventory | None:
    if target == context.target.name:
        return context.inventory
    neighbour = _neighbour(context, target)
    return None if neighbour is None else neighbour.inventory


def _neighbour(context: TargetContext, target: str) -> Neighbour | None:
    return next((each for each in context.neighbours if each.target == target), None)


def _is_named(context: TargetContext, place: Place) -> bool:
    """Whether a manifest is named as that place still."""
    target, key = place
    if target == context.target.name:
        return key in context.named
    neighbour = _neighbour(context, target)
    return neighbour is not None and key in neighbour.manifests
