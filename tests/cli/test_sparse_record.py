"""A checkout that leaves out the inventory is refused: else every client would be created a second time."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")


def git(*arguments: str) -> None:
    subprocess.run((*GIT, *arguments), check=True, capture_output=True)


@pytest.fixture
def committed(repo: Repo, invoke: Invoke) -> Repo:
    """A repo whose clients were applied and whose record was committed."""
    git("init", "-q")
    assert invoke("apply", "--auto-approve").exit_code == 0
    git("add", "-A")
    git("commit", "-qm", "applied")
    repo.sandbox.forget_requests()
    return repo


@pytest.mark.parametrize(
    "how",
    [
        ("--cone", "clients"),
        ("--cone", "--sparse-index", "clients"),
        ("--no-cone", "/*", "!/.reconciler/"),
        ("--no-cone", "/*", "!/.reconciler/inventory/provident/"),
        ("--no-cone", "/*", "!web.json"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "apply", "import", "move", "rotate"])
def test_a_record_that_is_left_out_is_refused_with_the_way_to_it(
    committed: Repo, invoke: Invoke, how: tuple[str, ...], command: str
):
    git("sparse-checkout", "set", *how)
    arguments = {
        "plan": ("plan",),
        "apply": ("apply", "--auto-approve"),
        "import": ("import", "sailpoint", "--all"),
        "move": ("move", "provident/web", "provident/shop"),
        "rotate": ("rotate", "web", "--target", "provident", "--auto-approve"),
    }[command]

    done = invoke(*arguments)

    assert done.exit_code == 1
    assert "this checkout leaves out" in done.output
    assert "git sparse-checkout add .reconciler/inventory" in done.output
    assert committed.writes() == []


@pytest.mark.usefixtures("committed")
def test_the_way_that_is_named_is_one(invoke: Invoke):
    git("sparse-checkout", "set", "--cone", "clients")
    git("sparse-checkout", "add", ".reconciler/inventory")

    done = invoke("plan")

    assert done.exit_code == 0
    assert "3 unchanged" in done.stdout


@pytest.mark.usefixtures("committed")
def test_a_record_elsewhere_is_no_matter_of_this_checkout(
    invoke: Invoke, tmp_path_factory: pytest.TempPathFactory
):
    elsewhere = tmp_path_factory.mktemp("records")
    shutil.copytree(".reconciler/inventory", elsewhere, dirs_exist_ok=True)
    project = json.loads(Path("reconciler.yaml").read_text())
    Path("reconciler.yaml").write_text(
        json.dumps({**project, "inventory": {"directory": str(elsewhere)}})
    )
    git("sparse-checkout", "set", "--no-cone", "/*", "!/.reconciler/")

    assert invoke("plan").exit_code == 0


def test_where_git_does_not_tell_a_record_that_is_not_here_is_an_error(
    committed: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    git("sparse-checkout", "set", "--cone", "clients")
    shutil.rmtree(".reconciler", ignore_errors=True)
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'fatal: detected dubious ownership' >&2\nexit 128\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")

    done = invoke("plan")

    assert done.exit_code == 1
    assert "this checkout may leave it out" in done.output
    assert committed.writes() == []
