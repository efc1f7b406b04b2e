"""Tells which files belong to a project: no link and no `..` leads out of its folder.

A place outside is a part of the project where the project file names it: by an absolute path, or by
one with `..` in it. A link names nothing: whoever opens a pull request can make one.
"""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Final

from reconciler.validation.folders import folders_of, leads_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.project import Project

_LINK: Final = "is a link that leads out of the project's folder"
_OUTSIDE: Final = "lies outside of the project's folder"
_GIT: Final = ".git"


class ProjectFolder:
    """The folder of a project, and the places outside that its file names, relative to it."""

    def __init__(self, project: Project, *, named: Iterable[str] = ()) -> None:
        self._project = project
        places = (project.root, *(posixpath.join(project.root, each) for each in named))
        self._tops = tuple(map(_real, places))
        # As they are stated too: the root may be behind a link of the machine's own.
        self._stated_tops = (*self._tops, *map(os.path.abspath, places))
        self._private: tuple[tuple[str, str], ...] | None = None

    def why_not_read(self, path: str) -> str:
        """Why a file is not to be read as one of the project's, "" where it may be; such as "is a link that ...".

        `path` is as the user would type it. The file need not be there.
        """
        try:
            real = _real(path)
        except ValueError:
            return ""  # no file has such a name, which is told where it is read
        top = next((each for each in self._tops if is_within(real, each)), None)
        if top is None:
            return _OUTSIDE if self._is_stated_outside(path) else _LINK
        if _GIT in real[len(top) :].lower().replace(os.sep, "/").split("/"):
            return "lies in a folder of git's own"
        found = (what for folder, what in self._private_folders() if is_within(real, folder))
        return next((f"lies in the folder for {what}" for what in found), "")

    def _is_stated_outside(self, path: str) -> bool:
        """Whether the path itself says that it leads out, and no link."""
        stated = os.path.abspath(path)  # noqa: PTH100 - a Path cannot do it without a look at links
        return not any(is_within(stated, top) for top in self._stated_tops)

    def _private_folders(self) -> tuple[tuple[str, str], ...]:
        """The folders that hold secrets as they are, each with what is in it."""
        if self._private is None:
            folders = (each for each in folders_of(self._project) if each.is_private)
            self._private = tuple(
                (_real(os.path.expanduser(each.path), self._project.root), each.what)  # noqa: PTH111 - as below
                for each in folders
            )
        return self._private


def why_not_follow(stated: str, root: str) -> str:
    """Why a path that the project file states is not to be followed, "" where it may be.

    It names the place that it says, and none that a link in the project's folder `root` leads to.
    """
    if leads_out(stated) or is_within(_real(stated, root), _real(root)):
        return ""
    return _LINK


def why_not_begin(path: str, root: str | None = None) -> str:
    """Why a file is not to be read as one of its folder, or of `root`, "" where it may be."""
    real, folder = _real(path), _real(os.path.dirname(path))  # noqa: PTH120 - as below
    if is_within(real, folder) or (root is not None and is_within(real, _real(root))):
        return ""
    return "is a link that leads out of its folder"


def is_within(path: str, folder: str) -> bool:
    """Whether an absolute path is a folder, or lies in it."""
    return path == folder or path.startswith(f"{folder.rstrip(os.sep)}{os.sep}")


def _real(path: str, folder: str = "") -> str:
    return os.path.realpath(os.path.join(folder, path))  # noqa: PTH118 - validate loads no pathlib
