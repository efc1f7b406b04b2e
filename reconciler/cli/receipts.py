"""Writes the receipt of a run: before anything is sent, and again when the run ends, however it ends."""

from __future__ import annotations

import getpass
import os
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.output import write_file
from reconciler.core.changes import Action
from reconciler.core.errors import StalePlan
from reconciler.render.json import ReceiptHeader, render_receipt
from reconciler.render.terminal import escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.changes import Outcome

# Who had the pipeline run, as the CI systems say it: GitHub, GitLab, Azure, Buildkite, CircleCI, Jenkins.
ACTORS: Final = (
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BUILD_REQUESTEDFOR",
    "BUILDKITE_BUILD_CREATOR",
    "CIRCLE_USERNAME",
    "BUILD_USER_ID",
)


class ReceiptFile:
    """The file of one run's receipt; without a path there is none. The caller sets `exit_code`."""

    def __init__(self, path: str | None, header: ReceiptHeader | None) -> None:
        self._path = path
        self._header = header
        self._outcomes: list[Outcome] = []
        self.exit_code: int | None = None

    def add(self, outcome: Outcome) -> None:
        """Add how a change ended; a client that was left alone without a message is left out."""
        if outcome.action is not Action.NOOP or outcome.message:
            self._outcomes.append(outcome)

    def replace_outcomes(self, outcomes: tuple[Outcome, ...]) -> None:
        """Put the outcomes of the whole report in the place of those that were added one by one."""
        self._outcomes.clear()
        for outcome in outcomes:
            self.add(outcome)

    def write(self, *, ended: bool) -> None:
        """Write the file, whole or not at all. Raises OSError."""
        if self._path is not None and self._header is not None:
            ended_at = _now() if ended else None
            text = render_receipt(
                self._header, self._outcomes, ended_at=ended_at, exit_code=self.exit_code
            )
            write_file(self._path, text)


@contextmanager
def keep_receipt(path: str | None, header: ReceiptHeader | None) -> Iterator[ReceiptFile]:
    """Write a receipt to `path` now, and again when the block ends."""
    receipt = ReceiptFile(path, header)
    # At once: a run that is killed leaves a receipt that says that it has not ended, and a path
    # that cannot be written stops the run before anything is sent.
    receipt.write(ended=False)
    try:
        yield receipt
    except StalePlan:
        receipt.exit_code = ExitCode.STALE
        raise
    finally:
        receipt.write(ended=True)


def receipt_header(
    *, version: str, folder: str, plan_digest: str, plan_file: str | None
) -> ReceiptHeader:
    """The header of a receipt: who runs the tool now, on which commit of the repo that holds `folder`."""
    return ReceiptHeader(
        version=version,
        plan_digest=plan_digest,
        plan_file=plan_file,
        commit=_commit(folder),
        actor=_actor(),
        started_at=_now(),
    )


def _actor() -> str:
    stated = next((os.environ[name] for name in ACTORS if os.environ.get(name)), None)
    if stated is None:
        try:
            stated = getpass.getuser()
        # No entry for the user id, as in a container: KeyError up to Python 3.12, OSError from 3.13.
        except (KeyError, OSError):
            stated = ""
    # Some CI systems pass on a display name, which may hold anything.
    return escape_unprintable(stated)


def _commit(folder: str) -> str | None:
    """The commit that is checked out, None outside of a git repo or without git."""
    try:
        done = subprocess.run(  # noqa: S603 - the folder is one argument, whatever it is called
            ["git", "-C", folder, "rev-parse", "HEAD"],  # noqa: S607 - the git of the user's PATH
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
