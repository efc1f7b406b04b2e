"""Turns what is wanted, what is live and what is remembered of a target into its plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.model import (
    MISSING,
    Action,
    Change,
    FieldChange,
    Manifest,
    Refusal,
    TargetPlan,
)
from reconciler.plan.diff import compare
from reconciler.plan.existing import blocked_fields, change_of, existing, recovered
from reconciler.plan.guards import overridden, refusal, threshold_refusals
from reconciler.plan.inputs import Situation, bound_id, bound_ids, client_seen, unseen
from reconciler.plan.pending_creates import trace, unattended
from reconciler.plan.prune import removals
from reconciler.plan.requests import create_requests, delete_request
from reconciler.plan.unowned import Foreign, cannot_adopt, foreign, namesake
from reconciler.plan.warnings import all_gone, refuse_shared_ids, warn_of_namesakes, warn_of_renames

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def plan_target(situation: Situation, manifests: Iterable[Manifest]) -> TargetPlan:
    """The plan of one target for `manifests`, resolved. Changes are sorted by key, then by id."""
    ordered = sorted(manifests, key=lambda manifest: manifest.name)
    others = foreign(situation, ordered)
    changes = [
        _without_vanished(situation, _plan_client(situation, manifest, others))
        for manifest in ordered
    ]
    refuse_shared_ids(changes)
    gone = removals(situation, ordered, changes)
    changes += [*_left_over(situation, changes), *gone.changes]
    changes = [_guarded(situation, change) for change in changes]
    changes.sort(
        key=lambda change: (change.key, change.action is Action.DELETE, change.remote_id or "")
    )
    policy = situation.policy
    return TargetPlan(
        target=situation.target,
        provider=situation.provider.name,
        base_url=situation.base_url,
        changes=tuple(warn_of_renames(situation, warn_of_namesakes(situation, changes))),
        warnings=(
            *overridden(policy),
            *gone.warnings,
            *unattended(situation, [manifest.name for manifest in ordered]),
            *cannot_adopt(situation, creates=any(map(_creates, changes))),
            *all_gone(situation, changes),
        ),
        refusals=(
            *gone.refusals,
            *threshold_refusals(changes, policy, unseen=len(unseen(situation))),
        ),
    )


def _creates(change: Change) -> bool:
    return change.action is Action.CREATE


def _plan_client(situation: Situation, manifest: Manifest, others: Foreign) -> Change:
    """The change of one client; what came of a create that was pending is found out first."""
    intent = situation.inventory.pending.get(manifest.name)
    if intent is None or manifest.id is not None:
        return _by_record(situation, manifest, others)
    found = trace(situation, intent, others)
    if isinstance(found, Refusal):
        reason = "a run that began to create it could not record what came of it"
        change = change_of(situation, manifest, Action.CREATE, reason)
        return replace(change, refusal=found)
    if found is None:
        return replace(_by_record(situation, manifest, others), settle=True)
    return recovered(situation, manifest, found)


def _without_vanished(situation: Situation, change: Change) -> Change:
    """The change, with the predecessors of its client that nobody needs to delete any more."""
    entry = situation.inventory.entries.get(change.key)
    old_ids = () if entry is None else entry.superseded
    if not old_ids:
        return change
    gone = tuple(old_id for old_id in old_ids if client_seen(situation.live, old_id) is None)
    return replace(change, vanished=gone)


def _by_record(situation: Situation, manifest: Manifest, others: Foreign) -> Change:
    entry = situation.inventory.entries.get(manifest.name)
    remote_id = bound_id(situation, manifest)
    live = None if remote_id is None else client_seen(situation.live, remote_id)
    if live is not None:
        return existing(situation, manifest, entry, live)
    if remote_id is not None and manifest.id is not None:
        if not situation.provider.identity.chosen:
            return _absent(situation, manifest, remote_id)
        return _create(situation, manifest, "not on the server yet")
    gone = entry is not None and entry.remote_id == remote_id
    why = f"gone from the server, where it was {remote_id}" if gone else "not on the server yet"
    return _by_name(situation, manifest, others, why)


def _by_name(situation: Situation, manifest: Manifest, others: Foreign, why: str) -> Change:
    """The adoption of the foreign client that has the manifest's name, where policy.adopt says so."""
    found = namesake(situation, manifest, others)
    if found is None:
        return _create(situation, manifest, why)
    if isinstance(found, Refusal):
        change = change_of(situation, manifest, Action.ADOPT, "several clients have its name")
        return replace(change, refusal=found)
    change = existing(situation, manifest, None, found)
    change = replace(change, reason="the only client of its name that is not ours", found="")
    if change.action is not Action.REPLACE:
        return change
    names = ", ".join(blocked_fields(situation.provider, manifest, change.fields))
    message = (
        f"adopting {found.remote_id} would replace it, since {names} cannot be changed in place, "
        "and what is not ours is never deleted: adopt it as it is, then change it"
    )
    veto = Refusal(rule="replace-unowned", message=message)
    return replace(change, action=Action.ADOPT, requests=(), refusal=veto)


def _create(situation: Situation, manifest: Manifest, reason: str) -> Change:
    provider = situation.provider
    new_id = None
    if provider.identity.chosen:
        new_id = bound_id(situation, manifest)
    requests = create_requests(provider, manifest.spec, chosen_id=new_id)
    change = change_of(situation, manifest, Action.CREATE, reason)
    fields = compare(provider, manifest.spec, {}, key=situation.key)
    return replace(change, requests=requests, fields=tuple(_unoriginated(fields)), remote_id=new_id)


def _unoriginated(fields: Iterable[FieldChange]) -> Iterable[FieldChange]:
    """A new client's values moved nowhere: they come from nothing, and nobody moved them."""
    return (replace(change, before=MISSING, origin=None, added=()) for change in fields)


def _absent(situation: Situation, manifest: Manifest, remote_id: str) -> Change:
    return replace(
        change_of(situation, manifest, Action.NOOP, "bound to a client that is not there"),
        remote_id=remote_id,
        refusal=Refusal(
            rule="bound-id-absent",
            message=f"metadata.id names {remote_id}, which is not on the server: correct it, "
            "or leave metadata.id out to have the client created",
        ),
    )


def _left_over(situation: Situation, changes: Sequence[Change]) -> list[Change]:
    """Predecessors that a replace could not delete, once there is a successor that can be used."""
    found = [(change, old_id) for change in changes for old_id in _superseded(situation, change)]
    if not found or situation.provider.delete is None:
        return []
    meant = {change.remote_id for change in changes} | bound_ids(situation)
    return [
        Change(
            target=situation.target,
            key=change.key,
            action=Action.DELETE,
            reason="its successor is in place",
            remote_id=old_id,
            requests=(delete_request(situation.provider),),
            live=situation.live.clients[old_id],
            manifest=change.manifest,
        )
        for change, old_id in found
        if old_id in situation.live.clients
        and (old_id not in meant or old_id == change.predecessor)
    ]


def _superseded(situation: Situation, change: Change) -> tuple[str, ...]:
    """The predecessors of a client; none while its own secret is lost, since theirs may be in use."""
    entry = situation.inventory.entries.get(change.key)
    if entry is None:
        return ()
    late = () if change.predecessor is None else (change.predecessor,)
    places = (change.found, entry.secret)
    return () if "lost" in places else (*entry.superseded, *late)


def _guarded(situation: Situation, change: Change) -> Change:
    found = change.refusal or refusal(change, situation.provider, situation.own_id)
    return change if found is None else replace(change, refusal=found, requests=())
