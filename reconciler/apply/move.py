"""Moves a client from one key to another in the records, without a request to any server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.errors import InventoryError

if TYPE_CHECKING:
    from reconciler.inventory.open_inventory import OpenInventory


def move_client(source: OpenInventory, old_key: str, record: OpenInventory, key: str) -> None:
    """Record what `source` has under `old_key` as `key` of `record`, and there no longer.

    On disk in the new place before it leaves the old one: a run that dies in between leaves the
    client in both, which the next plan ends. A secret that waits for its sink moves along. Raises
    InventoryError.
    """
    entry = source.entry(old_key)
    if entry is None:
        raise InventoryError(f"the record has no {old_key} any more: plan again")
    for spooled in source.spooled_secrets():
        if (spooled.key, spooled.client_id) == (old_key, entry.remote_id):
            record.spool(key, spooled.client_id, spooled.secret)
            if record is not source:
                record.record(key, entry)
            source.unspool(spooled)
    if record is source:
        record.move(old_key, key)
        return
    record.record(key, entry)
    source.forget(old_key)
