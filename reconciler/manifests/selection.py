"""The globs of a project's targets to the files to read, each with the targets that list it."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

from reconciler.core.model import Problem, Source
from reconciler.manifests import globs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.project import Project


def select(project: Project, files: Sequence[str]) -> tuple[dict[str, set[str]], list[Problem]]:
    """Give the targets of each file to read, by its path as the user would type it, and problems.

    With `files`, only these are read; the project file itself may be among them.
    """
    return _of_files(project, files) if files else _of_globs(project)


def _of_globs(project: Project) -> tuple[dict[str, set[str]], list[Problem]]:
    selected: dict[str, set[str]] = {}
    problems = []
    tree = globs.Tree(project.root)
    folder = posixpath.dirname(project.path)
    for target, index, pattern in _patterns(project):
        found = tree.expand(pattern)
        if not found:
            pointer = f"/targets/{target}/manifests/{index}"
            problems.append(_nothing_found(Source(path=project.path), pointer, pattern))
        for path in found:
            selected.setdefault(posixpath.join(folder, path), set()).add(target)
    return selected, problems


def _of_files(project: Project, files: Sequence[str]) -> tuple[dict[str, set[str]], list[Problem]]:
    selected = {file: _targets(project, file) for file in files if not _same(file, project.path)}
    message = "this file is not among the manifests of any target"
    problems = [
        Problem(source=Source(path=file), pointer="", message=message)
        for file, targets in selected.items()
        if not targets
    ]
    return selected, problems


def _targets(project: Project, file: str) -> set[str]:
    path = os.path.relpath(file, project.root).replace(os.sep, "/")
    return {target for target, _, pattern in _patterns(project) if globs.matches(pattern, path)}


def _patterns(project: Project) -> Iterator[tuple[str, int, str]]:
    """Give the usable patterns, each with its target and its place there."""
    for target in project.targets.values():
        for index, pattern in enumerate(target.manifests):
            if globs.complaint(pattern) is None:
                yield target.name, index, pattern


def _nothing_found(source: Source, pointer: str, pattern: str) -> Problem:
    if globs.is_literal(pattern):
        message = f"there is no file {pattern}"
        return Problem(source=source, pointer=pointer, message=message)
    message = "no file matches this pattern"
    return Problem(source=source, pointer=pointer, message=message, severity="warning")


def _same(file: str, other: str) -> bool:
    return os.path.relpath(file) == os.path.relpath(other)
