"""Keeps the inventory of each target in a JSON file that a person can review and git can hold."""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from reconciler import atomic_files
from reconciler.core.errors import InventoryError
from reconciler.inventory import lock as locking
from reconciler.inventory.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Session", "Store"]


def _utc() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Store:
    """The folder that holds one record for each target, and a journal while a run works on it."""

    def __init__(self, directory: str | Path, *, now: Callable[[], str] = _utc) -> None:
        self._directory = Path(directory)
        self._now = now

    @contextlib.contextmanager
    def open(self, target: str, *, lock: bool, timeout: float = 0.0) -> Iterator[Session]:
        """The inventory of `target`; with `lock`, which waits `timeout` seconds, it can be changed.

        What was recorded is in the record when the block ends, however it ends. A file that is not
        there is an inventory without clients. Raises InventoryError.
        """
        with contextlib.ExitStack() as stack:
            if lock:
                folder = self._directory / ".locks"
                stack.enter_context(locking.held(folder, target, timeout=timeout, now=self._now))
            shelf = _Folder(self._directory, target)
            session = Session(shelf, target, writable=lock, private=self._directory)
            stack.callback(session.close)
            yield session


class _Folder:
    """The two files of one target."""

    def __init__(self, directory: Path, target: str) -> None:
        self._record = directory / f"{atomic_files.file_name(target)}.json"
        self._journal = directory / f"{atomic_files.file_name(target)}.journal"
        self.record_path = str(self._record)
        self.journal_path = str(self._journal)
        self._seen = b""

    def read(self) -> tuple[bytes | None, bytes | None]:
        while True:
            before = _stamp(self._record)
            record, lines = _content(self._record), _content(self._journal)
            # A run that ends meanwhile writes the record, then takes the journal away.
            if _stamp(self._record) == before:
                self._seen = _digest(record)
                return record, lines

    def append(self, _serial: int, offset: int, lines: bytes) -> None:
        try:
            atomic_files.make_folder(self._journal.parent, mode=atomic_files.SHARED_FOLDER)
            atomic_files.append(self._journal, lines, offset=offset, mode=atomic_files.SHARED_FILE)
        except OSError as error:
            _refuse(self._journal, error)

    def replace(self, content: bytes) -> None:
        if _digest(_content(self._record)) != self._seen:
            raise InventoryError(
                f"{self._record} was changed by somebody else while this run worked, so it is left "
                f"as it is: what this run did is in {self._journal}. Bring the record back to what "
                "it was when this run began, then run again"
            )
        try:
            atomic_files.make_folder(self._record.parent, mode=atomic_files.SHARED_FOLDER)
            atomic_files.write(self._record, content, mode=atomic_files.SHARED_FILE)
        except OSError as error:
            _refuse(self._record, error)
        self._seen = _digest(content)

    def clear(self) -> None:
        try:
            self._journal.unlink(missing_ok=True)
            atomic_files.sync_folder(self._journal.parent)
        except OSError as error:
            _refuse(self._journal, error)

    def check(self) -> None:
        """The system's lock is held as long as the process lives."""


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = f"{path} cannot be read: {atomic_files.reason(error)}"
    raise InventoryError(problem)


def _digest(content: bytes | None) -> bytes:
    return b"" if content is None else hashlib.sha256(content).digest()


def _refuse(path: Path, error: OSError) -> NoReturn:
    raise InventoryError(
        f"{path} cannot be written: {atomic_files.reason(error)}; free the disk or mend the rights"
    ) from None
