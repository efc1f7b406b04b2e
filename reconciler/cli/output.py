"""Prints: results to stdout, everything else to stderr, in UTF-8 whatever the locale; and asks."""

from __future__ import annotations

import io
import os
import sys

import click

from reconciler.render.terminal import COLOUR, PLAIN, Style, escape_unprintable, printable


def use_utf8() -> None:
    """Make both streams take every character, also where the locale says ASCII."""
    for stream in (sys.stdout, sys.stderr):
        # Not where a test or a program around us has put in a stream of its own.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def print_text(text: str, *, err: bool = False) -> None:
    """Print a text that ends its own lines: nothing in it drives a terminal or a CI system."""
    click.echo(printable(text), nl=False, err=err)


def print_line(line: str) -> None:
    """Print a line of a result, which may hold foreign text, to stdout."""
    print_text(f"{escape_unprintable(line)}\n")


def print_message(message: str) -> None:
    """Print one or more lines, which may hold foreign text, to stderr for the person who watches."""
    lines = "\n".join(escape_unprintable(line) for line in message.split("\n"))
    click.echo(printable(lines), err=True)


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
    """Ask a question on stderr; whether the answer is yes."""
    # Not click.confirm, which takes `y` as well: this is about other people's logins.
    click.echo(f"{question} Only 'yes' is taken as yes: ", nl=False, err=True)
    return sys.stdin.readline().strip() == "yes"


def write_file(path: str, text: str) -> None:
    """Write `text` to `path`: a reader sees the old file or the new one, never a part.

    What is no regular file, such as a pipe or /dev/null, is written to and not replaced.
    """
    from pathlib import Path  # noqa: PLC0415 - 1 ms, and few commands write a file

    from reconciler import atomic_files  # noqa: PLC0415 - as above

    target, content = Path(path).resolve(), text.encode("utf-8", "backslashreplace")
    if target.exists() and not target.is_file():
        target.write_bytes(content)
    else:
        atomic_files.write(target, content, mode=atomic_files.SHARED_FILE)


def version() -> str:
    """The version of the installed package, `0+source` where it is run from its sources."""
    from importlib import metadata  # noqa: PLC0415 - 15 ms, for the few outputs that state it

    try:
        return metadata.version("oauth-client-reconciler")
    except metadata.PackageNotFoundError:
        return "0+source"
