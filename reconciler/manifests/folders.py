"""Lists the folders of a project, each once, and follows links between them but never in circles."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Final

from reconciler.core.dataclass import dataclass, field
from reconciler.manifests.patterns import base_folder, compile_path, is_literal
from reconciler.project_folder import real_path
from reconciler.validation.folders import is_within, leads_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FILE, _FOLDER, _LINK, _NOWHERE = range(4)
_OUTSIDE: Final = "is a link that leads out of the project's folder"
_NO_END: Final = "is a link that leads nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The names in a folder by what they are, hidden ones apart; `links` lead to folders."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    hidden_files: list[str] = field(default_factory=list)
    hidden_folders: list[str] = field(default_factory=list)


class FileTree:
    """The files below the project's folder; a folder is listed once, whatever patterns ask for it.

    `trouble` says of each folder or link that was met and cannot be looked into why, by its path
    relative to the root.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._real_root = real_path(root or ".")
        self._listings: dict[str, Listing] = {}
        self.has_links = False  # whether one was met so far
        self.trouble: dict[str, str] = {}

    def matching_files(self, pattern: str) -> list[str]:
        """The files that a pattern without braces lists, by their path relative to the root, sorted.

        Hidden files and folders are left out, unless the pattern names them.
        """
        pattern = posixpath.normpath(pattern)
        if is_literal(pattern):
            path = f"{self._root}/{pattern}"
            self.has_links = self.has_links or os.path.islink(path)  # noqa: PTH114
            if self._leads_away(posixpath.dirname(pattern)):
                return []
            # lexists: a link that leads nowhere is found, and reading it says what is wrong.
            return [pattern] if os.path.lexists(path) else []
        segments, base = pattern.split("/"), base_folder(pattern)
        depth = None if "**" in segments else len(segments) - (base.count("/") + 1 if base else 0)
        full = compile_path(pattern).fullmatch
        start = f"{base}/" if base else ""
        return sorted(path for path in self._files_below(start, depth) if full(path))

    def listed_folders(self) -> list[str]:
        """The folders that patterns led to, "" or with a slash at their end, sorted."""
        return sorted(self._listings)

    def real_path(self, path: str) -> str:
        """What tells whether two paths lead to one file: the path that no link is a part of."""
        # Where no link was met, a path is its own.
        if not self.has_links:
            return path
        real = real_path(f"{self._root}/{path}")
        return os.path.relpath(real, self._real_root).replace(os.sep, "/")

    def _files_below(self, folder: str, depth: int | None) -> Iterator[str]:
        """The files in `folder` (empty, or with a slash at its end) down to `depth` levels, None for all."""
        pending = [] if self._leads_away(folder.rstrip("/")) else [(folder, depth)]
        tops = self._tops(folder)
        read: list[str] = []
        linked: list[str] = []
        while pending:
            here, left = pending.pop()
            listing = self.listing(here)
            if left is None:
                read.append(here)
                pending.extend((f"{here}{name}/", None) for name in listing.folders)
                linked.extend(f"{here}{name}" for name in listing.links)
            elif left > 1:
                inside = [name for name in listing.links if not self._is_outside(here + name, tops)]
                names = (*listing.folders, *inside)
                pending.extend((f"{here}{name}/", left - 1) for name in names)
                continue
            yield from (here + name for name in listing.files)
        if linked:
            # The real ones came first: a link to a folder that is read anyway, as in a circle, adds
            # nothing.
            yield from self._files_behind(sorted(linked), tops, set(map(self._real, read)))

    def _files_behind(self, links: list[str], tops: Sequence[str], read: set[str]) -> Iterator[str]:
        """The files below the folders that links lead to, at any depth, but not in those of `read`."""
        pending = [(link, True) for link in reversed(links)]
        while pending:
            here, is_link = pending.pop()
            real = self._real(here)
            if real not in read and not (is_link and self._is_outside(here, tops)):
                read.add(real)
                listing = self.listing(f"{here}/")
                yield from (f"{here}/{name}" for name in listing.files)
                pending += [(f"{here}/{name}", True) for name in sorted(listing.links)]
                pending += [(f"{here}/{name}", False) for name in sorted(listing.folders)]

    def _tops(self, folder: str) -> tuple[str, ...]:
        """The folders that no link leads out of, for patterns that begin in `folder`."""
        # What the pattern itself writes out leads out on purpose; a link on the way does not.
        named = (self._real(folder),) if leads_out(folder) else ()
        return (self._real_root, *named)

    def _leads_away(self, folder: str) -> bool:
        """Whether a link on the way to the folder where a pattern begins leads out; notes links, and trouble."""
        stated = os.path.normpath(f"{self._real_root}/{folder}")
        self.has_links = self.has_links or self._real(folder) != stated
        return self._is_outside(folder, self._tops(folder))

    def _is_outside(self, folder: str, tops: Sequence[str]) -> bool:
        """Whether a link on the way to a folder leads out of `tops`; notes it as trouble."""
        real = self._real(folder)
        outside = not any(is_within(real, top) for top in tops)
        if outside:
            self.trouble[folder] = _OUTSIDE
        return outside

    def _real(self, folder: str) -> str:
        return real_path(f"{self._root}/{folder}")

    def listing(self, folder: str) -> Listing:
        """What is in a folder (empty, or with a slash at its end); notes why it cannot be told."""
        if folder not in self._listings:
            found = self._listings[folder] = Listing()
            try:
                with os.scandir(f"{self._root}/{folder}") as entries:
                    for entry in entries:
                        self._add(found, folder, entry)
            except (FileNotFoundError, NotADirectoryError):
                pass  # a folder that is not there has no files: the pattern says so
            except OSError as error:
                self.trouble[folder.rstrip("/") or "."] = f"cannot be read ({error.strerror})"
        return self._listings[folder]

    def _add(self, found: Listing, folder: str, entry: os.DirEntry[str]) -> None:
        kind = _kind(entry)
        self.has_links = self.has_links or entry.is_symlink()
        if entry.name.startswith("."):
            # Patterns mean none of them, so that a link among them leads to nothing that is missed.
            (found.hidden_folders if kind == _FOLDER else found.hidden_files).append(entry.name)
            return
        (found.files, found.folders, found.links, found.files)[kind].append(entry.name)
        if kind == _NOWHERE:
            self.trouble[f"{folder}{entry.name}"] = _NO_END


def _kind(entry: os.DirEntry[str]) -> int:
    if entry.is_dir(follow_symlinks=False):
        return _FOLDER
    if not entry.is_symlink():
        return _FILE
    try:
        entry.stat()
        return _LINK if entry.is_dir() else _FILE
    except OSError:
        return _NOWHERE
