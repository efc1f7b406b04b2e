"""Turns the names of new manifests into paths that their target's globs list."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

from reconciler.core.errors import ReconcilerError
from reconciler.core.file_names import same_file_form
from reconciler.manifests import patterns
from reconciler.manifests.globs import named_places, usable_patterns
from reconciler.project_folder import ProjectFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.project import Project, Target


def new_paths(
    project: Project, target: Target, keys: Iterable[str], into: str | None
) -> Mapping[str, str]:
    """The path of each key's new manifest, as the user would type it.

    They lie in the folder `into`, else where the target's first pattern begins that lists them. Raises ReconcilerError where the target would not list them all.
    """
    names = {key: f"{key}.yaml" for key in keys}
    folder = (
        _listed_folder(target, names.values())
        if into is None
        else _relative_to_project(project, into)
    )
    within = {key: posixpath.normpath(posixpath.join(folder, name)) for key, name in names.items()}
    unlisted = [path for path in within.values() if not _lists(target, path)]
    if unlisted:
        raise ReconcilerError(
            f"{_first_of(unlisted)} would not be among the manifests of target `{target.name}` "
            f"({', '.join(target.manifests)}): give another folder with --into, or add a pattern"
        )
    _refuse_outside(project, within.values())
    above = posixpath.dirname(project.path)
    return {key: posixpath.join(above, path) for key, path in within.items()}


def _refuse_outside(project: Project, paths: Iterable[str]) -> None:
    """Raise ReconcilerError where a link leads the files to a folder that is none of the project's."""
    boundary = ProjectFolder(project, named=named_places(project), takes_own=False)
    for folder in sorted(set(map(posixpath.dirname, paths))):
        if why := boundary.why_not_read(posixpath.join(project.root, folder)):
            raise ReconcilerError(f"{folder} {why}: no manifest is written there")


def keys_of_existing_files(paths: Mapping[str, str]) -> set[str]:
    """The keys whose path is taken already, such as by another target's client.

    A name that differs from one that is there in nothing but case, or in how Unicode spells it, is
    taken as well: on Windows and macOS the two would be one file.
    """
    forms = {folder: _forms_in(folder) for folder in set(map(posixpath.dirname, paths.values()))}
    return {
        key
        for key, path in paths.items()
        # lexists: writing through a dangling link would make a file elsewhere.
        if os.path.lexists(path)
        or same_file_form(posixpath.basename(path)) in forms[posixpath.dirname(path)]
    }


def _forms_in(folder: str) -> frozenset[str]:
    """The names in a folder as `same_file_form` gives them, none of one that cannot be listed."""
    try:
        return frozenset(map(same_file_form, os.listdir(folder or ".")))  # noqa: PTH208
    except OSError:
        return frozenset()  # what is wrong with the folder is told when it is written to


def _listed_folder(target: Target, names: Iterable[str]) -> str:
    """The folder where a pattern begins that lists `names` there, that of the first such pattern."""
    wanted = tuple(names)
    listing = (each for each in usable_patterns(target) if not patterns.is_exclusion(each))
    folders = [
        patterns.base_folder(each) for pattern in listing for each in patterns.expand(pattern)
    ]
    fitting = (
        folder
        for folder in folders
        if all(_lists(target, posixpath.join(folder, name)) for name in wanted)
    )
    return next(fitting, folders[0])


def _relative_to_project(project: Project, folder: str) -> str:
    return os.path.relpath(folder, project.root).replace(os.sep, "/")


def _lists(target: Target, path: str) -> bool:
    return patterns.lists(usable_patterns(target), posixpath.normpath(path))


def _first_of(paths: list[str]) -> str:
    more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    return f"{paths[0]}{more}"
