"""Shows on a terminal how far a run of apply has come."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.core.changes import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress

    from reconciler.core.changes import Outcome


@contextmanager
def progress_bar(changes: int) -> Iterator[Callable[[Outcome], None]]:
    """Show a bar of `changes` on a terminal; the block is given what to call with each outcome."""
    if not changes or not sys.stderr.isatty():
        yield lambda _outcome: None
        return
    with _bar() as bar:
        task = bar.add_task("Applying", total=changes)

        def advance(outcome: Outcome) -> None:
            # The bar counts changes; an outcome is reported of unchanged clients too.
            if outcome.action is not Action.NOOP:
                bar.advance(task)

        yield advance


def _bar() -> Progress:
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
