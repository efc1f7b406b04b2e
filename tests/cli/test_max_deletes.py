"""`--max-deletes`: one run goes beyond the limits, on purpose and visibly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.records import record_folder, recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]


@pytest.fixture
def removed(repo: Repo, invoke: Invoke) -> Repo:
    """A repo that prunes SailPoint, with the manifest of one client of two gone."""
    repo.write_project(sailpoint={"policy": {"prune": True}})
    repo.state("sailpoint", key="old", name="Old")
    assert invoke("apply", "--auto-approve").exit_code == 0
    (repo.folder / "clients" / "sailpoint-old.yaml").unlink()
    repo.sandbox.forget_requests()
    return repo


def test_a_plan_beyond_the_limits_is_refused_and_nothing_is_sent(removed: Repo, invoke: Invoke):
    planned = invoke("plan")
    applied = invoke("apply", "--auto-approve")

    assert (planned.exit_code, applied.exit_code) == (3, 3)
    assert "refused (max-change-percent)" in planned.stdout
    assert "--max-deletes" in planned.stdout
    assert removed.writes() == []


def test_one_run_may_go_beyond_them_and_shows_it(removed: Repo, invoke: Invoke):
    planned = invoke("plan", "--max-deletes", "1")
    applied = invoke("apply", "--auto-approve", "--max-deletes", "1")

    assert (planned.exit_code, applied.exit_code) == (0, 0)
    assert "warning: --max-deletes 1 holds for this run in place of" in planned.stdout
    assert [line.split()[0] for line in removed.writes()] == ["DELETE"]
    assert invoke("plan", "--detailed-exitcode").exit_code == 0


@pytest.mark.usefixtures("removed")
def test_what_goes_beyond_the_option_is_refused_too(invoke: Invoke):
    done = invoke("plan", "--max-deletes", "0")

    assert done.exit_code == 3
    assert "--max-deletes allows 0" in done.stdout


def test_a_saved_plan_is_applied_within_the_limit_of_the_command(removed: Repo, invoke: Invoke):
    assert invoke("plan", "--out", "plan.json", "--max-deletes", "1").exit_code == 0

    done = invoke("apply", "plan.json", "--max-deletes", "1")

    assert json.loads(Path("plan.json").read_text())["selection"]["maxDeletes"] == 1
    assert done.exit_code == 0
    assert [line.split()[0] for line in removed.writes()] == ["DELETE"]


@pytest.mark.parametrize("stated", ["1", "999"])
def test_a_saved_plan_lifts_no_limit(removed: Repo, invoke: Invoke, stated: str):
    assert invoke("plan", "--out", "plan.json", "--max-deletes", stated).exit_code == 0

    done = invoke("apply", "plan.json")

    assert done.exit_code == 3
    assert "run once with --max-deletes N" in done.stdout
    assert removed.writes() == []


@pytest.mark.usefixtures("removed")
def test_a_selection_prunes_nothing(invoke: Invoke):
    done = invoke("plan", "--select", "web")

    assert done.exit_code == 0
    assert "--select looks at a part: old" in done.stdout


def test_a_limit_is_a_number(repo: Repo, invoke: Invoke):
    assert invoke("plan", "--max-deletes", "-1").exit_code == 64
    assert repo.sandbox.requests == []


def test_a_saved_plan_forgets_what_is_gone_and_only_that(removed: Repo, invoke: Invoke):
    record = record_folder(removed.folder, "sailpoint")
    old_id = recorded(record)["old"]["id"]
    removed.sandbox.remove("sailpoint", old_id)
    assert invoke("plan", "--out", "plan.json").exit_code == 0
    document = json.loads(Path("plan.json").read_text())

    done = invoke("apply", "plan.json")

    changes = [change for target in document["targets"] for change in target["changes"]]
    assert [change["key"] for change in changes if change.get("forget")] == ["old"]
    assert done.exit_code == 0
    assert list(recorded(record)) == ["web"]
    assert removed.writes() == []
