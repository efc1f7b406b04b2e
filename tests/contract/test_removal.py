"""What becomes of clients on the server when their manifests go, and how others are taken over."""

from __future__ import annotations

import subprocess

import pytest
from support.records import edit_entry, record_file
from support.workspace import MINIMAL, Workspace

from reconciler.core.changes import Action, ForgetClient, Status
from reconciler.plan.guards.rules import Rule
from reconciler.sandbox.server import running

CAN_DELETE = ["sailpoint", "boruta"]
SWITCH = {"sailpoint": "enabled", "provident": "isActive"}
PRUNE = {"prune": True, "maxChangePercent": 100}


def spec(vendor, name):
    return {**MINIMAL[vendor], "name": name}


def statuses(report):
    return {outcome.key: outcome.status for outcome in report.outcomes}


def remove(workspace, name):
    (workspace.root / "clients" / f"{name}.json").unlink()


def age(workspace, name, since):
    """Let a quarantine have begun at `since`."""
    path = record_file(workspace.root, workspace.vendor, name)
    edit_entry(path, quarantinedAt=since)


@pytest.fixture
def fleet(workspace, vendor):
    """A workspace with the clients `old` and `web` applied, and the requests so far forgotten."""
    workspace.write("old", spec(vendor, "Old"))
    workspace.write("web", spec(vendor, "Web"))
    workspace.write_project(policy=PRUNE)
    assert set(statuses(workspace.apply()).values()) == {Status.DONE}
    workspace.sandbox.forget_requests()
    return workspace


@pytest.mark.parametrize("vendor", CAN_DELETE)
def test_a_client_whose_manifest_is_gone_is_deleted_with_one_request_and_forgotten(fleet, vendor):
    old_id = fleet.server_id("old")
    remove(fleet, "old")

    assert fleet.actions() == {"old": Action.DELETE, "web": Action.NOOP}
    fleet.apply()

    assert [method for method, _ in fleet.writes()] == ["DELETE"]
    assert old_id not in {client["id"] for client in fleet.sandbox.clients(vendor)}
    assert list(fleet.inventory()) == ["web"]
    assert fleet.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize("vendor", CAN_DELETE)
def test_a_client_that_was_deleted_by_hand_is_forgotten(fleet, vendor):
    fleet.sandbox.remove(vendor, fleet.server_id("old"))
    remove(fleet, "old")

    assert fleet.changes()["old"].record == ForgetClient()
    fleet.apply()

    assert fleet.writes() == []
    assert list(fleet.inventory()) == ["web"]


@pytest.mark.parametrize("vendor", CAN_DELETE)
def test_a_folder_that_is_empty_deletes_nothing(fleet):
    remove(fleet, "old")
    remove(fleet, "web")

    (target,) = fleet.plan().targets
    fleet.apply()

    assert [found.rule for found in target.refusals] == ["no-manifest-left"]
    assert fleet.writes() == []


@pytest.mark.parametrize("vendor", CAN_DELETE)
def test_limits_hold_unless_one_run_overrides_them(fleet):
    remove(fleet, "old")
    fleet.write_project(policy={"prune": True})

    (target,) = fleet.plan().targets
    (overridden,) = fleet.plan(max_deletes=1).targets

    assert [found.rule for found in target.refusals] == ["max-change-percent"]
    assert overridden.refusals == ()
    assert "--max-deletes 1" in overridden.warnings[0]


@pytest.mark.parametrize("vendor", CAN_DELETE)
def test_prevent_destroy_is_remembered_when_the_manifest_is_gone(fleet, vendor):
    fleet.write("old", spec(vendor, "Old"), lifecycle={"preventDestroy": True})
    fleet.apply()
    remove(fleet, "old")

    change = fleet.changes()["old"]
    report = fleet.apply()

    assert change.refusal.rule == "prevent-destroy"
    assert statuses(report)["old"] is Status.SKIPPED
    assert fleet.writes() == []


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_a_client_that_was_used_lately_is_kept(fleet, vendor):
    fleet.sandbox.edit(vendor, fleet.server_id("old"), lastUsed="2999-01-01T00:00:00Z")
    remove(fleet, "old")

    change = fleet.changes()["old"]
    fleet.apply()

    assert (change.action, change.refusal) == (Action.NOOP, None)
    assert "last used" in change.reason
    assert fleet.writes() == []
    assert set(fleet.inventory()) == {"old", "web"}


