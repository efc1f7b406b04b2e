"""Writes the receipt of a run: before anything is sent, and again when the run ends, however it ends."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from reconciler.cli.exit_codes import ExitCode, system_error
from reconciler.cli.output import print_message, write_file
from reconciler.cli.run_state import current
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


# The commit that a pipeline runs on, as the same say it, and Bitbucket, Drone, Woodpecker, Travis, AppVeyor,
# TeamCity, Semaphore and AWS CodeBuild.
COMMITS: Final = (
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "BUILD_SOURCEVERSION",
    "BITBUCKET_COMMIT",
    "BUILDKITE_COMMIT",
    "CIRCLE_SHA1",
    "GIT_COMMIT",
    "DRONE_COMMIT_SHA",
    "DRONE_COMMIT",
    "TRAVIS_COMMIT",
    "APPVEYOR_REPO_COMMIT",
    "BUILD_VCS_NUMBER",
    "SEMAPHORE_GIT_SHA",
    "CODEBUILD_RESOLVED_SOURCE_VERSION",
)
# SHA-1 or SHA-256, whole: https://git-scm.com/docs/hash-function-transition
_HASH: Final = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")


class ReceiptFile:
    """The file of one run's receipt; without a path there is none. The caller sets `exit_code`.

    `is_written` is false where the file could not be written when the run ended.
    """

    def __init__(self, path: str | None, header: ReceiptHeader | None) -> None:
        self._path = path
        self._header = header
        self._outcomes: list[Outcome] = []
        self.exit_code: int | None = None
        self.is_written = True

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

    def finish(self) -> None:
        """Write the file for the last time; where that fails, say so: the run is done by then."""
        try:
            self.write(ended=True)
        except OSError as error:
            self.is_written = False
            print_message(
                f"error: the receipt could not be written: {system_error(error)}. "
                f"{self._path} says that the run has not ended"
            )


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
    except BaseException:
        receipt.exit_code = ExitCode.PARTLY_APPLIED if current.changed else ExitCode.FAILED
        raise
    finally:
        receipt.finish()


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
    """The commit that is checked out: as git says, else as the CI system does; None where nobody does.

    Why nobody does is told on stderr, but for a folder that is in no repo.
    """
    found, why = _commit_of_git(folder)
    if found is not None:
        return found
    for name in COMMITS:
        # It may hold anything, such as the name of a branch, and a receipt is no place for that.
        stated = os.environ.get(name, "").strip()
        if _HASH.fullmatch(stated):
            return stated.lower()
    if why:
        print_message(f"the receipt has no commit: {why}, and no variable of a CI system states it")
    return None


def _commit_of_git(folder: str) -> tuple[str | None, str]:
    """The commit that git says is checked out, and where it says none, why; "" outside of a repo."""
    try:
        done = subprocess.run(  # noqa: S603 - the folder is one argument, whatever it is called
            ["git", "-C", folder, "rev-parse", "--verify", "HEAD"],  # noqa: S607 - the git of the user's PATH
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:
        return None, f"git cannot be started ({error.strerror})"
    commit = done.stdout.strip()
    if done.returncode == 0 and _HASH.fullmatch(commit):
        return commit, ""
    if "not a git repository" in done.stderr:
        return None, ""
    return None, f"git says: {(done.stderr.strip().splitlines() or ['nothing'])[0]}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
