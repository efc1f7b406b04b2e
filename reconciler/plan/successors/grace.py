"""Says how long a client that was replaced lives on beside its successor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Action, RecordClient
from reconciler.core.model import EMPTY
from reconciler.core.times import instant, later, minute, span
from reconciler.plan.context import plan_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from reconciler.core.changes import Change
    from reconciler.core.model import InventoryEntry, Manifest
    from reconciler.core.project import Policy
    from reconciler.plan.context import TargetContext

# In seconds: that of a predecessor which was to live on, and of which nobody says how long.
_UNSTATED_GRACE: Final = 24 * 3600.0


def stated_grace(policy: Policy, manifest: Manifest | None) -> float | None:
    """How long a replaced client lives on, in seconds, as its manifest or else its target states it."""
    if manifest is not None and manifest.lifecycle.replace_grace is not None:
        return manifest.lifecycle.replace_grace
    return policy.replace_grace


def grace_seconds(policy: Policy, manifest: Manifest | None) -> float:
    """How long a replaced client lives on that is to, in seconds, also where nobody states it."""
    grace = stated_grace(policy, manifest)
    return _UNSTATED_GRACE if grace is None else grace


def lives_until(
    context: TargetContext, entry: InventoryEntry, manifest: Manifest | None, old_id: str
) -> datetime | None:
    """Until when a predecessor lives on, None where it may be deleted now."""
    since = instant(entry.superseded_at.get(old_id))
    if since is None:
        return None
    until = later(since, seconds=grace_seconds(context.target.policy, manifest))
    return until if plan_time(context) < until else None


def living_predecessors(
    context: TargetContext, entry: InventoryEntry, manifest: Manifest | None
) -> Mapping[str, datetime]:
    """The predecessors of a client that still live on, and until when, by remote id."""
    found = {
        old_id: lives_until(context, entry, manifest, old_id)
        for old_id in entry.superseded
        if old_id in context.live.clients
    }
    return {old_id: until for old_id, until in found.items() if until is not None}


def warn_of_living_predecessors(context: TargetContext, change: Change) -> Change:
    """The change, with a warning of each predecessor of its client that lives on, and until when."""
    entry = context.inventory.entries.get(change.key)
    if entry is None or not isinstance(change.record, RecordClient):
        return change
    living = living_predecessors(context, entry, change.manifest)
    told = [
        f"the predecessor {old_id} lives until {minute(living[old_id])}, then the next apply deletes it"
        for old_id in change.record.superseded
        if old_id in living
    ]
    if change.action is Action.REPLACE and keeps_predecessor(change):
        grace = grace_seconds(context.target.policy, change.manifest)
        told.append(
            f"the predecessor {change.remote_id} lives on for {span(grace)}, then the next apply "
            "deletes it"
        )
    return replace(change, warnings=(*change.warnings, *told)) if told else change


def keeps_predecessor(change: Change) -> bool:
    """Whether a replace leaves the client that it replaces to a later apply."""
    return bool(change.requests) and change.requests[-1].operation != "delete"


def predecessors_after(
    context: TargetContext,
    change: Change,
    before: InventoryEntry | None,
    old_ids: Iterable[str],
    *,
    now: str,
) -> dict[str, str]:
    """Since when each of `old_ids` has a successor, RFC 3339; "" for one that may be deleted at once.

    `before` is what was recorded of the client; what has a successor only by `change` has it since
    `now`.
    """
    known = EMPTY if before is None else before.superseded_at
    older = () if before is None else before.superseded
    if change.action is Action.REPLACE:
        lives_on = keeps_predecessor(change)
    else:
        # A predecessor that is found here is of a replace which no run could record.
        lives_on = bool(stated_grace(context.target.policy, change.manifest))
    begins = now if lives_on else ""
    return {old_id: known.get(old_id, "") if old_id in older else begins for old_id in old_ids}