@pytest.fixture
def quarantined(fleet):
    """The same, with `old` in quarantine."""
    fleet.write_project(policy={**PRUNE, "quarantineDays": 7})
    remove(fleet, "old")
    fleet.apply()
    return fleet


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_a_quarantine_disables_waits_and_deletes(quarantined, vendor):
    old_id = quarantined.server_id("old")
    live = quarantined.sandbox.client(vendor, old_id)
    waiting = quarantined.changes()["old"]
    quarantined.apply()
    age(quarantined, "old", "2020-01-01T00:00:00Z")
    over = quarantined.changes()["old"]
    quarantined.apply()

    assert live["enabled"] is False
    assert (waiting.action, waiting.requests) == (Action.NOOP, ())
    assert "to be deleted on" in waiting.reason
    assert over.action is Action.DELETE
    assert [method for method, _ in quarantined.writes()] == ["PATCH", "DELETE"]
    assert list(quarantined.inventory()) == ["web"]


@pytest.mark.parametrize("vendor", ["sailpoint"])
@pytest.mark.parametrize("stated", [True, False])
def test_a_manifest_that_comes_back_ends_the_quarantine(quarantined, vendor, stated):
    wanted = spec(vendor, "Old")
    if not stated:
        del wanted["enabled"]
    parts = {} if stated else {"id": quarantined.server_id("old")}
    quarantined.write("old", wanted, **parts)

    back = quarantined.changes()["old"]
    quarantined.apply()

    assert back.action is Action.UPDATE
    assert quarantined.sandbox.client(vendor, quarantined.server_id("old"))["enabled"] is True
    assert not quarantined.inventory()["old"].get("quarantinedAt")
    assert quarantined.actions() == {"old": Action.NOOP, "web": Action.NOOP}


@pytest.mark.parametrize("vendor", ["boruta"])
def test_where_nothing_can_be_disabled_a_quarantine_only_waits(quarantined):
    waiting = quarantined.changes()["old"]

    assert quarantined.writes() == []
    assert "to be deleted on" in waiting.reason
    age(quarantined, "old", "2020-01-01T00:00:00Z")
    assert quarantined.actions()["old"] is Action.DELETE


@pytest.mark.parametrize("vendor", ["boruta"])
def test_a_wait_ends_with_the_manifest_that_comes_back(quarantined, vendor):
    quarantined.write("old", spec(vendor, "Old"))

    assert quarantined.actions()["old"] is Action.NOOP
    quarantined.apply()

    assert not quarantined.inventory()["old"].get("quarantinedAt")


@pytest.mark.parametrize("vendor", ["provident"])
def test_provident_keeps_a_client_that_it_cannot_delete_and_says_so(fleet):
    remove(fleet, "old")

    (target,) = fleet.plan().targets
    fleet.apply()

    assert "cannot delete a client" in target.warnings[0]
    assert fleet.writes() == []


@pytest.mark.parametrize("vendor", ["provident"])
def test_provident_disables_a_client_where_that_was_asked_for_and_enables_it_again(fleet, vendor):
    fleet.write_project(policy={**PRUNE, "onRemoval": "disable"})
    remove(fleet, "old")
    old_id = fleet.server_id("old")

    assert fleet.actions() == {"old": Action.UPDATE, "web": Action.NOOP}
    fleet.apply()
    off = fleet.sandbox.client(vendor, old_id)["isActive"]
    since = fleet.changes()["old"]
    fleet.write("old", spec(vendor, "Old"))
    fleet.apply()

    assert off is False
    assert (since.action, since.reason[:14]) == (Action.NOOP, "disabled since")
    assert fleet.sandbox.client(vendor, old_id)["isActive"] is True
    assert fleet.actions() == {"old": Action.NOOP, "web": Action.NOOP}


@pytest.mark.parametrize("vendor", CAN_DELETE)
def test_a_client_is_taken_over_by_its_name_where_that_was_asked_for(workspace, vendor):
    (theirs,) = workspace.sandbox.seed(vendor, [spec(vendor, "Web")])
    before = workspace.sandbox.clients(vendor)
    workspace.write("web", spec(vendor, "Web"))
    workspace.write_project(policy={"adopt": "unowned"})

    change = workspace.changes()["web"]
    workspace.apply()

    assert (change.action, change.remote_id) == (Action.ADOPT, theirs)
    assert [method for method, _ in workspace.writes() if method == "POST"] == []
    assert len(workspace.sandbox.clients(vendor)) == len(before)
    assert workspace.server_id("web") == theirs
    assert not (workspace.root / ".reconciler/secrets").exists()
    assert workspace.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize("vendor", CAN_DELETE)
