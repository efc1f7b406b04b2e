"""Keeps the inventory of each target in a JSON file that a person can review and git can hold."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler import durable
from reconciler.core.errors import InventoryError
from reconciler.core.model import Inventory
from reconciler.inventory import document, spool
from reconciler.inventory import lock as locking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.core.model import InventoryEntry, Secret


def _utc() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Store:
    """The folder that holds one inventory file for each target."""

    def __init__(self, directory: str | Path, *, now: Callable[[], str] = _utc) -> None:
        self._directory = Path(directory)
        self._now = now

    @contextlib.contextmanager
    def open(self, target: str, *, lock: bool, timeout: float = 0.0) -> Iterator[Session]:
        """The inventory of `target`; with `lock`, which waits `timeout` seconds, it can be changed.

        What was recorded is on disk when the block ends, however it ends. A file that is not there
        is an inventory without clients. Raises InventoryError.
        """
        with contextlib.ExitStack() as stack:
            if lock:
                folder = self._directory / ".locks"
                stack.enter_context(locking.held(folder, target, timeout=timeout, now=self._now))
            session = Session(self._directory, target, writable=lock)
            stack.callback(session.close)
            yield session


class Session:
    """One target's inventory while a run works on it. Threads may share it."""

    def __init__(self, directory: Path, target: str, *, writable: bool) -> None:
        self._directory = directory
        self._target = target
        self._writable = writable
        self._path = directory / f"{durable.file_name(target)}.json"
        self._entries = dict(_read(self._path, target).entries)
        self._lines: dict[str, bytes] = {}
        self._stale = set(self._entries)
        self._changed = threading.Condition()
        self._version = 0
        self._on_disk = 0
        self._writing = False
        self._failed = False

    @property
    def inventory(self) -> Inventory:
        """What is recorded now; it does not change with later records."""
        with self._changed:
            entries = MappingProxyType(dict(self._entries))
        return Inventory(target=self._target, entries=entries)

    def entry(self, key: str) -> InventoryEntry | None:
        """What is recorded now of one client."""
        return self._entries.get(key)

    def record(self, key: str, entry: InventoryEntry) -> None:
        """Remember `entry`; one that binds another id than before is on disk when this returns.

        The rest may wait for the next write: a run that dies before it costs no client, only the
        knowledge of who moved which field. Raises InventoryError, and keeps the entry for the
        next attempt.
        """
        with self._changed:
            before = self._entries.get(key)
            if entry == before:
                return
            self._set(key, entry)
            mine = self._version
        if before is None or _binding(before) != _binding(entry):
            self._write(upto=mine)

    def forget(self, key: str) -> None:
        """Remember nothing more of a client, from the next write on."""
        with self._changed:
            if key in self._entries:
                self._set(key, None)

    def drop(self, key: str, remote_id: str) -> None:
        """Remember that the server deleted one remote id of a client; on disk when this returns.

        The client is forgotten with the id that it is bound to, else it has a predecessor less.
        """
        with self._changed:
            entry = self._entries.get(key)
            if entry is None:
                return
            left = tuple(old for old in entry.superseded if old != remote_id)
            bound = entry.remote_id != remote_id
            self._set(key, replace(entry, superseded=left) if bound else None)
        self.flush()

    def flush(self) -> None:
        """Write what is not on disk yet. Raises InventoryError."""
        self._write(upto=self._version)

    def close(self) -> None:
        """Write what is not on disk yet, unless that failed before and was told."""
        if not self._failed:
            self.flush()

    def spool(self, key: str, client_id: str, secret: Secret) -> str:
        """Save a secret that its sink would not take, in a private file, and give its path."""
        return spool.save(self._directory, self._target, key, client_id, secret)

    def _set(self, key: str, entry: InventoryEntry | None) -> None:
        if not self._writable:
            raise InventoryError(f"the inventory of {self._target} is open for reading only")
        if entry is None:
            del self._entries[key]
        else:
            self._entries[key] = entry
        self._stale.add(key)
        self._version += 1

    def _write(self, *, upto: int) -> None:
        """Have everything up to a version on disk: one thread writes, for all that wait by then."""
        with self._changed:
            self._changed.wait_for(lambda: self._on_disk >= upto or not self._writing)
            if self._on_disk >= upto:
                return
            self._writing = True
            version = self._version
            content = self._content()
        problem = "the write was broken off"
        try:
            problem = _put(self._path, content)
        finally:
            with self._changed:
                self._writing = False
                self._failed = bool(problem)
                if not problem:
                    self._on_disk = version
                self._changed.notify_all()
        if problem:
            raise InventoryError(problem)

    def _content(self) -> bytes:
        for key in self._stale:
            entry = self._entries.get(key)
            if entry is None:
                self._lines.pop(key, None)
            else:
                self._lines[key] = document.encode_entry(key, entry)
        self._stale.clear()
        return document.encode(self._target, self._lines)


def _binding(entry: InventoryEntry) -> tuple[str, tuple[str, ...]]:
    return entry.remote_id, entry.superseded


def _read(path: Path, target: str) -> Inventory:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Inventory(target=target, entries={})
    except OSError as error:
        problem = f"{path} cannot be read: {durable.reason(error)}"
    else:
        return document.decode(content, target=target, path=str(path))
    raise InventoryError(problem)


def _put(path: Path, content: bytes) -> str:
    """Write the file, and give what went wrong, "" for nothing."""
    try:
        durable.make_folder(path.parent, mode=durable.SHARED_FOLDER)
        durable.write(path, content, mode=durable.SHARED_FILE)
    except OSError as error:
        return (
            f"{path} cannot be written: {durable.reason(error)}; free the disk or mend the rights"
        )
    return ""
