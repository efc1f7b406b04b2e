"""Glob patterns of a target to the files that they mean, each folder listed once."""

from __future__ import annotations

import os
import posixpath
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC: Final = frozenset("*?[")
_ANY_FOLDERS: Final = r"(?:(?!\.)[^/]+/)*"


def complaint(pattern: str) -> str | None:
    """Say why a pattern cannot be used, None if it can."""
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


def start(pattern: str) -> str:
    """Give the folder below which all files of a pattern lie, "" for the project's own."""
    segments = posixpath.normpath(pattern).split("/")
    fixed = next((i for i, segment in enumerate(segments) if not is_literal(segment)), -1)
    return "/".join(segments[:fixed])


def matches(pattern: str, path: str) -> bool:
    """Whether `path`, relative to the project's folder and with slashes, is meant by `pattern`."""
    return _compiled(posixpath.normpath(pattern)).fullmatch(path) is not None


class Tree:
    """The files below the project's folder, as far as patterns have asked for them."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._listings: dict[str, tuple[list[str], list[str], list[str]]] = {}

    def expand(self, pattern: str) -> list[str]:
        """Give the files that `pattern` means, by path relative to the root, sorted.

        Hidden files and folders are left out; `**` does not follow links to folders, so that
        none can lead around in a circle.
        """
        pattern = posixpath.normpath(pattern)
        if is_literal(pattern):
            return [pattern] if os.path.lexists(f"{self._root}/{pattern}") else []
        segments = pattern.split("/")
        fixed = next(i for i, segment in enumerate(segments) if not is_literal(segment))
        base = "".join(f"{segment}/" for segment in segments[:fixed])
        depth = None if "**" in segments else len(segments) - fixed
        full = _compiled(pattern).fullmatch
        return sorted(path for path in self._below(base, depth) if full(path))

    def _below(self, folder: str, depth: int | None) -> Iterator[str]:
        """Give the files in `folder` (empty, or with a slash at its end) down to `depth` levels."""
        pending = [(folder, depth)]
        while pending:
            here, left = pending.pop()
            files, folders, linked = self._listing(here)
            if left is None:
                pending.extend((f"{here}{name}/", None) for name in folders)
            elif left > 1:
                pending.extend((f"{here}{name}/", left - 1) for name in (*folders, *linked))
                continue
            yield from (here + name for name in files)

    def _listing(self, folder: str) -> tuple[list[str], list[str], list[str]]:
        """Give the names of the files, the folders and the links to folders in `folder`."""
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
        return 0  # a link that leads nowhere: reading it will say so


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    segments = pattern.split("/")
    if segments[-1] == "**":
        segments.append("*")
    folders = "".join(
        _ANY_FOLDERS if segment == "**" else _segment(segment) + "/" for segment in segments[:-1]
    )
    return re.compile(folders + _segment(segments[-1]), re.DOTALL)


def _segment(segment: str) -> str:
    visible = r"(?!\.)" if segment[:1] in _MAGIC else ""
    return visible + re.sub(r"\*|\?|\[!?\]?[^\]]*\]|.", _piece, segment)


def _piece(found: re.Match[str]) -> str:
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
