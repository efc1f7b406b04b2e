"""What the global options say, for the length of one run."""

from __future__ import annotations

from reconciler.cli.output import say


class Session:
    """One run of the command line: `project` as typed, None where it is to be looked for."""

    def __init__(self) -> None:
        self.verbose = False
        self.project: str | None = None

    def log(self, line: str) -> None:
        """Show a line of the log, where one was asked for."""
        if self.verbose:
            say(line)
