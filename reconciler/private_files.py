"""Writes a secret into a file that its owner alone can read, and that git does not take.

A folder of such files holds a `.gitignore`. One that stands there already may say anything, so git is
asked. Where git cannot be asked, only the tool's own `.gitignore` is believed.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Final

from reconciler import atomic_files, git

if TYPE_CHECKING:
    from pathlib import Path

IGNORE_FILE: Final = ".gitignore"
# Stands for every file below a folder.
_SAMPLE: Final = "a/b.json"
_ALLOWED_EXCEPTION: Final = f"!{IGNORE_FILE}"
_MEND: Final = "; write a .gitignore of one line there, `*`"


def write(folder: Path, path: Path, content: bytes) -> None:
    """Write a secret into `path`, below `folder`, on disk when this returns. OSError leaves none there.

    The folders must be there.
    """
    # Before the secret is there: whoever runs `git add .` meanwhile must not get it.
    atomic_files.keep_out_of_git(folder)
    problem = _why_taken(folder, path)
    if problem:
        raise OSError(errno.EPERM, problem, str(path))
    atomic_files.write(path, content, mode=atomic_files.PRIVATE_FILE)


def probe(folder: Path) -> None:
    """Raise OSError where git would take a secret that is written below `folder`, which need not be there."""
    problem = _why_tracked(folder)
    if not problem and os.path.lexists(folder / IGNORE_FILE):
        problem = _why_taken(folder, folder / _SAMPLE) or _exception_in(folder)
    if problem:
        raise OSError(errno.EPERM, problem, str(folder))


def _why_taken(folder: Path, path: Path) -> str:
    """Why git would take a file, "" where it would not."""
    try:
        if _is_ignored(path):
            return ""
    except git.NoAnswer as error:
        return "" if _is_own(folder) else f"git would perhaps take {path}, since {error}{_MEND}"
    return f"git would take {path}: no .gitignore keeps it out, or git has it already{_MEND}"


def _why_tracked(folder: Path) -> str:
    """Why a folder is none for secrets: git has files of its kind in it. "" where it has none."""
    real, top = _place(folder)
    if top is None:
        return ""
    place = f":(top,literal){os.path.relpath(real, top)}"
    try:
        tracked = git.ask(top, "ls-files", "-z", "--", place)
    except git.NoAnswer:
        return ""  # what may be written is decided when it is
    files = (name for name in os.fsdecode(tracked).split("\0") if name.endswith(".json"))
    found = next(files, "")
    hint = "take it out with `git rm --cached`, and give its client another secret"
    return f"git has {found} in it: {hint}" if found else ""


def _exception_in(folder: Path) -> str:
    """Why the rules of a folder are not enough: they take some names out. "" where they do not."""
    with contextlib.suppress(git.NoAnswer):
        if _is_ignored(folder):
            return ""  # nothing below a folder that is ignored can be taken back in
    lines = atomic_files.read(folder / IGNORE_FILE).decode("utf-8", "replace").splitlines()
    if any(line.startswith("!") and line.rstrip() != _ALLOWED_EXCEPTION for line in lines):
        return f"its .gitignore lets git take some files{_MEND}"
    return ""


def _is_ignored(path: Path) -> bool:
    """Whether git ignores a path, or has no say in it. Raises git.NoAnswer."""
    real, top = _place(path)
    if top is None:
        return True
    given = os.fsencode(f"{real}\0")
    return bool(git.ask(top, "check-ignore", "-z", "--stdin", given=given, also=1))


def _is_own(folder: Path) -> bool:
    """Whether the `.gitignore` of a folder says what the tool writes into it."""
    try:
        return atomic_files.read(folder / IGNORE_FILE) == atomic_files.IGNORE_ALL
    except OSError:
        return False


def _place(path: Path) -> tuple[str, str | None]:
    """The path without links, and the top of the checkout that could take it, None for none."""
    real = os.path.realpath(path)
    # Git takes nothing of its own folder.
    top = None if f"{os.sep}.git{os.sep}" in real else git.checkout_top(real)
    return real, top
