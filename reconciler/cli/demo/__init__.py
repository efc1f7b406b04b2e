"""Shows the whole life of a few clients on the sandbox, by the real commands, each step checked."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.demo import repo, story
from reconciler.cli.demo.runner import DemoRun, UnexpectedResult
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.output import print_message
from reconciler.core.errors import ReconcilerError
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable


def run(*, keep: str | None = None, steps: Callable[[DemoRun], None] = story.run_story) -> ExitCode:
    """Run the steps in a temporary folder, or in `keep`, a folder that does not exist yet.

    DONE when every step came out as it should, else FAILED, with the step named on stderr.
    Raises ReconcilerError when `keep` is there, SandboxUnavailable without the sandbox's packages.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-demo-")))
        if keep is not None:
            folder = _new_folder(keep)
        sandbox = stack.enter_context(running())
        repo.copy_examples(folder, sandbox)
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(repo.environment(sandbox))
        demo = DemoRun(sandbox)
        try:
            steps(demo)
        except UnexpectedResult as error:
            print_message(f"\nThe demo did not come out as it should: {error}")
            return ExitCode.FAILED
        if keep is not None:
            demo.explain(f"The files are in {keep}; the sandbox that they speak to is gone.")
    return ExitCode.DONE


def _new_folder(keep: str) -> Path:
    folder = Path(keep)
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise ReconcilerError(f"{keep} is already there: --keep makes a new folder") from error
    return folder.absolute()
