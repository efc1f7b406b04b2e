"""Saves a secret that its sink would not take, in a private file next to the inventory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler import durable
from reconciler.core.errors import InventoryError

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.model import Secret

# Three of them stay within the 255 bytes that a file's name may have.
_LONGEST_PART: Final = 80


def save(directory: Path, target: str, key: str, client_id: str, secret: Secret) -> str:
    """Write the secret of the client `key`, on disk when this returns, and give the file's path.

    One file for each remote id, so that no secret takes the place of another. Raises
    InventoryError.
    """
    folder = directory / ".spool"
    names = (durable.file_name(name) for name in (target, key, client_id))
    path = folder / ("@".join(name[:_LONGEST_PART] for name in names) + ".json")
    content = json.dumps({"client_id": client_id, "client_secret": secret.value}, indent=2)
    try:
        durable.make_folder(folder, mode=durable.PRIVATE_FOLDER)
        durable.keep_out_of_git(folder)
        durable.write(path, f"{content}\n".encode(), mode=durable.PRIVATE_FILE)
    except OSError as error:
        problem = f"{path} cannot be written: {durable.reason(error)}"
    else:
        return str(path)
    raise InventoryError(problem)
