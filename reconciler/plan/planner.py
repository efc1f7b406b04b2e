"""Turns what is wanted, what is live and what is recorded of a target into its plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.addresses import server_address
from reconciler.core.changes import Action, Change, FieldChange, RecordClient, Refusal, TargetPlan
from reconciler.core.model import MISSING, Manifest
from reconciler.plan.context import (
    TargetContext,
    bound_id,
    bound_ids,
    id_to_create,
    keys_not_planned,
    live_client,
)
from reconciler.plan.diff import compare
from reconciler.plan.existing import change_of, plan_existing, plan_found
from reconciler.plan.guards.changes import change_refusal, refuse, refuse_shared_ids
from reconciler.plan.guards.limits import threshold_refusals
from reconciler.plan.guards.rules import Rule
from reconciler.plan.guards.unique import refuse_taken_values
from reconciler.plan.moves.moves import former_addresses, plan_moves
from reconciler.plan.moves.neighbours import elsewhere_refusal, server_refusal
from reconciler.plan.moves.renames import refuse_renames_elsewhere, tell_orphans, tell_renames
from reconciler.plan.ownership import (
    Unowned,
    find_created,
    find_namesake,
    stated_id_refusal,
    unowned_clients,
)
from reconciler.plan.prune import plan_removals
from reconciler.plan.record.namesakes import settle_namesakes, taken_id_refusal
from reconciler.plan.record.standing import with_standing
from reconciler.plan.requests import blocked_changes, create_requests, delete_request
from reconciler.plan.successors.grace import (
    keeps_predecessor,
    lives_until,
    predecessors_after,
    warn_of_living_predecessors,
)
from reconciler.plan.warnings import (
    warn_of_a_doubtful_list,
    warn_of_a_lost_fleet,
    warn_of_idle_adoption,
    warn_of_overridden_limits,
    warn_of_plain_http,
    warn_of_unattended_creates,
)
from reconciler.provider.identity import client_id_in
from reconciler.provider.model import Chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.model import LiveClient


def plan_target(context: TargetContext, manifests: Iterable[Manifest]) -> TargetPlan:
    """The plan of one target for `manifests`, resolved. Changes are sorted by key, then by id."""
    ordered = sorted(manifests, key=lambda manifest: manifest.name)
    moved = plan_moves(context, ordered)
    # As the record will be once the moves are in it: what else is planned rests on that.
    context, stay = moved.context, [one for one in ordered if one.name not in moved.refused]
    unowned = unowned_clients(context, stay)
    changes = [_plan_client(context, manifest, unowned) for manifest in stay]
    # Before the removals join: a removal may name the id of a planned client on purpose (a rename).
    refuse_shared_ids(changes)
    removals = plan_removals(context, ordered, changes)
    changes += [*_delete_predecessors(context, changes), *removals.changes]
    changes = [_refuse(context, change, unowned) for change in changes]
    changes = settle_namesakes(context, changes, unowned)
    changes = refuse_taken_values(context, changes)
    changes = [with_standing(context, change, unowned.known) for change in changes]
    changes = refuse_renames_elsewhere(context, tell_renames(context, ordered, changes))
    changes = [warn_of_living_predecessors(context, change) for change in changes]
    changes += moved.changes
    changes = [_with_client_id(context, change) for change in changes]
    changes.sort(key=_in_order)
    target = context.target
    return TargetPlan(
        target=target.name,
        provider=context.provider.name,
        base_url=target.base_url,
        changes=tuple(changes),
        warnings=(
            *warn_of_plain_http(target),
            *tell_orphans(context),
            *(f"{key} moves to {place}, with that target" for key, place in moved.leaving.items()),
            *warn_of_overridden_limits(target.policy),
            *removals.warnings,
            *warn_of_unattended_creates(context, [manifest.name for manifest in ordered]),
            *warn_of_idle_adoption(context, changes),
            *warn_of_a_doubtful_list(context, changes),
            *warn_of_a_lost_fleet(context, changes),
        ),
        refusals=(
            *server_refusal(context, _former_servers(context)),
            *removals.refusals,
            *threshold_refusals(changes, target.policy, not_planned=len(keys_not_planned(context))),
        ),
    )


def _with_client_id(context: TargetContext, change: Change) -> Change:
    """The change with the id that its client logs in with, where that is not the remote id."""
    if context.provider.identity.client_id is None:
        return change
    shown = change.live.body if change.live is not None else None
    stated = change.manifest.spec if change.manifest is not None else None
    found = client_id_in(context.provider, stated if shown is None else shown)
    return change if found is None else replace(change, client_id=found)


def _in_order(change: Change) -> tuple[str, int, str]:
    """Of several changes of one key a move comes first and a delete last, as apply carries them out."""
    stage = {Action.MOVE: 0, Action.DELETE: 2}.get(change.action, 1)
    return change.key, stage, change.remote_id or ""


def _former_servers(context: TargetContext) -> frozenset[str]:
    collection = context.provider.collection
    stated = former_addresses(context.target)
    return frozenset(server_address(address, collection) for address in stated)


def _plan_client(context: TargetContext, manifest: Manifest, unowned: Unowned) -> Change:
    """The change of one client; what came of a create that was pending is found out first."""
    intent = context.inventory.pending.get(manifest.name)
    # Who states an id has looked: it answers what the create made.
    if intent is None or manifest.id is not None:
        return _plan_by_id(context, manifest, unowned)
    found = find_created(context, intent, manifest, unowned)
    if isinstance(found, Refusal):
        reason = "a run that began to create it could not record what came of it"
        change = change_of(context, manifest, Action.CREATE, reason)
        return replace(change, refusal=found)
    if found is not None:
        return plan_found(context, manifest, found)
    change = _plan_by_id(context, manifest, unowned)
    record = change.record if isinstance(change.record, RecordClient) else RecordClient()
    return replace(change, record=replace(record, abandons_create=True))


def _plan_by_id(context: TargetContext, manifest: Manifest, unowned: Unowned) -> Change:
    entry = context.inventory.entries.get(manifest.name)
    remote_id = bound_id(context, manifest)
    if remote_id in context.live.barred:
        return _refuse_barred(context, manifest, remote_id or "")
    live = None if remote_id is None else _find(context, manifest, remote_id)
    if live is not None:
        change = plan_existing(context, manifest, entry, live)
        return _guard_stated_id(context, change, manifest, unowned)
    if remote_id is not None and manifest.id is not None:
        # Where ids are chosen it is no mistake: the client is created with this very id.
        chosen = context.provider.identity.chosen is Chosen.UUID
        if not chosen and id_to_create(context, manifest) != remote_id:
            return _refuse_absent(context, manifest, remote_id)
        return _create(context, manifest, "not on the server yet")
    gone = entry is not None and entry.remote_id == remote_id
    why = f"gone from the server, where it was {remote_id}" if gone else "not on the server yet"
    return _plan_by_name(context, manifest, unowned, why)


def _find(context: TargetContext, manifest: Manifest, remote_id: str) -> LiveClient | None:
    """The client that a manifest means, None where it is gone, or where no create of it was ever sent."""
    never_sent = manifest.id is None and manifest.name not in context.inventory.entries
    # The id that a create would choose is not read beforehand: a server refuses one that is taken.
    never_sent = never_sent and manifest.name not in context.inventory.pending
    if never_sent and context.live.listed:
        return context.live.clients.get(remote_id)
    return live_client(context.live, remote_id)


def _guard_stated_id(
    context: TargetContext, change: Change, manifest: Manifest, unowned: Unowned
) -> Change:
    if change.live is None or change.action is not Action.ADOPT:
        return change
    if manifest.id is None:
        refusal = taken_id_refusal(context, manifest, change.live)
        return change if refusal is None else replace(change, refusal=refusal)
    return replace(change, refusal=stated_id_refusal(context, change.live, manifest, unowned.known))


def _plan_by_name(context: TargetContext, manifest: Manifest, unowned: Unowned, why: str) -> Change:
    """The adoption of the unowned client that has the manifest's name, where policy.adopt says so."""
    found = find_namesake(context, manifest, unowned)
    if found is None:
        return _create(context, manifest, why)
    if isinstance(found, Refusal):
        if found.rule == Rule.DOUBTFUL_LIST:
            return replace(change_of(context, manifest, Action.CREATE, why), refusal=found)
        several = found.rule == Rule.AMBIGUOUS_ADOPTION
        reason = "several clients have its name" if several else "a client has its name"
        return replace(change_of(context, manifest, Action.ADOPT, reason), refusal=found)
    change = plan_existing(context, manifest, None, found)
    record = change_of(context, manifest, Action.ADOPT, "").record
    # A stranger's secret is theirs: it is not stored, though the vendor may show it.
    reason = "the only client of its name that is not ours"
    change = replace(change, reason=reason, record=record)
    if change.action is not Action.REPLACE:
        return change
    blocked = blocked_changes(context.provider, manifest.spec, change.fields)
    names = ", ".join(each.field for each in blocked)
    message = (
        f"adopting {found.remote_id} would replace it, since {names} cannot be changed in place, "
        "and what is not ours is never deleted: adopt it as it is, then change it"
    )
    veto = Refusal(rule=Rule.REPLACE_UNOWNED, message=message)
    return replace(change, action=Action.ADOPT, requests=(), refusal=veto)


