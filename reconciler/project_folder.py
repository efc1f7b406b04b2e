"""Tells which files belong to a project: no link and no `..` leads out of its folder.

A place outside is a part of the project where the project file names it: by an absolute path, or by
one with `..` in it. A link names nothing: whoever opens a pull request can make one.
"""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Final

from reconciler.validation.folders import folders_of, is_within, leads_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.project import Project

_LINK: Final = "is a link that leads out of the project's folder"
_GITS_OWN: Final = "lies in a folder of git's own"
_OUTSIDE: Final = "lies outside of the project's folder"
_NOWHERE: Final = "/\0"  # the path of no file, in no folder of anybody's
_GIT: Final = ".git"


class ProjectFolder:
    """The folder of a project, and the places outside that its file names, relative to it.

    Without `takes_own` nothing that the tool itself writes belongs to it, with it all but secrets.
    """

    def __init__(
        self, project: Project, *, named: Iterable[str] = (), takes_own: bool = True
    ) -> None:
        self._project = project
        self._takes_own = takes_own
        places = (project.root, *(posixpath.join(project.root, each) for each in named))
        self._tops = tuple(map(_real, places))
        # As they are stated too: the root may be behind a link of the machine's own.
        self._stated_tops = (*self._tops, *map(os.path.abspath, places))
        self._own: tuple[tuple[str, str], ...] | None = None

    def why_not_read(self, path: str) -> str:
        """Why a file is not to be read as one of the project's, "" where it may be; such as "is a link that ...".

        `path` is as the user would type it. The file need not be there.
        """
        if "\0" in path:
            return ""  # no file has such a name, which is told where it is read
        real = _real(path)
        top = next((each for each in self._tops if is_within(real, each)), None)
        if top is None:
            return _OUTSIDE if self._is_stated_outside(path) else _LINK
        if _is_of_git(real[len(top) :]):
            return _GITS_OWN
        return self._why_own(real)

    def why_not_write(self, path: str) -> str:
        """Why the tool does not write a file that the user names, "" where it does."""
        real = _real(path)
        return _GITS_OWN if _is_of_git(real) else self._why_own(real)

    def _why_own(self, real: str) -> str:
        found = (what for folder, what in self._own_folders() if is_within(real, folder))
        return next((f"lies in the folder for {what}" for what in found), "")

    def _is_stated_outside(self, path: str) -> bool:
        """Whether the path itself says that it leads out, and no link."""
        stated = os.path.abspath(path)  # noqa: PTH100 - a Path cannot do it without a look at links
        return not any(is_within(stated, top) for top in self._stated_tops)

    def _own_folders(self) -> tuple[tuple[str, str], ...]:
        """The folders of the tool's own that nothing is read from, each with what is in it."""
        if self._own is None:
            folders = [
                each for each in folders_of(self._project) if each.is_private or not self._takes_own
            ]
            places = places_of((each.path for each in folders), self._project.root)
            self._own = tuple((places[each.path], each.what) for each in folders)
        return self._own


def why_not_follow(stated: str, root: str) -> str:
    """Why a path that the project file states is not to be followed, "" where it may be.

    It names the place that it says, and none that a link in the project's folder `root` leads to.
    """
    real = _real(stated, root)
    if _is_of_git(real) and not _is_of_git(os.path.abspath(os.path.join(root, stated))):  # noqa: PTH100, PTH118 - as below
        return "is a link into a folder of git's own"
    return "" if leads_out(stated) or is_within(real, _real(root)) else _LINK


def why_not_keep(stated: str, root: str) -> str:
    """Why the tool keeps nothing of its own in a folder that the project file names, "" where it may."""
    named = os.path.join(root, os.path.expanduser(stated))  # noqa: PTH111, PTH118 - as below
    return _GITS_OWN if _is_of_git(os.path.abspath(named)) else ""  # noqa: PTH100 - as below


def why_not_begin(path: str, root: str | None = None) -> str:
    """Why a file is not to be read as one of its folder, or of `root`, "" where it may be."""
    real, folder = _real(path), _real(os.path.dirname(path))  # noqa: PTH120 - as below
    if is_within(real, folder) or (root is not None and is_within(real, _real(root))):
        return ""
    return "is a link that leads out of its folder"


def leads_out_of(folder: str, path: str) -> bool:
    """Whether a path that is stated as one in `folder` is another by a link on its way."""
    stated, real = os.path.abspath(path), _real(path)  # noqa: PTH100 - as above
    if not is_within(stated, os.path.abspath(folder)):  # noqa: PTH100 - as above
        return False
    return not is_within(real, _real(folder)) or _is_of_git(real) is not _is_of_git(stated)


def is_file_behind_link(path: str) -> bool:
    """Whether a path is a link to a regular file, or to none: not one of the system's, as /dev/stdout is."""
    if not os.path.islink(path) or os.path.abspath(path).startswith(("/dev/", "/proc/")):  # noqa: PTH100, PTH114 - as above
        return False
    return os.path.isfile(path) or not os.path.exists(path)  # noqa: PTH110, PTH113 - as above


def _is_of_git(path: str) -> bool:
    """Whether a path lies in a folder of git's own, also on a system that ignores case."""
    return _GIT in path.lower().replace(os.sep, "/").split("/")


def places_of(paths: Iterable[str], root: str) -> dict[str, str]:
    """The absolute path, without links, of each path that a project file states."""
    return {path: _real(os.path.expanduser(path), root) for path in paths}  # noqa: PTH111 - as below


def real_path(path: str) -> str:
    """The absolute path without links; of one behind a link that may not be read, one that is nowhere.

    So too of one that no file can have, with a NUL character in it.
    """
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return _NOWHERE


def _real(path: str, folder: str = "") -> str:
    return real_path(os.path.join(folder, path))  # noqa: PTH118 - validate loads no pathlib
