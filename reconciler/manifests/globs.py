"""Turns the glob patterns of a project's targets into the files that they list."""

from __future__ import annotations

import os
import posixpath
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from reconciler.core.model import Problem, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.project import Project

_MAGIC: Final = frozenset("*?[")
_ANY_FOLDERS: Final = r"(?:(?!\.)[^/]+/)*"


def select_files(
    project: Project, files: Sequence[str]
) -> tuple[dict[str, set[str]], list[Problem]]:
    """The targets that list each file, by its path as the user would type it, and the Problems.

    With `files`, only those of these; the project file itself may be among them.
    """
    return _select_listed_files(project, files) if files else _select_by_globs(project)


def _select_by_globs(project: Project) -> tuple[dict[str, set[str]], list[Problem]]:
    selected: dict[str, set[str]] = {}
    problems = []
    tree = FileTree(project.root)
    folder = posixpath.dirname(project.path)
    for target, index, pattern in _patterns(project):
        found = tree.matching_files(pattern)
        if not found:
            pointer = f"/targets/{target}/manifests/{index}"
            problems.append(_no_match(Source(path=project.path), pointer, pattern))
        for path in found:
            selected.setdefault(posixpath.join(folder, path), set()).add(target)
    return selected, problems


def _select_listed_files(
    project: Project, files: Sequence[str]
) -> tuple[dict[str, set[str]], list[Problem]]:
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
    return selected, problems


def _targets_listing(project: Project, file: str) -> set[str]:
    path = os.path.relpath(file, project.root).replace(os.sep, "/")
    return {target for target, _, pattern in _patterns(project) if matches(pattern, path)}


def _patterns(project: Project) -> Iterator[tuple[str, int, str]]:
    """The usable patterns, each with its target and its index there."""
    for target in project.targets.values():
        for index, pattern in enumerate(target.manifests):
            if unusable_reason(pattern) is None:
                yield target.name, index, pattern


def _no_match(source: Source, pointer: str, pattern: str) -> Problem:
    if is_literal(pattern):
        message = f"there is no file {pattern}"
        return Problem(source=source, pointer=pointer, message=message)
    message = "no file matches this pattern"
    return Problem(source=source, pointer=pointer, message=message, severity="warning")


def _is_same_file(file: str, other: str) -> bool:
    return os.path.relpath(file) == os.path.relpath(other)


def unusable_reason(pattern: str) -> str | None:
    """The sentence that says why a pattern cannot be used, None if it can."""
    if pattern.startswith(("/", "~")) or _has_drive(pattern):
        return "a pattern is relative to the project file"
    if "\\" in pattern or "\0" in pattern:
        return "folders are separated by a slash"
    if any("**" in segment and segment != "**" for segment in pattern.split("/")):
        return "`**` stands for whole folders: put it between slashes"
    if pattern.endswith("/") or "//" in pattern:
        return "a pattern ends with a file name: add `**/*.yaml`, say"
    return None


def is_literal(pattern: str) -> bool:
    """Whether the pattern is the name of one file."""
    return _MAGIC.isdisjoint(pattern)


def _has_drive(pattern: str) -> bool:
    return pattern[1:2] == ":" and pattern[0].isascii() and pattern[0].isalpha()


def base_folder(pattern: str) -> str:
    """The folder below which all files of a pattern lie, "" for the project's own."""
    segments = posixpath.normpath(pattern).split("/")
    fixed = next((i for i, segment in enumerate(segments) if not is_literal(segment)), -1)
    return "/".join(segments[:fixed])


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern lists `path`, which is relative to the project's folder and has slashes."""
    return _compile(posixpath.normpath(pattern)).fullmatch(path) is not None


class FileTree:
    """The files below the project's folder; a folder is listed once, whatever patterns ask for it."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._listings: dict[str, tuple[list[str], list[str], list[str]]] = {}

    def matching_files(self, pattern: str) -> list[str]:
        """The files that a pattern lists, by their path relative to the root, sorted.

        Hidden files and folders are left out, and `**` does not follow links to folders.
        """
        pattern = posixpath.normpath(pattern)
        if is_literal(pattern):
            # lexists: a link that leads nowhere is found, and reading it says what is wrong.
            return [pattern] if os.path.lexists(f"{self._root}/{pattern}") else []
        segments = pattern.split("/")
        fixed = next(i for i, segment in enumerate(segments) if not is_literal(segment))
        base = "".join(f"{segment}/" for segment in segments[:fixed])
        depth = None if "**" in segments else len(segments) - fixed
        full = _compile(pattern).fullmatch
        return sorted(path for path in self._files_below(base, depth) if full(path))

    def _files_below(self, folder: str, depth: int | None) -> Iterator[str]:
        """The files in `folder` (empty, or with a slash at its end) down to `depth` levels, None for all."""
        pending = [(folder, depth)]
        while pending:
            here, left = pending.pop()
            files, folders, linked = self._listing(here)
            if left is None:
                # Not into links to folders: one could lead around in a circle.
                pending.extend((f"{here}{name}/", None) for name in folders)
            elif left > 1:
                pending.extend((f"{here}{name}/", left - 1) for name in (*folders, *linked))
                continue
            yield from (here + name for name in files)

    def _listing(self, folder: str) -> tuple[list[str], list[str], list[str]]:
        """The names of the files, the folders and the links to folders in a folder."""
        if folder not in self._listings:
            found: tuple[list[str], list[str], list[str]] = ([], [], [])
            self._listings[folder] = found
            try:
                entries = os.scandir(f"{self._root}/{folder}")
            except OSError:
                return found  # a folder that cannot be listed has no files: the pattern says so
            with entries:
                for entry in entries:
                    if not entry.name.startswith("."):
                        found[_kind(entry)].append(entry.name)
        return self._listings[folder]


def _kind(entry: os.DirEntry[str]) -> int:
    if entry.is_dir(follow_symlinks=False):
        return 1
    if not entry.is_symlink():
        return 0
    try:
        return 2 if entry.is_dir() else 0
    except OSError:
        return 0  # a link that leads nowhere: reading it says so


@lru_cache(maxsize=256)
def _compile(pattern: str) -> re.Pattern[str]:
    # Not pathlib: up to Python 3.12 none of its matches lets `**` stand for any number of folders.
    segments = pattern.split("/")
    if segments[-1] == "**":
        segments.append("*")
    folders = "".join(
        _ANY_FOLDERS if segment == "**" else _segment_regex(segment) + "/"
        for segment in segments[:-1]
    )
    return re.compile(folders + _segment_regex(segments[-1]), re.DOTALL)


def _segment_regex(segment: str) -> str:
    visible = r"(?!\.)" if segment[:1] in _MAGIC else ""
    return visible + re.sub(r"\*|\?|\[!?\]?[^\]]*\]|.", _piece_regex, segment)


def _piece_regex(found: re.Match[str]) -> str:
    text = found[0]
    if text == "*":
        return "[^/]*"
    if text == "?":
        return "[^/]"
    if len(text) > 1:
        import fnmatch  # noqa: PLC0415 - few patterns have a class

        # A class: the standard library knows its corners (`[!a]`, `[]-]`, `[z-a]`).
        return "(?!/)" + fnmatch.translate(text).removeprefix("(?s:")[:-3]
    return re.escape(text)
