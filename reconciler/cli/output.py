"""Where output goes: results to stdout, everything else to stderr, in UTF-8 whatever the locale."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import click

from reconciler.render.clean import clean

if TYPE_CHECKING:
    from reconciler.render.style import Style


def speak_utf8() -> None:
    """Make both streams take every character, also where the locale says ASCII."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def result(text: str, *, err: bool = False) -> None:
    """Print a result, which ends its own lines and was made safe by its renderer."""
    click.echo(text, nl=False, err=err)


def say(line: str) -> None:
    """Tell the person who watches, on stderr; the line may hold foreign text."""
    click.echo("\n".join(clean(part) for part in line.split("\n")), err=True)


def style_for(*, err: bool = False) -> Style:
    """Colour on a terminal, unless NO_COLOR (no-color.org) or TERM=dumb speaks against it."""
    from reconciler.render.style import COLOUR, PLAIN  # noqa: PLC0415 - plans and reports only

    stream = sys.stderr if err else sys.stdout
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return PLAIN
    return COLOUR


def can_ask() -> bool:
    """Whether somebody is there to read a question and to type an answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


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
