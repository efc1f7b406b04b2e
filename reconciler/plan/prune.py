"""Decides what becomes of the clients of ours that no manifest names any more: absence is no order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.model import MISSING, Action, Change, Refusal
from reconciler.core.pointer import resolve
from reconciler.core.times import day, instant, later
from reconciler.plan.guards import prevented, refusal
from reconciler.plan.inputs import bound_ids, client_seen, without_manifest
from reconciler.plan.quarantine import (
    GONE,
    after_quarantine,
    clock,
    disabled_for_good,
    kept,
)
from reconciler.plan.requests import delete_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.model import InventoryEntry, LiveClient, Manifest
    from reconciler.plan.inputs import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """What a plan says of the clients without a manifest, one by one and as a whole."""

    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def removals(
    situation: Situation, manifests: Sequence[Manifest], planned: Iterable[Change]
) -> Removals:
    """What becomes of each client of ours without a manifest; `planned` are those that have one."""
    alone = without_manifest(situation, manifests)
    if not alone:
        return Removals()
    why = _left_alone(situation)
    if why:
        disabled = _still_disabled(situation, alone)
        return Removals(warnings=(f"left alone, {why}: {', '.join(alone)}", *disabled))
    if not manifests and not situation.others:
        return Removals(refusals=(_no_manifest_left(alone),))
    successors = {
        change.remote_id: change.key for change in planned if change.remote_id is not None
    }
    found = (_removal(situation, key, successors) for key in alone)
    return Removals(changes=tuple(change for changes in found for change in changes))


def _left_alone(situation: Situation) -> str:
    """Why no client of the target goes for want of a manifest, "" where they may."""
    if not situation.policy.prune:
        return "since no manifest names them any more"
    if situation.selected:
        return "though no manifest names them any more, since --select looks at a part"
    unable = _unable(situation)
    return unable or ("" if _anyone_there(situation) else _NOBODY)


def _unable(situation: Situation) -> str:
    """What the vendor cannot do of what the policy wants, "" where it can."""
    provider = situation.provider
    if situation.policy.on_removal == "disable":
        unable = f"since {provider.title} cannot disable a client, and policy.onRemoval says to"
        return unable if provider.switch is None else ""
    if provider.delete is None:
        offer = " (policy.onRemoval: disable turns them off)" if provider.switch else ""
        return f"since {provider.title} cannot delete a client{offer}"
    return "" if situation.live.listed else "since only a whole list shows what may be deleted"


_NOBODY: Final = "since not one client of ours was seen on the server: check baseUrl and collection"


def _anyone_there(situation: Situation) -> bool:
    """Whether a client of ours was seen: else this is rather the wrong place than an empty one."""
    entries = situation.inventory.entries
    return any(entry.remote_id in situation.live.clients for entry in entries.values())


def _no_manifest_left(alone: Sequence[str]) -> Refusal:
    return Refusal(
        rule="no-manifest-left",
        message=f"not one manifest of this target is left, and an empty folder is no order to take "
        f"every client away ({', '.join(alone)}): bring a manifest back, or say prune: false; for "
        "the last client of all, delete it by hand and run `reconciler forget KEY`",
    )


def _still_disabled(situation: Situation, alone: Iterable[str]) -> tuple[str, ...]:
    entries = situation.inventory.entries
    since = {key: instant(entries[key].quarantined_at) for key in alone}
    told = [f"{key} since {day(moment)}" for key, moment in since.items() if moment is not None]
    return (f"still in quarantine: {', '.join(told)}",) if told else ()


def _removal(situation: Situation, key: str, successors: Mapping[str, str]) -> tuple[Change, ...]:
    """What becomes of one client: its predecessors go first, and it waits for them."""
    entry = situation.inventory.entries[key]
    if key in situation.inventory.pending:
        return (kept(situation, key, f"{GONE}; kept until its pending create is resolved"),)
    old_ids = [
        old_id
        for old_id in entry.superseded
        if old_id in situation.live.clients
        and old_id not in successors
        and old_id not in bound_ids(situation)
    ]
    if old_ids and situation.provider.delete is not None:
        left_over = [
            _deleted(situation, key, old_id, "its successor was in place") for old_id in old_ids
        ]
        waits = kept(situation, key, f"{GONE}; it waits until its predecessor is deleted")
        return (waits, *left_over)
    if entry.remote_id in successors:
        return (_forgotten(situation, key, f"its client is {successors[entry.remote_id]} now"),)
    live = client_seen(situation.live, entry.remote_id)
    if live is None:
        return (_forgotten(situation, key, f"{GONE}, and it is gone from the server"),)
    return (_taken(situation, key, entry, live),)


def _taken(situation: Situation, key: str, entry: InventoryEntry, live: LiveClient) -> Change:
    deleted = _deleted(situation, key, entry.remote_id, GONE)
    disables = situation.policy.on_removal == "disable"
    veto = refusal(deleted, situation.provider, situation.own_id) or prevented(entry)
    if veto is not None:
        way_out = f"to leave the client there for good, run `reconciler forget {key}`"
        veto = replace(veto, message=f"{veto.message}; {way_out}")
        action = Action.UPDATE if disables else Action.DELETE
        return replace(deleted, action=action, refusal=veto, requests=())
    used = _used(situation, live)
    if used:
        return kept(situation, key, f"{GONE}; kept, since {used}")
    if disables:
        return disabled_for_good(situation, key, entry, live)
    if situation.policy.quarantine_days:
        return after_quarantine(situation, deleted, entry, live)
    return deleted


def _used(situation: Situation, live: LiveClient) -> str:
    """Why the last use keeps a client, "" where it does not."""
    pointer, days = situation.provider.identity.last_used, situation.policy.keep_used_days
    stated = MISSING if pointer is None else resolve(live.body, pointer)
    if not days or stated is MISSING or stated is None:
        return ""
    used, now = instant(stated), clock(situation)
    if used is None:
        return "the time of its last use cannot be read"
    if now < later(used, days=days):
        return f"it was last used on {day(used)}, within policy.keepUsedDays ({days})"
    return ""


def _deleted(situation: Situation, key: str, remote_id: str, reason: str) -> Change:
    deletes = situation.provider.delete is not None
    return Change(
        target=situation.target,
        key=key,
        action=Action.DELETE,
        reason=reason,
        remote_id=remote_id,
        requests=(delete_request(situation.provider),) if deletes else (),
        live=situation.live.clients[remote_id],
    )


def _forgotten(situation: Situation, key: str, reason: str) -> Change:
    return replace(kept(situation, key, reason), forget=True)
