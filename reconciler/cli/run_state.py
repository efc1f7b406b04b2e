"""What one run of the command line knows of itself: what was asked, what it did, what it could not print."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.core.model import Problem


class RunState:
    """The state of a run. `project` and `target` are as typed, None where they were not given.

    `changed` says that something was carried out, recorded or written, or may have been, so that
    the run cannot end as one that changed nothing. `printed` says that a result went to stdout, and
    `output_error` why it could not go there whole. `failed_document` makes the document that stands
    in the place of a result that never was, from sentences and from problems of files; None where
    the format is one for people.
    """

    def __init__(self) -> None:
        self.project: str | None = None
        self.target: str | None = None
        self.changed = False
        self.printed = False
        self.output_error: OSError | None = None
        self.failed_document: Callable[[Sequence[str], Sequence[Problem]], str] | None = None

    def note_change(self) -> None:
        """Note that from here on something is changed, or may be."""
        self.changed = True

    def begin(self) -> None:
        """Forget all of the run before: a process may run several command lines."""
        RunState.__init__(self)


# One a process, as stdout is: what prints a line is far from what read the options.
current = RunState()
