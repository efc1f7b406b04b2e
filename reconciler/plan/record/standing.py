"""Says of a client that is to be taken away, replaced or taken over what a reviewer has to know of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Action, RecordClient, Standing
from reconciler.core.model import MISSING
from reconciler.core.pointer import resolve
from reconciler.core.secrets import holds_secret
from reconciler.plan.guards.clients import client_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.core.changes import Change, Provenance, TargetPlan
    from reconciler.core.model import InventoryEntry, LiveClient
    from reconciler.plan.context import TargetContext
    from reconciler.plan.ownership import Claims

_TELLING: Final = frozenset({Action.DELETE, Action.REPLACE, Action.ADOPT})


def with_standing(context: TargetContext, change: Change, known: Claims) -> Change:
    """The change, with the standing of its client where it takes one away, replaces or adopts it.

    `known` are the claims of the record as the plan sees it.
    """
    live = change.live
    # An update of a client that no manifest names can only be the one that turns it off.
    disables = change.action is Action.UPDATE and change.manifest is None
    if live is None or not (disables or change.action in _TELLING):
        return change
    key = known.bound.get(live.remote_id)
    entry = None if key is None else context.inventory.entries.get(key)
    return replace(
        change,
        standing=Standing(
            name=_name(context, change, live, entry),
            last_used=_last_used(context, live),
            origin=_provenance(change, entry, succeeded=live.remote_id in known.superseded),
        ),
    )


def tell_edited(context: TargetContext, plan: TargetPlan) -> TargetPlan:
    """The plan, with the standing of each client that it updates for an entry that was edited by hand.

    Such an entry has no digest: whoever edits the record can name any client in it.
    """
    edited = {key: entry for key, entry in context.inventory.entries.items() if not entry.digest}
    changes = (_told_as_edited(context, change, edited.get(change.key)) for change in plan.changes)
    return replace(plan, changes=tuple(changes)) if edited else plan


def _told_as_edited(context: TargetContext, change: Change, entry: InventoryEntry | None) -> Change:
    live = change.live
    bound = entry is not None and live is not None and entry.remote_id == live.remote_id
    if live is None or not bound or change.action is not Action.UPDATE or change.standing:
        return change
    return replace(
        change,
        standing=Standing(
            name=_name(context, change, live, entry),
            last_used=_last_used(context, live),
            origin="edited",
        ),
    )


def _provenance(change: Change, entry: InventoryEntry | None, *, succeeded: bool) -> Provenance:
    if entry is not None:
        return (entry.origin or "recorded") if entry.digest else "edited"
    if succeeded:
        return "predecessor"
    # The state of a secret is told of what a lost create of ours made, and of nothing else.
    lost = isinstance(change.record, RecordClient) and change.record.secret != ""
    return "unrecorded" if lost else "foreign"


def _name(
    context: TargetContext, change: Change, live: LiveClient, entry: InventoryEntry | None
) -> str:
    match = context.provider.identity.match or "name"
    # A name that came from a reference counts as secret, though the server may show it.
    stated = None if change.manifest is None else change.manifest.spec.get(match)
    if holds_secret(stated) or (entry is not None and match in entry.fingerprints):
        return ""
    return client_name(context.provider, live.body)


def _last_used(context: TargetContext, live: LiveClient) -> str | None:
    """When the client was last used, "" for never, None where the vendor does not tell."""
    pointer = context.provider.identity.last_used
    stated = MISSING if pointer is None else resolve(live.body, pointer)
    if stated is MISSING:
        return None
    return "" if stated is None else str(stated)


def with_origin(
    change: Change, entry: InventoryEntry, before: InventoryEntry | None
) -> InventoryEntry:
    """The entry that `change` leaves, with how its client became ours; `before` is the one that it had."""
    if before is not None and before.remote_id == entry.remote_id:
        return replace(entry, origin=before.origin)
    if change.action is not Action.ADOPT:
        return entry
    if change.manifest is not None and change.manifest.id is not None:
        return replace(entry, origin="bound")
    taken_over = isinstance(change.record, RecordClient) and change.record.secret == ""
    return replace(entry, origin="adopted") if taken_over else entry


def ids_to_check(plan: TargetPlan) -> frozenset[str]:
    """The ids of the plan that only the record says to be ours, and that are about to be changed for it."""
    return frozenset(
        change.remote_id
        for change in plan.changes
        if change.standing is not None
        and change.standing.origin not in ("foreign", "unrecorded")
        and change.remote_id is not None
    )


def with_marks(plan: TargetPlan, in_git: Collection[str]) -> TargetPlan:
    """The plan, with each client of `ids_to_check` marked whose id is not among `in_git`."""
    unknown = ids_to_check(plan) - frozenset(in_git)
    return replace(
        plan,
        changes=tuple(
            replace(change, standing=replace(change.standing, in_git=False))
            if change.standing is not None and change.remote_id in unknown
            else change
            for change in plan.changes
        ),
    )
