"""`plan --out` and `apply --receipt` write over no file but a plan or a receipt, and into no place of something else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]

KEY = "sailpoint"
THERE = (
    "reconciler.yaml",
    f"clients/{KEY}-web.yaml",
    f".reconciler/inventory/{KEY}/web.json",
    f".reconciler/secrets/{KEY}/web.json",
    ".reconciler/inventory/.spool/.gitignore",
    ".git/config",
    "own/provider.yaml",
    "README.md",
    "package.json",
)
NEW = (
    f".reconciler/inventory/{KEY}/api.json",
    f".reconciler/secrets/{KEY}/api.json",
    ".reconciler/inventory/.spool/api.json",
    ".git/hooks/post-checkout",
)
COMMANDS = {
    "plan": ("plan", "--target", KEY, "--out"),
    "receipt": ("apply", "--auto-approve", "--target", KEY, "--receipt"),
}


@pytest.fixture
def applied(repo: Repo, invoke: Invoke) -> Repo:
    """A repo with all that a path could hit: record, secret, manifest, schemas, git's own."""
    repo.state(KEY)
    assert invoke("apply", "--auto-approve", "--target", KEY).exit_code == 0
    for name in THERE:
        path = repo.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text("{}")
    return repo


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("path", THERE)
def test_what_is_there_and_is_no_plan_stays(
    applied: Repo, invoke: Invoke, command: tuple[str, ...], path: str
):
    before = (applied.folder / path).read_bytes()

    done = invoke(*command, path)

    assert done.exit_code == 1
    assert "name another" in done.stderr
    assert (applied.folder / path).read_bytes() == before


@pytest.mark.parametrize("path", THERE)
def test_it_stays_where_there_is_no_plan_too(applied: Repo, invoke: Invoke, path: str):
    (applied.folder / "reconciler.yaml").write_text("kind: Project\n")
    before = (applied.folder / path).read_bytes()

    done = invoke("plan", "--out", path)

    assert done.exit_code == 1
    assert f"{path} was not written" in done.stderr
    assert (applied.folder / path).read_bytes() == before


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("path", NEW)
def test_nothing_is_put_where_secrets_the_record_and_git_are(
    applied: Repo, invoke: Invoke, command: tuple[str, ...], path: str
):
    done = invoke(*command, path)

    assert done.exit_code == 1
    assert "name another place" in done.stderr
    assert not (applied.folder / path).exists()


@pytest.mark.usefixtures("applied")
def test_a_plan_and_a_receipt_take_the_place_of_earlier_ones(invoke: Invoke):
    Path("plan.json").touch()

    for _ in range(2):
        assert invoke("plan", "--target", KEY, "--out", "plan.json").exit_code == 0
        assert invoke("apply", "plan.json", "--receipt", "receipt.json").exit_code == 0


def test_a_plan_with_errors_is_not_said_to_be_applied(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SAILPOINT_SECRET", "wrong")
    repo.state(KEY)

    done = invoke("plan", "--target", KEY, "--out", "plan.json")

    assert done.exit_code == 1
    assert "Saved to plan.json; apply refuses it." in done.stderr
    assert "applies this plan" not in done.stderr
