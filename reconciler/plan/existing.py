"""Turns one client that is on the server into its change: none, an update, a replace or an adoption."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.model import (
    Action,
    Change,
    FieldChange,
    InventoryEntry,
    LiveClient,
    Manifest,
    Origin,
    Redacted,
    Request,
)
from reconciler.plan.applied import ignored
from reconciler.plan.diff import compare, settled
from reconciler.plan.inputs import Situation, chosen_id
from reconciler.plan.pending_creates import told
from reconciler.plan.preconditions import guard_of
from reconciler.plan.quarantine import restored
from reconciler.plan.requests import needs_replace, replacement_requests, update_requests
from reconciler.plan.warnings import on_secret, replaceable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.provider.model import Provider


def change_of(situation: Situation, manifest: Manifest, action: Action, reason: str) -> Change:
    """A change of the manifest's client, of which nothing more is known yet."""
    return Change(
        target=situation.target, key=manifest.name, action=action, reason=reason, manifest=manifest
    )


def existing(
    situation: Situation, stated: Manifest, entry: InventoryEntry | None, live: LiveClient
) -> Change:
    """The change of a client that is there; an adoption where `entry` does not bind it."""
    provider = situation.provider
    remembered = entry if entry is not None and entry.remote_id == live.remote_id else None
    manifest = restored(provider, stated, remembered, live)
    wanted, skip = manifest.spec, ignored(manifest)
    fields = compare(provider, wanted, live.body, key=situation.key, entry=remembered, ignore=skip)
    change = Change(
        target=situation.target,
        key=manifest.name,
        action=Action.NOOP,
        reason="as wanted",
        manifest=manifest,
        remote_id=live.remote_id,
        live=live,
        fields=fields,
        warnings=_kept_by_server(settled(provider, wanted, remembered)),
    )
    blocked = blocked_fields(provider, manifest, fields)
    if blocked:
        reason = f"{', '.join(blocked)} cannot be changed in place"
        return _replace(situation, change, manifest, live, reason)
    if fields:
        requests = _mending(situation, manifest, live, fields)
        back = "" if manifest is stated else "; its manifest is back, so it is turned on again"
        change = replace(
            change, action=Action.UPDATE, reason=_moved(fields) + back, requests=requests
        )
    if remembered is None:
        return _adopt(change, manifest)
    return _with_secret(situation, change, manifest, live, remembered)


def _with_secret(
    situation: Situation,
    change: Change,
    manifest: Manifest,
    live: LiveClient,
    entry: InventoryEntry,
) -> Change:
    """The change of a client of ours, with what is to be done for a secret that was not kept."""
    place = entry.secret
    if place == "lost" and told(situation, live) == "told":
        return replace(change, found="told")
    if place == "lost" and replaceable(situation, manifest):
        return _replace(situation, change, manifest, live, "its secret is lost")
    words = on_secret(situation, change.key, place)
    return replace(change, warnings=(*change.warnings, *words)) if words else change


def _mending(
    situation: Situation, manifest: Manifest, live: LiveClient, fields: Sequence[FieldChange]
) -> tuple[Request, ...]:
    return update_requests(
        situation.provider,
        manifest.spec,
        live.body,
        [moved.field for moved in fields],
        ignore=ignored(manifest),
        tested=guard_of(situation.provider, situation.guard) == "test",
        hidden=[moved.field for moved in fields if isinstance(moved.before, Redacted)],
    )


def _adopt(change: Change, manifest: Manifest) -> Change:
    why = "bound by metadata.id" if manifest.id else "created by a run that could not record it"
    return replace(change, action=Action.ADOPT, reason=why, found="" if manifest.id else "told")


def blocked_fields(
    provider: Provider, manifest: Manifest, fields: Iterable[FieldChange]
) -> tuple[str, ...]:
    """The names of the fields that no update can bring to what is wanted."""
    return tuple(
        change.field
        for change in fields
        if needs_replace(provider, provider.fields[change.field], manifest.spec[change.field])
    )


def _replace(
    situation: Situation,
    change: Change,
    manifest: Manifest,
    live: LiveClient,
    reason: str,
) -> Change:
    provider = situation.provider
    change = replace(change, action=Action.REPLACE, reason=reason)
    if provider.delete is None:
        return change
    new_id = None
    if provider.identity.chosen:
        new_id = chosen_id(situation, manifest.name, live.remote_id)
    return replace(
        change,
        requests=replacement_requests(provider, manifest.spec, live, chosen_id=new_id),
    )


def _moved(fields: Iterable[FieldChange]) -> str:
    """Who moved, over all fields of a client, in words."""
    count = Counter(change.origin for change in fields)
    words = {
        Origin.DRIFT: "changed on the server",
        Origin.CONFIG: "changed in git",
        Origin.BOTH: "changed on both sides",
    }
    told = [f"{_fields(count[origin])} {word}" for origin, word in words.items() if count[origin]]
    return ", ".join(told)


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def _kept_by_server(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        f"the server keeps {name} otherwise than it was last applied, and is not asked again"
        for name in names
    )


def recovered(situation: Situation, manifest: Manifest, live: LiveClient) -> Change:
    """The adoption of what a create of ours left; what only a replace can mend is left for later."""
    provider, entry = situation.provider, situation.inventory.entries.get(manifest.name)
    fields = compare(provider, manifest.spec, live.body, key=situation.key)
    blocked = blocked_fields(provider, manifest, fields)
    spec = {name: value for name, value in manifest.spec.items() if name not in blocked}
    change = existing(situation, replace(manifest, spec=spec), None, live)
    replaced = entry is not None and entry.remote_id != live.remote_id
    return replace(
        change,
        found=told(situation, live),
        predecessor=entry.remote_id if entry is not None and replaced else None,
        warnings=(*change.warnings, *on_secret(situation, manifest.name, told(situation, live))),
    )
