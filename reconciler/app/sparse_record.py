"""Refuses a record that this checkout leaves out: without it every client would be created again."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import git
from reconciler.core.errors import InventoryError
from reconciler.core.values import first_few
from reconciler.manifests import checkout

if TYPE_CHECKING:
    from reconciler.core.project import Project


def refuse_record_left_out(project: Project) -> None:
    """Raise InventoryError where git has files of the inventory that are not in this checkout.

    So it is with a sparse checkout that names the folders of manifests alone.
    """
    top = git.checkout_top(os.path.realpath(project.root))
    if project.inventory_url is not None or top is None or not checkout.may_lack_files(top):
        return
    # As git spells paths: relative to the project, whatever was stated.
    stated = Path(project.root, project.inventory_directory)
    folder = os.path.relpath(stated, project.root)
    missing = _missing(project.root, folder, Path(top, ".git").stat().st_mtime_ns)
    if missing:
        raise InventoryError(
            f"this checkout leaves out {len(missing)} files of the inventory: {first_few(missing)}. Without "
            f"them nobody knows which clients are ours: run `git sparse-checkout add {folder}`, or "
            "`git submodule update --init` where it is in a submodule"
        )


# The same for each target of a run.
@lru_cache(maxsize=4)
def _missing(root: str, folder: str, _version: int) -> tuple[str, ...]:
    """The files below `folder` that git leaves out, and a submodule that it is in."""
    try:
        found = checkout.left_out(root)
    except git.NoAnswer as error:
        # A record that is there is read; of one that is not, nobody knows whether there is one.
        if Path(root, folder).is_dir():
            return ()
        raise InventoryError(
            f"there is no {folder} here, this checkout may leave it out, and {error}: run `git ls-files "
            "-t` here to see what is wrong"
        ) from None
    return tuple(
        each.path
        for each in found
        if f"{each.path}/".startswith(f"{folder}/")
        or (not each.is_file and f"{folder}/".startswith(f"{each.path}/"))
    )
