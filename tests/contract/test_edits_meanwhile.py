"""Somebody edits a client between the plan and the write: no vendor's edit is overwritten unseen."""

from __future__ import annotations

import pytest
from support.workspace import MINIMAL

from reconciler.core.changes import Action, Status

SETS = {"provident": "redirectUris", "sailpoint": "redirectUris", "boruta": "redirect_uris"}
# A field that changes in place, with three values; and one that no manifest here declares.
FIELDS = {
    "provident": ("rateLimitCount", 10, 20, 30),
    "sailpoint": ("accessTokenValiditySeconds", 700, 900, 1100),
    "boruta": ("access_token_ttl", 200, 250, 290),
}
OTHERS = {
    "provident": ("rateLimitWindowSeconds", 60),
    "sailpoint": ("businessName", "Edited"),
    "boruta": ("authorized_scopes", []),
}
MINUTES = 120.0


def spec(vendor, **fields):
    return {**MINIMAL[vendor], **fields}


@pytest.fixture
def applied(workspace, vendor):
    field, first, _, _ = FIELDS[vendor]
    uris = ["https://a.example.com", "https://b.example.com"]
    workspace.write("web", spec(vendor, **{field: first, SETS[vendor]: uris}))
    workspace.apply()
    workspace.sandbox.forget_requests()
    return workspace


def edit(applied, **fields):
    return lambda: applied.sandbox.edit(applied.vendor, applied.server_id("web"), **fields)


def live(applied):
    return applied.sandbox.client(applied.vendor, applied.server_id("web"))


def restate(applied, **fields):
    uris = ["https://a.example.com", "https://b.example.com"]
    applied.write("web", spec(applied.vendor, **{SETS[applied.vendor]: uris, **fields}))


def test_an_edit_of_the_very_field_is_not_overwritten(applied, vendor):
    field, _, second, third = FIELDS[vendor]
    restate(applied, **{field: second})

    (outcome,) = applied.apply_after(edit(applied, **{field: third}), seconds=MINUTES).outcomes

    assert outcome.status is Status.FAILED
    assert f"changed meanwhile: {field} was " in outcome.message
    assert f"and is {third} now" in outcome.message
    assert live(applied)[field] == third
    assert applied.actions() == {"web": Action.UPDATE}


def test_an_edit_to_what_is_wanted_is_no_harm_and_recorded_by_the_next_run(applied, vendor):
    field, _, second, _ = FIELDS[vendor]
    restate(applied, **{field: second})

    applied.apply_after(edit(applied, **{field: second}), seconds=MINUTES)

    assert live(applied)[field] == second
    assert applied.actions() == {"web": Action.NOOP}


def test_an_edit_of_another_field_is_never_reset(applied, vendor):
    field, _, second, _ = FIELDS[vendor]
    other, value = OTHERS[vendor]
    restate(applied, **{field: second})

    applied.apply_after(edit(applied, **{other: value}), seconds=MINUTES)
    applied.apply()

    assert live(applied)[other] == value
    assert live(applied)[field] == second


def test_a_client_that_was_deleted_meanwhile_is_told_as_gone(applied, vendor):
    field, _, second, _ = FIELDS[vendor]
    restate(applied, **{field: second})
    remote_id = applied.server_id("web")

    report = applied.apply_after(lambda: applied.sandbox.remove(vendor, remote_id), seconds=MINUTES)

    assert report.outcomes[0].status is Status.FAILED
    assert f"changed meanwhile: {remote_id} is gone from the server" in report.outcomes[0].message


@pytest.mark.parametrize("vendor", ["provident", "boruta"])
def test_a_fresh_plan_costs_no_read_before_the_write(applied, vendor):
    field, _, second, _ = FIELDS[vendor]
    restate(applied, **{field: second})

    applied.apply_after(applied.sandbox.forget_requests)

    assert [one.method for one in applied.sandbox.requests] == ["PUT"]


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_a_patch_is_guarded_at_any_age(applied, vendor):
    field, _, second, third = FIELDS[vendor]
    restate(applied, **{field: second})

    (outcome,) = applied.apply_after(edit(applied, **{field: third})).outcomes

    assert (outcome.status, live(applied)[field]) == (Status.FAILED, third)


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_without_a_guard_an_edit_is_overwritten_as_the_target_asks(applied, vendor):
    field, _, second, third = FIELDS[vendor]
    applied.write_project(guard="none")
    restate(applied, **{field: second})

    applied.apply_after(edit(applied, **{field: third}), seconds=MINUTES)

    assert live(applied)[field] == second


@pytest.mark.parametrize("vendor", ["boruta"])
def test_an_identity_provider_that_is_not_there_leaves_half_a_change_and_it_is_told(applied):
    nobody = {"id": "99999999-9999-4999-8999-999999999999"}
    restate(applied, name="Renamed", identity_provider=nobody)

    (outcome,) = applied.apply().outcomes

    assert outcome.status is Status.FAILED
    assert "name changed all the same, and identity_provider did not" in outcome.message
    assert live(applied)["name"] == "Renamed"


@pytest.mark.parametrize("vendor", ["boruta"])
def test_a_create_that_another_run_made_meanwhile_is_bound_and_not_doubled(workspace, vendor):
    workspace.write("web", spec(vendor))
    second = workspace.twin()

    (outcome,) = workspace.apply_after(second.apply).outcomes

    assert outcome.status is Status.DONE
    assert workspace.server_id("web") == second.server_id("web")
    assert workspace.secret("web") == second.secret("web")
    assert workspace.actions() == {"web": Action.NOOP}
