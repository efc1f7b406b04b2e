"""Keeps the inventory of each target in JSON files that a person can review and git can merge."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from reconciler import atomic_files
from reconciler.core.errors import InventoryError
from reconciler.core.model import Inventory
from reconciler.inventory import client_files, codec, journal
from reconciler.inventory.file_lock import hold_lock
from reconciler.inventory.open_inventory import OpenInventory
from reconciler.inventory.replay import some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.inventory.file_lock import HeldLock


_LOCKS: Final = ".locks"


def _utc_now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class FileStore:
    """The folder that holds a folder for each target, and a journal while a run works on it.

    Secrets that their sink would not take go into the folder `spool`, else into one of it.
    `now` is the time as RFC 3339, for the note that tells others since when a run holds the lock.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        spool: Path | None = None,
        now: Callable[[], str] = _utc_now,
    ) -> None:
        self._directory = Path(directory)
        self._spool = spool
        self._now = now

    @contextlib.contextmanager
    def open(self, target: str, *, lock: bool, timeout: float = 0.0) -> Iterator[OpenInventory]:
        """The inventory of `target`; with `lock`, which waits `timeout` seconds, it can be changed.

        What was recorded is in the files when the block ends, however it ends. A folder that is not
        there is an inventory without clients. The one file for all clients that earlier versions
        wrote is read as well; the first run that writes makes the folder of it. Raises
        InventoryError.
        """
        with contextlib.ExitStack() as stack:
            held = None
            if lock:
                folder = self._directory / _LOCKS
                held = stack.enter_context(
                    hold_lock(folder, target, timeout=timeout, now=self._now)
                )
            # Read under the lock: what another run wrote before it gave the lock back counts.
            backend = _FileBackend(self._directory, target, held)
            inventory = OpenInventory(
                backend, target, writable=lock, private=self._directory, spool_folder=self._spool
            )
            stack.callback(inventory.close)
            yield inventory

    def targets(self) -> tuple[str, ...]:
        """The names of the targets that have a record or a journal here, sorted."""
        try:
            folders = client_files.target_names(self._directory)
            names = [path.name for path in self._directory.iterdir()]
        except FileNotFoundError:
            return ()
        except OSError as error:
            reason = atomic_files.reason(error)
            raise InventoryError(f"{self._directory} cannot be read: {reason}") from None
        files = atomic_files.names_of(names, (".json", ".journal"))
        return tuple(sorted({*folders, *files}))


