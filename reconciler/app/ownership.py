"""The use cases of ownership: which clients become ours or cease to be, outside of a plan."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.app.context import (
    Call,
    load_valid,
    manifest_of,
    open_record,
    open_target,
    read_client,
    target_of,
)
from reconciler.core.errors import SelectionError
from reconciler.core.model import Manifest, Source
from reconciler.manifests.clients import load
from reconciler.plan.applied import bind_entry
from reconciler.plan.ownership import adoption_refusal, resolution_refusal
from reconciler.plan.secrets.places import secret_state, way_to_a_secret
from reconciler.plan.successors.grace import stated_grace
from reconciler.provider.identity import client_id_in
from reconciler.provider.secrets import secret_in, stated_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.apply.context import OpenTarget
    from reconciler.apply.secrets import KeptSecret
    from reconciler.core.changes import Refusal
    from reconciler.core.model import Intent, InventoryEntry, LiveClient, SecretPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A client that is bound to a key now, or was `already`.

    `differing` are the fields that the next apply changes. `secret` says what became of its
    secret, `location` where it is, and `trouble` why it is not where it belongs. `way` says how the
    client gets another secret, should this one be lost.
    """

    target: str
    key: str
    remote_id: str
    already: bool = False
    differing: tuple[str, ...] = ()
    secret: SecretPlace = ""
    location: str = ""
    trouble: str = ""
    way: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgettable:
    """What the record holds of a key, which `forget` ends; `has_manifest` says that git names it."""

    target: str
    key: str
    entry: InventoryEntry
    has_manifest: bool
    forget: Callable[[], None]


def adopt(call: Call, key: str, remote_id: str) -> Bound | Refusal:
    """Bind the manifest `key` to a client that is read first, and record what is as wanted.

    Raises SelectionError where no manifest has that key, and the other ReconcilerErrors.
    """
    loaded = load_valid(call)
    target = target_of(loaded, key, call.target)
    manifest = manifest_of(loaded, target, key)
    if manifest is None:
        raise SelectionError(f"no manifest of target {target} is named {key}")
    with open_target(loaded, target, call) as opened:
        client = read_client(opened, remote_id)
        refusal = adoption_refusal(opened.context, client, manifest)
        if refusal is not None:
            return refusal
        bound = bind_entry(opened.context, client, manifest, now=opened.now())
        # Recorded anew it would lose what it knows: who moved which field, and where the secret is.
        already = key in opened.context.inventory.entries
        if not already:
            opened.session.record(key, replace(bound.entry, origin="bound"))
            call.changed()
    return Bound(
        target=target,
        key=key,
        remote_id=client.remote_id,
        already=already,
        differing=tuple(change.field for change in bound.differing),
    )


@contextmanager
def open_for_forgetting(call: Call, key: str) -> Iterator[Forgettable]:
    """What the record holds of `key`; until the block ends, no other run changes the record.

    Raises SelectionError where it holds nothing.
    """
    # Not `load_valid`: the broken manifest may be that of the very client that is to be forgotten.
    loaded = load(call.project_file)
    target = target_of(loaded, key, call.target)
    with open_record(loaded.project, target, call) as session:
        entry = session.entry(key)
        if entry is None:
            raise SelectionError(f"the inventory of {target} holds no client {key}")

        def forget() -> None:
            session.forget(key)
            call.changed()
            session.flush()

        yield Forgettable(
            target=target,
            key=key,
            entry=entry,
            has_manifest=manifest_of(loaded, target, key) is not None,
            forget=forget,
        )


def resolve_absent(call: Call, key: str) -> str:
    """Close the pending create of `key` as one that made nothing; the target's name.

    Raises SelectionError where none is pending.
    """
    loaded = load(call.project_file)
    target = target_of(loaded, key, call.target)
    with open_record(loaded.project, target, call) as session:
        if key not in session.inventory.pending:
            raise _nothing_pending(target, key)
        session.close_create(key)
        call.changed()
        session.flush()
    return target


def resolve(call: Call, key: str, remote_id: str) -> Bound | Refusal:
    """Bind the client that the pending create of `key` made, and keep its secret where it can be had.

    Raises SelectionError where none is pending, and the other ReconcilerErrors.
    """
    loaded = load_valid(call)
    target = target_of(loaded, key, call.target)
    with open_target(loaded, target, call) as opened:
        intent = opened.context.inventory.pending.get(key)
        if intent is None:
            raise _nothing_pending(target, key)
        client = read_client(opened, remote_id)
        refusal = resolution_refusal(opened.context, client, intent)
        if refusal is not None:
            return refusal
        manifest = opened.context.others.get(key) or _unwritten(opened, key)
        # The sink before the record, as after a create: a record can be made again, a secret cannot.
        kept = _keep_secret(opened, manifest, client)
        if kept.location:
            call.changed()
        before = opened.session.entry(key)
        old = () if before is None else before.superseded
        # Of a replace that died after its POST: nothing else says that this client is to be deleted.
        # One that the key was never bound to is nobody's to delete, whatever the intent says.
        known = () if before is None else (before.remote_id, *old)
        predecessor = tuple(each for each in known if each == intent.predecessor)
        bound = bind_entry(
            opened.context,
            client,
            manifest,
            now=opened.now(),
            superseded=(*old, *predecessor),
            superseded_at=_superseded_at(opened, manifest, before, intent),
            secret=kept.place,
        )
        opened.session.record(key, bound.entry)
        call.changed()
    return Bound(
        target=target,
        key=key,
        remote_id=client.remote_id,
        differing=tuple(change.field for change in bound.differing),
        secret=kept.place,
        location=kept.location,
        trouble=kept.trouble,
        way=way_to_a_secret(opened.provider, key),
    )


def _superseded_at(
    opened: OpenTarget, manifest: Manifest, before: InventoryEntry | None, intent: Intent
) -> dict[str, str]:
    """Since when the predecessors have a successor that are to live on for a while."""
    known = {} if before is None else dict(before.superseded_at)
    older = () if before is None else before.superseded
    graceful = bool(stated_grace(opened.context.target.policy, manifest))
    if graceful and intent.predecessor is not None and intent.predecessor not in older:
        known[intent.predecessor] = opened.now()
    return known


def _unwritten(opened: OpenTarget, key: str) -> Manifest:
    """A manifest without a spec, in place of one that is not there any more."""
    kind = opened.provider.kind
    return Manifest(source=Source(path=""), kind=kind, name=key, target=opened.name, spec={})


def _keep_secret(opened: OpenTarget, manifest: Manifest, client: LiveClient) -> KeptSecret:
    """Store the secret of a client that was found again, if it can be had or is stored already."""
    from reconciler.apply.secrets import (  # noqa: PLC0415 - loads httpx
        KeptSecret,
        keep_secret,
        waiting_secrets,
    )

    key, remote_id = manifest.name, client.remote_id
    if stated_secret(opened.provider, manifest.spec) is not None:
        return KeptSecret(place="")  # the user chose it, and has it
    secret = secret_in(opened.provider, client.body)
    # A file keeps the one that its sink did not take: older than what the server shows.
    secret = secret or waiting_secrets(opened.session).get((key, remote_id))
    if secret is None:
        state = secret_state(opened.context, client)
        return KeptSecret(place="stored" if state == "stored" else "lost")
    return keep_secret(
        opened.name,
        opened.session,
        opened.sink,
        key=key,
        remote_id=remote_id,
        secret=secret,
        client_id=client_id_in(opened.provider, client.body) or "",
    )


def _nothing_pending(target: str, key: str) -> SelectionError:
    return SelectionError(f"no create of {key} is pending on {target}: there is nothing to resolve")
