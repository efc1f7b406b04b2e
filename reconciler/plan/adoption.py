"""Says which live clients may become ours, by import or by adoption, and why others may not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from reconciler.core.model import MISSING, Refusal
from reconciler.core.values import same
from reconciler.plan import applied
from reconciler.plan.diff import compare
from reconciler.plan.inputs import bound_id
from reconciler.plan.normalize import canonical
from reconciler.provider import references

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from reconciler.core.model import (
        FieldChange,
        Intent,
        InventoryEntry,
        LiveClient,
        Manifest,
        SecretPlace,
    )
    from reconciler.plan.inputs import Situation

# Why a client is left alone, by remote id.
Left: TypeAlias = "Mapping[str, Refusal]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What to remember of a client that becomes ours, and what the next apply changes of it."""

    entry: InventoryEntry
    differing: tuple[FieldChange, ...]


def importable(
    situation: Situation,
    clients: Iterable[LiveClient],
    manifests: Collection[Manifest],
    *,
    by_id: bool,
) -> tuple[list[LiveClient], Left]:
    """The clients that an import may write manifests for, sorted by id, and why not the others.

    `manifests` are all of the target. With `by_id` the user has named each of `clients`, so that
    only what would make two of one client is left alone.
    """
    left: dict[str, Refusal] = {}
    taken: list[LiveClient] = []
    guards = _Guards(situation, manifests)
    for client in sorted(clients, key=lambda client: client.remote_id):
        why = guards.doubled(client) or (None if by_id else guards.unasked(client))
        if why is None:
            taken.append(client)
        else:
            left[client.remote_id] = why
    return taken, left


def adoption_refusal(
    situation: Situation, client: LiveClient, manifest: Manifest, manifests: Collection[Manifest]
) -> Refusal | None:
    """Why `manifest` may not be bound to `client`, None where it may; `manifests` are all."""
    entry = situation.inventory.entries.get(manifest.name)
    if entry is not None:
        return None if entry.remote_id == client.remote_id else _bound(manifest.name, entry)
    if manifest.name in situation.inventory.pending:
        return Refusal(
            rule="pending-create",
            message=f"a run began to create {manifest.name} and could not record what came of it: "
            f"run `reconciler resolve {manifest.name}` instead",
        )
    if manifest.id is not None and bound_id(situation, manifest) != client.remote_id:
        return Refusal(
            rule="bound-elsewhere",
            message=f"metadata.id of {manifest.name} names {manifest.id}: correct it, or take it out",
        )
    others = [other for other in manifests if other.name != manifest.name]
    guards = _Guards(situation, others)
    return guards.doubled(client) or guards.protected(client)


def _bound(key: str, entry: InventoryEntry) -> Refusal:
    return Refusal(
        rule="key-bound",
        message=f"{key} is the client {entry.remote_id} already: `reconciler forget {key}` first, "
        "if that is to end",
    )


def resolution_refusal(
    situation: Situation, client: LiveClient, intent: Intent, manifests: Collection[Manifest]
) -> Refusal | None:
    """Why `client` cannot be what the pending create of `intent` made, None where it can."""
    if intent.remote_id not in (None, client.remote_id):
        return Refusal(
            rule="another-id",
            message=f"the create of {intent.key} chose the id {intent.remote_id}, so "
            f"{client.remote_id} cannot be what it made",
        )
    others = [other for other in manifests if other.name != intent.key]
    pending = {key: one for key, one in situation.inventory.pending.items() if key != intent.key}
    return _Guards(situation, others, pending).doubled(client)


