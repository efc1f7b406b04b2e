"""Turns what the threads of a run record into a journal as they go, and into a record at its end.

Why there are two files, and what each crash leaves of them: docs/decisions/0013.
"""

from __future__ import annotations

import threading
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.core.errors import InventoryError
from reconciler.core.model import Inventory
from reconciler.inventory import journal, spool
from reconciler.inventory.journal import (
    CloseCreate,
    Drop,
    Forget,
    Intend,
    Move,
    Record,
)
from reconciler.inventory.replay import recorded_digest, replay
from reconciler.plan.record.digests import sealed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.core.model import Intent, InventoryEntry, Secret
    from reconciler.inventory.backend import Backend
    from reconciler.inventory.journal import Event
    from reconciler.inventory.spool import SpooledSecret


class OpenInventory:
    """One target's inventory while a run works on it. Threads may share it."""

    def __init__(
        self,
        backend: Backend,
        target: str,
        *,
        writable: bool,
        private: Path,
        spool_folder: Path | None = None,
    ) -> None:
        self._backend = backend
        self._target = target
        self._writable = writable
        self._private, self._spool_folder = private, spool_folder
        self._recorded, lines = backend.read()
        leftover = journal.decode(lines or b"", target=target, path=backend.journal_path)
        self._state, continues = replay(self._recorded, leftover, backend)
        # How many lines and bytes of the journal go on from the record as it is.
        self._journal_lines = len(leftover.events) + 1 if leftover and continues else 0
        self._journal_size = leftover.size if leftover and continues else 0
        self._journal_exists = lines is not None
        # The keys that the journal has lines of; None for a journal that goes by the serial.
        by_serial = backend.counts or (
            self._journal_lines > 1 and not (leftover and leftover.bases)
        )
        self._with_base: set[str] | None = (
            None if by_serial else set(leftover.bases if leftover and continues else ())
        )
        # All below is protected by this; nobody writes to the disk while holding it.
        self._changed = threading.Condition()
        self._server = self._recorded.server
        self._unwritten: list[Event] = []
        self._version = 0
        self._version_on_disk = 0
        self._writing = False
        self._write_failed = False

    @property
    def inventory(self) -> Inventory:
        """What is recorded now; it does not change with later records."""
        with self._changed:
            return Inventory(
                target=self._target,
                entries=MappingProxyType(dict(self._state.entries)),
                pending=MappingProxyType(dict(self._state.pending)),
                serial=self._recorded.serial,
                server=self._server,
            )

    def remember_server(self, address: str) -> None:
        """Remember of which server the ids are, from the next write of the record on."""
        with self._changed:
            self._server = address

    def entry(self, key: str) -> InventoryEntry | None:
        """What is recorded now of one client."""
        return self._state.entries.get(key)

    def check_lock(self) -> None:
        """Raise InventoryError if another run may work on the target by now: nothing more is sent."""
        self._backend.check_lock()

    def intend(self, key: str, intent: Intent) -> None:
        """Remember that a create is about to be sent; on disk when this returns.

        Raises InventoryError, and then the create must not be sent.
        """
        version = self._add_event(Intend(key, intent))
        try:
            self._write_up_to(version)
        except BaseException:
            # It waits to be written with the next event; without this it would be written for good,
            # and every later plan would look for a client that nobody asked for.
            self._add_event(CloseCreate(key))
            raise

    def close_create(self, key: str) -> None:
        """Remember that nothing came of the create that was intended; on disk when this returns."""
        with self._changed:
            known = key in self._state.pending
        if known:
            self._write_up_to(self._add_event(CloseCreate(key)))

    def record(self, key: str, entry: InventoryEntry) -> None:
        """Remember `entry`, and that a create of this key is over.

        One that binds another id than before, ends a create, or says where a secret is or that
        the client is in quarantine is on disk when this returns. The rest may wait for the next
        write: a run that dies before it costs no client, only the knowledge of who moved which
        field. Raises InventoryError, and keeps the entry for the next attempt.
        """
        entry = sealed(entry)
        with self._changed:
            before = self._state.entries.get(key)
            pending = key in self._state.pending
        if entry == before and not pending:
            return
        version = self._add_event(Record(key, entry))
        if pending or before is None or _durable_part(before) != _durable_part(entry):
            self._write_up_to(version)

    def forget(self, key: str) -> None:
        """Remember nothing more of a client; on disk when this returns."""
        if self.entry(key) is not None:
            self._write_up_to(self._add_event(Forget(key)))

    def move(self, key: str, to: str) -> None:
        """Remember a client by another key, and no longer by this one; on disk when this returns."""
        entry = self.entry(key)
        if entry is not None:
            self._write_up_to(self._add_event(Move(key, to, entry)))

    def drop(self, key: str, remote_id: str) -> None:
        """Remember that the server deleted one remote id of a client; on disk when this returns.

        The client is forgotten with the id that it is bound to, else it has a predecessor less.
        """
        if self.entry(key) is not None:
            self._write_up_to(self._add_event(Drop(key, remote_id)))

    def flush(self) -> None:
        """Write the record anew if it changed, and take the journal away. Raises InventoryError."""
        if self._writable:
            self._write_alone(self._prepare_checkpoint, done=self._is_checkpointed)

    def close(self) -> None:
        """Write what is not in the record yet, unless the last write failed: that error was raised."""
        if not self._write_failed:
            self.flush()

    def spool(
        self,
        key: str,
        remote_id: str,
        secret: Secret,
        *,
        client_id: str = "",
        unsettled: bool = False,
    ) -> str:
        """Save a secret that its sink would not take, in a private file; the value is its path.

        `client_id` is the id that the client logs in with, "" for the remote id.

        One that is `unsettled` is about to be set on the server, and its sink must not have it yet.
        """
        return spool.save_secret(
            self._private,
            self._target,
            key,
            remote_id,
            secret,
            client_id=client_id,
            folder=self._spool_folder,
            unsettled=unsettled,
        )

    def spooled_secrets(self) -> tuple[SpooledSecret, ...]:
        """The secrets of this target that still wait for their sink."""
        return spool.read_secrets(self._private, self._target, folder=self._spool_folder)

    def unspool(self, spooled: SpooledSecret) -> None:
        """Delete the private file of a secret that its sink has taken."""
        spool.delete_secret(spooled)

    def _add_event(self, event: Event) -> int:
        """Apply the event to what is known; the value is the version that it made."""
        if not self._writable:
            raise InventoryError(f"the inventory of {self._target} is open for reading only")
        with self._changed:
            self._state.apply(event)
            self._unwritten.append(event)
            self._version += 1
            return self._version

    def _write_up_to(self, version: int) -> None:
        """Have all up to a version on disk: one thread writes, for all that wait by then."""
        # Measured with eight threads on two cores: 1.1 ms a client, with two events each. A write
        # for each event would cost an fsync for each.
        self._write_alone(self._prepare_append, done=lambda: self._version_on_disk >= version)

    def _write_alone(
        self, prepare: Callable[[list[Event]], Callable[[], None]], *, done: Callable[[], bool]
    ) -> None:
        """Write as the only thread, unless another did it by then; what fails waits for the next."""
        with self._changed:
            # One whose events another wrote goes on, though a third may write by now.
            self._changed.wait_for(lambda: done() or not self._writing)
            if done():
                return
            version, events, self._unwritten = self._version, self._unwritten, []
            write = prepare(events)
            self._writing = True
        failed = True
        try:
            # Without the lock: the others add their events meanwhile, for the next write.
            write()
            failed = False
        finally:
            with self._changed:
                self._writing = False
                self._write_failed = failed
                if failed:
                    # In front of what was added meanwhile: the order of events is what they mean.
                    self._unwritten = events + self._unwritten
                else:
                    self._version_on_disk = version
                self._changed.notify_all()

    def _is_checkpointed(self) -> bool:
        moved = self._is_of_another_server(self._server)
        return not (self._writing or self._unwritten or self._journal_exists or moved)

    def _is_of_another_server(self, address: str) -> bool:
        """Whether the record names a server, and not this one."""
        # A record that names none yet gets it with its next change: a run that changes nothing leaves
        # the file in git alone.
        return bool(self._recorded.server) and address != self._recorded.server

    def _prepare_append(self, events: list[Event]) -> Callable[[], None]:
        return partial(self._append, events)

    def _prepare_checkpoint(self, events: list[Event]) -> Callable[[], None]:
        # A copy that is taken under the lock: the state goes on changing while it is written.
        now = Inventory(
            target=self._target,
            entries=dict(self._state.entries),
            pending=dict(self._state.pending),
            serial=(self._recorded.serial or 0) + 1 if self._backend.counts else None,
            server=self._server,
        )
        return partial(self._checkpoint, now, events)

    def _append(self, events: list[Event]) -> None:
        self._backend.check_lock()
        bases = self._new_bases(events)
        lines = journal.encode_events(events, number=max(self._journal_lines, 1), bases=bases)
        if self._journal_lines == 0:
            lines = journal.encode_head(self._target, self._recorded.serial) + lines
        # Before the write: one that fails may have left a file all the same.
        self._journal_exists = True
        self._backend.append(self._recorded.serial, self._journal_size, lines)
        self._journal_lines = max(self._journal_lines, 1) + len(events)
        self._journal_size += len(lines)
        if self._with_base is not None:
            self._with_base |= bases.keys()

    def _new_bases(self, events: list[Event]) -> dict[str, str]:
        """What the record holds of the clients that the journal has no line of yet."""
        if self._with_base is None:
            return {}
        keys = {key for event in events for key in journal.keys_of(event)} - self._with_base
        return {key: recorded_digest(self._recorded, key) for key in sorted(keys)}

    def _checkpoint(self, now: Inventory, events: list[Event]) -> None:
        """Write the record anew where it changed, then take the journal away: in this order."""
        self._backend.check_lock()
        changed = (now.entries, now.pending) != (self._recorded.entries, self._recorded.pending)
        if changed or self._is_of_another_server(now.server):
            if events and not self._backend.counts:
                # The files of several clients change one after the other.
                self._append(events)
            self._backend.replace(self._recorded, now)
            self._recorded = now
            self._journal_lines = self._journal_size = 0
            self._with_base = None if self._backend.counts else set()
        if self._journal_exists:
            self._backend.clear()
            self._journal_exists = False
            self._journal_lines = self._journal_size = 0


def _durable_part(entry: InventoryEntry) -> tuple[object, ...]:
    """What of an entry must not be lost with a run that dies.

    The rest says which values were last applied: a plan finds them on the server again.
    """
    place = (entry.secret, entry.secret_at)
    return entry.remote_id, entry.superseded, place, entry.quarantined_at
