"""Finds the project file that a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from reconciler.core.errors import ReconcilerError

NAME: Final = "reconciler.yaml"


def find_project_file(stated: str | None) -> str:
    """The path of the project file, as short as the user would type it.

    `stated` is a file or a folder; None looks here and in every parent folder.
    """
    if stated is not None:
        path = Path(stated)
        return str(path / NAME if path.is_dir() else path)
    found = nearest()
    if found is None:
        raise ReconcilerError(
            f"there is no {NAME} here or in a parent folder: `reconciler init` writes one, "
            "--project names one that is elsewhere"
        )
    return found


def nearest() -> str | None:
    """The path of the project file here or in the nearest parent folder, None where there is none."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / NAME).is_file():
            return NAME if folder == here else str(folder / NAME)
    return None
