"""A create whose answer never arrived: the next run finds out what came of it, and doubles nothing."""

from __future__ import annotations

import pytest
from support.workspace import MINIMAL

from reconciler.core.changes import Action, Status

FIXED = {
    "sailpoint": ("scope", ["sp:write"]),
    "boruta": ("access_token_ttl", 7200),
}


def clients(workspace, vendor):
    """The clients that a run made, by the name that all of them have here."""
    named = MINIMAL[vendor]["name"]
    return [each for each in workspace.sandbox.clients(vendor) if each["name"] == named]


@pytest.fixture
def lost(workspace, vendor):
    """A workspace whose create of `web` was carried out, its answer dropped, and no read of it possible."""
    workspace.write("web", MINIMAL[vendor])
    # The second GET: the first lists, and the next is the read by the id that was chosen.
    workspace.sandbox.set_faults("drop-after-write=1@1:post", "500=1@2:boruta,get")
    (outcome,) = workspace.apply().outcomes
    workspace.sandbox.set_faults()
    assert outcome.status is Status.UNKNOWN
    assert len(clients(workspace, vendor)) == 1
    workspace.sandbox.forget_requests()
    return workspace


@pytest.mark.parametrize("vendor", ["boruta", "sailpoint"])
def test_the_client_is_found_bound_and_not_made_twice(lost, vendor):
    change = lost.changes()["web"]
    lost.apply()

    assert (change.action, change.refusal) == (Action.ADOPT, None)
    assert lost.writes() == []
    assert len(clients(lost, vendor)) == 1
    assert lost.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize("vendor", ["boruta"])
def test_a_secret_that_is_still_told_is_stored(lost):
    lost.apply()

    assert lost.secret("web")["client_secret"] in lost.sandbox.issued_secrets


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_a_secret_that_is_told_once_is_reported_as_lost_until_the_client_is_replaced(lost, vendor):
    lost.apply()
    before = lost.server_id("web")
    warned = lost.changes()["web"]
    lost.write("web", MINIMAL[vendor], lifecycle={"allowReplace": True})
    replaced = lost.changes()["web"]
    lost.apply()

    assert "its secret is lost" in warned.warnings[0]
    assert replaced.action is Action.REPLACE
    assert lost.server_id("web") != before
    assert lost.secret("web")["client_id"] == lost.server_id("web")
    assert len(clients(lost, vendor)) == 1
    assert lost.actions() == {"web": Action.NOOP}
    assert lost.changes()["web"].warnings == ()


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_of_several_clients_that_it_may_have_made_none_is_bound(lost, vendor):
    lost.sandbox.seed(vendor, [MINIMAL[vendor]])

    change = lost.changes()["web"]
    lost.apply()

    assert change.refusal.rule == "ambiguous-create"
    assert lost.writes() == []


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_an_older_client_of_the_same_name_is_not_taken_for_it(lost, vendor):
    lost.sandbox.seed(vendor, [{**MINIMAL[vendor], "created": "2020-01-01T00:00:00.000Z"}])

    assert lost.changes()["web"].action is Action.ADOPT


@pytest.mark.parametrize("vendor", ["provident"])
def test_where_there_is_no_list_the_run_stops_and_asks(lost):
    change = lost.changes()["web"]
    report = lost.apply()

    assert change.refusal.rule == "unknown-create"
    assert "reconciler resolve web" in change.refusal.message
    assert [outcome.status for outcome in report.outcomes] == [Status.SKIPPED]
    assert lost.writes() == []


@pytest.mark.parametrize("vendor", ["boruta", "sailpoint"])
def test_a_create_that_never_arrived_is_made_once(workspace, vendor):
    workspace.write("web", MINIMAL[vendor])
    workspace.sandbox.set_faults("drop=1@1:post")
    workspace.apply()
    workspace.sandbox.set_faults()

    # Where the id was chosen beforehand, the first run has settled it already.
    left = Action.NOOP if vendor == "boruta" else Action.CREATE
    assert workspace.actions() == {"web": left}
    workspace.apply()

    assert len(clients(workspace, vendor)) == 1
    assert workspace.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize("vendor", ["boruta"])
