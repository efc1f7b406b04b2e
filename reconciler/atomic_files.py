"""Puts bytes into a file so that they are there whole or not at all, also after a power cut."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# What a new file or folder gets before the umask: for its owner alone, or as any program makes it.
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
SHARED_FILE: Final = 0o666
SHARED_FOLDER: Final = 0o777

IGNORE_ALL: Final = b"*\n"  # what a `.gitignore` of ours says

# How a file is called until it is whole: `.NAME.reconciler-PROCESS.tmp`.
_MARK: Final = ".reconciler-"
_LEFT: Final = re.compile(r"\..+\.reconciler-([0-9]{1,10})\.tmp", re.ASCII | re.DOTALL)
_PROBE: Final = ".probe-reconciler-"

# A link in the place of a file is refused: somebody else chose where it leads. Windows has no such flag,
# and makes links for administrators alone.
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)


def write(path: Path, content: bytes, *, mode: int) -> None:
    """Replace `path` by `content`, on disk when this returns; OSError leaves the old file as it was.

    `mode` is cut by the umask. The folder must be there, and nobody else may write to `path`
    meanwhile. What a process that died left in the folder is deleted.
    """
    _sweep(path.parent)
    # In the same folder, since a rename is atomic only within one file system (POSIX rename).
    temporary = path.with_name(f".{path.name}{_MARK}{os.getpid()}.tmp")
    # The second is what earlier versions called it.
    for left in (temporary, path.with_name(f".{path.name}.tmp")):
        left.unlink(missing_ok=True)
    try:
        _create(temporary, content, mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    # A rename is in the folder, not in the file: without this a power cut may bring the old one back.
    sync_folder(path.parent)


@lru_cache(maxsize=256)
def _sweep(folder: Path) -> None:
    """Delete what processes that died have left in a folder of their attempts to write files. Once a process."""
    # On Windows a process cannot be asked for in this way, and an open file cannot be deleted.
    if os.name == "nt":  # pragma: no cover - as it says
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            left = _LEFT.fullmatch(entry.name)
            if left and entry.is_file(follow_symlinks=False) and not _is_alive(int(left[1])):
                os.unlink(entry.path)  # noqa: PTH108 - an entry has no method for it


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # another user's
    return True


def probe(folder: Path, content: bytes) -> None:
    """Write `content` into a file of a folder and take it away again, with what earlier probes left there.

    Raises OSError where that cannot be done.
    """
    for left in folder.glob(f"{_PROBE}*"):
        # Another run may be at it: it minds no probe that is gone.
        with contextlib.suppress(OSError):
            left.unlink()
    path = folder / f"{_PROBE}{os.getpid()}-{threading.get_ident()}"
    try:
        _create(path, content, PRIVATE_FILE)
    finally:
        path.unlink(missing_ok=True)


def create(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that is not there yet, on disk when this returns; OSError leaves nothing behind.

    FileExistsError where it is there, and then it stays as it is.
    """
    try:
        _create(path, content, mode)
    except FileExistsError:
        # Somebody else's, so it is not deleted below.
        raise
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _create(path: Path, content: bytes, mode: int) -> None:
    # With its rights from the start: a chmod afterwards would leave a moment for others to read it.
    # With O_EXCL no link is followed either (POSIX open).
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no path
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def append(path: Path, content: bytes, *, offset: int, mode: int) -> None:
    """Write `content` from `offset` of a file on, on disk when this returns; what stood there is gone.

    The file is made where it is not there. What an OSError leaves from `offset` on is not defined.
    A link is not followed but refused.
    """
    is_new = not path.exists()
    flags = os.O_WRONLY | os.O_CREAT | _NO_FOLLOW
    with open(os.open(path, flags, mode), "wb") as file:  # noqa: PTH123 - as above
        # What an earlier attempt left from there on may be longer than `content`.
        file.truncate(offset)
        file.seek(offset)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    # Only then: the name in the folder is durable already, and another fsync costs as much again.
    if is_new:
        sync_folder(path.parent)


def read(path: str | Path) -> bytes:
    """The content of a file that the tool wrote. OSError, also for a link in its place."""
    with open(path, "rb", opener=_open_no_link) as file:
        return file.read()


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | _NO_FOLLOW)


def refuse_link(path: Path) -> None:
    """Raise OSError where a folder that the tool makes is a link to another."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def make_folder(path: Path, *, mode: int) -> None:
    """Create `path` and the folders above it that are missing, on disk when this returns."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        # Another process may make the same one at this moment.
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=mode)
        sync_folder(folder.parent)
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder")


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):  # pragma: no cover - Windows keeps names by itself
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def keep_out_of_git(folder: Path) -> None:
    """Have git ignore all that is in `folder`. Threads and other runs may do the same at this moment."""
    path = folder / ".gitignore"
    if os.path.lexists(path):
        return
    # Whole from the start: one that is empty for a moment has git take what another thread writes.
    temporary = folder / f"..gitignore-{threading.get_ident()}{_MARK}{os.getpid()}.tmp"
    try:
        _create(temporary, IGNORE_ALL, SHARED_FILE)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def file_name(name: str) -> str:
    """A name that is safe for a file: two names never share one, and none leaves its folder."""
    safe = quote(name, safe="")
    # quote leaves dots alone: ".." would leave the folder, and ".git" be hidden.
    return f"%2E{safe[1:]}" if safe.startswith(".") else safe or "%"


def names_of(files: Iterable[str], suffixes: Sequence[str]) -> tuple[str, ...]:
    """The names, sorted, that `file_name` made these files of, each with one of `suffixes` at its end."""
    stems = {
        file.removesuffix(suffix)
        for file in files
        for suffix in suffixes
        if file.endswith(suffix) and not file.startswith(".")
    }
    # Another spelling is no file of ours, such as a copy that somebody made.
    named = {unquote(stem) for stem in stems}
    return tuple(sorted(name for name in named if file_name(name) in stems))


def reason(error: OSError) -> str:
    """The system's words for why it refused, without the path that Python adds; ours for a link."""
    if error.errno == errno.ELOOP:
        return (
            "it is a link, and none is followed here; put a file or folder of its own in its place"
        )
    return error.strerror or str(error)
