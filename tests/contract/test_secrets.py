"""New secrets for clients that exist, and the way of those that there are to their sink."""

from __future__ import annotations

import json
import os
import threading
from unittest.mock import patch

import pytest
from support.records import edit_entry, record_file
from support.workspace import MINIMAL

from reconciler.app import secrets as secrecy
from reconciler.app.context import Call
from reconciler.app.rotation import rotate as rotation
from reconciler.core.changes import Action, Refusal, Status
from reconciler.core.errors import Ambiguous, NotFound, RemoteError, SelectionError, SinkError
from reconciler.plan.selection import Selection

TELLING = ["provident", "boruta"]


def call(workspace, target=None):
    return Call(
        project_file=workspace.project, target=target, lock_timeout=5, log=lambda _line: None
    )


def rotate(workspace, key="web"):
    """What rotating comes to: the refusal, or what was done."""
    with (
        patch.dict(os.environ, workspace.env),
        rotation.open_for_rotation(call(workspace), key) as found,
    ):
        return found if isinstance(found, Refusal) else found.rotate()


def sync(workspace, stop=None, **selection):
    with patch.dict(os.environ, workspace.env):
        done = secrecy.sync(call(workspace), Selection(**selection), stop or threading.Event())
        (target,) = done
    return target


def live_secret(workspace, key="web"):
    client = workspace.sandbox.client(workspace.vendor, workspace.server_id(key))
    return client.get("clientSecret") or client.get("secret")


def place(workspace):
    return workspace.root / ".reconciler/secrets" / workspace.vendor


def spool(workspace):
    return list((workspace.root / ".reconciler").rglob(".spool/*.json"))


