"""Keeps the receipt of a run: written before anything is sent, and again when the run ends, however."""

from __future__ import annotations

import getpass
import os
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.output import write_file
from reconciler.core.errors import StalePlan
from reconciler.core.model import Action
from reconciler.render import receipt
from reconciler.render.clean import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.model import Outcome

# Who had the pipeline run, as the CI systems say it: GitHub, GitLab, Azure, Buildkite, CircleCI, Jenkins.
ACTORS: Final = (
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BUILD_REQUESTEDFOR",
    "BUILDKITE_BUILD_CREATOR",
    "CIRCLE_USERNAME",
    "BUILD_USER_ID",
)


class Receipt:
    """The receipt of one run; without a path it is kept nowhere. `exit_code` is set by who knows it."""

    def __init__(self, path: str | None, heading: receipt.Heading | None) -> None:
        self._path = path
        self._heading = heading
        self._outcomes: list[Outcome] = []
        self.exit_code: int | None = None

    def note(self, outcome: Outcome) -> None:
        """Take note of how a change ended; a client that was left alone is not worth it."""
        if outcome.action is not Action.NOOP or outcome.message:
            self._outcomes.append(outcome)

    def settle(self, outcomes: tuple[Outcome, ...]) -> None:
        """Take the whole report in the place of what was noted one by one."""
        self._outcomes.clear()
        for outcome in outcomes:
            self.note(outcome)

    def write(self, *, ended: bool) -> None:
        """Write the file, whole or not at all. Raises OSError."""
        if self._path is not None and self._heading is not None:
            ended_at = _now() if ended else None
            text = receipt.render(
                self._heading, self._outcomes, ended_at=ended_at, exit_code=self.exit_code
            )
            write_file(self._path, text)


@contextmanager
def kept(path: str | None, heading: receipt.Heading | None) -> Iterator[Receipt]:
    """Keep a receipt at `path` until the block ends: its first version says that the run did not."""
    opened = Receipt(path, heading)
    opened.write(ended=False)
    try:
        yield opened
    except StalePlan:
        opened.exit_code = ExitCode.STALE
        raise
    finally:
        opened.write(ended=True)


def heading(
    *, version: str, folder: str, plan_digest: str, plan_file: str | None
) -> receipt.Heading:
    """Say who runs the tool now, and on which commit of the repo that holds `folder`."""
    return receipt.Heading(
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
        except (KeyError, OSError):
            stated = ""
    return clean(stated)


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
