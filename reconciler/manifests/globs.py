"""Turns the glob patterns of a project's targets into the files that they list."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

from reconciler.core.dataclass import dataclass
from reconciler.core.model import Problem, Source
from reconciler.manifests import patterns
from reconciler.manifests.folders import FileTree
from reconciler.project_folder import ProjectFolder
from reconciler.validation.folders import folders_of, leads_out

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.core.project import Project, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The files that the targets of a project list.

    `targets` has those that list a file, by its path as the user would type it. `tree` is what was
    seen of the folders, None where the user named the files. `names` are all names of the files
    that any target lists, relative to the project, real ones and those that links give them.
    `refused` are those of `targets` that are not to be read, each with why.
    """

    targets: Mapping[str, Collection[str]]
    problems: Sequence[Problem]
    refused: Mapping[str, str]
    tree: FileTree | None = None
    names: Collection[str] = frozenset()


def select_files(project: Project, files: Sequence[str]) -> Selected:
    """The files that the targets list; with `files`, only those of these.

    The project file itself may be among `files`.
    """
    return _select_listed_files(project, files) if files else _select_by_globs(project)


def _select_by_globs(project: Project) -> Selected:
    tree = FileTree(project.root)
    problems: list[Problem] = []
    # By the real file, so that one which two names lead to is one manifest.
    found: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    given: set[str] = set()
    for target in project.targets.values():
        for path in sorted(_listed(project, target, tree, problems)):
            given.add(path)
            real = tree.real_path(path)
            found.setdefault(real, set()).add(target.name)
            # A name that goes through no link says best where the file is.
            names[real] = min(names.get(real, path), path, key=lambda each: (each != real, each))
    folder = project.folder
    selected = {posixpath.join(folder, names[real]): targets for real, targets in found.items()}
    # Without a link and without `..` in a pattern, all that was found is in the project's folder: to ask
    # of each of thousands costs more than to read it.
    own = tuple(
        posixpath.join(folder, posixpath.normpath(each.path), "") for each in folders_of(project)
    )
    doubtful = (
        selected
        if tree.has_links or named_places(project)
        else [path for path in selected if path.startswith(own)]
    )
    return Selected(
        targets=selected,
        problems=problems,
        refused=_refused(project, doubtful),
        tree=tree,
        names={*found, *given},
    )


def _refused(project: Project, paths: Iterable[str]) -> dict[str, str]:
    """Those of the paths that are not to be read, each with why."""
    folder = ProjectFolder(project, named=named_places(project), takes_own=False)
    return {path: why for path in paths if (why := folder.why_not_read(path))}


def named_places(project: Project) -> list[str]:
    """The folders outside of the project's that patterns of its targets name, relative to it."""
    bases = {
        patterns.base_folder(each)
        for target in project.targets.values()
        for pattern in usable_patterns(target)
        if not patterns.is_exclusion(pattern)
        for each in patterns.expand(pattern)
    }
    return sorted(filter(leads_out, bases))


def _listed(
    project: Project, target: Target, tree: FileTree, problems: list[Problem]
) -> Collection[str]:
    """The files that a target lists, relative to the project; adds what is wrong with its patterns."""
    listed: set[str] = set()
    for index, pattern in enumerate(target.manifests):
        if patterns.unusable_reason(pattern) is not None:
            continue
        if patterns.is_exclusion(pattern):
            # No warning where it takes nothing away: it may say that a file beside is left out.
            listed -= {path for path in listed if patterns.matches(pattern, path)}
            continue
        found = {path for each in patterns.expand(pattern) for path in tree.matching_files(each)}
        listed |= found
        if not found:
            source = Source(path=project.path)
            problems.append(_no_match(source, f"/targets/{target.name}/manifests/{index}", pattern))
    problems.extend(_trouble(project, target, tree, listed))
    return listed


def _trouble(
    project: Project, target: Target, tree: FileTree, listed: Collection[str]
) -> Iterator[Problem]:
    """The Problems of folders that a target's patterns lead to and that could not be looked into."""
    usable = usable_patterns(target)
    for folder, why in sorted(tree.trouble.items()):
        # One that is listed is read as a file, which says what is wrong.
        if folder not in listed and patterns.could_list_below(usable, folder):
            reaching = (each for each in usable if patterns.reaches(each, folder))
            index = target.manifests.index(next(reaching))
            yield Problem(
                source=Source(path=project.path),
                pointer=f"/targets/{target.name}/manifests/{index}",
                message=f"{folder} {why}, so that no manifest in it is read",
                hint=f'mend that, or leave it out on purpose: "!{patterns.as_pattern(folder)}/**"',
            )


def usable_patterns(target: Target) -> list[str]:
    """The patterns of a target that mean something, in their order."""
    return [each for each in target.manifests if patterns.unusable_reason(each) is None]


def _select_listed_files(project: Project, files: Sequence[str]) -> Selected:
    selected = {
        file: _targets_listing(project, file)
        for file in files
        if not _is_same_file(file, project.path)
    }
    message = "this file is not among the manifests of any target"
    problems = [
        Problem(source=Source(path=file), pointer="", message=message)
        for file, targets in selected.items()
        if not targets
    ]
    return Selected(targets=selected, problems=problems, refused=_refused(project, selected))


def _targets_listing(project: Project, file: str) -> set[str]:
    path = os.path.relpath(file, project.root).replace(os.sep, "/")
    return {
        name
        for name, target in project.targets.items()
        if patterns.lists(usable_patterns(target), path)
    }


def _no_match(source: Source, pointer: str, pattern: str) -> Problem:
    if len(patterns.expand(pattern)) == 1 and patterns.is_literal(pattern):
        message = f"there is no file {pattern}"
        return Problem(source=source, pointer=pointer, message=message)
    message = "no file matches this pattern"
    return Problem(source=source, pointer=pointer, message=message, severity="warning")


def _is_same_file(file: str, other: str) -> bool:
    return os.path.relpath(file) == os.path.relpath(other)
