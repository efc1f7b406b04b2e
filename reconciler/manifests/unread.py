"""Finds the manifests of a target that no run reads: what was not read was not removed.

A file beside those that a target lists may name that target and have another ending, or lie a
folder deeper than its patterns reach; and a checkout may have left files out. None of them is
a manifest that somebody took away.
"""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Any, Final

from reconciler import git
from reconciler.core.dataclass import dataclass
from reconciler.core.model import Problem, Source
from reconciler.manifests import patterns
from reconciler.manifests.files import Unreadable, read_bytes
from reconciler.manifests.globs import named_places, usable_patterns
from reconciler.manifests.yaml.reader import read
from reconciler.project_folder import ProjectFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.project import Project, Target
    from reconciler.manifests.folders import FileTree
    from reconciler.manifests.globs import Selected

_ENDINGS: Final = (".yaml", ".yml", ".json", ".yaml.txt", ".yml.txt")
# What Emacs and macOS leave beside a file: never one that somebody wrote.
_LITTER: Final = (".#", "._", ".~", "~")
_NO_MANIFESTS: Final = frozenset({".git", ".reconciler"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A manifest of `target` that was not read, or may be one, by its path as the user would type it.

    `is_read` says that a look into the file told what it is, and not that anything is done with it.
    """

    target: str
    path: str
    problem: Problem
    is_read: bool = True


def find_unread(project: Project, selected: Selected) -> list[Unread]:
    """The manifests of the project's targets that no run reads; none where the user named the files."""
    if selected.tree is None:
        return []
    reader = _FileReader(project)
    beside = {
        base: list(_candidates(selected, selected.tree, base)) for base in _bases(project) if base
    }
    found = [
        unread
        for target in project.targets.values()
        for path in _beside(target, selected, beside)
        for unread in reader.unread(target, path)
    ]
    return [*found, *_left_out(project)]


def _bases(project: Project) -> set[str]:
    """The folders below which patterns look; "" for one that is too large to walk for its own sake."""
    return {base for target in project.targets.values() for base in _bases_of(target)}


def _bases_of(target: Target) -> set[str]:
    bases = {
        patterns.base_folder(each)
        for pattern in usable_patterns(target)
        if not patterns.is_exclusion(pattern)
        for each in patterns.expand(pattern)
    }
    # The project's own folder, or one above it, may hold anything: there only folders count that a
    # pattern leads to.
    return {"" if set(base.split("/")) <= {"", ".."} else base for base in bases}


def _beside(
    target: Target, selected: Selected, beside: Mapping[str, Iterable[str]]
) -> Iterator[str]:
    """The files, sorted, that may be manifests of a target and that nobody lists or excludes."""
    usable, bases = usable_patterns(target), _bases_of(target)
    found = {path for base in bases if base for path in beside[base]}
    if "" in bases and selected.tree is not None:
        wanted = [each for each in usable if not patterns.is_exclusion(each)]
        for folder in selected.tree.listed_folders():
            if any(patterns.reaches(each, folder.rstrip("/") or ".") for each in wanted):
                found.update(_candidates_in(selected, selected.tree, folder))
    excluding = list(filter(patterns.is_exclusion, usable))
    return iter(
        sorted(path for path in found if not any(patterns.matches(e, path) for e in excluding))
    )


def _candidates(selected: Selected, tree: FileTree, base: str) -> Iterator[str]:
    """The candidates in a folder and all below it, hidden ones too; not behind links to folders."""
    # What the pattern's own folder is, if nothing below it is read, is told already.
    pending = [] if base in tree.trouble else [f"{base}/"]
    while pending:
        folder = pending.pop()
        yield from _candidates_in(selected, tree, folder)
        listing = tree.listing(folder)
        hidden = [name for name in listing.hidden_folders if name not in _NO_MANIFESTS]
        pending += [f"{folder}{name}/" for name in (*listing.folders, *hidden)]


def _candidates_in(selected: Selected, tree: FileTree, folder: str) -> Iterator[str]:
    listing = tree.listing(folder)
    for name in (*listing.files, *listing.hidden_files):
        path = f"{folder}{name}"
        if not _is_like_yaml(name) or path in selected.names:
            continue
        if tree.real_path(path) not in selected.names:
            yield path


def _is_like_yaml(name: str) -> bool:
    return name.rstrip(" .").lower().endswith(_ENDINGS) and not name.startswith(_LITTER)


class _FileReader:
    """Reads the files that may be manifests, each once whatever targets ask."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._folder = project.folder
        self._boundary = ProjectFolder(project, named=named_places(project), takes_own=False)
        self._known: dict[str, tuple[list[Any], bytes, str]] = {}

    def unread(self, target: Target, path: str) -> Iterator[Unread]:
        """What is to be told of a file, if it is a manifest of the target or may be one."""
        typed = posixpath.join(self._folder, path)
        documents, broken, why = self._read(typed)
        leave_out = f'leave it out on purpose: "!{patterns.as_pattern(path)}"'
        number = next((i for i, each in enumerate(documents) if _names(each, target.name)), None)
        if why:
            message = f"{why}, and it may be a manifest of target `{target.name}`"
            problem = _problem(typed, message, hint=f"mend that, or {leave_out}", severity="error")
            yield Unread(target=target.name, path=typed, problem=problem, is_read=False)
        elif number is not None or _may_name(broken, target.name):
            problem = _problem(
                typed,
                f"this is a manifest of target `{target.name}`, and none of the target's patterns "
                "lists the file: it is not read",
                hint=f"rename it, add a pattern that lists it, or {leave_out}",
                severity="warning",
                document=number or 0,
            )
            yield Unread(target=target.name, path=typed, problem=problem)

    def _read(self, path: str) -> tuple[list[Any], bytes, str]:
        """The documents of a file, its text where it is broken, and why it cannot be read at all."""
        if path not in self._known:
            try:
                text = self._bytes(path)
            except Unreadable as error:
                self._known[path] = [], b"", str(error)
            else:
                reading = read(text, path)
                broken = any(problem.severity == "error" for problem in reading.problems)
                self._known[path] = reading.documents, text if broken else b"", ""
        return self._known[path]

    def _bytes(self, path: str) -> bytes:
        if why := self._boundary.why_not_read(path):
            raise Unreadable(f"this file {why}")
        return read_bytes(path)


def _problem(path: str, message: str, *, hint: str, severity: Any, document: int = 0) -> Problem:
    return Problem(
        source=Source(path=path, document=document),
        pointer="/metadata/target",
        message=message,
        hint=hint,
        severity=severity,
    )


def _names(document: Any, target: str) -> bool:
    """Whether a document is a manifest of the target, be it a valid one or not."""
    metadata = document.get("metadata") if isinstance(document, dict) else None
    if not isinstance(metadata, dict):
        return False
    several = metadata.get("targets")
    return metadata.get("target") == target or (isinstance(several, list) and target in several)


def _may_name(broken: bytes, target: str) -> bool:
    """Whether a text that is no YAML looks like a manifest of the target."""
    return b"reconciler/" in broken and target.encode() in broken


def _left_out(project: Project) -> Iterator[Unread]:
    """What the checkout that the project lies in has left out."""
    top = git.checkout_top(os.path.realpath(project.root))
    if top is None:
        return
    from reconciler.manifests import checkout  # noqa: PLC0415 - many projects lie in none

    if not checkout.may_lack_files(top):
        return
    try:
        missing = checkout.left_out(project.root)
    except git.NoAnswer as error:
        yield from (_unknown(project, target, str(error)) for target in project.targets)
        return
    for target in project.targets.values():
        usable = usable_patterns(target)
        files = [
            each.path for each in missing if each.is_file and patterns.lists(usable, each.path)
        ]
        yield from _sparse(project, target.name, files)
        for each in missing:
            if not each.is_file and patterns.could_list_below(usable, each.path):
                yield _submodule(project, target.name, each.path)


def _unknown(project: Project, target: str, why: str) -> Unread:
    message = f"this checkout may leave manifests out, and {why}"
    hint = "without an answer nothing is pruned: run `git ls-files -t` here to see what is wrong"
    return _of_project(project, target, "what the checkout leaves out", message, hint)


def _sparse(project: Project, target: str, paths: list[str]) -> Iterator[Unread]:
    """What is to be told of files that a sparse checkout leaves out: one problem for all of them."""
    from reconciler.core.values import first_few  # noqa: PLC0415 - most checkouts are whole

    message = f"this checkout leaves out {len(paths)} of the target's manifests: {first_few(paths)}"
    hint = "run `git sparse-checkout disable`, or add their folders with `git sparse-checkout add`"
    for path in paths:
        yield _of_project(project, target, path, message, hint)


def _submodule(project: Project, target: str, path: str) -> Unread:
    message = f"the submodule {path} is not checked out, so that no manifest in it is read"
    leave_out = f'leave it out on purpose: "!{patterns.as_pattern(path)}/**"'
    hint = f"run `git submodule update --init`, or {leave_out}"
    return _of_project(project, target, path, message, hint)


def _of_project(project: Project, target: str, path: str, message: str, hint: str) -> Unread:
    return Unread(
        target=target,
        path=path,
        problem=Problem(
            source=Source(path=project.path),
            pointer=f"/targets/{target}/manifests",
            message=message,
            hint=hint,
            severity="warning",
        ),
    )