class _FileBackend:
    """The folder of one target and its journal, and the one file that was its record before."""

    counts = False

    def __init__(self, directory: Path, target: str, lock: HeldLock | None) -> None:
        self._target = target
        self._lock = lock
        self._folder = directory / client_files.portable_name(target)
        # Near it, so that a rename stays within one file system, and where git sees nothing.
        self._staging = directory / _LOCKS / f"{self._folder.name}.writing"
        self._old = directory / f"{atomic_files.file_name(target)}.json"
        self._journal = directory / f"{atomic_files.file_name(target)}.journal"
        self.record_path = str(self._folder)
        self.journal_path = str(self._journal)
        self._files: dict[str, bytes] | None = None
        self._old_content: bytes | None = None

    def read(self) -> tuple[Inventory, bytes | None]:
        while True:
            before = self._version()
            lines = _read_or_none(self._journal)
            with contextlib.suppress(FileNotFoundError):
                self._old_content = _read_or_none(self._old)
                self._files = client_files.read_files(self._folder)
                # A run that ends meanwhile writes the files, then takes the journal away: a plan,
                # which takes no lock, must not see the old files without their journal.
                if self._version() == before:
                    return self._decode(lines), lines

    def _version(self) -> tuple[object, ...]:
        journal = _file_version(self._journal)
        # It grows while a run works, which is no reason to read it all again.
        return _file_version(self._folder), _file_version(self._old), journal and journal[0]

    def _decode(self, lines: bytes | None) -> Inventory:
        old = self._old_record()
        if not self._files:
            return old or Inventory(target=self._target, entries={}, serial=None)
        now = client_files.decode(self._files, target=self._target, folder=self._folder)
        if lines is None:
            # A run that died while it moved a client may have left both files, and its journal.
            client_files.refuse_shared_ids(now.entries, self._folder)
        if old is not None:
            # A run may have died between the folder and the end of the file that it came from.
            leftover = journal.decode(lines or b"", target=self._target, path=self.journal_path)
            state = journal.InventoryState(old)
            for event in leftover.events if leftover else ():
                state.apply(event)
            self._refuse_two_records(old, state, now)
        return now

    def _old_record(self) -> Inventory | None:
        if self._old_content is None:
            return None
        return codec.decode(self._old_content, target=self._target, path=str(self._old))

    def _refuse_two_records(
        self, old: Inventory, replayed: journal.InventoryState, now: Inventory
    ) -> None:
        """InventoryError where the old file says of a client what the folder does not."""
        keys = sorted(
            key
            for key in old.entries.keys() | old.pending.keys()
            if (now.entries.get(key), now.pending.get(key))
            not in (
                (old.entries.get(key), old.pending.get(key)),
                (replayed.entries.get(key), replayed.pending.get(key)),
            )
        )
        if keys:
            raise InventoryError(
                f"{self._old} and {self._folder} are both there and differ in {some(keys)}, as a merge "
                "leaves it where one branch still had the one file and the other the folder that took "
                "its place. If nothing was applied on the branch of the file since, delete the file. "
                "Else check that branch out, apply there with this version, which makes the folder, "
                "and merge again. Nothing was changed"
            )

    def append(self, _serial: int | None, offset: int, lines: bytes) -> None:
        try:
            atomic_files.make_folder(self._journal.parent, mode=atomic_files.SHARED_FOLDER)
            atomic_files.append(self._journal, lines, offset=offset, mode=atomic_files.SHARED_FILE)
        except OSError as error:
            _raise_not_written(self._journal, error)

    def replace(self, before: Inventory, now: Inventory) -> None:
        changed = (
            before.entries.keys() | before.pending.keys() | now.entries.keys() | now.pending.keys()
        )
        if self._files:
            changed = {key for key in changed if _of(before, key) != _of(now, key)}
        changes = client_files.encode(now, changed)
        if not self._files or before.server != now.server:
            changes[client_files.TARGET_FILE] = codec.encode_target(self._target, now.server)
        self._refuse_changed(changes)
        try:
            atomic_files.refuse_link(self._folder)
            atomic_files.make_folder(self._folder.parent, mode=atomic_files.SHARED_FOLDER)
            self._write(changes)
        except OSError as error:
            _raise_not_written(self._folder, error)

    def _write(self, changes: dict[str, bytes | None]) -> None:
        kept = {name: content for name, content in changes.items() if content is not None}
        if self._folder.exists():
            client_files.write_files(self._folder, self._staging, changes)
        else:
            client_files.make_files(self._folder, self._staging, kept)
        self._files = {
            name: content for name, content in (self._files or {}).items() if name not in changes
        } | kept
        self._end_takeover()

    def _end_takeover(self) -> None:
        """Take the old file away once the folder holds all of it."""
        if self._files and self._old_content is not None:
            self._old.unlink(missing_ok=True)
            atomic_files.sync_folder(self._old.parent)
            self._old_content = None

    def _refuse_changed(self, changes: Mapping[str, bytes | None]) -> None:
        """InventoryError where a file that is to be written is not the one that was read."""
        # The lock keeps other runs away, and not a `git pull` in the middle of this one.
        read = {self._folder / name: (self._files or {}).get(name) for name in changes}
        for path, content in {**read, self._old: self._old_content}.items():
            # What is to be written is there where an earlier attempt failed half-way.
            if _read_or_none(path) not in (content, changes.get(path.name, content)):
                raise InventoryError(
                    f"{path} was changed by somebody else while this run worked, so it is left as it "
                    f"is: what this run did is in {self._journal}. Bring the file back to what it "
                    "was when this run began, then run again"
                )

    def clear(self) -> None:
        try:
            # Before the journal, without which the two could not be told to belong together.
            self._end_takeover()
            self._journal.unlink(missing_ok=True)
            atomic_files.sync_folder(self._journal.parent)
        except OSError as error:
            _raise_not_written(self._journal, error)

    def check_lock(self) -> None:
        if self._lock is not None:
            self._lock.check()


def _file_version(path: Path) -> tuple[int, int, int] | None:
    """What tells one writing of a file from the next; None for no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    # A replaced file has another inode, which tells two writes within one tick of the clock apart.
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read_or_none(path: Path) -> bytes | None:
    try:
        return client_files.read_file(path)
    except FileNotFoundError:
        return None


def _of(inventory: Inventory, key: str) -> tuple[object, object]:
    return inventory.entries.get(key), inventory.pending.get(key)


def _raise_not_written(path: Path, error: OSError) -> NoReturn:
    raise InventoryError(
        f"{path} cannot be written: {atomic_files.reason(error)}; free the disk or mend the rights"
    ) from None
