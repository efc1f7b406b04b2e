"""Finds the project file that a command is about."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = "reconciler.yaml"


def find_project_file(stated: str | None) -> str:
    """The path of the project file, as short as the user would type it.

    `stated` is a file or a folder; None looks here and in every parent folder.
    """
    if stated is not None:
        from pathlib import Path  # noqa: PLC0415 - 1 ms, which a run in the folder needs not

        path = Path(stated)
        return str(path / NAME if path.is_dir() else path)
    found = nearest()
    if found is None:
        raise ReconcilerError(
            f"there is no {NAME} here or in a parent folder: `reconciler init` writes one, "
            "--project names one that is elsewhere"
        )
    return found


def root_folder(stated: str | None) -> str:
    """The folder of the project file, the working folder where there is none."""
    try:
        return os.path.dirname(find_project_file(stated)) or "."  # noqa: PTH120 - as above
    except ReconcilerError:
        return "."


def nearest() -> str | None:
    """The path of the project file here or in the nearest parent folder, None where there is none."""
    here = os.getcwd()  # noqa: PTH109 - as above
    for folder in _with_parents(here):
        path = os.path.join(folder, NAME)  # noqa: PTH118 - as above
        if os.path.isfile(path):  # noqa: PTH113 - as above
            return NAME if folder == here else path
    return None


def _with_parents(folder: str) -> Iterator[str]:
    """A folder and those that it is in, the innermost first."""
    yield folder
    while (parent := os.path.dirname(folder)) != folder:  # noqa: PTH120 - as above
        folder = parent
        yield folder