def test_of_two_clients_with_the_name_none_is_taken_over(workspace, vendor):
    ids = workspace.sandbox.seed(vendor, [spec(vendor, "Web"), spec(vendor, "Web")])
    workspace.write("web", spec(vendor, "Web"))
    workspace.write_project(policy={"adopt": "unowned"})

    change = workspace.changes()["web"]
    workspace.apply()

    assert change.refusal.rule == "ambiguous-adoption"
    assert all(remote_id in change.refusal.message for remote_id in ids)
    assert workspace.writes() == []


@pytest.mark.parametrize("vendor", ["provident"])
def test_where_there_is_no_list_nothing_can_be_taken_over_by_name(workspace, vendor):
    workspace.sandbox.seed(vendor, [spec(vendor, "Web")])
    workspace.write("web", spec(vendor, "Web"))
    workspace.write_project(policy={"adopt": "unowned"})

    (target,) = workspace.plan().targets

    assert [change.action for change in target.changes] == [Action.CREATE]
    assert "metadata.id" in target.warnings[0]


def test_a_provident_tenant_with_a_list_and_a_delete_is_pruned_after_a_quarantine(tmp_path):
    delete = {"path": "/{id}", "expect": [200]}
    endpoints = {"list": {"path": "", "item": "/items"}, "delete": delete}
    with running(rate_limit=None, seed=1, provident_list=True) as sandbox:
        tenant = Workspace(tmp_path, sandbox, "provident")
        tenant.write("old", spec("provident", "Old"))
        tenant.write("web", spec("provident", "Web"))
        tenant.write_project(policy={**PRUNE, "quarantineDays": 7}, endpoints=endpoints)
        tenant.apply()
        old_id = tenant.server_id("old")
        remove(tenant, "old")
        tenant.apply()
        off = sandbox.client("provident", old_id)["isActive"]
        age(tenant, "old", "2020-01-01T00:00:00Z")
        report = tenant.apply()

        assert statuses(report)["old"] is Status.DONE
        assert off is False
        assert old_id not in {each["clientId"] for each in sandbox.clients("provident")}
        assert tenant.actions() == {"web": Action.NOOP}


def sparse(workspace):
    """Let git leave the manifest of `old` out."""

    def git(*arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        done = ("git", *who, *arguments)
        subprocess.run(done, cwd=workspace.root, check=True, capture_output=True)

    git("init", "-q")
    git("add", "clients", "reconciler.yaml")
    git("commit", "-qm", "all")
    git("sparse-checkout", "set", "--no-cone", "/*", "!/clients/old.json")


def moved(name):
    def move(workspace):
        path = workspace.root / "clients" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (workspace.root / "clients/old.json").rename(path)

    return move


def moved_away(workspace):
    """Move the manifest of `old` to a hidden folder, below another pattern."""
    moved("../elsewhere/.kept/old.yml")(workspace)
    workspace.write_project(manifests=["clients/*.json", "elsewhere/**/*.yaml"])


UNREAD = {
    **{name: moved(name) for name in ("old.yml", "old.JSON", ".old.json", "team/old.json")},
    "elsewhere": moved_away,
    "sparse": sparse,
}


@pytest.mark.parametrize("how", UNREAD)
@pytest.mark.parametrize("vendor", CAN_DELETE)
def test_a_manifest_that_was_not_read_is_no_removal(fleet, vendor, how):
    old_id = fleet.server_id("old")
    UNREAD[how](fleet)

    (target,) = fleet.plan().targets
    fleet.apply()

    assert [refusal.rule for refusal in target.refusals] == [Rule.UNREAD_MANIFEST]
    assert [change.key for change in target.changes] == ["web"]
    assert fleet.writes() == []
    assert old_id in {client["id"] for client in fleet.sandbox.clients(vendor)}
    assert set(fleet.inventory()) == {"old", "web"}


@pytest.mark.parametrize("vendor", CAN_DELETE)
def test_a_manifest_that_is_left_out_on_purpose_is_a_removal(fleet):
    moved("old.yml")(fleet)
    fleet.write_project(manifests=["clients/*.{json,yml}", "!clients/old.*"])

    assert fleet.actions() == {"old": Action.DELETE, "web": Action.NOOP}


@pytest.mark.parametrize("vendor", CAN_DELETE)
def test_a_manifest_that_was_not_read_stops_nothing_where_nobody_is_missing(fleet):
    (fleet.root / "clients/new.yml").write_text(
        (fleet.root / "clients/old.json").read_text().replace("old", "new")
    )

    assert fleet.actions() == {"old": Action.NOOP, "web": Action.NOOP}
