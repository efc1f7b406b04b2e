"""Says what is wrong with a file of the inventory that cannot be used, and what to do about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.core.errors import InventoryError
from reconciler.inventory import strict_json
from reconciler.validation.merges import unmerged_lines

if TYPE_CHECKING:
    from reconciler.core.model import Json


def parse_json(content: bytes, path: str, sides: str) -> Json:
    """The JSON in `content`. InventoryError, which names `path`; `sides` is what to do with a merge."""
    try:
        return strict_json.parse(content)
    except strict_json.NotStrict as error:
        reason, line = str(error), error.line
    raise _conflict(content, path, sides) or unusable(path, reason, line)


def _conflict(content: bytes, path: str, sides: str) -> InventoryError | None:
    """The error of a file that git could not merge, None for another one."""
    marked = unmerged_lines(content)
    if not marked:
        return None
    return InventoryError(
        f"{path} cannot be used: from line {marked[0]} on it holds the marks of a merge that git could "
        f"not end. Nothing was changed. {sides}. Then `git add` it and run `reconciler plan`, which "
        "shows what is left to do"
    )


def unusable(path: str, problem: str, line: int = 0) -> InventoryError:
    """The error of a file that cannot be used, with what to do; `line` is from 1, 0 for none."""
    place = f" ({path}:{line})" if line else ""
    return InventoryError(
        f"{path} cannot be used: {problem}{place}. Nothing is done without it, since it says which "
        "clients are ours: take the last good copy from git or from a backup"
    )


def changed_by_hand(content: bytes, path: str, key: str, digest: str) -> InventoryError:
    """The error of a client's entry whose `digest` is not that of its other members."""
    line = content.count(b"\n", 0, content.find(json.dumps(digest).encode())) + 1
    return InventoryError(
        f"{path} cannot be used: what is recorded of the client {key!r} was changed since a run "
        f"recorded it, for its digest is another ({path}:{line}). Nothing is done with a record that somebody "
        f"edited unnoticed: `git log -p -- {path}` shows who did, and `git checkout -- {path}` brings "
        'the last revision back. Who edited it on purpose writes "digest": "" there, and every plan '
        "that takes such a client away says that its record was edited by hand"
    )
