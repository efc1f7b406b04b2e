"""Plans what becomes of clients of ours that no manifest names any more: absence is no order to delete.

A client goes through a quarantine where the policy says so: it is turned off before it is deleted, or
in place of that, and on again when its manifest is back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Action, Change, ForgetClient, RecordEntry, Refusal
from reconciler.core.model import MISSING
from reconciler.core.pointer import escape, resolve
from reconciler.core.times import day, instant, later, minute
from reconciler.core.values import same
from reconciler.plan.applied import ignored_fields, quarantine_entry
from reconciler.plan.context import bound_ids, keys_without_manifest, live_client, plan_time
from reconciler.plan.diff import compare
from reconciler.plan.guards.changes import removal_refusal, unread_refusal
from reconciler.plan.guards.rules import Rule
from reconciler.plan.preconditions import conflict_check
from reconciler.plan.requests import delete_request, update_requests
from reconciler.plan.successors.grace import living_predecessors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reconciler.core.model import InventoryEntry, LiveClient, Manifest
    from reconciler.plan.context import TargetContext
    from reconciler.provider.model import Provider, Switch

_GONE: Final = "no manifest names it any more"
_NOBODY: Final = "since not one client of ours was seen on the server: check baseUrl and collection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """The changes, warnings and refusals that concern clients without a manifest."""

    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def plan_removals(
    context: TargetContext, manifests: Sequence[Manifest], planned: Iterable[Change]
) -> Removals:
    """What becomes of each client of ours without a manifest; `planned` are those that have one."""
    alone = keys_without_manifest(context, manifests)
    if not alone:
        return Removals()
    # Before the empty folder is looked at: a target that takes nobody away is not refused for it.
    why = _why_left_alone(context)
    if why:
        disabled = _warn_of_quarantine(context, alone)
        return Removals(warnings=(f"left alone, {why}: {', '.join(alone)}", *disabled))
    # Before the empty folder too: that no manifest was found is no wonder where one was not read.
    if context.unread:
        return Removals(refusals=(unread_refusal(context.unread, alone),))
    if not manifests and not context.others:
        return Removals(refusals=(_no_manifest_refusal(alone),))
    successors = {
        change.remote_id: change.key for change in planned if change.remote_id is not None
    }
    found = (_plan_removal(context, key, successors) for key in alone)
    return Removals(changes=tuple(change for changes in found for change in changes))


def _why_left_alone(context: TargetContext) -> str:
    """Why clients of the target without a manifest are left alone, "" where they may be taken away."""
    if not context.target.policy.prune:
        return "since no manifest names them any more"
    if context.is_partial:
        return "though no manifest names them any more, since --select looks at a part"
    unable = _why_unable(context)
    return unable or ("" if _anyone_there(context) else _NOBODY)


def _why_unable(context: TargetContext) -> str:
    """Why the vendor cannot do what the policy wants, "" where it can."""
    provider = context.provider
    if context.target.policy.on_removal == "disable":
        unable = f"since {provider.title} cannot disable a client, and policy.onRemoval says to"
        return unable if provider.switch is None else ""
    if provider.delete is None:
        offer = " (policy.onRemoval: disable turns them off)" if provider.switch else ""
        return f"since {provider.title} cannot delete a client{offer}"
    return ""


def _anyone_there(context: TargetContext) -> bool:
    """Whether any client of ours was seen: if none was, baseUrl is more likely wrong."""
    entries = context.inventory.entries
    return any(entry.remote_id in context.live.clients for entry in entries.values())


def _no_manifest_refusal(alone: Sequence[str]) -> Refusal:
    return Refusal(
        rule=Rule.NO_MANIFEST_LEFT,
        message=f"not one manifest of this target is left, and an empty folder is no order to take "
        f"every client away ({', '.join(alone)}): bring a manifest back, or say prune: false; for "
        "the last client of all, delete it by hand and run `reconciler forget KEY`",
    )


def _warn_of_quarantine(context: TargetContext, alone: Iterable[str]) -> tuple[str, ...]:
    entries = context.inventory.entries
    since = {key: instant(entries[key].quarantined_at) for key in alone}
    off = [f"{key} since {day(moment)}" for key, moment in since.items() if moment is not None]
    return (f"still in quarantine: {', '.join(off)}",) if off else ()


def _plan_removal(
    context: TargetContext, key: str, successors: Mapping[str, str]
) -> tuple[Change, ...]:
    """What becomes of one client. Its predecessors are deleted first, and it waits for that."""
    entry = context.inventory.entries[key]
    # The lost create may have made its successor, which only this key's record leads to.
    if key in context.inventory.pending:
        return (_keep(context, key, f"{_GONE}; kept until its pending create is resolved"),)
    # What is a predecessor here may by now be the client of another key.
    needed = successors.keys() | bound_ids(context)
    old_ids = [
        old_id
        for old_id in entry.superseded
        if old_id in context.live.clients and old_id not in needed
    ]
    # Only the entry of the key knows its predecessors: dropped first, they would be left for ever.
    if old_ids and context.provider.delete is not None:
        living = living_predecessors(context, entry, None)
        left_over = [
            _delete(context, key, old_id, "its successor was in place")
            for old_id in old_ids
            if old_id not in living
        ]
        waits = f"{_GONE}; it waits until its predecessor is deleted"
        for old_id, until in living.items():
            waits += f" ({old_id} lives until {minute(until)})"
        return (_keep(context, key, waits), *left_over)
    # Renamed with metadata.id: a delete would take the client from under its new key.
    if entry.remote_id in successors:
        return (_forget(context, key, f"its client is {successors[entry.remote_id]} now"),)
    if why := context.live.barred.get(entry.remote_id, ""):
        return (_keep(context, key, f"{_GONE}; kept, since {why}"),)
    live = live_client(context.live, entry.remote_id)
    if live is None:
        return (_forget(context, key, f"{_GONE}, and it is gone from the server"),)
    return (_take_away(context, key, entry, live),)


def _take_away(context: TargetContext, key: str, entry: InventoryEntry, live: LiveClient) -> Change:
    deleted = _delete(context, key, entry.remote_id, _GONE)
    disables = context.target.policy.on_removal == "disable"
    # Before its last use is looked at: a veto is for people to sort out, and is not put off until
    # the client has been idle long enough (decision 0015).
    veto = removal_refusal(context, deleted, entry)
    if veto is not None:
        way_out = f"to leave the client there for good, run `reconciler forget {key}`"
        veto = replace(veto, message=f"{veto.message}; {way_out}")
        action = Action.UPDATE if disables else Action.DELETE
        return replace(deleted, action=action, refusal=veto, requests=())
    used = _still_used(context, live)
    if used:
        return _keep(context, key, f"{_GONE}; kept, since {used}")
    if disables:
        return _disable_for_good(context, key, entry, live)
    if context.target.policy.quarantine_days:
        return _after_quarantine(context, deleted, entry, live)
    return deleted


def _still_used(context: TargetContext, live: LiveClient) -> str:
    """Why the last use of a client keeps it from being deleted, "" where it does not."""
    pointer, days = context.provider.identity.last_used, context.target.policy.keep_used_days
    stated = MISSING if pointer is None else resolve(live.body, pointer)
    if not days or stated is MISSING or stated is None:
        return ""
    used, now = instant(stated), plan_time(context)
    # The vendor says something that this version cannot read: an error is not an absence of use.
    if used is None:
        return "the time of its last use cannot be read"
    if now < later(used, days=days):
        return f"it was last used on {day(used)}, within policy.keepUsedDays ({days})"
    return ""


def _delete(context: TargetContext, key: str, remote_id: str, reason: str) -> Change:
    deletes = context.provider.delete is not None
    return Change(
        target=context.target.name,
        key=key,
        action=Action.DELETE,
        reason=reason,
        remote_id=remote_id,
        requests=(delete_request(context.provider),) if deletes else (),
        live=context.live.clients[remote_id],
    )


def _forget(context: TargetContext, key: str, reason: str) -> Change:
    return replace(_keep(context, key, reason), record=ForgetClient())


def _after_quarantine(
    context: TargetContext, deleted: Change, entry: InventoryEntry, live: LiveClient
) -> Change:
    """The beginning of the quarantine, the wait for its end, or the delete once it is over."""
    days, since = context.target.policy.quarantine_days, _off_since(context, entry, live)
    if since is None:
        begins = f"{_GONE}: deleted after {days} {'day' if days == 1 else 'days'} of quarantine"
        return _turn_off(context, deleted.key, entry, live, begins)
    until = later(since, days=days)
    if plan_time(context) < until:
        reason = f"in quarantine since {day(since)}, to be deleted on {day(until)}: {_GONE}"
        return _keep(context, deleted.key, reason)
    return replace(deleted, reason=f"{_GONE}, and it was in quarantine since {day(since)}")


def _disable_for_good(
    context: TargetContext, key: str, entry: InventoryEntry, live: LiveClient
) -> Change:
    """The update that turns a client off that is not to be deleted, a noop where it is off already."""
    since = _off_since(context, entry, live)
    if since is None:
        return _turn_off(context, key, entry, live, f"{_GONE}: disabled, as policy.onRemoval says")
    return _keep(context, key, f"disabled since {day(since)}: {_GONE}")


def turned_on_again(
    provider: Provider, manifest: Manifest, entry: InventoryEntry | None, live: LiveClient
) -> Manifest:
    """The manifest of a client that a quarantine turned off, with the switch on if it states none."""
    switch = provider.switch
    if entry is None or switch is None or not entry.quarantined_at:
        return manifest
    # `quarantine_entry` records the switch only where the quarantine turned it: a client that was
    # off before comes back off (decision 0015).
    turned = same(entry.applied.get(switch.field, MISSING), switch.off)
    unstated = switch.field not in manifest.spec or switch.field in ignored_fields(manifest)
    if not (turned and unstated and _is_off(live, switch)):
        return manifest
    # A switch that is ignored would stay off, though it was the tool that turned it.
    managed = manifest.lifecycle.ignore_changes - {f"/{escape(switch.field)}"}
    return replace(
        manifest,
        spec={**manifest.spec, switch.field: switch.on},
        lifecycle=replace(manifest.lifecycle, ignore_changes=managed),
    )


def _keep(context: TargetContext, key: str, reason: str) -> Change:
    """The noop of a client without a manifest that stays as it is, and why."""
    remote_id = context.inventory.entries[key].remote_id
    return Change(
        target=context.target.name,
        key=key,
        action=Action.NOOP,
        reason=reason,
        remote_id=remote_id,
        # It counts among the clients of which maxChangePercent is a share.
        live=context.live.clients.get(remote_id),
    )


def _off_since(context: TargetContext, entry: InventoryEntry, live: LiveClient) -> datetime | None:
    """Since when a client is in quarantine, None where it is not, or was turned on since."""
    switch = context.provider.switch
    # Somebody turned it on, so somebody needs it: the whole time begins anew (decision 0015).
    if switch is not None and not _is_off(live, switch):
        return None
    return instant(entry.quarantined_at)


def _turn_off(
    context: TargetContext, key: str, entry: InventoryEntry, live: LiveClient, reason: str
) -> Change:
    """The update that turns a client off, or a noop that only records its quarantine."""
    provider, switch = context.provider, context.provider.switch
    noted = quarantine_entry(entry, switch, turned=False, now=context.now)
    change = replace(_keep(context, key, reason), record=RecordEntry(entry=noted))
    if switch is None:
        warning = f"{provider.title} cannot disable a client: it can be used until it is deleted"
        return replace(change, warnings=(warning,))
    if _is_off(live, switch):
        return change
    wanted = {switch.field: switch.off}
    tested = conflict_check(provider, context.target.conflict_check) == "test"
    return replace(
        change,
        action=Action.UPDATE,
        fields=compare(provider, wanted, live.body, key=context.key),
        requests=update_requests(provider, wanted, live.body, [switch.field], tested=tested),
        record=RecordEntry(entry=quarantine_entry(entry, switch, turned=True, now=context.now)),
    )


def _is_off(live: LiveClient, switch: Switch) -> bool:
    return same(live.body.get(switch.field, MISSING), switch.off)
