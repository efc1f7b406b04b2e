"""Says where the secret of a client of ours is, and how the client gets another where it is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import RecordClient
from reconciler.core.places import place_text, split_place
from reconciler.provider.identity import client_id_in
from reconciler.provider.secrets import secret_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from reconciler.core.changes import Change, SecretState
    from reconciler.core.model import Inventory, InventoryEntry, LiveClient, SecretPlace
    from reconciler.core.places import Place
    from reconciler.plan.context import TargetContext
    from reconciler.provider.model import Provider

# Of how many clients that a sink lacks a plan says why.
_SHOWN: Final = 3
# Names, since as literals they look like passwords to those who search for such.
_STORED: Final[SecretPlace] = "stored"
_SPOOLED: Final[SecretPlace] = "spooled"
_LOST: Final[SecretPlace] = "lost"


def swept_ids(inventory: Inventory, spooled: Collection[str]) -> frozenset[str]:
    """The clients whose secret waits in a private file, as the record says, which is not among `spooled`."""
    return frozenset(
        entry.remote_id
        for entry in inventory.entries.values()
        if entry.secret == _SPOOLED and entry.remote_id not in spooled
    )


def with_true_places(
    inventory: Inventory, swept: Collection[str], stored: Collection[str]
) -> Inventory:
    """The record, with where the secrets of the clients `swept` really are: among `stored`, or lost.

    What is on disk is left as it is: a file that is put back is found again.
    """
    if not swept:
        return inventory
    entries = {
        key: _with_true_place(entry, stored) if entry.remote_id in swept else entry
        for key, entry in inventory.entries.items()
    }
    return replace(inventory, entries=entries)


def _with_true_place(entry: InventoryEntry, stored: Collection[str]) -> InventoryEntry:
    return replace(entry, secret=_STORED if entry.login_id in stored else _LOST)


def with_secret(entry: InventoryEntry, place: SecretPlace) -> InventoryEntry:
    """The entry of a client whose secret is now in this place, and in a sink under the client's own key."""
    return replace(entry, secret=place, secret_at="")


def secret_state(context: TargetContext, client: LiveClient) -> SecretState:
    """Where the secret of a client is that was found again: readable, stored, spooled, or lost."""
    if secret_in(context.provider, client.body) is not None:
        return "readable"
    login_id = client_id_in(context.provider, client.body) or client.remote_id
    if login_id in context.stored:
        return "stored"
    return "spooled" if client.remote_id in context.spooled else "lost"


def warn_of_secret(context: TargetContext, key: str, remote_id: str, place: str) -> tuple[str, ...]:
    """A warning of a secret that is not in its sink, with the way to another one."""
    if place == "spooled":
        return ("its secret waits in a private file: the next apply brings it to its sink",)
    if place != "lost":
        return ()
    return (why_lost(context, key, remote_id),)


def why_lost(context: TargetContext, key: str, remote_id: str) -> str:
    """That the secret of a client is lost, why, and how it gets another, in words."""
    if remote_id not in context.swept:
        way = way_to_a_secret(context.provider, key)
        return f"its secret is lost, since the answer that told it never arrived: {way}"
    # Not the replace by an apply: nobody knows that the file is on no other machine.
    way = f"`reconciler rotate {key}` gives it another"
    if context.provider.rotate is None and context.provider.delete is None:
        way = way_to_a_secret(context.provider, key)
    return (
        "its secret is lost, since the private file in which it waited for its sink is not here any "
        f"more: put the file back where it was kept, else {way}"
    )


def way_to_a_secret(provider: Provider, key: str) -> str:
    """How a client of ours gets another secret, in words; `rotate` asks for the same."""
    if provider.rotate is not None:
        return f"`reconciler rotate {key}` gives it another"
    for field in provider.fields.values():
        if field.secret and not field.read_only:
            return f"state another as spec.{field.name} in its manifest, and apply"
    if provider.delete is None:
        return "only a new client beside it has another"
    return (
        f"`reconciler rotate {key}` replaces it by a new client on purpose, and so does the next apply "
        "with lifecycle.allowReplace: true"
    )


def brings_secret(change: Change) -> bool:
    """Whether apply will have a secret to store: of a new client, or of one that it finds again."""
    found = isinstance(change.record, RecordClient) and change.record.secret == "readable"  # noqa: S105 - a state
    return found or any(request.operation == "create" for request in change.requests)


def warn_of_runner(keys: Sequence[str], place: str, runner: str) -> str:
    """A warning where new secrets, of these clients, go to files of a machine that may not outlive the run.

    `place` is where, in words, and `runner` the CI system. "" for no client.
    """
    if not keys:
        return ""
    more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return (
        f"the secret of {keys[0]}{more} goes into a file in {place}, and this is a runner of {runner}: "
        "what is on it may be gone after the job. Name a sink that outlives it, such as `exec`, "
        "`aws-secretsmanager` or `age`"
    )


def warn_of_overwritten(
    changes: Iterable[Change], inventories: Iterable[tuple[str, Inventory]]
) -> tuple[str, ...]:
    """Warnings of new secrets that take the place of those of clients that moved from there.

    `inventories` are those of the targets of one server, with their names.
    """
    moved = {
        entry.secret_at: place_text(name, key)
        for name, inventory in inventories
        for key, entry in inventory.entries.items()
        if entry.secret_at
    }
    return tuple(
        f"{change.key} gets a secret, and the sink has that of {moved[place]} there, which moved: copy "
        "it first to where it belongs"
        for change in changes
        if (place := place_text(change.target, change.key)) in moved and brings_secret(change)
    )


def places_in_sink(inventory: Inventory, keys: Iterable[str]) -> dict[str, tuple[Place, ...]]:
    """Where the sink may have the secrets of those of the clients `keys` whose the record calls stored, by key.

    A client that moved has it where it was, or under its own key, where somebody has copied it.
    """
    entries = {key: inventory.entries[key] for key in keys if key in inventory.entries}
    return {
        key: (*([split_place(entry.secret_at)] if entry.secret_at else ()), (inventory.target, key))
        for key, entry in entries.items()
        if entry.secret == _STORED
    }


def moved_entry(entry: InventoryEntry, old: Place, new: Place) -> InventoryEntry:
    """The entry of a client that moves: what its sink has of it stays where it is."""
    if entry.secret != _STORED:
        return entry
    at = entry.secret_at or place_text(*old)
    return replace(entry, secret_at="" if at == place_text(*new) else at)


def warn_of_missing(missing: Mapping[str, str]) -> tuple[str, ...]:
    """A warning of the secrets that the record calls stored and the sink does not have; by key, why."""
    if not missing:
        return ()
    shown = [f"{key}: {missing[key]}" for key in sorted(missing)[:_SHOWN]]
    more = f"; and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    count = f"{len(missing)} client{'' if len(missing) == 1 else 's'}"
    words = (
        f"the sink does not have the secret of {count} that the record calls stored "
        f"({'; '.join(shown)}{more}). It may lie on another machine. `reconciler secrets sync` brings "
        "what the server still tells, and `reconciler rotate KEY` gives a client another"
    )
    return (words,)
