"""Plans one client that is on the server: no change, an update, a replace or an adoption."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.changes import (
    Action,
    Change,
    FieldChange,
    Origin,
    RecordClient,
    Request,
)
from reconciler.core.model import InventoryEntry, LiveClient, Manifest, Redacted
from reconciler.core.pointer import unescape
from reconciler.core.values import brief_text
from reconciler.plan.applied import ignored_fields
from reconciler.plan.context import TargetContext, id_to_create, live_client
from reconciler.plan.diff import accepted_spellings, compare
from reconciler.plan.fields.bodies import repaired_fields
from reconciler.plan.fields.members import unmanaged_sentences
from reconciler.plan.guards.changes import in_vain_refusal
from reconciler.plan.preconditions import conflict_check
from reconciler.plan.prune import turned_on_again
from reconciler.plan.requests import (
    blocked_changes,
    replacement_requests,
    update_requests,
)
from reconciler.plan.secrets.places import secret_state, warn_of_secret
from reconciler.plan.successors.grace import stated_grace
from reconciler.provider.model import UpdateStyle
from reconciler.provider.secrets import client_secret, secret_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.provider.model import Provider


# What nearly every client of a fleet gets: one value for all of them.
_AS_SHOWN: Final = RecordClient()


def change_of(
    context: TargetContext, manifest: Manifest, action: Action, reason: str, **facts: Any
) -> Change:
    """A change of the manifest's client with an action, a reason and a record; `facts` are its other fields."""
    left = _left_predecessors(context, manifest.name)
    return Change(
        target=context.target.name,
        key=manifest.name,
        action=action,
        reason=reason,
        manifest=manifest,
        record=RecordClient(superseded=left) if left else _AS_SHOWN,
        **facts,
    )


def _left_predecessors(context: TargetContext, key: str) -> tuple[str, ...]:
    """The predecessors of a client that a replace could not delete, and that are still there."""
    entry = context.inventory.entries.get(key)
    if entry is None or not entry.superseded:
        return ()
    # One that somebody deleted by hand leaves the record with the next apply.
    return tuple(
        old_id for old_id in entry.superseded if live_client(context.live, old_id) is not None
    )


def plan_existing(
    context: TargetContext, stated: Manifest, entry: InventoryEntry | None, live: LiveClient
) -> Change:
    """The change of a client that is there; an adoption where `entry` does not bind it."""
    provider = context.provider
    # What was applied to another client says nothing of this one, neither drift nor spelling.
    recorded = entry if entry is not None and entry.remote_id == live.remote_id else None
    manifest = turned_on_again(provider, stated, recorded, live)
    wanted, skip = manifest.spec, ignored_fields(manifest)
    fields = compare(provider, wanted, live.body, key=context.key, entry=recorded, ignore=skip)
    change = change_of(
        context,
        manifest,
        Action.NOOP,
        "as wanted",
        remote_id=live.remote_id,
        live=live,
        fields=fields,
        warnings=(
            *_warn_of_spellings(accepted_spellings(provider, wanted, recorded)),
            *unmanaged_sentences(provider, wanted, recorded, live.body, context.key),
        ),
    )
    blocked = blocked_changes(provider, wanted, fields)
    # A replace brings the other fields along, so that an update before it would be lost.
    if blocked:
        reason = f"{', '.join(each.field for each in blocked)} cannot be changed in place"
        replaced = _replace(context, change, manifest, live, reason)
        vain = in_vain_refusal(recorded, blocked)
        return replaced if vain is None else replace(replaced, refusal=vain)
    if fields:
        requests = _update(context, manifest, live, fields)
        back = "" if manifest is stated else "; its manifest is back, so it is turned on again"
        reason = _who_moved(fields) + back
        change = replace(
            change,
            action=Action.UPDATE,
            reason=reason,
            requests=requests,
            warnings=(*change.warnings, *_warn_of_repairs(provider, live, fields)),
        )
    if recorded is None:
        return _adopt(context, change, manifest, live)
    return _plan_secret(context, change, manifest, live, recorded)


def plan_found(context: TargetContext, manifest: Manifest, live: LiveClient) -> Change:
    """The change of the client that a pending create made: its adoption, with the updates that it needs.

    It is replaced at once where only that brings it what it lacks, and where that is allowed. Where
    it is not, fields that only a replace can change are left to the next plan.
    """
    provider, state = context.provider, secret_state(context, live)
    allowed = _allows_replace(provider, manifest)
    found = manifest if allowed else _changeable_in_place(context, manifest, live)
    change = plan_existing(context, found, None, live)
    if state == "lost" and _may_be_replaced(provider, manifest):
        change = _replace(context, change, manifest, live, "its secret is lost")
    change = replace(
        change, record=RecordClient(secret=state, superseded=_predecessors(context, manifest, live))
    )
    if change.action is Action.REPLACE:
        reason = f"created by a run that could not record it, and {change.reason}"
        return replace(change, reason=reason)
    told = warn_of_secret(context, manifest.name, live.remote_id, state)
    return replace(change, warnings=(*change.warnings, *told))


def _changeable_in_place(context: TargetContext, manifest: Manifest, live: LiveClient) -> Manifest:
    """The manifest without the fields that only a replace of `live` can change."""
    fields = compare(context.provider, manifest.spec, live.body, key=context.key)
    blocked = {each.field for each in blocked_changes(context.provider, manifest.spec, fields)}
    spec = {name: value for name, value in manifest.spec.items() if name not in blocked}
    return replace(manifest, spec=spec)


