"""Asks git which files its checkout leaves out: by a sparse checkout, or as a submodule that is not there.

Git is asked only where the checkout says that it may lack some, which takes two small reads to see.
"""

from __future__ import annotations

import os
import posixpath
from typing import Final

from reconciler import git
from reconciler.core.dataclass import dataclass

_SUBMODULE: Final = "160000"
# https://git-scm.com/docs/index-format: the bit of a file that is left out is in the extended flags,
# which the oldest version has not.
_WITHOUT_BIT: Final = b"DIRC\0\0\0\2"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A path of the index that is not in the working tree; `is_file` is False for a submodule."""

    path: str
    is_file: bool


def may_lack_files(top: str) -> bool:
    """Whether the checkout at `top` may leave files out, by what lies in it."""
    if os.path.lexists(f"{top}/.gitmodules"):
        return True
    git = _git_folder(top)
    try:
        # By `os`, as in `catalog`: validate would load pathlib for nothing else.
        with open(f"{git}/index", "rb") as index:  # noqa: PTH123
            header = index.read(len(_WITHOUT_BIT))
        shared = any(name.startswith("sharedindex.") for name in os.listdir(git))  # noqa: PTH208
    except OSError:
        return False  # nothing was ever checked out here
    return shared or header != _WITHOUT_BIT


def _git_folder(top: str) -> str:
    """The folder of a checkout's index: `.git`, or what a file of that name leads to (gitrepository-layout)."""
    try:
        with open(f"{top}/.git", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            stated = file.read().removeprefix("gitdir:").strip()
    except OSError:
        return f"{top}/.git"
    return posixpath.join(top, stated)


def left_out(root: str) -> list[LeftOut]:
    """What the checkout around `root` leaves out, relative to `root`, by git's index. Raises git.NoAnswer."""
    answer = git.ask(root, "ls-files", "-z", "-s", "-t", "--", ":/")
    entries = filter(None, answer.decode("utf-8", "surrogateescape").split("\0"))
    return [found for entry in entries if (found := _missing(root, entry)) is not None]


def _missing(root: str, entry: str) -> LeftOut | None:
    """What an entry such as `S 100644 <hash> 0`, a tab and its path, says is left out, None where it is there."""
    facts, _, path = entry.partition("\t")
    tag, mode = facts.split(" ")[:2]
    if mode == _SUBMODULE:
        return None if _has_members(f"{root}/{path}") else LeftOut(path=path, is_file=False)
    # One that somebody wrote all the same is there, and is read.
    if tag != "S" or os.path.lexists(f"{root}/{path}"):
        return None
    return LeftOut(path=path, is_file=True)


def _has_members(folder: str) -> bool:
    try:
        return bool(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return False
