"""A large fleet is listed while its files are read; nothing but the time that takes may differ."""

from __future__ import annotations

import pytest
from support.records import record_file
from support.workspace import MINIMAL

from reconciler.core.changes import Action, Status
from reconciler.core.errors import InputError, SelectionError


@pytest.fixture
def large(workspace, vendor):
    """A workspace with two clients, applied, and so much text that its servers are read ahead."""
    workspace.write("web", MINIMAL[vendor])
    workspace.write("shop", {**MINIMAL[vendor], "name": "Shop"})
    workspace.apply()
    (workspace.root / "clients/blank.json").write_text("\n" * 80_000)
    workspace.sandbox.forget_requests()
    return workspace


def seen(workspace):
    """What the vendor's API was asked, tokens aside, in the order of the requests."""
    return [
        f"{each.method} {each.path}"
        for each in workspace.sandbox.requests
        if not each.path.endswith("/token")
    ]


def test_the_plan_is_what_it_is_for_a_small_one(large, vendor):
    large.write("new", {**MINIMAL[vendor], "name": "New"})
    ahead, requests = large.plan(), seen(large)
    large.sandbox.forget_requests()
    (large.root / "clients/blank.json").unlink()

    assert large.plan() == ahead
    assert seen(large) == requests
    assert large.actions() == {"web": Action.NOOP, "shop": Action.NOOP, "new": Action.CREATE}


def test_a_selection_is_planned_alone(large):
    (target,) = large.plan(selectors=("web",)).targets

    assert [change.key for change in target.changes] == ["web"]
    assert target.warnings == ()


def test_a_client_that_is_gone_is_missed(large):
    large.sandbox.remove(large.vendor, large.server_id("web"))

    assert large.actions() == {"web": Action.CREATE, "shop": Action.NOOP}


def test_apply_reads_under_its_lock_and_not_ahead(large, vendor):
    large.write("new", {**MINIMAL[vendor], "name": "New"})

    (outcome,) = (each for each in large.apply().outcomes if each.key == "new")

    assert outcome.status is Status.DONE
    assert large.actions() == dict.fromkeys(("web", "shop", "new"), Action.NOOP)


def test_an_error_stands_in_the_plan_once(large):
    large.env["SECRET"] = "wrong"
    (large_one,) = large.plan().targets
    (large.root / "clients/blank.json").unlink()
    (small_one,) = large.plan().targets

    assert len(large_one.errors) == 1
    assert large_one == small_one


def test_invalid_files_stop_the_run_before_a_write(large):
    (large.root / "clients/broken.json").write_text("{")

    with pytest.raises(InputError):
        large.plan()

    assert large.writes() == []


def test_nobody_is_asked_without_credentials(large):
    large.env.pop("SECRET")

    (target,) = large.plan().targets

    (error,) = target.errors
    assert error.endswith("the environment variable SECRET is not set")
    assert large.sandbox.requests == []


@pytest.mark.parametrize("selection", [{"targets": ("nowhere",)}, {"selectors": ("nobody",)}])
def test_a_selection_that_fits_nothing_is_refused(large, selection):
    with pytest.raises(SelectionError):
        large.plan(**selection)


def test_a_record_that_cannot_be_used_is_an_error_of_its_target(large):
    path = record_file(large.root, large.vendor, "web")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{")

    (target,) = large.plan().targets

    assert len(target.errors) == 1
    assert "cannot be used" in target.errors[0]
    assert large.sandbox.requests == []


def test_a_target_whose_provider_is_not_known_is_a_problem(large):
    large.write_project(provider="nobody")

    with pytest.raises(InputError) as raised:
        large.plan()

    assert "unknown provider `nobody`" in {problem.message for problem in raised.value.problems}
