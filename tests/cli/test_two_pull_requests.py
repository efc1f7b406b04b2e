"""Two plans that were reviewed side by side are applied one after the other, in either order."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from reconciler.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]

LIMITS = {"policy": {"prune": True, "maxDeletes": 1, "maxChangePercent": 50}}


def git(*words: str) -> None:
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def commit() -> None:
    git("add", "-A")
    git("commit", "-q", "--allow-empty", "-m", "more")


def create(repo: Repo, who: str) -> None:
    repo.state("sailpoint", f"{who}-new", name=f"New {who}")


def update(repo: Repo, who: str) -> None:
    repo.state("sailpoint", who, name=f"Client {who}", accessTokenValiditySeconds=900)


def remove(repo: Repo, who: str) -> None:
    (repo.folder / f"clients/sailpoint-{who}.yaml").unlink()


EDITS = {"create": create, "update": update, "remove": remove}


@pytest.fixture
def two(repo: Repo, invoke: Invoke) -> Repo:
    """A repo in git with the clients `a`, `b` and `c` applied."""
    for who in "abc":
        repo.state("sailpoint", who, name=f"Client {who}")
    repo.write_project(sailpoint=LIMITS)
    assert invoke("apply", "--auto-approve", "--target", "sailpoint").exit_code == 0
    (repo.folder / ".gitignore").write_text("plans/\n.reconciler/secrets/\n")
    (repo.folder / "plans").mkdir()
    git("init", "-q", "-b", "main")
    commit()
    return repo


def review(repo: Repo, invoke: Invoke, who: str, edit: str) -> str:
    """Open a pull request that edits `who`, and give the plan that is reviewed."""
    git("checkout", "-q", "-b", who, "main")
    EDITS[edit](repo, who)
    commit()
    plan = f"plans/{who}.json"
    done = invoke("plan", "--target", "sailpoint", "--out", plan)
    assert done.exit_code == 0, done.output
    git("checkout", "-q", "main")
    return plan


@pytest.mark.parametrize("order", ["ab", "ba"])
@pytest.mark.parametrize("second", EDITS)
@pytest.mark.parametrize("first", EDITS)
@pytest.mark.parametrize("together", [False, True], ids=["one by one", "both merged first"])
def test_both_plans_are_applied_in_either_order(
    two: Repo, invoke: Invoke, first: str, second: str, order: str, together: bool
):
    plans = {"a": review(two, invoke, "a", first), "b": review(two, invoke, "b", second)}
    if together:
        for who in order:
            git("merge", "-q", "--no-edit", who)

    for who in order:
        if not together:
            git("merge", "-q", "--no-edit", who)
        done = invoke("apply", plans[who])
        assert done.exit_code == 0, done.output
        assert "Apply: 1 done" in done.stdout
        commit()

    assert invoke("plan", "--target", "sailpoint", "--detailed-exitcode").exit_code == 0


def test_two_runners_apply_and_git_merges_what_they_recorded(two: Repo, invoke: Invoke):
    plans = {"a": review(two, invoke, "a", "update"), "b": review(two, invoke, "b", "create")}
    for who in "ab":
        git("checkout", "-q", who)
        assert invoke("apply", plans[who]).exit_code == 0
        commit()
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-edit", "a")
    git("merge", "-q", "--no-edit", "b")

    assert invoke("plan", "--target", "sailpoint", "--detailed-exitcode").exit_code == 0


def test_a_reviewed_change_that_comes_out_otherwise_stops_all_of_it(two: Repo, invoke: Invoke):
    plan = review(two, invoke, "a", "update")
    other = review(two, invoke, "b", "create")
    git("merge", "-q", "--no-edit", "b")
    assert invoke("apply", other).exit_code == 0
    commit()
    git("merge", "-q", "--no-edit", "a")
    two.state("sailpoint", "a", name="Client a", accessTokenValiditySeconds=901)
    two.sandbox.forget_requests()

    done = invoke("apply", plan)

    assert done.exit_code == ExitCode.STALE
    assert "sailpoint/a: accessTokenValiditySeconds was to become 900" in done.stderr
    assert two.writes() == []


def test_drift_that_nobody_reviewed_is_left_and_listed(two: Repo, invoke: Invoke):
    plan = review(two, invoke, "a", "update")
    (drifted,) = [one for one in two.sandbox.clients("sailpoint") if one["name"] == "Client c"]
    two.sandbox.edit("sailpoint", drifted["id"], description="edited")
    git("merge", "-q", "--no-edit", "a")
    two.sandbox.forget_requests()

    done = invoke("apply", plan)

    assert done.exit_code == 0, done.output
    assert "left for a plan of its own:\n  sailpoint/c is to be updated" in done.stderr
    assert len(two.writes()) == 1
