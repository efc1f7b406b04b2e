"""A client that was replaced lives on for a while, and `rotate` replaces where nothing else brings a secret."""

from __future__ import annotations

import json
import os
from unittest.mock import patch

import pytest
from support.records import edit_entry, record_file
from support.workspace import MINIMAL, ids

from reconciler.app import ownership
from reconciler.app.context import Call
from reconciler.app.rotation import rotate as rotation
from reconciler.core.changes import Action, Refusal, Status
from reconciler.core.errors import Ambiguous, InputError, RemoteError

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture(params=["sailpoint"])
def vendor(request):
    return request.param


def spec(**fields):
    return {**MINIMAL["sailpoint"], **fields}


def call(workspace):
    return Call(project_file=workspace.project, target=None, lock_timeout=5, log=lambda _line: None)


def rotate(workspace, key="web"):
    with (
        patch.dict(os.environ, workspace.env),
        rotation.open_for_rotation(call(workspace), key) as found,
    ):
        return found if isinstance(found, Refusal) else found.rotate()


def age(workspace, key="web", at=LONG_AGO):
    """Let the predecessors of a client have had their successor since long ago."""
    path = record_file(workspace.root, "sailpoint", key)
    document = json.loads(path.read_text())
    edit_entry(path, supersededAt=dict.fromkeys(document["client"]["supersededAt"], at))


def there(workspace):
    return ids(workspace.sandbox, "sailpoint") - workspace.first


@pytest.fixture
def applied(workspace):
    workspace.write("web", spec())
    workspace.apply()
    workspace.sandbox.forget_requests()
    return workspace


def test_a_rotation_makes_a_client_like_the_old_one_which_lives_on_until_its_time_is_over(applied):
    old = applied.server_id("web")
    before = applied.sandbox.edit("sailpoint", old, businessName="By hand")

    done = rotate(applied)

    new = applied.server_id("web")
    after = applied.sandbox.client("sailpoint", new)
    apart = {"id", "created", "modified"}
    assert done.place == "stored"
    assert applied.secret("web")["client_id"] == new
    assert {k: v for k, v in after.items() if k not in apart} == {
        k: v for k, v in before.items() if k not in apart
    }
    assert there(applied) == {old, new}
    assert [method for method, _ in applied.writes()] == ["POST"]

    (change,) = applied.plan().targets[0].changes
    assert change.action is Action.NOOP
    assert change.warnings[0].startswith(f"the predecessor {old} lives until 2")
    assert change.warnings[0].endswith("then the next apply deletes it")
    applied.apply()
    assert there(applied) == {old, new}

    age(applied)
    gone = [one for one in applied.plan().targets[0].changes if one.action is Action.DELETE]
    assert [one.remote_id for one in gone] == [old]
    applied.apply()
    assert there(applied) == {new}
    assert "supersededAt" not in applied.inventory()["web"]
    assert applied.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize(
    ("policy", "lifecycle", "told", "left"),
    [
        ({}, {}, "24h", True),
        ({"replaceGrace": "2h"}, {}, "2h", True),
        ({"replaceGrace": "0s"}, {}, "is deleted", False),
        ({"replaceGrace": "0s"}, {"replaceGrace": "7d"}, "168h", True),
        ({"replaceGrace": "2h"}, {"replaceGrace": "0s"}, "is deleted", False),
        ({}, {"replaceGrace": "90m"}, "90m", True),
    ],
)
def test_how_long_a_rotated_client_lives_on_is_stated_and_told(
    applied, policy, lifecycle, told, left
):
    old = applied.server_id("web")
    applied.write_project(policy=policy)
    applied.write("web", spec(), lifecycle=lifecycle)
    with (
        patch.dict(os.environ, applied.env),
        rotation.open_for_rotation(call(applied), "web") as found,
    ):
        assert told in found.replaced
        done = found.rotate()

    assert done.place == "stored"
    assert (old in there(applied)) is left
    assert ("lives until" in done.note) is left


