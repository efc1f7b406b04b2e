"""Holds what a plan rests on besides the manifests, and which ids it has to see for that."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.model import LiveState
from reconciler.core.project import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.model import Inventory, LiveClient, Manifest
    from reconciler.core.project import ConflictCheck
    from reconciler.provider.model import Provider

# RFC 9562 section 5.5: names in this space are `<base URL> <target> <key> <predecessor>`.
_CLIENT_IDS: Final = uuid.UUID("6f1d0c0e-6d3c-5d0a-9a43-0f3b6f0c4a55")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a plan rests on besides the manifests; `own_id` is the client that the tool runs as.

    `live` is what was seen of the server: nothing, before it was asked. `key` is for fingerprints.
    `others` are the keys of manifests that this run does not look at, `claimed` the ids that they
    state, and `selected` says that it was asked for a part. `now` is RFC 3339, UTC. `guard` is
    what the target states, None where the dialect decides. `safe` are ids of clients whose secret
    is in its sink, though no record says so.
    """

    target: str
    base_url: str
    provider: Provider
    inventory: Inventory
    key: bytes
    live: LiveState = field(default_factory=lambda: LiveState(clients={}, listed=False))
    policy: Policy = field(default_factory=Policy)
    own_id: str | None = None
    others: frozenset[str] = frozenset()
    claimed: frozenset[str] = frozenset()
    selected: bool = False
    safe: frozenset[str] = frozenset()
    now: str = "1970-01-01T00:00:00Z"
    guard: ConflictCheck | None = None


def ids_to_read(situation: Situation, manifests: Iterable[Manifest]) -> frozenset[str]:
    """The remote ids that a plan of `manifests` has to see, for a server that has no list."""
    wanted: set[str] = set()
    named = list(manifests)
    for manifest in named:
        bound = bound_id(situation, manifest)
        entry = situation.inventory.entries.get(manifest.name)
        intent = situation.inventory.pending.get(manifest.name)
        wanted.update(() if bound is None else (bound,), () if entry is None else entry.superseded)
        if intent is not None and intent.remote_id is not None:
            wanted.add(intent.remote_id)
    if situation.policy.prune and situation.policy.on_removal == "disable":
        for key in without_manifest(situation, named):
            entry = situation.inventory.entries[key]
            wanted.update((entry.remote_id, *entry.superseded))
    return frozenset(wanted)


def without_manifest(situation: Situation, manifests: Iterable[Manifest]) -> list[str]:
    """The keys of the clients of ours that no manifest names, looked at or not, sorted."""
    known = {manifest.name for manifest in manifests} | situation.others
    return sorted(situation.inventory.entries.keys() - known)


def bound_ids(situation: Situation) -> frozenset[str]:
    """The remote ids that the clients of ours are bound to."""
    entries = situation.inventory.entries.values()
    return frozenset(entry.remote_id for entry in entries)


def unseen(situation: Situation) -> frozenset[str]:
    """The keys of the clients of ours that have a manifest which this run does not look at."""
    return situation.others & situation.inventory.entries.keys()


def client_seen(live: LiveState, remote_id: str) -> LiveClient | None:
    """The client, None where the server said that it is gone: what was not asked for is neither."""
    if remote_id not in live.clients and not live.listed and remote_id not in live.gone:
        raise ValueError(f"{remote_id} was never read, so nothing can be said of it")
    return live.clients.get(remote_id)


def bound_id(situation: Situation, manifest: Manifest) -> str | None:
    """The remote id that a manifest means: stated, remembered, or the one a create chose or would."""
    chosen = situation.provider.identity.chosen
    if manifest.id is not None:
        return manifest.id.lower() if chosen else manifest.id
    entry = situation.inventory.entries.get(manifest.name)
    if entry is not None:
        return entry.remote_id
    intent = situation.inventory.pending.get(manifest.name)
    if intent is not None and intent.remote_id is not None:
        return intent.remote_id
    return chosen_id(situation, manifest.name) if chosen else None


def chosen_id(situation: Situation, key: str, predecessor: str = "") -> str:
    """The id that a new client gets where the vendor lets one choose: a version 5 UUID.

    It follows from where the client lives and what it is called, so that a create which is made
    twice, by a crash or by a second run, is refused the second time instead of doubled.
    """
    name = f"{situation.base_url} {situation.target} {key} {predecessor}"
    return str(uuid.uuid5(_CLIENT_IDS, name))
