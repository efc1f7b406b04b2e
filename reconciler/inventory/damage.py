"""Says what is wrong with a file of the inventory that is no JSON, and what to do about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import InventoryError
from reconciler.validation.merges import unmerged_lines

if TYPE_CHECKING:
    from reconciler.core.model import Json


def parse_json(content: bytes, path: str, sides: str) -> Json:
    """The JSON in `content`. InventoryError, which names `path`; `sides` is what to do with a merge."""
    try:
        document: Json = _DECODER.decode(content.decode())
    except RecursionError:
        reason = "it is nested too deep"
    except ValueError as error:
        reason = f"it is not whole JSON: {error}"
    else:
        return document
    raise _conflict(content, path, sides) or unusable(path, reason)


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


def _refuse_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # The usual mark of a merge that kept both sides.
        raise ValueError("a member stands there twice")
    return members


# Made once: a folder has thousands of documents.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_refuse_duplicates)


def unusable(path: str, problem: str) -> InventoryError:
    """The error of a file that cannot be used, with what to do."""
    return InventoryError(
        f"{path} cannot be used: {problem}. Nothing is done without it, since it says which "
        "clients are ours: take the last good copy from git or from a backup"
    )
