"""Runs the command lines of the demo, shows what they print, and checks it."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.output import print_text, style_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.sandbox.handle import Sandbox
    from reconciler.sandbox.world import RecordedRequest


class UnexpectedResult(Exception):
    """A step came out otherwise than it should."""


class TeeStream(io.TextIOBase):
    """A stream that writes to another and to a copy."""

    def __init__(self, target: TextIO, copy: io.StringIO, *, terminal: bool) -> None:
        self._target = target
        self._copy = copy
        self._terminal = terminal

    def write(self, text: str) -> int:
        """Write to both."""
        self._copy.write(text)
        return self._target.write(text)

    def flush(self) -> None:
        """Flush the stream that is shown."""
        self._target.flush()

    def isatty(self) -> bool:
        """Whether commands may print colour and progress."""
        return self._terminal


class DemoRun:
    """One run of the demo: the sandbox, and all that was printed so far."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.printed = ""
        self._style = style_for()
        self._steps = 0

    def step(self, title: str) -> None:
        """Start a new step: print its title, and forget the requests of the one before."""
        self._steps += 1
        self.sandbox.forget_requests()
        print_text("\n" + self._style.paint("summary", f"== {self._steps}. {title}") + "\n")

    def explain(self, text: str) -> None:
        """Print what is going on."""
        print_text(f"\n{text}\n")

    def run(self, *arguments: str, code: ExitCode = ExitCode.DONE) -> str:
        """Run `reconciler` with these arguments and return what it printed.

        Raises UnexpectedResult for another exit code than `code`.
        """
        from reconciler.cli.root import root  # noqa: PLC0415 - it is what runs the demo, too

        line = " ".join(("reconciler", *arguments))
        print_text("\n" + self._style.paint("target", f"$ {line}") + "\n")
        copy = io.StringIO()
        ended = _run_command(root, arguments, copy)
        printed = click.unstyle(copy.getvalue())
        self.printed += printed
        if ended != code:
            raise UnexpectedResult(f"`{line}` exited with {ended} instead of {code.value}")
        return printed

    def expect(self, truth: object, promise: str) -> None:
        """Raise UnexpectedResult where what was promised is not true."""
        if not truth:
            raise UnexpectedResult(f"it was promised that {promise}")

    def expect_words(self, printed: str, *words: str) -> None:
        """Raise UnexpectedResult where an output lacks one of the words."""
        for word in words:
            self.expect(word in printed, f"the output says {word!r}")

    def writes(self) -> list[RecordedRequest]:
        """The requests of this step that changed a server, or tried to."""
        return [
            one
            for one in self.sandbox.requests
            if one.method != "GET" and not one.path.endswith("/token")
        ]

    def show_tree(self, folder: str, depth: int = 0) -> list[Path]:
        """Print the files below `folder` with their modes, without hidden ones, and return them."""
        return _print_tree(Path(folder), depth)


def _run_command(command: click.Command, arguments: Sequence[str], copy: io.StringIO) -> int:
    out = TeeStream(sys.stdout, copy, terminal=sys.stdout.isatty())
    # Both to stdout, so that what a command prints to either keeps its order.
    err = TeeStream(sys.stdout, copy, terminal=False)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command.main(list(arguments), prog_name="reconciler")
        except SystemExit as exit_:
            return int(exit_.code or 0)


def _print_tree(folder: Path, depth: int) -> list[Path]:
    found: list[Path] = []
    for path in sorted(folder.glob("[!.]*")):
        mode = path.stat().st_mode & 0o777
        print_text(f"    {mode:04o} {'  ' * depth}{path.name}{'/' * path.is_dir()}\n")
        found += _print_tree(path, depth + 1) if path.is_dir() else [path]
    return found
