"""What is known of one target, and which ids have to be seen before it can be planned."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from reconciler.core.model import LiveState
from reconciler.core.times import instant
from reconciler.provider.identity import id_in
from reconciler.provider.model import Chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.model import Inventory, LiveClient, Manifest
    from reconciler.core.project import Target
    from reconciler.provider.model import Provider

# RFC 9562 section 5.5: names in this space are `<base URL> <target> <key> <predecessor>`.
# Never change it: a create that got no answer is found by the id that follows from it.
_CLIENT_IDS: Final = uuid.UUID("6f1d0c0e-6d3c-5d0a-9a43-0f3b6f0c4a55")
NO_MANIFESTS: Final[Mapping[str, Manifest]] = MappingProxyType({})
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
NOTHING_SEEN: Final = LiveState(clients=MappingProxyType({}), listed=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another target of the same server, with its record and its manifests by key.

    With `is_target` False it is a record that no target of the project has any more.
    """

    target: str
    inventory: Inventory
    manifests: Mapping[str, Manifest] = field(default_factory=lambda: NO_MANIFESTS)
    is_target: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetContext:
    """One target as every use case sees it: what the user states, what is recorded, what is live.

    `live` is what was seen of the server: nothing, before it was asked. `key` is for fingerprints.
    `own_id` is the client that the tool logs in as. `others` are the manifests of the target that
    the use case does not plan, by key; `is_partial` says that the user asked for a part. `unread`
    are the paths of manifests of the target that were not read. `stored`
    are the ids of clients whose secret is in its sink, though no record says so, and `spooled` of
    those whose secret waits in a private file; `swept` are those whose secret does so as the record
    says, and no file is there. `now` is RFC 3339, UTC. `server` is the address of
    the target's clients as `core.addresses` spells it, and `neighbours` are the others that have
    clients there. `named` are the keys of all manifests of the target, where moves are planned.
    """

    target: Target
    provider: Provider
    inventory: Inventory
    key: bytes = field(repr=False)
    live: LiveState = NOTHING_SEEN
    own_id: str | None = None
    others: Mapping[str, Manifest] = field(default_factory=lambda: NO_MANIFESTS)
    is_partial: bool = False
    unread: tuple[str, ...] = ()
    stored: frozenset[str] = frozenset()
    spooled: frozenset[str] = frozenset()
    swept: frozenset[str] = frozenset()
    # Long ago, so that no quarantine and no last use is ever over without a clock.
    now: str = "1970-01-01T00:00:00Z"
    server: str = ""
    neighbours: tuple[Neighbour, ...] = ()
    named: frozenset[str] = frozenset()


def plan_time(context: TargetContext) -> datetime:
    """The time of the plan; where it cannot be read, one before which nothing that waits is over."""
    return instant(context.now) or _BEGINNING


def ids_to_read(context: TargetContext, manifests: Iterable[Manifest]) -> frozenset[str]:
    """The remote ids that a plan of `manifests` has to see, on the server's list or one by one.

    Not the id that a create would choose: a server refuses one that is taken.
    """
    wanted: set[str] = set()
    named = list(manifests)
    entries, pending = context.inventory.entries, context.inventory.pending
    for manifest in named:
        entry = entries.get(manifest.name)
        known = entry is not None or manifest.id is not None or context.provider.list is None
        remote_id = bound_id(context, manifest) if known else None
        wanted.update(() if remote_id is None else (remote_id,))
        # This plan deletes the predecessors that are still there, once their successor can be used.
        wanted.update(() if entry is None else entry.superseded)
        intent = pending.get(manifest.name)
        if intent is not None and intent.remote_id is not None:
            wanted.add(intent.remote_id)
    policy = context.target.policy
    acts = context.provider.delete is not None or policy.on_removal == "disable"
    if policy.prune and acts:
        for key in keys_without_manifest(context, named):
            wanted.update((entries[key].remote_id, *entries[key].superseded))
    return frozenset(wanted)


