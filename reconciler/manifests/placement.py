"""A target and the names of new manifests to the files that its globs list."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

from reconciler.core.errors import ReconcilerError
from reconciler.manifests import globs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.project import Project, Target


def places(
    project: Project, target: Target, keys: Iterable[str], into: str | None
) -> Mapping[str, str]:
    """Give the path of each key's new manifest, as the user would type it.

    They lie in the folder `into`, else where the target's first pattern begins that would list
    them. Raises ReconcilerError where the target would not list them all.
    """
    names = {key: f"{key}.yaml" for key in keys}
    folder = _folder(target, names.values()) if into is None else _relative(project, into)
    within = {key: posixpath.normpath(posixpath.join(folder, name)) for key, name in names.items()}
    strays = [path for path in within.values() if not _lists(target, path)]
    if strays:
        raise ReconcilerError(
            f"{_some(strays)} would not be among the manifests of target `{target.name}` "
            f"({', '.join(target.manifests)}): give another folder with --into, or add a pattern"
        )
    above = posixpath.dirname(project.path)
    return {key: posixpath.join(above, path) for key, path in within.items()}


def occupied(paths: Mapping[str, str]) -> set[str]:
    """Give the keys whose path is taken: by another target's client, say."""
    return {key for key, path in paths.items() if os.path.lexists(path)}


def _folder(target: Target, names: Iterable[str]) -> str:
    """The folder where a pattern begins, of the first pattern that lists `names` there."""
    wanted = tuple(names)
    folders = [globs.start(pattern) for pattern in target.manifests]
    fitting = (
        folder
        for folder in folders
        if all(_lists(target, posixpath.join(folder, name)) for name in wanted)
    )
    return next(fitting, folders[0])


def _relative(project: Project, folder: str) -> str:
    return os.path.relpath(folder, project.root).replace(os.sep, "/")


def _lists(target: Target, path: str) -> bool:
    return any(
        globs.matches(pattern, posixpath.normpath(path))
        for pattern in target.manifests
        if globs.complaint(pattern) is None
    )


def _some(paths: list[str]) -> str:
    more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    return f"{paths[0]}{more}"
