"""Turns what is wanted, what is live and what is remembered of a target into its plan."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core import compiler
from reconciler.core.cautions import (
    all_gone,
    refuse_shared_ids,
    warn_of_namesakes,
    without_manifest,
)
from reconciler.core.diff import compare, settled
from reconciler.core.footing import guard_of
from reconciler.core.model import (
    MISSING,
    Action,
    Change,
    FieldChange,
    InventoryEntry,
    LiveClient,
    LiveState,
    Manifest,
    Origin,
    Redacted,
    Refusal,
    Request,
    TargetPlan,
)
from reconciler.core.policy import refusal, threshold_refusals
from reconciler.core.record import ignored
from reconciler.core.situation import Situation, bound_id, chosen_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.provider import Provider


def plan_target(situation: Situation, manifests: Iterable[Manifest]) -> TargetPlan:
    """The plan of one target for `manifests`, resolved. Changes are sorted by key, then by id."""
    ordered = sorted(manifests, key=lambda manifest: manifest.name)
    changes = [_plan_client(situation, manifest) for manifest in ordered]
    refuse_shared_ids(changes)
    changes += _left_over(situation, ordered)
    changes = [_guarded(situation, change) for change in changes]
    changes.sort(
        key=lambda change: (change.key, change.action is Action.DELETE, change.remote_id or "")
    )
    return TargetPlan(
        target=situation.target,
        provider=situation.provider.name,
        base_url=situation.base_url,
        changes=tuple(warn_of_namesakes(situation, changes)),
        warnings=(*without_manifest(situation, ordered), *all_gone(situation, changes)),
        refusals=threshold_refusals(changes, situation.policy),
    )


def _plan_client(situation: Situation, manifest: Manifest) -> Change:
    entry = situation.inventory.entries.get(manifest.name)
    remote_id = bound_id(situation, manifest)
    if remote_id is None:
        return _create(situation, manifest, "not on the server yet")
    live = _seen(situation.live, remote_id)
    if live is not None:
        return _existing(situation, manifest, entry, live)
    if manifest.id is not None and not situation.provider.identity.chosen:
        return _absent(situation, manifest, remote_id)
    gone = entry is not None and entry.remote_id == remote_id
    why = f"gone from the server, where it was {remote_id}" if gone else "not on the server yet"
    return _create(situation, manifest, why)


def _seen(live: LiveState, remote_id: str) -> LiveClient | None:
    """The client, None where the server said that it is gone: what was not asked for is neither."""
    if remote_id not in live.clients and not live.listed and remote_id not in live.gone:
        raise ValueError(f"{remote_id} was never read, so nothing can be said of it")
    return live.clients.get(remote_id)


def _change(situation: Situation, manifest: Manifest, action: Action, reason: str) -> Change:
    return Change(
        target=situation.target, key=manifest.name, action=action, reason=reason, manifest=manifest
    )


def _create(situation: Situation, manifest: Manifest, reason: str) -> Change:
    provider = situation.provider
    new_id = None
    if provider.identity.chosen:
        new_id = bound_id(situation, manifest)
    requests = compiler.create_requests(provider, manifest.spec, chosen_id=new_id)
    change = _change(situation, manifest, Action.CREATE, reason)
    fields = compare(provider, manifest.spec, {}, key=situation.key)
    return replace(change, requests=requests, fields=tuple(_unoriginated(fields)), remote_id=new_id)


def _unoriginated(fields: Iterable[FieldChange]) -> Iterable[FieldChange]:
    """A new client's values moved nowhere: they come from nothing, and nobody moved them."""
    return (replace(change, before=MISSING, origin=None, added=()) for change in fields)


def _existing(
    situation: Situation, manifest: Manifest, entry: InventoryEntry | None, live: LiveClient
) -> Change:
    provider, wanted, skip = situation.provider, manifest.spec, ignored(manifest)
    remembered = entry if entry is not None and entry.remote_id == live.remote_id else None
    fields = compare(provider, wanted, live.body, key=situation.key, entry=remembered, ignore=skip)
    change = replace(
        _change(situation, manifest, Action.NOOP, "as wanted"),
        remote_id=live.remote_id,
        live=live,
        fields=fields,
        warnings=_kept_by_server(settled(provider, wanted, remembered)),
    )
    blocked = [name for name in fields if _needs_replace(provider, manifest, name)]
    if blocked:
        return _replace(situation, change, manifest, live, blocked)
    if fields:
        requests = _mending(situation, manifest, live, fields)
        change = replace(change, action=Action.UPDATE, reason=_moved(fields), requests=requests)
    return change if remembered is not None else _adopt(change, manifest)


def _mending(
    situation: Situation, manifest: Manifest, live: LiveClient, fields: Sequence[FieldChange]
) -> tuple[Request, ...]:
    return compiler.update_requests(
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
    return replace(change, action=Action.ADOPT, reason=why)


def _needs_replace(provider: Provider, manifest: Manifest, change: FieldChange) -> bool:
    wanted = manifest.spec[change.field]
    return compiler.needs_replace(provider, provider.fields[change.field], wanted)


def _replace(
    situation: Situation,
    change: Change,
    manifest: Manifest,
    live: LiveClient,
    blocked: Sequence[FieldChange],
) -> Change:
    provider = situation.provider
    names = ", ".join(moved.field for moved in blocked)
    change = replace(change, action=Action.REPLACE, reason=f"{names} cannot be changed in place")
    if provider.delete is None:
        return change
    new_id = None
    if provider.identity.chosen:
        new_id = chosen_id(situation, manifest.name, live.remote_id)
    return replace(
        change,
        requests=compiler.replacement_requests(provider, manifest.spec, live, chosen_id=new_id),
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


def _absent(situation: Situation, manifest: Manifest, remote_id: str) -> Change:
    return replace(
        _change(situation, manifest, Action.NOOP, "bound to a client that is not there"),
        remote_id=remote_id,
        refusal=Refusal(
            rule="bound-id-absent",
            message=f"metadata.id names {remote_id}, which is not on the server: correct it, "
            "or leave metadata.id out to have the client created",
        ),
    )


def _left_over(situation: Situation, manifests: Iterable[Manifest]) -> list[Change]:
    """Predecessors that an earlier replace could not delete."""
    return [
        Change(
            target=situation.target,
            key=manifest.name,
            action=Action.DELETE,
            reason="its successor is in place",
            remote_id=old_id,
            requests=(compiler.delete_request(situation.provider),),
            live=situation.live.clients[old_id],
            manifest=manifest,
        )
        for manifest in manifests
        if (entry := situation.inventory.entries.get(manifest.name)) is not None
        for old_id in entry.superseded
        if old_id in situation.live.clients and situation.provider.delete is not None
    ]


def _guarded(situation: Situation, change: Change) -> Change:
    found = change.refusal or refusal(change, situation.provider, situation.own_id)
    return change if found is None else replace(change, refusal=found, requests=())
