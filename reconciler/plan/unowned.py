"""Finds the client that a manifest means among those on the server that nobody has claimed yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.model import LiveClient, Refusal
from reconciler.core.secrets import reveal
from reconciler.plan.inputs import bound_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.core.model import JsonObject, Manifest
    from reconciler.plan.inputs import Situation

_SEVERAL: Final = 2
_MANY: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """The clients that neither the inventory nor a manifest's metadata.id speaks of, by id.

    `by_name` holds them by the field that people know a client by; both are sorted by id.
    """

    clients: tuple[LiveClient, ...] = ()
    by_name: Mapping[str, tuple[LiveClient, ...]] = field(default_factory=dict)


def foreign(situation: Situation, manifests: Collection[Manifest]) -> Foreign:
    """The foreign clients, none where no question will be asked of them."""
    if not situation.inventory.pending and not adopts(situation):
        return Foreign()
    chosen = situation.provider.identity.chosen
    claimed = {one.lower() if chosen else one for one in situation.claimed}
    meant = (bound_id(situation, manifest) for manifest in manifests)
    claimed.update(remote_id for remote_id in meant if remote_id is not None)
    for entry in situation.inventory.entries.values():
        claimed.update((entry.remote_id, *entry.superseded))
    live = situation.live.clients
    clients = tuple(live[remote_id] for remote_id in sorted(live.keys() - claimed))
    return Foreign(clients=clients, by_name=_by_name(situation, clients))


def adopts(situation: Situation) -> bool:
    """Whether a manifest may take a foreign client over by its name, and one can be found."""
    provider = situation.provider
    by_name = situation.policy.adopt == "unowned" and provider.identity.match is not None
    return by_name and situation.live.listed


def namesake(
    situation: Situation, manifest: Manifest, others: Foreign
) -> LiveClient | Refusal | None:
    """The one foreign client that has the manifest's name, or a refusal that lists several."""
    name = name_of(situation, manifest.spec)
    found = others.by_name.get(name, ()) if name is not None else ()
    if len(found) < _SEVERAL:
        return found[0] if found else None
    return Refusal(
        rule="ambiguous-adoption",
        message=f"{len(found)} clients on the server are named like it and are not ours "
        f"({ids_of(found)}): set metadata.id to the one that is meant",
    )


def cannot_adopt(situation: Situation, *, creates: bool) -> tuple[str, ...]:
    """A word where policy.adopt asks for what cannot be done, and a create may double a client."""
    if situation.policy.adopt == "never" or adopts(situation) or not creates:
        return ()
    word = f"{situation.provider.title} has no list of names to look in"
    found = f"policy.adopt: unowned finds no client, since {word}"
    return (f"{found}: to manage one that exists, set metadata.id",)


def _by_name(
    situation: Situation, clients: Collection[LiveClient]
) -> dict[str, tuple[LiveClient, ...]]:
    found: dict[str, list[LiveClient]] = {}
    for client in clients if adopts(situation) else ():
        name = name_of(situation, client.body)
        if name is not None:
            found.setdefault(name, []).append(client)
    return {name: tuple(namesakes) for name, namesakes in found.items()}


def name_of(situation: Situation, values: JsonObject) -> str | None:
    """The name that people know a client by, in its spec or its body; None where there is none."""
    name = reveal(values.get(situation.provider.identity.match or ""))
    return name if isinstance(name, str) else None


def ids_of(clients: Collection[LiveClient]) -> str:
    """The ids of `clients`, for a sentence: the first of them, where there are many."""
    ids = [client.remote_id for client in clients]
    more = f" and {len(ids) - _MANY} more" if len(ids) > _MANY else ""
    return ", ".join(ids[:_MANY]) + more
