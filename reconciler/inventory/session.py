"""Turns what a run does, from all its threads, into a journal as it goes and a record at its end."""

from __future__ import annotations

import threading
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from reconciler.core.errors import InventoryError
from reconciler.core.model import Inventory
from reconciler.inventory import document, journal, spool
from reconciler.inventory.journal import Drop, Forget, Intend, Record, Settle, State

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from reconciler.core.model import Intent, InventoryEntry, Secret
    from reconciler.inventory.journal import Event, Journal
    from reconciler.inventory.spool import Spooled

_SHOWN: Final = 10


class Shelf(Protocol):
    """Where the record and the journal of one target are kept; all of it raises InventoryError."""

    record_path: str
    journal_path: str

    def read(self) -> tuple[bytes | None, bytes | None]:
        """The record and the journal, None where there is none, both of the same moment."""

    def append(self, serial: int, offset: int, lines: bytes) -> None:
        """Have `lines` on disk from `offset` of the journal on, in place of all that follows there."""

    def replace(self, content: bytes) -> None:
        """Have another record on disk, unless somebody else wrote one since it was read."""

    def clear(self) -> None:
        """Take the journal away: all that it says is in the record."""

    def check(self) -> None:
        """Raise if the lock is not held any more."""


class Store(Protocol):
    """Where the inventories of a project are kept (see `file.Store` and `objects.Store`)."""

    def open(
        self, target: str, *, lock: bool, timeout: float = 0.0
    ) -> AbstractContextManager[Session]:
        """The inventory of `target`; with `lock`, which waits `timeout` seconds, it can be changed."""


