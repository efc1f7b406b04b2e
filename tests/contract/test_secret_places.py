"""What is said of a secret is what spool and sink have of it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from unittest.mock import patch

import pytest
from support.records import edit_entry, record_file
from support.workspace import MINIMAL

from reconciler.app import secrets as secrecy
from reconciler.app.context import Call
from reconciler.app.rotation import rotate as rotation
from reconciler.app.secret_places import ci_system
from reconciler.core.changes import Action, Status
from reconciler.core.errors import InventoryError, RemoteError
from reconciler.plan.selection import Selection

TELLING = ["provident", "boruta"]
SILENT = "sailpoint"


def call(workspace):
    return Call(project_file=workspace.project, target=None, lock_timeout=5, log=lambda _line: None)


def sync(workspace):
    with patch.dict("os.environ", workspace.env):
        (done,) = secrecy.sync(call(workspace), Selection(), threading.Event())
    return {each.key: each for each in done.clients}


def rotate(workspace, key="web"):
    with (
        patch.dict("os.environ", workspace.env),
        rotation.open_for_rotation(call(workspace), key) as found,
    ):
        return found.rotate()


def warnings(workspace):
    """All that a plan warns of, of its target and of its clients."""
    (target,) = workspace.plan().targets
    return [*target.warnings, *(each for one in target.changes for each in one.warnings)]


def sink_file(workspace, key="web"):
    return workspace.root / ".reconciler/secrets" / workspace.vendor / f"{key}.json"


def spool(workspace):
    return list((workspace.root / ".reconciler").rglob(".spool/*.json"))


@pytest.fixture
def applied(workspace, vendor):
    workspace.write("web", MINIMAL[vendor])
    workspace.apply()
    return workspace


@pytest.fixture
def spooled(workspace, vendor):
    """A client whose secret its sink would not take; then the sink was mended."""
    in_the_way = sink_file(workspace).parent
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("in the way")
    workspace.write("web", MINIMAL[vendor])
    workspace.apply()
    in_the_way.unlink()
    assert workspace.inventory()["web"]["secret"] == "spooled"
    return workspace


@pytest.mark.parametrize("vendor", [SILENT])
def test_a_secret_whose_private_file_was_swept_away_is_lost_and_the_ways_out_are_told(spooled):
    (path,) = spool(spooled)
    path.unlink()

    (told,) = warnings(spooled)
    report = spooled.apply()
    synced = sync(spooled)["web"]

    assert "its secret is lost, since the private file" in told
    assert "`reconciler rotate web`" in told
    assert report.deliveries == ()
    assert synced.status is Status.SKIPPED
    assert "its secret is lost, since the private file" in synced.message
    assert warnings(spooled) == [told]


@pytest.mark.parametrize("vendor", [SILENT])
def test_after_a_rotation_all_is_well_again(spooled):
    (path,) = spool(spooled)
    path.unlink()

    rotate(spooled)

    assert not any("secret" in each and "lost" in each for each in warnings(spooled))
    assert spooled.secret("web")["client_id"] == spooled.server_id("web")


@pytest.mark.parametrize("vendor", [SILENT])
def test_no_client_is_replaced_because_its_file_is_not_here(workspace, spooled):
    """It may be on the machine where the client was created."""
    (path,) = spool(spooled)
    path.unlink()
    workspace.write("web", MINIMAL[SILENT], lifecycle={"allowReplace": True})

    assert workspace.actions() == {"web": Action.NOOP}
    assert "put the file back" in warnings(workspace)[0]


@pytest.mark.parametrize("vendor", [SILENT])
def test_a_private_file_that_is_put_back_is_delivered(spooled):
    (path,) = spool(spooled)
    kept = path.read_bytes()
    path.unlink()
    spooled.apply()
    path.write_bytes(kept)

    (delivery,) = spooled.apply().deliveries

    assert delivery.status is Status.DONE
    assert spooled.secret("web")["client_secret"] == json.loads(kept)["client_secret"]
    assert warnings(spooled) == []


@pytest.mark.parametrize("vendor", TELLING)
def test_what_the_server_still_tells_is_stored_though_the_file_was_swept_away(spooled):
    (path,) = spool(spooled)
    secret = json.loads(path.read_text())["client_secret"]
    path.unlink()

    spooled.apply()

    assert spooled.secret("web")["client_secret"] == secret
    assert spooled.inventory()["web"]["secret"] == "stored"


def test_a_secret_that_its_sink_got_before_the_file_was_swept_away_is_not_lost(spooled):
    """By a run that died before it could record it."""
    (path,) = spool(spooled)
    found = json.loads(path.read_text())
    sink_file(spooled).parent.mkdir(parents=True)
    sink_file(spooled).write_text(
        json.dumps({"client_id": found["client_id"], "client_secret": found["client_secret"]})
    )
    path.unlink()

    assert warnings(spooled) == []


def ruined(text):
    return lambda path: path.write_text(text)


RUINS = {
    "taken away": lambda path: path.unlink(),
    "empty": ruined(""),
    "cut": ruined('{"client_id": "x"'),
    "of another client": ruined('{"client_id": "another", "client_secret": "s"}'),
    "without a secret": ruined('{"client_id": "x"}'),
    "with an empty secret": ruined('{"client_id": "x", "client_secret": ""}'),
    "no object": ruined("[]"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "all swept away": lambda path: (path.unlink(), path.parent.rmdir()),
}


@pytest.mark.parametrize("ruin", RUINS.values(), ids=RUINS)
def test_a_secret_that_the_sink_does_not_have_is_told_and_nothing_is_changed(applied, ruin):
    ruin(sink_file(applied))
    before = applied.inventory()
    applied.sandbox.forget_requests()

    (told,) = warnings(applied)
    applied.apply()

    assert (
        "the sink does not have the secret of 1 client that the record calls stored (web: " in told
    )
    assert "It may lie on another machine" in told
    assert applied.writes() == []
    assert applied.inventory() == before


@pytest.mark.parametrize("vendor", [SILENT])
@pytest.mark.parametrize("ruin", RUINS.values(), ids=RUINS)
def test_sync_asserts_nothing_of_a_sink_that_does_not_have_it(applied, ruin):
    ruin(sink_file(applied))

    synced = sync(applied)["web"]

    assert "the sink has it" not in synced.message
    assert str(sink_file(applied)) in synced.message


@pytest.mark.parametrize("vendor", [SILENT])
def test_of_a_sink_that_cannot_be_asked_nothing_is_said(applied):
    applied.write_project(secrets={"sink": "exec", "command": ["true"]})

    assert warnings(applied) == []
    assert "the sink cannot be asked whether it has it" in sync(applied)["web"].message


@pytest.mark.parametrize("vendor", [SILENT])
def test_of_a_client_that_was_imported_nothing_is_said_of_its_secret(applied):
    path = record_file(applied.root, SILENT, "web")
    edit_entry(path, secret=None)

    assert "nothing is recorded of where it is" in sync(applied)["web"].message


def test_many_are_told_in_one_sentence(workspace, vendor):
    for key in "abcdef":
        workspace.write(key, {**MINIMAL[vendor], "name": f"Client {key}"})
    workspace.apply()
    for key in "abcdef":
        sink_file(workspace, key).unlink()

    (told,) = warnings(workspace)

    assert "the secret of 6 clients" in told
    assert told.count("there is no") == 3
    assert "and 3 more" in told


def keep_spool(workspace, folder):
    """State in the project file that private files go into `folder`."""
    workspace.write_project()
    path = Path(workspace.project)
    project = json.loads(path.read_text())
    path.write_text(json.dumps({**project, "inventory": {"spool": str(folder)}}))


def test_private_files_may_lie_outside_of_the_checkout(workspace, vendor, tmp_path_factory):
    outside = tmp_path_factory.mktemp("kept") / "spool"
    keep_spool(workspace, outside)
    in_the_way = sink_file(workspace).parent
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("in the way")
    workspace.write("web", MINIMAL[vendor])

    (outcome,) = workspace.apply().outcomes

    (path,) = outside.glob("*.json")
    assert outcome.secret_location == str(path)
    assert (outside.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert spool(workspace) == []
    in_the_way.unlink()
    (delivery,) = workspace.apply().deliveries
    assert delivery.status is Status.DONE
    assert list(outside.glob("*.json")) == []


def test_what_waits_where_an_earlier_setting_had_it_is_found(spooled, tmp_path_factory):
    outside = tmp_path_factory.mktemp("kept") / "spool"
    keep_spool(spooled, outside)

    (delivery,) = spooled.apply().deliveries

    assert delivery.status is Status.DONE
    assert spool(spooled) == []


def waiting(workspace):
    """The private files of rotations, each with whether which secret holds is not settled."""
    return [json.loads(path.read_text()) for path in spool(workspace)]


@pytest.mark.parametrize("vendor", ["boruta"])
def test_the_secret_that_the_tool_makes_is_on_disk_before_it_leaves(applied):
    """Found by a server that looks: when the request arrives, the file is there."""
    old = applied.secret("web")["client_secret"]
    applied.sandbox.set_faults("drop=9:put", "5xx=99@2:get")

    with pytest.raises(RemoteError):
        rotate(applied)

    (kept,) = waiting(applied)
    assert kept["unsettled"] is True
    assert kept["client_secret"] not in (old, "")
    # The sink has the old one still, which works: the request never arrived.
    assert applied.secret("web")["client_secret"] == old
    applied.sandbox.set_faults()
    applied.apply()
    assert applied.secret("web")["client_secret"] == old
    assert (waiting(applied), warnings(applied)) == ([], [])


@pytest.mark.parametrize("vendor", ["boruta"])
def test_the_secret_that_the_tool_makes_and_that_cannot_be_kept_is_not_sent(applied):
    (applied.root / ".reconciler/inventory/.spool").write_text("in the way")
    before = applied.inventory()
    applied.sandbox.forget_requests()

    with pytest.raises(InventoryError):
        rotate(applied)

    assert applied.writes() == []
    (applied.root / ".reconciler/inventory/.spool").unlink()
    assert applied.inventory() == before


@pytest.mark.parametrize("vendor", ["boruta"])
def test_a_server_that_refuses_the_tools_secret_leaves_no_file_of_it(applied):
    with (
        patch.dict("os.environ", applied.env),
        rotation.open_for_rotation(call(applied), "web") as found,
    ):
        applied.sandbox.remove(applied.vendor, found.remote_id)
        with pytest.raises(RemoteError):
            found.rotate()

    assert waiting(applied) == []


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, ""),
        ({"CI": ""}, ""),
        ({"CI": "false"}, ""),
        ({"CI": "0"}, ""),
        ({"CI": "true"}, "a CI system"),
        ({"CI": "woodpecker"}, "a CI system"),
        ({"CI": "true", "GITHUB_ACTIONS": "true"}, "GitHub Actions"),
        ({"GITLAB_CI": "true"}, "GitLab"),
        ({"TF_BUILD": "True"}, "Azure Pipelines"),
        ({"JENKINS_URL": "https://jenkins.example.com/"}, "Jenkins"),
        ({"TEAMCITY_VERSION": "2024.03"}, "TeamCity"),
        ({"BUILDKITE": "true"}, "Buildkite"),
    ],
)
def test_a_runner_of_a_ci_system_is_known_by_its_variables(monkeypatch, variables, name):
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)

    assert ci_system() == name


def test_a_plan_on_a_runner_warns_of_new_secrets_in_files(workspace, vendor, monkeypatch):
    workspace.write("web", MINIMAL[vendor])
    monkeypatch.setenv("GITLAB_CI", "true")

    (told,) = warnings(workspace)
    workspace.apply()
    afterwards = warnings(workspace)

    assert "the secret of web goes into a file in " in told
    assert "this is a runner of GitLab" in told
    assert afterwards == []


def test_another_sink_is_no_reason_to_warn(workspace, vendor, monkeypatch):
    workspace.write("web", MINIMAL[vendor])
    workspace.write_project(secrets={"sink": "exec", "command": ["true"]})
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    assert warnings(workspace) == []