def _create(context: TargetContext, manifest: Manifest, reason: str) -> Change:
    provider = context.provider
    # Of the record, since the address of the server may have changed since the id was made of it.
    chosen = provider.identity.chosen is Chosen.UUID
    new_id = bound_id(context, manifest) if chosen else id_to_create(context, manifest)
    requests = create_requests(provider, manifest.spec, chosen_id=new_id)
    change = change_of(context, manifest, Action.CREATE, reason)
    fields = compare(provider, manifest.spec, {}, key=context.key)
    return replace(change, requests=requests, fields=tuple(_from_nothing(fields)), remote_id=new_id)


def _from_nothing(fields: Iterable[FieldChange]) -> Iterable[FieldChange]:
    """The fields of a new client: without a value before, and without an origin."""
    return (replace(change, before=MISSING, origin=None, added=()) for change in fields)


def _refuse_absent(context: TargetContext, manifest: Manifest, remote_id: str) -> Change:
    return replace(
        change_of(context, manifest, Action.NOOP, "bound to a client that is not there"),
        remote_id=remote_id,
        refusal=Refusal(
            rule=Rule.BOUND_ID_ABSENT,
            message=f"metadata.id names {remote_id}, which is not on the server: correct it, "
            "or leave metadata.id out to have the client created",
        ),
    )