@pytest.mark.parametrize(
    ("policy", "lifecycle", "left"),
    [
        ({}, {}, False),
        ({"replaceGrace": "0s"}, {}, False),
        ({"replaceGrace": "24h"}, {}, True),
        ({}, {"replaceGrace": "24h"}, True),
        ({"replaceGrace": "24h"}, {"replaceGrace": "0s"}, False),
    ],
)
def test_a_replace_of_a_plan_leaves_the_old_client_only_where_that_is_stated(
    applied, policy, lifecycle, left
):
    old = applied.server_id("web")
    applied.write_project(policy=policy)
    applied.write("web", spec(scope=["sp:write"]), lifecycle={"allowReplace": True, **lifecycle})

    planned = applied.changes()["web"]
    (outcome,) = applied.apply().outcomes

    assert planned.action is Action.REPLACE
    assert (planned.requests[-1].operation == "delete") is not left
    assert any("lives on for 24h" in words for words in planned.warnings) is left
    assert outcome.status is Status.DONE
    assert ("then the next apply deletes it" in outcome.message) is left
    assert (old in there(applied)) is left
    assert applied.actions() == {"web": Action.NOOP}


def test_a_shorter_grace_period_ends_those_that_have_begun(applied):
    rotate(applied)
    applied.write_project(policy={"replaceGrace": "0s"})

    assert Action.DELETE in [one.action for one in applied.plan().targets[0].changes]


def test_two_rotations_leave_two_predecessors_each_with_its_own_time(applied):
    first = applied.server_id("web")
    rotate(applied)
    age(applied)
    second = applied.server_id("web")
    rotate(applied)

    changes = applied.plan().targets[0].changes

    assert [one.remote_id for one in changes if one.action is Action.DELETE] == [first]
    assert [second in words for one in changes for words in one.warnings] == [True]


def test_a_client_that_goes_waits_for_its_predecessor_to_go(applied):
    applied.write("other", spec(name="Other"))
    applied.write("third", spec(name="Third"))
    applied.apply()
    rotate(applied)
    (applied.root / "clients/web.json").unlink()
    applied.write_project(policy={"prune": True, "maxChangePercent": 100})

    (waits,) = [one for one in applied.plan().targets[0].changes if one.key == "web"]
    age(applied)
    deleted = [one for one in applied.plan().targets[0].changes if one.key == "web"]

    assert waits.action is Action.NOOP
    assert "waits until its predecessor is deleted" in waits.reason
    assert "lives until" in waits.reason
    assert [one.action for one in deleted] == [Action.NOOP, Action.DELETE]


def test_a_predecessor_that_somebody_deleted_is_no_more_told(applied):
    old = applied.server_id("web")
    rotate(applied)
    applied.sandbox.remove("sailpoint", old)

    assert applied.changes()["web"].warnings == ()
    applied.apply()
    assert applied.inventory()["web"]["superseded"] == []
    assert "supersededAt" not in applied.inventory()["web"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"lifecycle": {"preventDestroy": True}}, "prevent-destroy"),
        ({"spec": spec(accessTokenValiditySeconds=1)}, "not-as-wanted"),
        ({"spec": spec(scope=["sp:write"])}, "not-as-wanted"),
        ({"spec": spec(internal=True)}, "not-as-wanted"),
        ({"id": "bound"}, "replace-bound-id"),
        (None, "no-rotate"),
    ],
)
def test_what_is_not_replaced_is_not_rotated_and_nothing_is_sent(applied, change, rule):
    if change is None:
        (applied.root / "clients/web.json").unlink()
    else:
        facts = {"spec": spec(), **change}
        if "id" in facts:
            facts["id"] = applied.server_id("web")
        applied.write("web", facts.pop("spec"), **facts)

    refusal = rotate(applied)

    assert refusal.rule == rule
    assert applied.writes() == []


