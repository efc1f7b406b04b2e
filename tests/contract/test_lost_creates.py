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


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_a_predecessor_is_kept_until_a_successor_has_a_secret_that_is_known(workspace, vendor):
    field, value = FIXED[vendor]
    workspace.write("web", MINIMAL[vendor])
    workspace.apply()
    old_id, old_secret = workspace.server_id("web"), workspace.secret("web")
    workspace.write("web", {**MINIMAL[vendor], field: value}, lifecycle={"allowReplace": True})
    workspace.sandbox.set_faults("drop-after-write=1@1:post")
    workspace.apply()
    workspace.sandbox.set_faults()

    workspace.apply()
    during = {each["id"] for each in clients(workspace, vendor)}
    kept = workspace.secret("web")
    workspace.apply()
    workspace.apply()

    assert old_id in during
    assert kept == old_secret
    (left,) = clients(workspace, vendor)
    assert workspace.secret("web")["client_id"] == left["id"]
    assert workspace.actions() == {"web": Action.NOOP}
