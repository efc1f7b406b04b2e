"""What a store of inventories is, and what is the place of one target in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from reconciler.core.model import Inventory
    from reconciler.inventory.open_inventory import OpenInventory


class Backend(Protocol):
    """The place of one target's record and journal; all of it raises InventoryError."""

    record_path: str
    journal_path: str
    # Whether each write of the record has a number. Else the lines of the journal say what the
    # record held of their clients, and a journal outlives changes to other clients.
    counts: bool

    def read(self) -> tuple[Inventory, bytes | None]:
        """What is recorded, and the journal or None, both of the same moment."""

    def append(self, serial: int | None, offset: int, lines: bytes) -> None:
        """Have `lines` on disk from `offset` of the journal on, in place of all that follows there."""

    def replace(self, before: Inventory, now: Inventory) -> None:
        """Have `now` on disk in the place of `before`, unless somebody else wrote since it was read.

        Where `counts` is false a run that dies within leaves some clients as they were: all that
        changes is in the journal by then.
        """

    def clear(self) -> None:
        """Take the journal away: all that it says is in the record."""

    def check_lock(self) -> None:
        """Raise if another run may hold the lock by now."""


class InventoryStore(Protocol):
    """Where the inventories of a project are kept (see `file.FileStore` and `objects.ObjectStore`)."""

    def open(
        self, target: str, *, lock: bool, timeout: float = 0.0
    ) -> AbstractContextManager[OpenInventory]:
        """The inventory of `target`; with `lock`, which waits `timeout` seconds, it can be changed."""

    def targets(self) -> tuple[str, ...]:
        """The names of the targets that have a record, sorted. Raises InventoryError."""
