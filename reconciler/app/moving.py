"""The use case of move: a client that is known by another key, or of another target, in the record alone."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.app.connection import store_of
from reconciler.app.context import Call, manifest_of, target_of
from reconciler.app.records import server_of
from reconciler.core.changes import Refusal
from reconciler.core.errors import SelectionError
from reconciler.core.places import place_text, split_place
from reconciler.manifests.clients import load
from reconciler.plan.guards.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.places import Place
    from reconciler.inventory.open_inventory import OpenInventory
    from reconciler.manifests.clients import LoadedProject


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A client that was moved in the record: its id, and where it was and is, as `target/key`.

    `has_manifest` says whether git names it by its new key.
    """

    remote_id: str
    old: str
    new: str
    has_manifest: bool


def move(call: Call, old: str, new: str) -> tuple[Move, ...] | Refusal:
    """Record the client `old` as `new`, each a key or `target/key`; `target/` means all of a target's.

    Nothing is sent. Raises SelectionError where the record holds no such client or no target has
    the new name, and InventoryError.
    """
    # Not `load_valid`: while a client moves, a manifest may be there twice or not at all.
    loaded = load(call.project_file)
    new_target, new_key = split_place(new)
    new_target = new_target or target_of(loaded, new_key, call.target)
    if new_target not in loaded.project.targets:
        known = ", ".join(loaded.project.targets)
        raise SelectionError(f"no target is named {new_target}: there are {known}")
    old_target, old_key = split_place(old)
    old_target = old_target or new_target
    if bool(old_key) != bool(new_key) or (old_target, old_key) == (new_target, new_key):
        raise SelectionError(f"{old} and {new}: give two keys, or two targets with a slash behind")
    store = store_of(loaded.project)
    with ExitStack() as stack:
        records = {
            name: stack.enter_context(store.open(name, lock=True, timeout=call.lock_timeout))
            # In one order, so that two moves never wait for each other.
            for name in sorted({old_target, new_target})
        }
        keys = [old_key] if old_key else sorted(records[old_target].inventory.entries)
        pairs = [((old_target, key), (new_target, new_key or key)) for key in keys]
        refusal = _server_refusal(loaded, records, old_target, new_target)
        for source, place in pairs:
            refusal = refusal or _refusal(loaded, records, source, place)
        if refusal is not None:
            return refusal
        moved = []
        for pair in pairs:
            moved.append(_carry(loaded, records, *pair))
            call.changed()
        return tuple(moved)


def _carry(
    loaded: LoadedProject, records: Mapping[str, OpenInventory], old: Place, new: Place
) -> Move:
    from reconciler.apply.move import move_client  # noqa: PLC0415 - loads httpx; --help must not

    entry = records[old[0]].inventory.entries[old[1]]
    move_client(records[old[0]], old, records[new[0]], new)
    return Move(
        remote_id=entry.remote_id,
        old=place_text(*old),
        new=place_text(*new),
        has_manifest=manifest_of(loaded, *new) is not None,
    )


def _server_refusal(
    loaded: LoadedProject, records: Mapping[str, OpenInventory], old: str, new: str
) -> Refusal | None:
    """Why clients of one target cannot be of the other: they are on two servers."""
    targets, providers = loaded.project.targets, loaded.providers
    to = server_of(targets[new], providers[new]) if new in providers else ""
    recorded = records[old].inventory.server
    if not recorded and old in providers:
        recorded = server_of(targets[old], providers[old])
    if not recorded or not to or recorded == to:
        return None
    return Refusal(
        rule=Rule.OTHER_SERVER,
        message=f"the clients of {old} are at {recorded}, and {new} is at {to}: a client cannot move "
        "from one server to another",
    )


def _refusal(
    loaded: LoadedProject, records: Mapping[str, OpenInventory], old: Place, new: Place
) -> Refusal | None:
    entry = records[old[0]].inventory.entries.get(old[1])
    if entry is None:
        raise SelectionError(f"the inventory of {old[0]} holds no client {old[1]}")
    held = records[new[0]].inventory.entries.get(new[1])
    if held is not None and held.remote_id != entry.remote_id:
        message = f"{place_text(*new)} is the client {held.remote_id} already"
        return Refusal(rule=Rule.KEY_BOUND, message=message)
    for place in (old, new):
        if place[1] in records[place[0]].inventory.pending:
            message = (
                f"a run began to create {place_text(*place)} and could not record what came of it: "
                "apply, or resolve it, first"
            )
            return Refusal(rule=Rule.PENDING_CREATE, message=message)
    if manifest_of(loaded, *old) is not None:
        message = (
            f"a manifest is named {place_text(*old)} still, and the next apply would create it anew: "
            "rename that first"
        )
        return Refusal(rule=Rule.AMBIGUOUS_MOVE, message=message)
    return None
