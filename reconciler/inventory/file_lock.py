"""Lets one run at a time change a target's inventory in files, and says who it is."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler import atomic_files
from reconciler.core.errors import InventoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLock:
    """The file that this run has locked, and what tells it from another in its place."""

    path: Path
    identity: tuple[int, int] | None

    def check(self) -> None:
        """Raise InventoryError if another run may hold the lock by now."""
        # The system's lock is on the file that was opened, and held as long as the process lives. Of
        # another file in its place, another run may have the lock.
        if self.identity is None or _file_identity(self.path) != self.identity:
            raise InventoryError(
                f"this run lost its lock, so it writes nothing more: {self.path} was taken away "
                "while it worked. What it recorded by then is kept; run again"
            )


@contextlib.contextmanager
def hold_lock(
    folder: Path, target: str, *, timeout: float, now: Callable[[], str]
) -> Iterator[HeldLock]:
    """Hold the lock of `target` while the block runs; InventoryError after `timeout` seconds.

    The lock is the system's own: that of a process that died is free. A note beside it tells others
    who holds it.
    """
    import filelock  # noqa: PLC0415 - 45 ms that a plan without a lock does not need

    note = folder / f"{atomic_files.file_name(target)}.holder.json"
    path = folder / f"{atomic_files.file_name(target)}.lock"
    try:
        atomic_files.refuse_link(folder)
        atomic_files.make_folder(folder, mode=atomic_files.SHARED_FOLDER)
        atomic_files.keep_out_of_git(folder)
        # Not bound to the thread: the run may give it back from another one than took it.
        lock = filelock.FileLock(path, thread_local=False)
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
        yield HeldLock(path=path, identity=_file_identity(path))
    finally:
        # Before the lock: afterwards it may be the note of the next run.
        with contextlib.suppress(OSError):
            note.unlink()
        lock.release()


def _leave_note(note: Path, now: Callable[[], str]) -> None:
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "since": now()}
    # It is for people: a lock without it holds as well.
    with contextlib.suppress(OSError):
        # Made anew, since a link in its place would be followed.
        note.unlink(missing_ok=True)
        with note.open("x", encoding="utf-8") as file:
            file.write(json.dumps(holder) + "\n")


def _describe_holder(note: Path) -> str:
    try:
        holder = json.loads(atomic_files.read(note))
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it does not say which"


def _file_identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of its name, whatever it holds; None for no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
