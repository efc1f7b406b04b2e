"""Keeps the inventory of each target in an object store, so that runs on many machines share it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import atomic_files
from reconciler.core.errors import InventoryError
from reconciler.core.model import Inventory
from reconciler.inventory import codec
from reconciler.inventory.bucket import Bucket
from reconciler.inventory.lease import Clock, hold_lease
from reconciler.inventory.open_inventory import OpenInventory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.inventory.bucket import StoredObject
    from reconciler.inventory.lease import Lease


class ObjectStore:
    """The objects of each target below `url`: its record, its lock, its journal's pieces.

    `options` are obstore's, none of them secret: credentials come from the environment. `private`
    is a folder of this machine, for secrets that their sink would not take; `spool` is one for them alone.
    """

    def __init__(
        self,
        url: str,
        *,
        private: str | Path,
        spool: Path | None = None,
        options: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._url = url
        self._options = dict(options or {})
        self._private = Path(private)
        self._spool = spool
        self._clock = clock or Clock()

    @contextlib.contextmanager
    def open(self, target: str, *, lock: bool, timeout: float = 0.0) -> Iterator[OpenInventory]:
        """The inventory of `target`, as `inventory.file.FileStore` gives it."""
        bucket = Bucket(self._url, self._options)
        name = atomic_files.file_name(target)
        with contextlib.ExitStack() as stack:
            lease = None
            if lock:
                holding = hold_lease(bucket, f"{name}.lock", timeout=timeout, clock=self._clock)
                lease = stack.enter_context(holding)
            backend = _ObjectBackend(bucket, target, lease)
            inventory = OpenInventory(
                backend, target, writable=lock, private=self._private, spool_folder=self._spool
            )
            # Before the lease ends: the record is written only under it.
            stack.callback(inventory.close)
            yield inventory

    def targets(self) -> tuple[str, ...]:
        """The names of the targets that have a record or a journal in the bucket, sorted."""
        found = {name.partition("/")[0] for name in Bucket(self._url, self._options).names("")}
        return atomic_files.names_of(found, (".json", ".journal"))


class _ObjectBackend:
    """The objects of one target. A piece of the journal is one write: `SERIAL-OFFSET`."""

    counts = True

    def __init__(self, bucket: Bucket, target: str, lease: Lease | None) -> None:
        self._bucket, self._target = bucket, target
        name = atomic_files.file_name(target)
        self._record = f"{name}.json"
        self._folder = f"{name}.journal"
        self._lease = lease
        self._record_when_read: StoredObject | None = None
        self._known_pieces: set[str] = set()
        self.record_path = bucket.address(self._record)
        self.journal_path = bucket.address(self._folder)

    def read(self) -> tuple[Inventory, bytes | None]:
        while True:
            found = self._bucket.get(self._record)
            record = self._decode(found)
            pieces = self._read_pieces(record.serial or 0)
            # A run that ends meanwhile writes the record, then takes the journal away.
            if pieces is not None and self._bucket.is_unchanged(self._record, found):
                self._record_when_read = found
                return record, b"".join(pieces) if pieces else None

    def append(self, serial: int | None, offset: int, lines: bytes) -> None:
        name = f"{self._folder}/{serial or 0:012d}-{offset:012d}"
        self._known_pieces.add(name)
        # Only where none is: two runs cannot write the same place of a journal.
        if self._bucket.put(name, lines, replacing=None) is not None:
            self._take_back_if_late(name)
            return
        # What failed to be written is written again with what came after it. This piece is from
        # such a write, which was carried out and not answered: it stays, and the rest follows it.
        there = self._bucket.get(name)
        if there is None or not there.content or not lines.startswith(there.content):
            raise InventoryError(f"another run writes to {self.journal_path}: nothing more is done")
        size = len(there.content)
        self.append(serial, offset + size, lines[size:])

    def _take_back_if_late(self, name: str) -> None:
        """Raise InventoryError if the lock was lost while a piece was written, and take that away.

        It is left where the other run may have read it: until that wrote the record.
        """
        try:
            self.check_lock()
        except InventoryError:
            if not self._bucket.is_unchanged(self._record, self._record_when_read):
                self._bucket.delete([name])
            raise

    def replace(self, _before: Inventory, now: Inventory) -> None:
        content = codec.encode(now)
        put = self._bucket.put(self._record, content, replacing=self._record_when_read)
        if put is None:
            raise InventoryError(
                f"{self.record_path} was changed by somebody else while this run worked, so it is "
                f"left as it is: what this run did is in {self.journal_path}. Bring the record back "
                "to what it was when this run began, then run again"
            )
        self._record_when_read = put

    def clear(self) -> None:
        # Only what was there under this run's lock: what came since is another run's.
        names = self._known_pieces.intersection(self._bucket.names(self._folder))
        if names:
            self._bucket.delete(sorted(names))

    def check_lock(self) -> None:
        if self._lease is not None:
            self._lease.check()

    def _decode(self, found: StoredObject | None) -> Inventory:
        if found is None:
            return Inventory(target=self._target, entries={})
        return codec.decode(found.content, target=self._target, path=self.record_path)

    def _read_pieces(self, serial: int) -> list[bytes] | None:
        """The newest journal's pieces in order, None where one is taken away meanwhile.

        `serial` is that of the record.
        """
        names = self._bucket.names(self._folder)
        self._known_pieces.update(names)
        # By the serial in the names: pieces of an older one were left by a run that died between
        # the record and the deletes.
        newest = names[-1].rpartition("-")[0] if names else ""
        chosen = [name for name in names if name.startswith(f"{newest}-")]
        if chosen and self._is_late(chosen[0], serial):
            return []
        found = [self._bucket.get(name) for name in chosen]
        pieces = [each.content for each in found if each is not None]
        return pieces if len(pieces) == len(found) else None

    def _is_late(self, first: str, serial: int) -> bool:
        """Whether a journal from `first` on is what a run put there that had lost its lock by then.

        It has no beginning, which another run has folded into a newer record.
        """
        of, _, offset = first.removeprefix(f"{self._folder}/").partition("-")
        return of < f"{serial:012d}" and offset != f"{0:012d}"
