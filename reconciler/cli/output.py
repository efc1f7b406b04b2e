"""Prints: results to stdout, everything else to stderr, with nothing in it that commands a terminal or CI; and asks."""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress
from typing import Final

import click

from reconciler.cli import streams
from reconciler.cli.project_file import find_project_file, root_folder
from reconciler.cli.run_state import current
from reconciler.core.errors import ReconcilerError
from reconciler.render.terminal import COLOUR, PLAIN, Style, escape_unprintable, printable

# What a plan or a receipt begins with; and an empty file, which is nobody's.
_DOCUMENT: Final = re.compile(
    rb'\s*(\{\s*"formatVersion"\s*:\s*\d+\s*,\s*"tool"\s*:\s*\{\s*"name"\s*:\s*"reconciler"|\Z)'
)


def print_text(text: str, *, err: bool = False) -> None:
    """Print lines that a renderer made for people; the commands in them are made to work as printed."""
    streams.write(printable(with_own_options(text)), err=err)


def print_document(text: str) -> None:
    """Print a document for machines to stdout, such as JSON."""
    streams.write(printable(with_own_options(text, as_json=True)), err=False)


def print_line(line: str) -> None:
    """Print a line of a result, which may hold foreign text, to stdout."""
    print_text(f"{escape_unprintable(line)}\n")


def print_message(message: str) -> None:
    """Print one or more lines, which may hold foreign text, to stderr for the person who watches."""
    print_text("".join(f"{escape_unprintable(line)}\n" for line in message.split("\n")), err=True)


def with_own_options(text: str, *, as_json: bool = False) -> str:
    """The text, the commands in it with the options by which this run found its project and target."""
    if current.project is None and current.target is None:
        return text
    from reconciler.core.commands import with_options  # noqa: PLC0415 - most runs need no option

    return with_options(text, project=current.project, target=current.target, as_json=as_json)


def style_for(*, err: bool = False) -> Style:
    """The colours for a terminal, none where NO_COLOR (no-color.org) or TERM=dumb speaks against it."""
    stream = sys.stderr if err else sys.stdout
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return PLAIN
    return COLOUR


def can_ask() -> bool:
    """Whether somebody is there to read a question and to type an answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def require_terminal(command: str) -> None:
    """Raise UsageError where a command that asks first has no terminal to ask on."""
    if not can_ask():
        raise click.UsageError(
            f"{command} asks first, and there is no terminal to ask on: give --auto-approve"
        )


def confirm(question: str) -> bool:
    """Ask a question on stderr; whether the answer is yes.

    Raises OSError where what it is about could not be printed.
    """
    if current.output_error is not None:
        raise current.output_error
    # Not click.confirm, which takes `y` as well: this is about other people's logins.
    print_text(f"{question} Only 'yes' is taken as yes: ", err=True)
    # A terminal that was hung up gives no answer.
    with suppress(OSError):
        return sys.stdin.readline().strip() == "yes"
    return False


def write_file(path: str, text: str) -> None:
    """Write `text` to `path`: a reader sees the old file or the new one, never a part.

    What is no regular file, such as a pipe or /dev/null, is written to and not replaced. Raises
    OSError, also for a link that would have something else written than what was named, and for
    what is there already and is no such document, or is the place of something else.
    """
    from pathlib import Path  # noqa: PLC0415 - 1 ms, and few commands write a file

    from reconciler import atomic_files  # noqa: PLC0415 - as above

    _refuse_link(path)
    target, content = Path(path).resolve(), text.encode("utf-8", "backslashreplace")
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    _refuse_place(path)
    if target.exists() and not _DOCUMENT.match(atomic_files.read(target)):
        problem = "a file is there that is no plan or receipt: name another, or take it away"
        raise OSError(errno.EEXIST, problem, path)
    atomic_files.write(target, content, mode=atomic_files.SHARED_FILE)


def _refuse_place(path: str) -> None:
    """Raise OSError for a file in a folder of git's own, or in one that the project writes into."""
    from reconciler.core.project import Project  # noqa: PLC0415 - as above
    from reconciler.manifests.project import load  # noqa: PLC0415 - as above
    from reconciler.project_folder import ProjectFolder  # noqa: PLC0415 - as above

    project = Project(path="", root=root_folder(current.project), targets={})
    # A failure is written too, and the project file may be what failed.
    with suppress(ReconcilerError):
        project = load(find_project_file(current.project))
    why = ProjectFolder(project, takes_own=False).why_not_write(path)
    if why:
        raise OSError(errno.EPERM, f"it {why}: name another place", path)


def _refuse_link(path: str) -> None:
    """Raise OSError for a link in a repository: whoever opens a pull request chooses where it leads."""
    from reconciler.project_folder import is_file_behind_link, leads_out_of  # noqa: PLC0415 - as above

    if is_file_behind_link(path):
        problem = "this is a link: name the file that it leads to"
    elif any(leads_out_of(folder, path) for folder in (".", root_folder(current.project))):
        problem = "a link on the way leads out of this folder: name the place that it leads to"
    else:
        return
    raise OSError(errno.ELOOP, problem, path)


def version() -> str:
    """The version of the installed package, `0+source` where it is run from its sources."""
    from importlib import metadata  # noqa: PLC0415 - 15 ms, for the few outputs that state it

    try:
        return metadata.version("oauth-client-reconciler")
    except metadata.PackageNotFoundError:
        return "0+source"
