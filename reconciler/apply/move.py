"""Moves a client from one key to another in the records, without a request to any server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.errors import InventoryError
from reconciler.plan.secrets.places import moved_entry

if TYPE_CHECKING:
    from reconciler.core.places import Place
    from reconciler.inventory.open_inventory import OpenInventory


def move_client(source: OpenInventory, old: Place, record: OpenInventory, new: Place) -> None:
    """Record what `source` has at the place `old` as the client at `new` of `record`, and there no longer.

    On disk in the new place before it leaves the old one: a run that dies in between leaves the
    client in both, which the next plan ends. A secret that waits for its sink moves along. Raises
    InventoryError.
    """
    old_key, key = old[1], new[1]
    entry = source.entry(old_key)
    if entry is None:
        raise InventoryError(f"the record has no {old_key} any more: plan again")
    entry = moved_entry(entry, old, new)
    for spooled in source.spooled_secrets():
        if (spooled.key, spooled.remote_id) == (old_key, entry.remote_id):
            record.spool(
                key,
                spooled.remote_id,
                spooled.secret,
                client_id=entry.client_id,
                unsettled=spooled.unsettled,
            )
            if record is not source:
                record.record(key, entry)
            source.unspool(spooled)
    if record is source:
        record.move(old_key, key)
        # Only with the new key is it known that the secret is not under it.
        record.record(key, entry)
        return
    record.record(key, entry)
    source.forget(old_key)
