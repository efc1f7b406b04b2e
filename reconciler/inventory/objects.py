"""Keeps the inventory of each target in an object store, so that runs on many machines share it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import atomic_files
from reconciler.core.errors import InventoryError
from reconciler.inventory import lease as locking
from reconciler.inventory.bucket import Bucket
from reconciler.inventory.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.inventory.bucket import Stored
    from reconciler.inventory.lease import Clock, Lease


class Store:
    """The objects of each target below `url`: its record, its lock, its journal's pieces.

    `options` are obstore's, none of them secret: credentials come from the environment. `private`
    is a folder of this machine, for secrets that their sink would not take.
    """

    def __init__(
        self,
        url: str,
        *,
        private: str | Path,
        options: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._url = url
        self._options = dict(options or {})
        self._private = Path(private)
        self._clock = clock or locking.Clock()

    @contextlib.contextmanager
    def open(self, target: str, *, lock: bool, timeout: float = 0.0) -> Iterator[Session]:
        """The inventory of `target`, as `inventory.file.Store` gives it."""
        bucket = Bucket(self._url, self._options)
        name = atomic_files.file_name(target)
        with contextlib.ExitStack() as stack:
            lease = None
            if lock:
                held = locking.held(bucket, f"{name}.lock", timeout=timeout, clock=self._clock)
                lease = stack.enter_context(held)
            shelf = _Prefix(bucket, name, lease)
            session = Session(shelf, target, writable=lock, private=self._private)
            stack.callback(session.close)
            yield session


class _Prefix:
    """The objects of one target. A piece of the journal is one write: `SERIAL-OFFSET`."""

    def __init__(self, bucket: Bucket, name: str, lease: Lease | None) -> None:
        self._bucket = bucket
        self._record = f"{name}.json"
        self._folder = f"{name}.journal"
        self._lease = lease
        self._seen: Stored | None = None
        self.record_path = bucket.where(self._record)
        self.journal_path = bucket.where(self._folder)

    def read(self) -> tuple[bytes | None, bytes | None]:
        while True:
            found = self._bucket.get(self._record)
            pieces = self._pieces()
            # A run that ends meanwhile writes the record, then takes the journal away.
            if pieces is not None and self._bucket.unchanged(self._record, found):
                self._seen = found
                record = None if found is None else found.content
                return record, b"".join(pieces) if pieces else None

    def append(self, serial: int, offset: int, lines: bytes) -> None:
        name = f"{self._folder}/{serial:012d}-{offset:012d}"
        if self._bucket.put(name, lines, over=None) is not None:
            return
        # A piece that was written and not answered, before more was to be written with it.
        there = self._bucket.get(name)
        if there is None or not there.content or not lines.startswith(there.content):
            raise InventoryError(f"another run writes to {self.journal_path}: nothing more is done")
        size = len(there.content)
        self.append(serial, offset + size, lines[size:])

    def replace(self, content: bytes) -> None:
        put = self._bucket.put(self._record, content, over=self._seen)
        if put is None:
            raise InventoryError(
                f"{self.record_path} was changed by somebody else while this run worked, so it is "
                f"left as it is: what this run did is in {self.journal_path}. Bring the record back "
                "to what it was when this run began, then run again"
            )
        self._seen = put

    def clear(self) -> None:
        names = self._bucket.names(self._folder)
        if names:
            self._bucket.delete(names)

    def check(self) -> None:
        if self._lease is not None:
            self._lease.check()

    def _pieces(self) -> list[bytes] | None:
        """The newest journal's pieces in order, None where one is taken away meanwhile."""
        names = self._bucket.names(self._folder)
        newest = names[-1].rpartition("-")[0] if names else ""
        found = [self._bucket.get(name) for name in names if name.startswith(f"{newest}-")]
        pieces = [each.content for each in found if each is not None]
        return pieces if len(pieces) == len(found) else None
