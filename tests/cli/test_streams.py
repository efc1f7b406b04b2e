"""A stream that is closed, full or gone ends no run, and no command writes into another's file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.repo import Repo

COMMAND = f"{sys.executable} -m reconciler"
CLOSED = [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"]


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def unread(arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A run whose stdout is a pipe that nobody reads any more."""
    read, write = os.pipe()
    os.close(read)
    try:
        return subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments.split()],
            cwd=folder,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(write)


@pytest.mark.parametrize("closed", CLOSED)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("--help", 0),
        ("validate", 0),
        ("plan", 0),
        ("plan --format json", 0),
        ("plan --detailed-exitcode", 2),
        ("providers", 0),
        ("nonsense", 64),
        ("validate --project nowhere", 1),
    ],
)
def test_a_closed_stream_changes_no_exit_code(repo: Repo, closed: str, arguments: str, code: int):
    done = shell(f"{COMMAND} {arguments} {closed}", repo.folder)

    assert done.returncode == code
    assert "bug in reconciler" not in done.stderr + done.stdout


@pytest.mark.parametrize("closed", CLOSED)
def test_a_run_without_streams_applies_and_writes_its_files_whole(repo: Repo, closed: str):
    """A descriptor that is free would be the next file's: what is printed would go into that."""
    done = shell(f"{COMMAND} apply --auto-approve --receipt r.json {closed}", repo.folder)

    assert done.returncode == 0
    assert json.loads((repo.folder / "r.json").read_text())["exitCode"] == 0
    again = shell(f"{COMMAND} plan --detailed-exitcode", repo.folder)
    assert again.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("plan", 0), ("plan --format json", 0), ("plan --detailed-exitcode", 2), ("providers", 0)],
)
def test_a_reader_that_has_gone_ends_a_run_quietly(repo: Repo, arguments: str, code: int):
    done = unread(arguments, repo.folder)

    assert (done.returncode, done.stderr) == (code, "")


def test_an_apply_whose_reader_has_gone_goes_on_to_its_end(repo: Repo):
    done = unread("apply --auto-approve", repo.folder)

    assert done.returncode == 0
    assert shell(f"{COMMAND} plan --detailed-exitcode", repo.folder).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("validate", 0), ("plan", 1), ("plan --format json", 1), ("apply --auto-approve", 5)],
)
def test_a_result_that_could_not_be_written_is_told(repo: Repo, arguments: str, code: int):
    done = shell(f"{COMMAND} {arguments} > /dev/full", repo.folder)

    assert done.returncode == code
    # What is valid has nothing to print.
    if code:
        assert "the output could not be written: No space left on device" in done.stderr


def test_a_question_that_nobody_could_read_the_plan_of_is_not_asked(repo: Repo):
    """A plan that was not shown cannot be approved."""
    script = f"script -qec '{COMMAND} apply > /dev/full' /dev/null"

    done = shell(f"echo yes | {script}", repo.folder)

    assert "Apply this plan?" not in done.stdout
    assert repo.writes() == []