def test_drift_is_not_taken_along_by_a_rotation(applied):
    remote_id = applied.server_id("web")
    applied.sandbox.edit("sailpoint", remote_id, redirectUris=["https://evil.example.com"])
    assert rotate(applied).place == "stored"

    applied.write("web", spec(redirectUris=["https://a.example.com"]))
    applied.apply()
    applied.sandbox.edit("sailpoint", applied.server_id("web"), redirectUris=["https://evil.test"])

    assert rotate(applied).rule == "not-as-wanted"


def test_what_is_left_to_others_stays_as_they_have_it(applied):
    applied.write("web", spec(), lifecycle={"ignoreChanges": ["/accessTokenValiditySeconds"]})
    applied.apply()
    applied.sandbox.edit("sailpoint", applied.server_id("web"), accessTokenValiditySeconds=123)

    rotate(applied)

    live = applied.sandbox.client("sailpoint", applied.server_id("web"))
    assert live["accessTokenValiditySeconds"] == 123


def test_a_reference_that_leads_nowhere_is_told_before_anything_is_sent(applied):
    applied.write("web", spec(description={"env": "NOT_SET_ANYWHERE"}))

    with pytest.raises(InputError):
        rotate(applied)
    assert applied.writes() == []


def test_a_rotation_that_the_server_refuses_leaves_the_old_client(applied):
    old = applied.server_id("web")
    applied.sandbox.set_faults("500=99:post")

    with pytest.raises((RemoteError, Ambiguous)):
        rotate(applied)

    applied.sandbox.set_faults()
    assert applied.server_id("web") == old
    assert there(applied) == {old}


def test_a_rotation_whose_answer_is_lost_is_found_and_neither_is_deleted(applied):
    old = applied.server_id("web")
    applied.sandbox.set_faults("drop-after-write=9:post")
    with pytest.raises(Ambiguous, match="Plan again"):
        rotate(applied)
    applied.sandbox.set_faults()
    assert applied.server_id("web") == old
    assert len(there(applied)) == 2

    applied.apply()

    assert applied.server_id("web") != old
    assert applied.inventory()["web"]["secret"] == "lost"
    assert old in there(applied)
    # Another rotation brings a secret that is known; only then may the ones before it go.
    assert rotate(applied).place == "stored"
    assert old in there(applied)
    applied.apply()
    assert old not in there(applied)


def test_a_lost_secret_is_told_with_a_way_that_works(applied):
    path = record_file(applied.root, "sailpoint", "web")
    edit_entry(path, secret="lost")

    (words,) = applied.changes()["web"].warnings

    assert "`reconciler rotate web` replaces it by a new client on purpose" in words
    assert rotate(applied).place == "stored"
    assert applied.inventory()["web"]["secret"] == "stored"


def test_a_sink_that_fails_after_the_create_is_told_and_the_secret_waits(applied):
    folder = applied.root / ".reconciler/secrets/sailpoint"
    with (
        patch.dict(os.environ, applied.env),
        rotation.open_for_rotation(call(applied), "web") as found,
    ):
        folder.rename(folder.with_name("aside"))
        folder.write_text("in the way")
        done = found.rotate()

    assert (done.place, done.successor) == ("spooled", applied.server_id("web"))
    assert "not stored" in done.trouble


@pytest.mark.parametrize("grace", [None, "24h"])
def test_a_replace_whose_answer_was_lost_is_resolved_with_the_grace_that_is_stated(applied, grace):
    old = applied.server_id("web")
    if grace:
        applied.write_project(policy={"replaceGrace": grace})
    applied.write("web", spec(scope=["sp:write"]), lifecycle={"allowReplace": True})
    applied.sandbox.set_faults("drop-after-write=9:post")
    applied.apply()
    applied.sandbox.set_faults()
    (new,) = there(applied) - {old}

    with patch.dict(os.environ, applied.env):
        bound = ownership.resolve(call(applied), "web", new)

    assert bound.secret == "lost"
    assert "`reconciler rotate web` replaces it by a new client on purpose" in bound.way
    assert applied.inventory()["web"]["superseded"] == [old]
    assert ("supersededAt" in applied.inventory()["web"]) is bool(grace)