def test_the_successor_of_a_lost_replace_is_bound_and_its_predecessor_deleted(workspace, vendor):
    field, value = FIXED[vendor]
    workspace.write("web", MINIMAL[vendor])
    workspace.apply()
    old_id = workspace.server_id("web")
    workspace.write("web", {**MINIMAL[vendor], field: value}, lifecycle={"allowReplace": True})
    workspace.sandbox.set_faults("drop-after-write=1@1:post")
    workspace.apply()
    workspace.sandbox.set_faults()

    report = workspace.apply()

    assert {outcome.status for outcome in report.outcomes} == {Status.DONE}
    (left,) = clients(workspace, vendor)
    assert left["id"] == workspace.server_id("web") != old_id
    assert workspace.secret("web")["client_id"] == left["id"]
    assert workspace.actions() == {"web": Action.NOOP}


@pytest.fixture
def half_replaced(workspace, vendor):
    """A workspace whose replace of `web` made a client, and whose answer with the secret was lost."""
    field, value = FIXED[vendor]
    workspace.write("web", MINIMAL[vendor])
    workspace.apply()
    workspace.write("web", {**MINIMAL[vendor], field: value}, lifecycle={"allowReplace": True})
    lose(workspace, "drop-after-write=1@1:post")
    return workspace


def lose(workspace, fault):
    workspace.sandbox.set_faults(fault)
    report = workspace.apply()
    workspace.sandbox.set_faults()
    return report


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_a_predecessor_is_kept_until_a_successor_has_a_secret_that_is_known(half_replaced, vendor):
    old_id, old_secret = half_replaced.server_id("web"), half_replaced.secret("web")

    report = lose(half_replaced, "500=1@1:post")

    assert {outcome.status for outcome in report.outcomes} == {Status.UNKNOWN, Status.FAILED}
    assert old_id in {each["id"] for each in clients(half_replaced, vendor)}
    assert half_replaced.secret("web") == old_secret


# What comes over the run after the lost replace, and how many clients are there after it.
AFTERWARDS = {
    "nothing": ([], 2),
    "the next answer is lost too": (["drop-after-write=1@1:post"], 3),
    "two answers more are lost": (["drop-after-write=1@1:post"] * 2, 4),
    "the next create never arrives": (["drop=1@1:post"], 2),
    "no delete is taken": (["500=9:delete"], 3),
    "a delete is lost": (["drop-after-write=9:delete"], 1),
    "the next create fails": (["500=1@1:post"], 2),
}


@pytest.mark.parametrize("what", AFTERWARDS)
@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_one_plain_apply_ends_a_replace_whose_answers_were_lost(half_replaced, vendor, what):
    faults, there = AFTERWARDS[what]
    for fault in faults:
        lose(half_replaced, fault)
    assert len(clients(half_replaced, vendor)) == there

    report = half_replaced.apply()

    assert {outcome.status for outcome in report.outcomes} == {Status.DONE}
    (left,) = clients(half_replaced, vendor)
    assert half_replaced.secret("web")["client_id"] == left["id"]
    assert half_replaced.actions() == {"web": Action.NOOP}
    assert half_replaced.changes()["web"].warnings == ()


@pytest.mark.parametrize("edited", ["the same field again", "another field", "the name"])
@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_so_does_one_apply_of_what_was_edited_meanwhile(half_replaced, vendor, edited):
    fields = {
        "the same field again": {"scope": ["sp:read"]},
        "another field": {"scope": ["sp:write"], "accessTokenValiditySeconds": 901},
        "the name": {"scope": ["sp:write"], "name": "called otherwise"},
    }[edited]
    half_replaced.write("web", {**MINIMAL[vendor], **fields}, lifecycle={"allowReplace": True})

    before = len(half_replaced.sandbox.clients(vendor))

    half_replaced.apply()

    assert half_replaced.actions() == {"web": Action.NOOP}
    assert len(half_replaced.sandbox.clients(vendor)) == before - 1