def _refuse_barred(context: TargetContext, manifest: Manifest, remote_id: str) -> Change:
    change = change_of(context, manifest, Action.NOOP, "the server does not let it be read")
    message = (
        f"{context.live.barred[remote_id]}. `reconciler forget {manifest.name}` has the next apply register it "
        f"anew, and `reconciler import {context.target.name} --id {remote_id} --registration-token env:NAME` "
        "gives the tool another token"
    )
    refusal = Refusal(rule=Rule.BARRED, message=message)
    return replace(change, remote_id=remote_id, refusal=refusal)


def _delete_predecessors(context: TargetContext, changes: Sequence[Change]) -> list[Change]:
    """The deletes of predecessors that a replace could not delete, once their successors can be used."""
    found = [(change, old_id) for change in changes for old_id in _deletable(context, change)]
    if not found or context.provider.delete is None:
        return []
    # Keys may have exchanged their clients: one's predecessor is then what another is bound to.
    meant = {change.remote_id for change in changes} | _ids_still_bound(context, changes)
    return [
        Change(
            target=context.target.name,
            key=change.key,
            action=Action.DELETE,
            reason="its successor is in place",
            remote_id=old_id,
            requests=(delete_request(context.provider),),
            live=context.live.clients[old_id],
            # By it, apply knows a predecessor from a client that no manifest names.
            manifest=change.manifest,
        )
        for change, old_id in found
        if old_id in context.live.clients and old_id not in meant
    ]


def _deletable(context: TargetContext, change: Change) -> tuple[str, ...]:
    """The predecessors of a client that may be deleted; none while the client's own secret is lost.

    Whoever uses the client may still use a predecessor then, as in its grace period. A replace
    brings another secret, so that they go with it, unless what it replaces is to live on.
    """
    entry = context.inventory.entries.get(change.key)
    if entry is None or not isinstance(change.record, RecordClient):
        return ()
    lost = "lost" in (change.record.secret, entry.secret)
    if lost and (change.action is not Action.REPLACE or keeps_predecessor(change)):
        return ()
    old_ids = change.record.superseded
    since = predecessors_after(context, change, entry, old_ids, now=context.now)
    after = replace(entry, superseded_at=since)
    return tuple(
        old_id for old_id in old_ids if lives_until(context, after, change.manifest, old_id) is None
    )


def _ids_still_bound(context: TargetContext, changes: Iterable[Change]) -> frozenset[str]:
    """The ids that clients of ours are bound to, except those of clients that get a successor."""
    entries = context.inventory.entries
    replaced = {
        entries[change.key].remote_id
        for change in changes
        if change.key in entries
        and isinstance(change.record, RecordClient)
        and entries[change.key].remote_id in change.record.superseded
    }
    return bound_ids(context) - replaced


def _refuse(context: TargetContext, change: Change, unowned: Unowned) -> Change:
    elsewhere = unowned.known.elsewhere
    found = (
        change.refusal
        or elsewhere_refusal(context, elsewhere, change.remote_id, change.key)
        or change_refusal(context, change)
    )
    return change if found is None else refuse(context, change, found)