def binding(
    situation: Situation,
    client: LiveClient,
    manifest: Manifest,
    *,
    now: str,
    superseded: Iterable[str] = (),
    secret: SecretPlace = "",
) -> Binding:
    """What to remember of `client` as that of `manifest`, whose references may be unresolved.

    Only what is as wanted counts as applied: the rest is for the next apply to show and to send.
    Of what no answer shows, and of a reference, nobody knows what the server has.
    """
    provider, spec = situation.provider, manifest.spec
    hidden = {pointer.split("/")[1] for pointer, _ in references.find(spec, provider)}
    hidden |= {name for name in spec if provider.fields[name].write_only}
    hidden |= applied.ignored(manifest)
    known = {name: value for name, value in spec.items() if name not in hidden}
    differing = compare(provider, known, client.body, key=situation.key)
    settled = known.keys() - {change.field for change in differing}
    entry = applied.entry(
        provider,
        replace(manifest, spec={name: known[name] for name in known if name in settled}),
        client.remote_id,
        client.body,
        key=situation.key,
        now=now,
        superseded=tuple(dict.fromkeys(superseded)),
        secret=secret,
    )
    return Binding(entry=entry, differing=differing)


class _Guards:
    """What is known of whose a client is."""

    def __init__(
        self,
        situation: Situation,
        manifests: Collection[Manifest],
        pending: Mapping[str, Intent] | None = None,
    ) -> None:
        entries = situation.inventory.entries
        self._situation = situation
        self._pending = situation.inventory.pending if pending is None else pending
        self._ours = {entry.remote_id: key for key, entry in entries.items()}
        self._old = {old: key for key, entry in entries.items() for old in entry.superseded}
        self._keys = {manifest.name for manifest in manifests}
        self._meant = {bound_id(situation, manifest): manifest.name for manifest in manifests}
        match = situation.provider.identity.match or "name"
        self._names = {
            name: manifest.name
            for manifest in manifests
            if manifest.name not in entries and manifest.id is None
            if isinstance(name := manifest.spec.get(match), str) and name
        }

    def doubled(self, client: LiveClient) -> Refusal | None:
        """Why two keys would mean one client."""
        remote_id = client.remote_id
        if remote_id in self._ours:
            return Refusal(rule="bound", message=self._already(self._ours[remote_id]))
        if remote_id in self._old:
            message = f"it is the predecessor of {self._old[remote_id]}, to be deleted"
            return Refusal(rule="superseded", message=message)
        if remote_id in self._meant:
            key = self._meant[remote_id]
            return Refusal(
                rule="meant", message=f"the manifest {key} means it: the next apply binds it"
            )
        for key, intent in self._pending.items():
            if self._may_be(client, intent):
                message = (
                    f"a run that could not record it may have created it as {key}: "
                    f"apply, or `reconciler resolve {key}`, first"
                )
                return Refusal(rule="pending-create", message=message)
        return None

    def _already(self, key: str) -> str:
        if key in self._keys:
            return f"it is {key} already"
        return f"it is {key} already, which no manifest names: `reconciler forget {key}` frees it"

    def unasked(self, client: LiveClient) -> Refusal | None:
        """Why nobody would want a client without having named it."""
        if client.remote_id == self._situation.own_id:
            message = "it is the client that the reconciler itself logs in with"
            return Refusal(rule="own-client", message=message)
        found = self.protected(client)
        if found is not None:
            return found
        name = self._name(client)
        if name in self._names:
            key = self._names[name]
            message = (
                f"the manifest {key}, which is bound to no client yet, has its name: "
                f"`reconciler adopt {key} --id {client.remote_id}` if that is the one"
            )
            return Refusal(rule="namesake", message=message)
        return None

    def protected(self, client: LiveClient) -> Refusal | None:
        """Why the vendor's server needs a client."""
        if self._name(client) not in self._situation.provider.protected:
            return None
        message = f"the client named {self._name(client)!r} belongs to the server itself"
        return Refusal(rule="protected", message=message)

    def _name(self, client: LiveClient) -> str:
        name = client.body.get(self._situation.provider.identity.match or "name")
        return name if isinstance(name, str) else ""

    def _may_be(self, client: LiveClient, intent: Intent) -> bool:
        if intent.remote_id is not None or not intent.facts:
            return intent.remote_id == client.remote_id
        fields = self._situation.provider.fields
        return all(
            same(
                canonical(fields[name], client.body.get(fields[name].read_as, MISSING)),
                canonical(fields[name], value),
            )
            for name, value in intent.facts.items()
        )
