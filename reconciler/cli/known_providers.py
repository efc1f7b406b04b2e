"""Finds the providers that a user can name: those that come with the tool, and the project's own folders."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli import project_file
from reconciler.cli.output import print_message, print_text
from reconciler.core.errors import InputError
from reconciler.manifests import catalog, project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.cli.options import GlobalOptions
    from reconciler.core.model import Problem
    from reconciler.manifests.catalog import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Providers by what a target names them: a name, or for one of the project's own its folder.

    `root` is the folder of the project. `problems` say which of its own could not be read, and why.
    """

    shipped: Mapping[str, Entry]
    own: Mapping[str, Entry] = field(default_factory=dict)
    root: str = "."
    problems: tuple[Problem, ...] = ()


def find(options: GlobalOptions) -> Known:
    """The providers that come with the tool and those of the project, where there is a project.

    Raises InputError where `--project` names no file. Whatever else is wrong with a project is a
    problem of the result, since those that come with the tool are of use without it.
    """
    shipped = {name: catalog.entry(name, ".") for name in catalog.names()}
    path = (
        project_file.nearest()
        if options.project is None
        else project_file.find_project_file(options.project)
    )
    if path is None:
        return Known(shipped=shipped)
    root = str(Path(path).parent)
    try:
        targets = project.load(path).targets.values()
    except InputError as error:
        if not Path(path).exists():
            raise
        return Known(shipped=shipped, root=root, problems=error.problems)
    # Two targets may spell one folder in two ways.
    folders = {
        folder_name(f"{root}/{target.provider}", root)
        for target in targets
        if "/" in target.provider
    }
    own: dict[str, Entry] = {}
    problems: list[Problem] = []
    for folder in sorted(folders):
        try:
            own[folder] = catalog.entry(folder, root)
        except InputError as error:
            problems.extend(error.problems)
    return Known(shipped=shipped, own=own, root=root, problems=tuple(problems))


def warn(known: Known) -> None:
    """Say on stderr which providers of the project are missing, if any."""
    if not known.problems:
        return
    from reconciler.render import problems  # noqa: PLC0415 - only where something is wrong

    print_message("these problems hide providers of the project:")
    print_text(problems.to_text(known.problems), err=True)


def folder_name(folder: str, root: str) -> str:
    """How a target of a project in `root` names `folder`: relative to `root`, with a slash in it."""
    path = os.path.relpath(folder, root)
    return path if path.startswith("../") else f"./{path}"