def _predecessors(context: TargetContext, manifest: Manifest, live: LiveClient) -> tuple[str, ...]:
    """The predecessors of a client that was found again, the one among them that it was to succeed."""
    superseded = _left_predecessors(context, manifest.name)
    entry = context.inventory.entries.get(manifest.name)
    if entry is None or entry.remote_id == live.remote_id:
        return superseded
    return tuple(dict.fromkeys((*superseded, entry.remote_id)))


def _adopt(context: TargetContext, change: Change, manifest: Manifest, live: LiveClient) -> Change:
    if manifest.id is not None:
        # Somebody else made it and has its secret: `secrets sync` stores that, if it is wanted.
        return replace(change, action=Action.ADOPT, reason="bound by metadata.id")
    change = replace(
        change, action=Action.ADOPT, reason="created by a run that could not record it"
    )
    # Our own create: nobody else has its secret, so it is stored where the vendor still shows it.
    return _store_readable(context, change, live)


def _store_readable(context: TargetContext, change: Change, live: LiveClient) -> Change:
    """The change, with the order to store the secret where the vendor still shows it."""
    if secret_in(context.provider, live.body) is None:
        return change
    superseded = _left_predecessors(context, change.key)
    return replace(change, record=RecordClient(secret="readable", superseded=superseded))  # noqa: S106 - a state


def _plan_secret(
    context: TargetContext,
    change: Change,
    manifest: Manifest,
    live: LiveClient,
    entry: InventoryEntry,
) -> Change:
    """The change of a client of ours, with what is to be done for a secret that is not in its sink."""
    place = entry.secret
    # In this order: as long as the vendor shows the secret, nobody has to take a new one.
    if place == "lost" and secret_state(context, live) == "readable":
        return _store_readable(context, change, live)
    # A private file that is not here may be on another machine: no client is replaced for that alone.
    elsewhere = entry.remote_id in context.swept
    if place == "lost" and not elsewhere and _may_be_replaced(context.provider, manifest):
        return _replace(context, change, manifest, live, "its secret is lost")
    words = warn_of_secret(context, change.key, entry.remote_id, place)
    return replace(change, warnings=(*change.warnings, *words)) if words else change


def _can_rotate(provider: Provider) -> bool:
    """Whether a client can be given another secret in place."""
    own = provider.fields.get(unescape(client_secret(provider).removeprefix("/")))
    return provider.rotate is not None or (own is not None and not own.read_only)


def _may_be_replaced(provider: Provider, manifest: Manifest) -> bool:
    """Whether a client whose secret is lost is replaced: if allowed, and if nothing else brings a secret."""
    return _allows_replace(provider, manifest) and not _can_rotate(provider)


def _allows_replace(provider: Provider, manifest: Manifest) -> bool:
    """Whether a new client may take the place of that of the manifest."""
    lifecycle = manifest.lifecycle
    allowed = lifecycle.allow_replace and not lifecycle.prevent_destroy and manifest.id is None
    return allowed and provider.delete is not None


def _update(
    context: TargetContext, manifest: Manifest, live: LiveClient, fields: Sequence[FieldChange]
) -> tuple[Request, ...]:
    return update_requests(
        context.provider,
        manifest.spec,
        live.body,
        [change.field for change in fields],
        ignore=ignored_fields(manifest),
        tested=conflict_check(context.provider, context.target.conflict_check) == "test",
        hidden=[change.field for change in fields if isinstance(change.before, Redacted)],
    )


def _replace(
    context: TargetContext, change: Change, manifest: Manifest, live: LiveClient, reason: str
) -> Change:
    change = replace(change, manifest=manifest)
    at_once = not stated_grace(context.target.policy, manifest)
    return plan_replace(context, change, live, reason, deletes=at_once)


def plan_replace(
    context: TargetContext, change: Change, live: LiveClient, reason: str, *, deletes: bool
) -> Change:
    """The change as a replace of `live` by a new client; `deletes` says whether it also deletes `live`.

    Without, that is left to an apply after its grace period.
    """
    provider, manifest = context.provider, change.manifest
    change = replace(change, action=Action.REPLACE, reason=reason)
    if provider.delete is None or manifest is None:
        # A guard refuses it: there is no request to show.
        return change
    # With the predecessor in it: the plain id is taken by the client that is to be replaced.
    new_id = id_to_create(context, manifest, live.remote_id)
    requests = replacement_requests(provider, manifest.spec, live, chosen_id=new_id)
    return replace(change, requests=requests if deletes else requests[:-1])


def _who_moved(fields: Iterable[FieldChange]) -> str:
    """Who moved, over all fields of a client, in words."""
    count = Counter(change.origin for change in fields)
    words = {
        Origin.DRIFT: "changed on the server",
        Origin.CONFIG: "changed in git",
        Origin.BOTH: "changed on both sides",
    }
    # In the order of `words`: a Counter's own follows the fields.
    parts = [f"{_fields(count[origin])} {word}" for origin, word in words.items() if count[origin]]
    return ", ".join(parts)


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def _warn_of_repairs(
    provider: Provider, live: LiveClient, fields: Iterable[FieldChange]
) -> tuple[str, ...]:
    """A warning for each value that goes along because the server would refuse the update without it."""
    if provider.style is UpdateStyle.JSON_PATCH:
        return ()
    repaired = repaired_fields(provider, live.body, [change.field for change in fields])
    return tuple(
        f"{name} is {brief_text(live.body[name])} on the server, which it "
        f"takes no more and without which it takes no change: {brief_text(value)} is sent along"
        for name, value in repaired.items()
    )


def _warn_of_spellings(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        f"the server keeps {name} otherwise than it was last applied, and is not asked again"
        for name in names
    )