def break_sink(workspace):
    """Let the sink pass its probe and then fail."""
    folder = place(workspace)
    if folder.exists():
        folder.rename(folder.with_name("aside"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")


def mend_sink(workspace):
    place(workspace).unlink()


@pytest.fixture
def applied(workspace, vendor):
    """A workspace with one client, `web`, applied, and the requests so far forgotten."""
    workspace.write("web", MINIMAL[vendor])
    (outcome,) = workspace.apply().outcomes
    assert outcome.status is Status.DONE
    workspace.sandbox.forget_requests()
    return workspace


@pytest.mark.parametrize("vendor", TELLING)
def test_a_rotated_client_has_another_secret_and_the_sink_has_that_one(applied):
    old = applied.secret("web")

    done = rotate(applied)

    assert done == rotation.Rotated(
        place="stored", location=str(place(applied) / "web.json"), trouble=""
    )
    assert applied.secret("web")["client_secret"] == live_secret(applied)
    assert applied.secret("web")["client_secret"] != old["client_secret"]
    assert applied.secret("web")["client_id"] == old["client_id"]
    assert len(applied.writes()) == 1
    assert applied.inventory()["web"]["secret"] == "stored"


@pytest.mark.parametrize("vendor", TELLING)
def test_a_rotated_client_is_as_wanted(applied):
    rotate(applied)

    assert applied.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize("vendor", ["boruta"])
def test_the_secret_that_the_tool_makes_is_long_and_url_safe(applied):
    rotate(applied)

    secret = applied.secret("web")["client_secret"]
    assert len(secret) == 86
    assert secret.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("vendor", ["boruta"])
def test_a_rotation_by_put_resets_nothing_else(applied):
    remote_id = applied.server_id("web")
    scopes = [{"name": "read"}, {"name": "write"}]
    applied.write("web", {**MINIMAL["boruta"], "authorized_scopes": scopes})
    applied.apply()
    before = applied.sandbox.client("boruta", remote_id)

    rotate(applied)

    after = applied.sandbox.client("boruta", remote_id)
    assert {**after, "secret": ""} == {**before, "secret": ""}
    assert [scope["name"] for scope in after["authorized_scopes"]] == ["read", "write"]


def test_a_client_that_is_not_ours_is_not_rotated(applied):
    applied.sandbox.seed(applied.vendor, [MINIMAL[applied.vendor]])

    with pytest.raises(SelectionError, match="holds no client app"):
        rotate(applied, "app")


@pytest.mark.parametrize("vendor", TELLING)
def test_a_sink_that_takes_nothing_is_found_before_the_server_is_asked(applied):
    folder = place(applied).parent
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    folder.rmdir()
    folder.write_text("in the way")

    with pytest.raises(SinkError):
        rotate(applied)

    assert applied.writes() == []


@pytest.mark.parametrize("vendor", TELLING)
def test_a_new_secret_that_the_sink_refuses_waits_and_the_next_apply_delivers_it(applied):
    break_sink(applied)

    done = rotate(applied)

    (path,) = spool(applied)
    assert (done.place, done.location) == ("spooled", str(path))
    assert json.loads(path.read_text())["client_secret"] == live_secret(applied)
    assert "waits" in " ".join(applied.changes()["web"].warnings)
    mend_sink(applied)
    (delivery,) = applied.apply().deliveries
    assert delivery.status is Status.DONE
    assert applied.secret("web")["client_secret"] == live_secret(applied)
    assert spool(applied) == []


@pytest.mark.parametrize("vendor", TELLING)
def test_a_second_rotation_takes_the_place_of_a_secret_that_waits(applied):
    break_sink(applied)
    rotate(applied)
    mend_sink(applied)

    rotate(applied)

    assert spool(applied) == []
    assert applied.apply().deliveries == ()
    assert applied.secret("web")["client_secret"] == live_secret(applied)


@pytest.mark.parametrize("vendor", TELLING)
@pytest.mark.parametrize(
    "fault", ["drop-after-write", "drop-after-write=9", "5xx=9", "broken-json"]
)
def test_a_rotation_whose_answer_is_lost_is_settled_by_what_the_client_shows(applied, fault):
    old = live_secret(applied)
    write = "post" if applied.vendor == "provident" else "put"
    applied.sandbox.set_faults(f"{fault}:{write}")
    kept = None
    try:
        kept = rotate(applied)
    except RemoteError:
        assert live_secret(applied) == old
    applied.sandbox.set_faults()

    if kept is not None:
        assert kept.place == "stored"
    applied.apply()
    assert applied.secret("web")["client_secret"] == live_secret(applied)
    assert applied.inventory()["web"]["secret"] == "stored"


@pytest.mark.parametrize("vendor", TELLING)
def test_where_not_even_the_client_can_be_read_the_next_apply_stores_what_holds(applied):
    write = "post" if applied.vendor == "provident" else "put"
    applied.sandbox.set_faults(f"drop-after-write=9:{write}", "5xx=99@2:get")

    with pytest.raises(Ambiguous, match="Which secret the client has now could not be read"):
        rotate(applied)

    applied.sandbox.set_faults()
    assert applied.secret("web")["client_secret"] != live_secret(applied)
    assert applied.inventory()["web"]["secret"] == "lost"
    applied.apply()
    assert applied.secret("web")["client_secret"] == live_secret(applied)
    assert applied.inventory()["web"]["secret"] == "stored"


@pytest.mark.parametrize("vendor", TELLING)
def test_a_rotation_that_is_certainly_refused_leaves_everything_as_it_was(applied):
    """The client goes between the look at it and the request."""
    before = applied.inventory()
    with (
        patch.dict(os.environ, applied.env),
        rotation.open_for_rotation(call(applied), "web") as found,
    ):
        applied.sandbox.remove(applied.vendor, found.remote_id)
        with pytest.raises(NotFound):
            found.rotate()

    assert applied.inventory() == before


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_a_lost_secret_that_no_answer_tells_is_called_lost(applied):
    path = record_file(applied.root, "sailpoint", "web")
    edit_entry(path, secret="lost")

    (synced,) = sync(applied).clients

    assert synced.status is Status.SKIPPED
    assert "which is lost: only a new one helps" in synced.message


@pytest.mark.parametrize("vendor", TELLING)
def test_a_client_that_is_gone_is_not_rotated(applied):
    applied.sandbox.remove(applied.vendor, applied.server_id("web"))

    with pytest.raises(RemoteError):
        rotate(applied)

    assert applied.inventory()["web"]["secret"] == "stored"


@pytest.mark.parametrize("vendor", ["boruta"])
def test_a_secret_that_the_manifest_states_is_not_rotated(workspace):
    workspace.env["CHOSEN"] = "chosen-by-them-and-kept-by-them"
    workspace.write("web", {**MINIMAL["boruta"], "secret": {"env": "CHOSEN"}})
    workspace.apply()
    workspace.sandbox.forget_requests()

    assert rotate(workspace).rule == "stated-secret"
    assert workspace.writes() == []
    (synced,) = sync(workspace).clients
    assert (synced.status, synced.message) == (
        Status.SKIPPED,
        "its manifest says where its secret is kept",
    )


@pytest.mark.parametrize("vendor", TELLING)
def test_a_sink_that_lost_a_secret_is_given_it_again(applied):
    (place(applied) / "web.json").unlink()

    (synced,) = sync(applied).clients

    assert (synced.key, synced.status) == ("web", Status.DONE)
    assert synced.location == str(place(applied) / "web.json")
    assert applied.secret("web")["client_secret"] == live_secret(applied)
    assert applied.writes() == []


@pytest.mark.parametrize("vendor", TELLING)
def test_a_secret_that_was_changed_by_hand_on_the_server_reaches_the_sink(applied):
    name = "clientSecret" if applied.vendor == "provident" else "secret"
    applied.sandbox.edit(applied.vendor, applied.server_id("web"), **{name: "changed-by-hand-123"})

    sync(applied)

    assert applied.secret("web")["client_secret"] == "changed-by-hand-123"


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_a_secret_that_no_answer_tells_is_said_and_the_sink_is_left_alone(applied):
    kept = applied.secret("web")

    (synced,) = sync(applied).clients

    assert synced.status is Status.SKIPPED
    assert "does not tell its secret any more" in synced.message
    assert applied.secret("web") == kept


def test_a_secret_that_waits_is_delivered_by_sync_too(workspace, vendor):
    break_sink(workspace)
    workspace.write("web", MINIMAL[vendor])
    workspace.apply()
    (path,) = spool(workspace)
    waiting = json.loads(path.read_text())["client_secret"]

    (failed,) = sync(workspace).clients
    mend_sink(workspace)
    (done,) = sync(workspace).clients

    assert (failed.status, failed.location) == (Status.FAILED, str(path))
    assert done.status is Status.DONE
    assert workspace.secret("web")["client_secret"] == waiting
    assert spool(workspace) == []
    assert workspace.inventory()["web"]["secret"] == "stored"


@pytest.mark.parametrize("vendor", TELLING)
def test_only_the_selected_clients_are_synced(applied, vendor):
    applied.write("app", {**MINIMAL[vendor], "name": "App"}, labels={"team": "app"})
    applied.apply()
    for path in place(applied).glob("*.json"):
        path.unlink()

    done = sync(applied, selectors=("team=app",))

    assert [client.key for client in done.clients] == ["app"]
    assert [path.name for path in place(applied).glob("*.json")] == ["app.json"]


def test_a_client_without_a_manifest_is_synced_as_long_as_it_is_ours(applied):
    (applied.root / "clients" / "web.json").unlink()
    applied.write("app", MINIMAL[applied.vendor])

    assert [client.key for client in sync(applied).clients] == ["web"]


def test_a_client_that_is_gone_from_the_server_is_said(applied):
    applied.sandbox.remove(applied.vendor, applied.server_id("web"))

    (synced,) = sync(applied).clients

    assert (synced.status, synced.message) == (Status.SKIPPED, "it is not on the server any more")


def test_an_interrupted_sync_says_what_it_did_not_try(applied):
    stop = threading.Event()
    stop.set()

    (synced,) = sync(applied, stop).clients

    assert (synced.status, synced.message) == (
        Status.FAILED,
        "not tried, since the run was interrupted",
    )


def test_a_target_that_cannot_be_reached_is_said_and_is_no_exception(applied):
    applied.write_project(baseUrl="http://127.0.0.1:1")

    done = sync(applied)

    assert done.clients == ()
    assert done.trouble


def test_without_clients_of_ours_there_is_nothing_to_sync(workspace, vendor):
    workspace.write("web", MINIMAL[vendor])
    workspace.write_project()

    assert sync(workspace) == secrecy.Sync(target=vendor)
