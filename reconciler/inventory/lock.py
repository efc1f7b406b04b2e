"""Lets one process at a time change a target's inventory, and says who it is."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from typing import TYPE_CHECKING

from reconciler import atomic_files
from reconciler.core.errors import InventoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def held(folder: Path, target: str, *, timeout: float, now: Callable[[], str]) -> Iterator[None]:
    """Hold the lock of `target` while the block runs; InventoryError after `timeout` seconds.

    The lock is the system's own: that of a process that died is free. `now` is RFC 3339, for the
    note beside the lock that tells others who holds it.
    """
    import filelock  # noqa: PLC0415 - 45 ms that a plan without a lock does not need

    note = folder / f"{atomic_files.file_name(target)}.holder.json"
    try:
        atomic_files.make_folder(folder, mode=atomic_files.SHARED_FOLDER)
        atomic_files.keep_out_of_git(folder)
        lock = filelock.FileLock(
            folder / f"{atomic_files.file_name(target)}.lock", thread_local=False
        )
        lock.acquire(timeout=timeout)
    except filelock.Timeout:
        problem = f"another run works on it, {_holder(note)}; wait for it, or give --lock-timeout"
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
        with contextlib.suppress(OSError):
            note.unlink()
        lock.release()


def _leave_note(note: Path, now: Callable[[], str]) -> None:
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "since": now()}
    # It is for people: a lock without it holds as well.
    with contextlib.suppress(OSError):
        note.write_text(json.dumps(holder) + "\n", encoding="utf-8")


def _holder(note: Path) -> str:
    try:
        holder = json.loads(note.read_bytes())
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it does not say which"
