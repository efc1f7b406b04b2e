"""Asks git about the checkout that a folder lies in; nothing that the repository names is run for it."""

from __future__ import annotations

import os
import posixpath
from typing import Final

# Set for a hook, they mean its repository as seen from another folder.
_OF_A_HOOK: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
# The file system monitor is a command that the repository names: nothing of it is to run.
_COMMAND: Final = ("git", "-c", "core.fsmonitor=false")
# No object is fetched or taken for another: both are what the checkout's own settings would have.
_SETTINGS: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_TIMEOUT: Final = 60.0  # seconds; a repository of a million files takes two


class NoAnswer(Exception):
    """Git does not answer; the message says why."""


def ask(folder: str, *arguments: str, given: bytes = b"", also: int = 0) -> bytes:
    """What git prints for these arguments in a folder. Raises NoAnswer where it fails.

    `given` is its standard input; the exit code `also` is an answer beside 0.
    """
    import subprocess  # noqa: PLC0415 - 5 ms, and most checkouts are whole

    environ = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    try:
        done = subprocess.run(  # noqa: S603 - git's own path, and no word of the user's
            (*_COMMAND, *arguments),
            cwd=folder or ".",
            env={**environ, **_SETTINGS},
            input=given,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = error.strerror if isinstance(error, OSError) else "it did not answer"
        raise NoAnswer(f"git cannot be run: {why}") from None
    if done.returncode not in (0, also):
        words = done.stderr.decode(errors="replace").strip().splitlines() or ["it failed"]
        raise NoAnswer(f"git says: {words[0]}")
    return done.stdout


def checkout_top(folder: str) -> str | None:
    """The folder with a `.git` that `folder`, an absolute path, is in, None where it is in none."""
    while not os.path.lexists(f"{folder}/.git"):
        above = posixpath.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder
