"""What the story is told on: it runs real command lines, shows what they print, and checks it."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.output import result, style_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.sandbox.handle import Sandbox
    from reconciler.sandbox.world import Exchange


class Unexpected(Exception):
    """A step came out otherwise than the story says."""


class Echo(io.TextIOBase):
    """A stream that writes to another and keeps what was written."""

    def __init__(self, onto: TextIO, kept: io.StringIO, *, terminal: bool) -> None:
        self._onto = onto
        self._kept = kept
        self._terminal = terminal

    def write(self, text: str) -> int:
        """Write to both."""
        self._kept.write(text)
        return self._onto.write(text)

    def flush(self) -> None:
        """Flush what is shown."""
        self._onto.flush()

    def isatty(self) -> bool:
        """Say whether colour and progress are welcome."""
        return self._terminal


class Stage:
    """One telling: the sandbox, and all that was printed so far."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.printed = ""
        self._style = style_for()
        self._steps = 0

    def step(self, title: str) -> None:
        """Begin a new step; what the servers were asked before is forgotten."""
        self._steps += 1
        self.sandbox.forget_requests()
        result("\n" + self._style.paint("summary", f"== {self._steps}. {title}") + "\n")

    def narrate(self, text: str) -> None:
        """Say what is going on."""
        result(f"\n{text}\n")

    def run(self, *arguments: str, code: ExitCode = ExitCode.DONE) -> str:
        """Run `reconciler` with these arguments and give what it printed; Unexpected for another code."""
        from reconciler.cli.root import root  # noqa: PLC0415 - it is what runs the demo, too

        line = " ".join(("reconciler", *arguments))
        result("\n" + self._style.paint("target", f"$ {line}") + "\n")
        kept = io.StringIO()
        ended = _ended(root, arguments, kept)
        printed = click.unstyle(kept.getvalue())
        self.printed += printed
        if ended != code:
            raise Unexpected(f"`{line}` exited with {ended} instead of {code.value}")
        return printed

    def expect(self, truth: object, promise: str) -> None:
        """Hold the run to a promise of the story."""
        if not truth:
            raise Unexpected(f"it was promised that {promise}")

    def expect_words(self, printed: str, *words: str) -> None:
        """Hold an output to what it must say."""
        for word in words:
            self.expect(word in printed, f"the output says {word!r}")

    def writes(self) -> list[Exchange]:
        """Give the requests of this step that changed a server, or tried to."""
        return [
            one
            for one in self.sandbox.requests
            if one.method != "GET" and not one.path.endswith("/token")
        ]

    def show_tree(self, folder: str, depth: int = 0) -> list[Path]:
        """Show the files below `folder` with their modes, hidden ones aside; give the files."""
        return _tree(Path(folder), depth)


def _ended(command: click.Command, arguments: Sequence[str], kept: io.StringIO) -> int:
    shown = Echo(sys.stdout, kept, terminal=sys.stdout.isatty())
    said = Echo(sys.stdout, kept, terminal=False)  # in one stream, so that the order is kept
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(said):
        try:
            command.main(list(arguments), prog_name="reconciler")
        except SystemExit as exit_:
            return int(exit_.code or 0)


def _tree(folder: Path, depth: int) -> list[Path]:
    found: list[Path] = []
    for path in sorted(folder.glob("[!.]*")):
        mode = path.stat().st_mode & 0o777
        result(f"    {mode:04o} {'  ' * depth}{path.name}{'/' * path.is_dir()}\n")
        found += _tree(path, depth + 1) if path.is_dir() else [path]
    return found
