"""A folder that holds the record of one target, a file for each client, as git merges it.

Beside the clients' files stands `_target.json`, which no client can have, with what is true of the
target as a whole and seldom changes. Nothing counts the writes: two branches would both count on.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from reconciler import atomic_files
from reconciler.core.errors import InventoryError
from reconciler.core.file_names import is_device
from reconciler.core.model import Inventory
from reconciler.inventory import codec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from reconciler.core.model import InventoryEntry

TARGET_FILE: Final = "_target.json"
_SUFFIX: Final = ".json"
# With the suffix, and with ".tmp" around it, well below the 255 bytes that a name may have.
_LONGEST: Final = 160
_HASH_DIGITS: Final = 32
_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]*", re.ASCII).fullmatch
# From so many files on one sync of everything is cheaper: measured 2.2 ms for each file's own,
# against 0.03 s for 10,000 files at once.
_MANY: Final = 16


def portable_name(name: str) -> str:
    """A name for a file or folder that every system keeps apart from that of any other `name`.

    Also systems that ignore case, and Windows, which has names of its own.
    """
    # Nearly every key is such a name, and a plan asks for thousands.
    if _PLAIN(name) and len(name) <= _LONGEST and not is_device(name):
        return name
    # A lower-case letter stands for itself, so that "%41" is "A" and nothing else.
    safe = "".join(
        f"%{ord(sign):02X}" if "A" <= sign <= "Z" else quote(sign, safe="", errors="surrogatepass")
        for sign in name
    )
    if safe.startswith((".", "_")) or is_device(safe):
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    safe = safe or "%"
    if len(safe) <= _LONGEST:
        return safe
    # "%~" begins no escape, so that a name which is cut is never that of another.
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
    return f"{safe[:_LONGEST]}%~{digest}"


def client_file(key: str) -> str:
    """The name of the file of a client."""
    return f"{portable_name(key)}{_SUFFIX}"


def target_names(directory: Path) -> tuple[str, ...]:
    """The targets that have a folder here, sorted; OSError where `directory` cannot be read."""
    folders = [each.name for each in os.scandir(directory) if each.is_dir()]
    named = {unquote(name) for name in folders if not name.startswith(".")}
    return tuple(sorted(name for name in named if portable_name(name) in folders))


def read_files(folder: Path) -> dict[str, bytes] | None:
    """The content of every file of a record by its name, None where there is no folder.

    FileNotFoundError where one is taken away meanwhile, InventoryError for one that cannot be read.
    """
    try:
        atomic_files.refuse_link(folder)
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if _is_record(each.name)]
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = f"{folder} cannot be read: {atomic_files.reason(error)}"
    else:
        # Texts: a Path for each of thousands of files takes longer than to read it.
        return {name: read_file(f"{folder}/{name}") for name in sorted(names)}
    raise InventoryError(problem)


def decode(files: Mapping[str, bytes], *, target: str, folder: Path) -> Inventory:
    """The inventory in the files of a folder. InventoryError for any that cannot be used."""
    entries, pending, server = {}, {}, ""
    for name, content in files.items():
        path = f"{folder}/{name}"
        if name == TARGET_FILE:
            server = codec.decode_target(content, target=target, path=path)
            continue
        key, entry, intent = codec.decode_client(content, target=target, path=path)
        if client_file(key) != name:
            raise InventoryError(
                f"{path} is the record of the client {key!r}, which belongs in {client_file(key)}: "
                "rename the file if it was renamed by hand, or delete it if it is a copy. To give a "
                "client another key, use `reconciler move`"
            )
        if entry is not None:
            entries[key] = entry
        if intent is not None:
            pending[key] = intent
    return Inventory(target=target, entries=entries, pending=pending, server=server, serial=None)


def encode(now: Inventory, keys: Iterable[str]) -> dict[str, bytes | None]:
    """The files of these clients by name, None for one that is to be there no longer."""
    return {
        client_file(key): None
        if key not in now.entries and key not in now.pending
        else codec.encode_client(
            now.target, key, entry=now.entries.get(key), intent=now.pending.get(key)
        )
        for key in keys
    }


def write_files(folder: Path, staging: Path, changes: Mapping[str, bytes | None]) -> None:
    """Have the files of an existing folder on disk, each of them whole or as it was. OSError."""
    _stage(staging, changes)
    # What goes last: a client that moves to another file is in one of them at any moment.
    for name, content in sorted(changes.items(), key=lambda change: change[1] is None):
        if content is None:
            (folder / name).unlink(missing_ok=True)
        else:
            (staging / name).replace(folder / name)
    atomic_files.sync_folder(folder)
    staging.rmdir()


def make_files(folder: Path, staging: Path, files: Mapping[str, bytes]) -> None:
    """Have a folder that is not there yet on disk, with all its files or not at all. OSError."""
    _stage(staging, files)
    atomic_files.sync_folder(staging)
    staging.rename(folder)
    atomic_files.sync_folder(folder.parent)


def _stage(staging: Path, files: Mapping[str, bytes | None]) -> None:
    """Write the files aside, on disk when this returns. The folder around them must be there."""
    # What a run left that died here: all of it is in the journal.
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=atomic_files.SHARED_FOLDER)
    at_once = len(files) > _MANY and sys.platform == "linux"
    for name, content in files.items():
        if content is not None:
            _write(staging / name, content, sync=not at_once)
    if at_once:
        os.sync()


def _write(path: Path, content: bytes, *, sync: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with open(os.open(path, flags, atomic_files.SHARED_FILE), "wb") as file:  # noqa: PTH123 - a descriptor has no path
        file.write(content)
        if sync:
            file.flush()
            os.fsync(file.fileno())


def _is_record(name: str) -> bool:
    return name.endswith(_SUFFIX) and not name.startswith(".")


def read_file(path: str | Path) -> bytes:
    """The content of a file. FileNotFoundError, and InventoryError for one that cannot be read."""
    try:
        return atomic_files.read(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        problem = f"{path} cannot be read: {atomic_files.reason(error)}"
    raise InventoryError(problem)


def refuse_shared_ids(entries: Mapping[str, InventoryEntry], folder: Path) -> None:
    """InventoryError where two files of a folder claim the same client."""
    holders: dict[str, str] = {}
    for key, entry in entries.items():
        other = holders.setdefault(entry.remote_id, key)
        if other != key:
            raise InventoryError(
                f"{folder / client_file(other)} and {folder / client_file(key)} both claim the "
                f"client {entry.remote_id}, as a merge leaves it where one branch renamed a client "
                "and the other changed it: delete the file of the key that no manifest has any more"
            )
