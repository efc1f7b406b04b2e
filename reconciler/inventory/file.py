"""Keeps the inventory of each target in a JSON file that a person can review and git can hold."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from reconciler import atomic_files
from reconciler.core.errors import InventoryError
from reconciler.inventory.open_inventory import OpenInventory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _utc_now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class FileStore:
    """The folder that holds one record for each target, and a journal while a run works on it.

    `now` is the time as RFC 3339, for the note that tells others since when a run holds the lock.
    """

    def __init__(self, directory: str | Path, *, now: Callable[[], str] = _utc_now) -> None:
        self._directory = Path(directory)
        self._now = now

    @contextlib.contextmanager
    def open(self, target: str, *, lock: bool, timeout: float = 0.0) -> Iterator[OpenInventory]:
        """The inventory of `target`; with `lock`, which waits `timeout` seconds, it can be changed.

        What was recorded is in the record when the block ends, however it ends. A file that is not
        there is an inventory without clients. Raises InventoryError.
        """
        with contextlib.ExitStack() as stack:
            if lock:
                folder = self._directory / ".locks"
                stack.enter_context(_hold_lock(folder, target, timeout=timeout, now=self._now))
            # Read under the lock: what another run wrote before it gave the lock back counts.
            backend = _FileBackend(self._directory, target)
            inventory = OpenInventory(backend, target, writable=lock, private=self._directory)
            stack.callback(inventory.close)
            yield inventory

    def targets(self) -> tuple[str, ...]:
        """The names of the targets that have a record or a journal here, sorted."""
        try:
            names = [path.name for path in self._directory.iterdir()]
        except FileNotFoundError:
            return ()
        except OSError as error:
            reason = atomic_files.reason(error)
            raise InventoryError(f"{self._directory} cannot be read: {reason}") from None
        return atomic_files.names_of(names, (".json", ".journal"))


class _FileBackend:
    """The two files of one target."""

    def __init__(self, directory: Path, target: str) -> None:
        self._record = directory / f"{atomic_files.file_name(target)}.json"
        self._journal = directory / f"{atomic_files.file_name(target)}.journal"
        self.record_path = str(self._record)
        self.journal_path = str(self._journal)
        self._digest_when_read = b""

    def read(self) -> tuple[bytes | None, bytes | None]:
        while True:
            before = _file_version(self._record)
            record, lines = _read_or_none(self._record), _read_or_none(self._journal)
            # A run that ends meanwhile writes the record, then takes the journal away: a plan, which
            # takes no lock, must not see the old record without its journal.
            if _file_version(self._record) == before:
                self._digest_when_read = _digest(record)
                return record, lines

    def append(self, _serial: int, offset: int, lines: bytes) -> None:
        try:
            atomic_files.make_folder(self._journal.parent, mode=atomic_files.SHARED_FOLDER)
            atomic_files.append(self._journal, lines, offset=offset, mode=atomic_files.SHARED_FILE)
        except OSError as error:
            _raise_not_written(self._journal, error)

    def replace(self, content: bytes) -> None:
        # The lock keeps other runs away, and not a `git pull` in the middle of this one.
        if _digest(_read_or_none(self._record)) != self._digest_when_read:
            raise InventoryError(
                f"{self._record} was changed by somebody else while this run worked, so it is left "
                f"as it is: what this run did is in {self._journal}. Bring the record back to what "
                "it was when this run began, then run again"
            )
        try:
            atomic_files.make_folder(self._record.parent, mode=atomic_files.SHARED_FOLDER)
            atomic_files.write(self._record, content, mode=atomic_files.SHARED_FILE)
        except OSError as error:
            _raise_not_written(self._record, error)
        self._digest_when_read = _digest(content)

    def clear(self) -> None:
        try:
            self._journal.unlink(missing_ok=True)
            atomic_files.sync_folder(self._journal.parent)
        except OSError as error:
            _raise_not_written(self._journal, error)

    def check_lock(self) -> None:
        """Return at once: the system's lock is held as long as the process lives."""


@contextlib.contextmanager
def _hold_lock(
    folder: Path, target: str, *, timeout: float, now: Callable[[], str]
) -> Iterator[None]:
    """Hold the lock of `target` while the block runs; InventoryError after `timeout` seconds.

    The lock is the system's own: that of a process that died is free. A note beside it tells others
    who holds it.
    """
    import filelock  # noqa: PLC0415 - 45 ms that a plan without a lock does not need

    note = folder / f"{atomic_files.file_name(target)}.holder.json"
    try:
        atomic_files.make_folder(folder, mode=atomic_files.SHARED_FOLDER)
        atomic_files.keep_out_of_git(folder)
        # Not bound to the thread: the run may give it back from another one than took it.
        lock = filelock.FileLock(
            folder / f"{atomic_files.file_name(target)}.lock", thread_local=False
        )
        lock.acquire(timeout=timeout)
    except filelock.Timeout:
        holder = _describe_holder(note)
        problem = f"another run works on it, {holder}; wait for it, or give --lock-timeout"
    except OSError as error:
        problem = f"{folder}: {atomic_files.reason(error)}"
    else:
        problem = ""
    if problem:
        raise InventoryError(f"the inventory of {target} cannot be locked: {problem}")
    try:
        _leave_note(note, now)
        yield
    finally:
        # Before the lock: afterwards it may be the note of the next run.
        with contextlib.suppress(OSError):
            note.unlink()
        lock.release()


def _leave_note(note: Path, now: Callable[[], str]) -> None:
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "since": now()}
    # It is for people: a lock without it holds as well.
    with contextlib.suppress(OSError):
        note.write_text(json.dumps(holder) + "\n", encoding="utf-8")


def _describe_holder(note: Path) -> str:
    try:
        holder = json.loads(note.read_bytes())
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it does not say which"


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
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = f"{path} cannot be read: {atomic_files.reason(error)}"
    raise InventoryError(problem)


def _digest(content: bytes | None) -> bytes:
    return b"" if content is None else hashlib.sha256(content).digest()


def _raise_not_written(path: Path, error: OSError) -> NoReturn:
    raise InventoryError(
        f"{path} cannot be written: {atomic_files.reason(error)}; free the disk or mend the rights"
    ) from None
