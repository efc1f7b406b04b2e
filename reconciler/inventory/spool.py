"""Keeps a secret that its sink would not take, or may not have yet, in a private file."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler import atomic_files, private_files
from reconciler.core.errors import InventoryError
from reconciler.core.model import Secret
from reconciler.validation.folders import SPOOL

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.model import Json

# Three of them stay within the 255 bytes that a file's name may have.
_LONGEST_PART: Final = 80
_MEMBERS: Final = ("target", "key", "client_id", "client_secret")
# The remote id, where it is not the id that the client logs in with.
_REMOTE_ID: Final = "id"
_UNSETTLED: Final = "unsettled"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledSecret:
    """The secret of the client `key`, which logs in with it and `client_id`, and the file that keeps it.

    One that is `unsettled` was about to be set on the server: it may hold, or the one before.
    """

    path: Path
    key: str
    remote_id: str
    client_id: str
    secret: Secret
    unsettled: bool = False


def save_secret(
    directory: Path,
    target: str,
    key: str,
    remote_id: str,
    secret: Secret,
    *,
    client_id: str = "",
    folder: Path | None = None,
    unsettled: bool = False,
) -> str:
    """Write the secret of the client `key`, on disk when this returns; the value is the file's path.

    `client_id` is the id that it logs in with, "" for the remote id. It goes into `folder`, else into one of `directory`. Raises InventoryError.
    """
    own = directory / SPOOL
    # One file for each remote id, so that no secret takes the place of another client's: a replace
    # makes a second client under the same key.
    names = [atomic_files.file_name(name)[:_LONGEST_PART] for name in (target, key, remote_id)]
    # Of several that are unsettled any may be the one that holds.
    names += [secrets.token_hex(4)] if unsettled else []
    path = (folder or own) / ("@".join(names) + ".json")
    values = (target, key, client_id or remote_id, secret.value)
    members: dict[str, Json] = dict(zip(_MEMBERS, values, strict=True))
    members |= {_REMOTE_ID: remote_id} if client_id else {}
    members |= {_UNSETTLED: True} if unsettled else {}
    content = json.dumps(members, indent=2)
    try:
        atomic_files.refuse_link(own)
        atomic_files.make_folder(path.parent, mode=atomic_files.PRIVATE_FOLDER)
        private_files.write(path.parent, path, f"{content}\n".encode())
    except OSError as error:
        problem = f"{path} cannot be written: {atomic_files.reason(error)}"
    else:
        return str(path)
    # Outside of the handler, so that no traceback leads back to the content.
    raise InventoryError(problem)


def read_secrets(
    directory: Path, target: str, *, folder: Path | None = None
) -> tuple[SpooledSecret, ...]:
    """The secrets of `target` that wait, sorted by file. InventoryError for a file that is none.

    They are looked for in both places: another `folder` may have been stated since they were saved.
    """
    folders = [directory / SPOOL, *([folder] if folder else [])]
    # Another folder is where its user says, be it behind a link.
    _refuse_link(folders[0])
    paths = [path for each in folders for path in sorted(each.glob("*.json"))]
    return tuple(spooled for owner, spooled in map(_read, paths) if owner == target)


def _refuse_link(folder: Path) -> None:
    try:
        atomic_files.refuse_link(folder)
    except OSError as error:
        problem = f"{folder} cannot be used: {atomic_files.reason(error)}"
    else:
        return
    raise InventoryError(problem)


def delete_secret(spooled: SpooledSecret) -> None:
    """Delete the file of a secret that its sink has taken. Raises InventoryError."""
    try:
        spooled.path.unlink(missing_ok=True)
        atomic_files.sync_folder(spooled.path.parent)
    except OSError as error:
        problem = f"{spooled.path} cannot be deleted: {atomic_files.reason(error)}"
    else:
        return
    raise InventoryError(problem)


def _read(path: Path) -> tuple[str, SpooledSecret]:
    """The target that a file belongs to, and the secret in it."""
    try:
        document = json.loads(atomic_files.read(path))
        # The names in the file's name are cut short: only the members tell whose it is.
        target, key, client_id, secret = (document[name] for name in _MEMBERS)
    except OSError as error:
        problem = atomic_files.reason(error)
    except (ValueError, KeyError, TypeError, RecursionError):
        # Not what the parser says of it: that may quote the secret.
        problem = "it does not hold a client's secret as it was saved"
    else:
        return target, SpooledSecret(
            path=path,
            key=key,
            remote_id=document.get(_REMOTE_ID, client_id),
            client_id=client_id,
            secret=Secret(secret),
            unsettled=document.get(_UNSETTLED) is True,
        )
    raise InventoryError(
        f"{path} cannot be used: {problem}. If it holds a secret, bring it to where it belongs; "
        "then delete the file"
    )
