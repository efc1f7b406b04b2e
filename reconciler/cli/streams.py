"""Keeps the three streams of the process usable: one that is closed, full or gone never ends a run."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.run_state import current

if TYPE_CHECKING:
    from typing import TextIO

# That nobody reads any more: a pipe whose reader has ended.
_GONE: Final = frozenset({errno.EPIPE, errno.ENXIO, errno.ECONNRESET})


def prepare() -> None:
    """Open what the caller closed, and make both outputs take every character in any locale."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        # Python has no stream for a descriptor that was closed when it started. Left closed, the next
        # file that is opened would get its number, and a child would write into that.
        if getattr(sys, name) is None:
            setattr(sys, name, _open_nothing(number))
    for stream in (sys.stdout, sys.stderr):
        # Not where a test or a program around us has put in a stream of its own.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def write(text: str, *, err: bool) -> None:
    """Write to stdout, or to stderr; raises no OSError.

    One on stdout is noted in the state of the run, unless it says that nobody reads there any more.
    """
    stream = sys.stderr if err else sys.stdout
    try:
        click.echo(text, nl=False, err=err)
    except OSError as error:
        # What cannot be said on stderr can be said nowhere.
        if not err and not _is_gone(error, stream):
            current.output_error = current.output_error or error
        _write_no_more_to(stream)
    if not err and text:
        current.printed = True


def _is_gone(error: OSError, stream: TextIO) -> bool:
    """Whether nobody is there any more to read, which is no failure of the run."""
    if error.errno in _GONE:
        return True
    # What a terminal says that was hung up; a disk says it too, and means a failure.
    with suppress(OSError, ValueError):
        return error.errno == errno.EIO and not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    return False


def _write_no_more_to(stream: TextIO) -> None:
    """Send the rest to nowhere, also what the stream still holds: Python writes that at the end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()


def _open_nothing(number: int) -> TextIO:
    """A stream that is empty and takes everything, at this descriptor if that is free."""
    with suppress(OSError):
        os.fstat(number)
        return open(os.devnull, "r+", encoding="utf-8")  # noqa: PTH123 - it is open to the end
    # The lowest that is free, which is this one: those below it were opened before.
    descriptor = os.open(os.devnull, os.O_RDWR)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - it takes it by position alone
    return open(descriptor, "r+" if number == 0 else "w", encoding="utf-8")  # noqa: PTH123 - as above