class Session:
    """One target's inventory while a run works on it. Threads may share it."""

    def __init__(self, shelf: Shelf, target: str, *, writable: bool, private: Path) -> None:
        self._shelf = shelf
        self._target = target
        self._writable = writable
        self._private = private
        record, lines = shelf.read()
        self._recorded = _record(record, target, shelf.record_path)
        left = journal.read(lines or b"", target=target, path=shelf.journal_path)
        self._state, continued = _replay(self._recorded, left, shelf)
        # How many lines and bytes of the journal go on from the record as it is.
        self._number = len(left.events) + 1 if left and continued else 0
        self._size = left.size if left and continued else 0
        self._journal_left = lines is not None
        self._changed = threading.Condition()
        self._waiting: list[Event] = []
        self._version = 0
        self._on_disk = 0
        self._writing = False
        self._failed = False

    @property
    def inventory(self) -> Inventory:
        """What is recorded now; it does not change with later records."""
        with self._changed:
            return Inventory(
                target=self._target,
                entries=MappingProxyType(dict(self._state.entries)),
                pending=MappingProxyType(dict(self._state.pending)),
                serial=self._recorded.serial,
            )

    def entry(self, key: str) -> InventoryEntry | None:
        """What is recorded now of one client."""
        return self._state.entries.get(key)

    def check(self) -> None:
        """Raise InventoryError if another run may work on the target by now: nothing more is sent."""
        self._shelf.check()

    def intend(self, key: str, intent: Intent) -> None:
        """Remember that a create is about to be sent; on disk when this returns.

        Raises InventoryError, and then the create must not be sent.
        """
        mine = self._take(Intend(key, intent))
        try:
            self._commit(mine)
        except BaseException:
            self._take(Settle(key))
            raise

    def settle(self, key: str) -> None:
        """Remember that nothing came of the create that was intended; on disk when this returns."""
        with self._changed:
            known = key in self._state.pending
        if known:
            self._commit(self._take(Settle(key)))

    def record(self, key: str, entry: InventoryEntry) -> None:
        """Remember `entry`, and that a create of this key is over.

        One that binds another id than before, ends a create, or says where a secret is or that
        the client is in quarantine is on disk when this returns. The rest may wait for the next
        write: a run that dies before it costs no client, only the knowledge of who moved which
        field. Raises InventoryError, and keeps the entry for the next attempt.
        """
        with self._changed:
            before = self._state.entries.get(key)
            pending = key in self._state.pending
        if entry == before and not pending:
            return
        mine = self._take(Record(key, entry))
        if pending or before is None or _lasting(before) != _lasting(entry):
            self._commit(mine)

    def forget(self, key: str) -> None:
        """Remember nothing more of a client, from the next write on."""
        if self.entry(key) is not None:
            self._take(Forget(key))

    def drop(self, key: str, remote_id: str) -> None:
        """Remember that the server deleted one remote id of a client; on disk when this returns.

        The client is forgotten with the id that it is bound to, else it has a predecessor less.
        """
        if self.entry(key) is not None:
            self._commit(self._take(Drop(key, remote_id)))

    def flush(self) -> None:
        """Write the record anew if it changed, and take the journal away. Raises InventoryError."""
        if self._writable:
            self._lead(self._folding, done=self._is_folded)

    def close(self) -> None:
        """Write what is not in the record yet, unless writing failed before and was told."""
        if not self._failed:
            self.flush()

    def spool(self, key: str, client_id: str, secret: Secret) -> str:
        """Save a secret that its sink would not take, in a private file, and give its path."""
        return spool.save(self._private, self._target, key, client_id, secret)

    def spooled(self) -> tuple[Spooled, ...]:
        """The secrets of this target that still wait for their sink."""
        return spool.waiting(self._private, self._target)

    def unspool(self, spooled: Spooled) -> None:
        """Delete the private file of a secret that its sink has taken."""
        spool.remove(spooled)

    def _take(self, event: Event) -> int:
        """Let the event happen, and give the version that it made."""
        if not self._writable:
            raise InventoryError(f"the inventory of {self._target} is open for reading only")
        with self._changed:
            self._state.apply(event)
            self._waiting.append(event)
            self._version += 1
            return self._version

    def _commit(self, upto: int) -> None:
        """Have all up to a version on disk: one thread writes, for all that wait by then."""
        self._lead(self._appending, done=lambda: self._on_disk >= upto)

    def _lead(
        self, prepare: Callable[[list[Event]], Callable[[], None]], *, done: Callable[[], bool]
    ) -> None:
        """Write alone, unless another did by then; what fails waits for the next who writes."""
        with self._changed:
            # One whose events another wrote goes on, though a third may write by now.
            self._changed.wait_for(lambda: done() or not self._writing)
            if done():
                return
            version, events, self._waiting = self._version, self._waiting, []
            write = prepare(events)
            self._writing = True
        failed = True
        try:
            write()
            failed = False
        finally:
            with self._changed:
                self._writing = False
                self._failed = failed
                if failed:
                    self._waiting = events + self._waiting
                else:
                    self._on_disk = version
                self._changed.notify_all()

    def _is_folded(self) -> bool:
        return not (self._writing or self._waiting or self._journal_left)

    def _appending(self, events: list[Event]) -> Callable[[], None]:
        return partial(self._append, events)

    def _folding(self, _events: list[Event]) -> Callable[[], None]:
        now = Inventory(
            target=self._target,
            entries=dict(self._state.entries),
            pending=dict(self._state.pending),
            serial=self._recorded.serial + 1,
        )
        return partial(self._fold, now)

    def _append(self, events: list[Event]) -> None:
        self._shelf.check()
        lines = journal.lines(events, number=max(self._number, 1))
        if self._number == 0:
            lines = journal.first_line(self._target, self._recorded.serial) + lines
        self._journal_left = True
        self._shelf.append(self._recorded.serial, self._size, lines)
        self._number = max(self._number, 1) + len(events)
        self._size += len(lines)

    def _fold(self, now: Inventory) -> None:
        self._shelf.check()
        if (now.entries, now.pending) != (self._recorded.entries, self._recorded.pending):
            self._shelf.replace(document.encode(now))
            self._recorded = now
            self._number = self._size = 0
        if self._journal_left:
            self._shelf.clear()
            self._journal_left = False
            self._number = self._size = 0


def _record(content: bytes | None, target: str, path: str) -> Inventory:
    if content is None:
        return Inventory(target=target, entries={})
    return document.decode(content, target=target, path=path)


def _replay(recorded: Inventory, left: Journal | None, shelf: Shelf) -> tuple[State, bool]:
    """What is known after the run that left a journal, and whether that journal goes on."""
    state = State(recorded)
    if left is None:
        return state, False
    for event in left.events:
        state.apply(event)
    if left.serial == recorded.serial:
        return state, True
    folded = (state.entries, state.pending) == (recorded.entries, recorded.pending)
    if left.serial < recorded.serial and folded:
        # The run died after it wrote the record and before it took the journal away.
        return state, False
    keys = sorted({event.key for event in left.events})
    raise InventoryError(
        f"{shelf.journal_path} and {shelf.record_path} do not belong together: the journal goes on "
        f"from serial {left.serial}, the record has serial {recorded.serial}. A run on this copy "
        "could not end, and the record was since replaced by another copy. Bring the record of "
        f"serial {left.serial} back, or compare {_some(keys)} with the server and move the "
        "journal away"
    )


def _some(keys: list[str]) -> str:
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return f"{', '.join(keys[:_SHOWN])}{more}"


def _lasting(entry: InventoryEntry) -> tuple[object, ...]:
    """What of an entry must not be lost with a run that dies."""
    return entry.remote_id, entry.superseded, entry.secret, entry.quarantined_at