def rests_on_absence(context: TargetContext, manifests: Iterable[Manifest]) -> bool:
    """Whether a plan of `manifests` may make a client because the server's list lacks one.

    That is so for a lost create of no chosen id, which is looked for on the list, and for a client
    that is only made where nobody has its name. Neither has an id to be read by.
    """
    pending, entries = context.inventory.pending, context.inventory.entries
    by_name = (
        context.target.policy.adopt == "unowned" and context.provider.identity.match is not None
    )
    for manifest in manifests:
        intent = pending.get(manifest.name)
        lost = intent is not None and intent.remote_id is None
        if manifest.id is None and (lost or (by_name and manifest.name not in entries)):
            return True
    return False


def list_doubt(context: TargetContext) -> str:
    """Why the list that was read may not be the whole one, "" where it is taken for whole."""
    if context.live.doubt or not context.live.listed or context.provider.list_is_described:
        return context.live.doubt
    return "nothing says whether it comes in pages"


def keys_without_manifest(context: TargetContext, manifests: Iterable[Manifest]) -> list[str]:
    """The keys of the clients of ours that no manifest names, planned or not, sorted."""
    # With --select the manifests that were not picked are among the others: they are not gone.
    named = {manifest.name for manifest in manifests} | context.others.keys()
    return sorted(context.inventory.entries.keys() - named)


def keys_not_planned(context: TargetContext) -> frozenset[str]:
    """The keys of the clients of ours that have a manifest which this run does not plan."""
    return frozenset(context.others.keys() & context.inventory.entries.keys())


def bound_ids(context: TargetContext) -> frozenset[str]:
    """The remote ids that the clients of ours are bound to."""
    return frozenset(entry.remote_id for entry in context.inventory.entries.values())


def live_client(live: LiveState, remote_id: str) -> LiveClient | None:
    """The client, None where the server said that it is gone, or bars us from it.

    ValueError for one that was not asked for, whatever the list shows: nothing is known of it.
    """
    # An id that was never read is not absent: concluding that would create the client again.
    # One that nobody lets us ask for may be there, and nothing is done that needs to know it.
    if remote_id in live.barred:
        return None
    if remote_id not in live.clients and remote_id not in live.gone:
        raise ValueError(f"{remote_id} was never read, so nothing can be said of it")
    return live.clients.get(remote_id)


def bound_id(context: TargetContext, manifest: Manifest) -> str | None:
    """The remote id that a manifest means: stated, recorded, or the one a create chose or would."""
    # Before the record: stating another id is how a user moves a key to another client.
    if manifest.id is not None:
        return spelled_id(context.provider, manifest.id)
    entry = context.inventory.entries.get(manifest.name)
    if entry is not None:
        return entry.remote_id
    # The intent's id and not the one that would be chosen now: baseUrl may have changed meanwhile.
    intent = context.inventory.pending.get(manifest.name)
    if intent is not None and intent.remote_id is not None:
        return intent.remote_id
    return id_to_create(context, manifest)


def spelled_id(provider: Provider, stated: str) -> str:
    """An id that a person states, as the server spells it.

    UUIDs that the tool chooses are written in lower case by servers (RFC 9562 section 4), and not
    always by people.
    """
    return stated.lower() if provider.identity.chosen is Chosen.UUID else stated


def id_to_create(context: TargetContext, manifest: Manifest, predecessor: str = "") -> str | None:
    """The id that a create of the manifest's client asks for, None where the server gives one."""
    identity = context.provider.identity
    if identity.chosen is Chosen.UUID:
        return chosen_id(context, manifest.name, predecessor)
    return id_in(context.provider, manifest.spec) if identity.chosen is Chosen.FIELD else None


def chosen_id(context: TargetContext, key: str, predecessor: str = "") -> str:
    """The id that a new client gets where the vendor lets the caller choose: a version 5 UUID.

    It follows from the server, the target and the key. So a create that is sent twice, after a
    crash or by a second run, is refused the second time and makes no second client.
    """
    target = context.target
    # Without a predecessor the name ends in a blank. It stays: each id that was chosen has it.
    return str(uuid.uuid5(_CLIENT_IDS, f"{target.base_url} {target.name} {key} {predecessor}"))
