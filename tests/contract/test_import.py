"""What exists is taken over without a change: import, then plan, and there is nothing to do."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fleets import specs
from support.records import lose_record, record_folder
from support.vendors import NAMES
from support.vendors import vendor as provider_of
from support.workspace import MINIMAL, Workspace, ids

from reconciler.app import importing, ownership
from reconciler.app.context import Call
from reconciler.core.changes import Action, Status
from reconciler.core.errors import SelectionError
from reconciler.provider.spelling import first_name

FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
LISTING = [name for name in NAMES if provider_of(name).list is not None]
GLOBS = ["clients/*.json", "clients/*.yaml"]


def call(workspace):
    if not Path(workspace.project).exists():
        workspace.write_project(manifests=GLOBS)
    return Call(
        project_file=workspace.project,
        target=workspace.vendor,
        lock_timeout=5,
        log=lambda _line: None,
    )


def imported(workspace, wanted=None, **options):
    """Import as `--all` would, or by id where the vendor has no list."""
    if wanted is None:
        named = sorted(ids(workspace.sandbox, workspace.vendor))
        has_list = provider_of(workspace.vendor).list is not None
        wanted = importing.Wanted(ids=() if has_list else tuple(named))
    with patch.dict(os.environ, workspace.env):
        return importing.import_clients(call(workspace), wanted, **options)


def seed(workspace, *fleet):
    provider = provider_of(workspace.vendor)
    rows = [
        {first_name(provider.fields[name].read_as): value for name, value in spec.items()}
        for spec in fleet
    ]
    return workspace.sandbox.seed(workspace.vendor, rows)


def spec(vendor, **fields):
    return {**MINIMAL[vendor], **fields}


def documents(workspace):
    files = sorted((workspace.root / "clients").glob("*.yaml"))
    return {path.stem: yaml.safe_load(path.read_text()) for path in files}


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(st.data())
def test_import_followed_by_plan_is_empty(server, first, name, data):
    fleet = data.draw(st.lists(specs(name), min_size=1, max_size=4))
    # What a vendor marks as its own is left alone, and has a test of its own.
    fleet = [{name: value for name, value in one.items() if name != "internal"} for one in fleet]
    full = data.draw(st.booleans())
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder), server, name, first[name])
        try:
            seeded = seed(workspace, *fleet)
            server.forget_requests()

            found = imported(workspace, full=full)

            assert found.trouble == ""
            assert {each.remote_id for each in found.imported} >= set(seeded)
            assert workspace.writes() == []
            assert set(workspace.actions().values()) == {Action.NOOP}
            assert not any(change.warnings for change in workspace.changes().values())
            before = inventory_bytes(workspace)
            assert {one.status for one in workspace.apply().outcomes} == {Status.DONE}
            assert workspace.writes() == []
            assert inventory_bytes(workspace) == before
        finally:
            workspace.clear()


def inventory_bytes(workspace):
    folder = record_folder(workspace.root, workspace.vendor)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(st.data())
def test_what_was_imported_is_told_apart_from_what_moves_later(server, first, name, data):
    """The record holds the values as of the import: a later edit on the server is drift."""
    fields = {"boruta": "pkce", "provident": "rateLimitCount", "sailpoint": "description"}
    moved = {"boruta": True, "provident": 77, "sailpoint": "by hand"}[name]
    wanted = data.draw(specs(name)) | {fields[name]: {"boruta": False}.get(name, 78)}
    if name == "sailpoint":
        wanted["description"] = "as it was"
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder), server, name, first[name])
        try:
            (remote_id,) = seed(workspace, wanted)
            imported(workspace, importing.Wanted(ids=(remote_id,)), full=True)

            workspace.sandbox.edit(name, remote_id, **{fields[name]: moved})

            (change,) = workspace.changes().values()
            assert [(each.field, each.origin.value) for each in change.fields] == [
                (fields[name], "drift")
            ]
        finally:
            workspace.clear()


def test_no_manifest_holds_a_secret_or_the_id(workspace, vendor):
    (remote_id,) = seed(workspace, spec(vendor, name="Shop (web)"))

    found = imported(workspace, importing.Wanted(ids=(remote_id,)))

    (each,) = found.imported
    text = Path(each.path).read_text()
    assert each.path == str(workspace.root / "clients" / "shop-web.yaml")
    assert remote_id not in text
    assert not any(secret in text for secret in workspace.sandbox.issued_secrets)
    assert documents(workspace)["shop-web"]["spec"]["name"] == "Shop (web)"


def test_a_second_import_leaves_everything_alone(workspace, vendor):
    seed(workspace, spec(vendor), spec(vendor, name="Orders"))
    imported(workspace)
    before = inventory_bytes(workspace)

    again = imported(workspace)

    assert again.imported == ()
    assert {left.why.rule for left in again.skipped} >= {"bound"}
    assert inventory_bytes(workspace) == before


# The only vendor that keeps its own clients, and the tool's, among the others.
@pytest.mark.parametrize("vendor", ["boruta"], indirect=True)
def test_the_tools_own_client_and_the_servers_are_only_taken_by_id(workspace):
    own = workspace.env["ID"]

    found = imported(workspace)
    rules = {left.remote_id: left.why.rule for left in found.skipped}
    asked = imported(workspace, importing.Wanted(ids=(own,)))

    assert rules[own] == "own-client"
    assert "protected" in rules.values()
    assert [each.remote_id for each in asked.imported] == [own]
    assert set(workspace.actions().values()) == {Action.NOOP}


@pytest.mark.parametrize("vendor", ["sailpoint"], indirect=True)
def test_a_client_that_the_vendor_marks_as_internal_is_only_taken_by_id(workspace, vendor):
    (theirs,) = seed(workspace, spec(vendor, name="Product", internal=True))
    seed(workspace, spec(vendor, name="Ours", internal=False))

    found = imported(workspace)
    asked = imported(workspace, importing.Wanted(ids=(theirs,)))

    assert [each.name for each in found.imported] == ["Ours"]
    assert {left.remote_id: left.why.rule for left in found.skipped} == {theirs: "protected"}
    assert [each.remote_id for each in asked.imported] == [theirs]
    assert documents(workspace)["product"]["spec"]["internal"] is True
    assert set(workspace.actions().values()) == {Action.NOOP}


def test_an_inventory_that_was_lost_is_rebuilt_from_import_and_adoption(workspace, vendor):
    """Manifests that are there are adopted, clients without one imported, and nothing is doubled."""
    workspace.write_project(manifests=GLOBS)
    workspace.write("web", spec(vendor))
    workspace.write("orders", spec(vendor, name="Orders"))
    workspace.apply()
    known = {name: workspace.server_id(name) for name in ("web", "orders")}
    workspace.write("bound", {}, id=seed(workspace, spec(vendor, name="Bound"))[0])
    (stray,) = seed(workspace, spec(vendor, name="Stray"))
    count = len(ids(workspace.sandbox, vendor))
    lose_record(workspace.root, vendor)
    workspace.sandbox.forget_requests()

    with patch.dict(os.environ, workspace.env):
        for key, remote_id in known.items():
            adopted = ownership.adopt(call(workspace), key, remote_id)
            assert adopted.differing == ()
    imported(workspace, importing.Wanted(ids=(stray,)))
    workspace.apply()

    assert {name: workspace.server_id(name) for name in known} == known
    assert workspace.server_id("stray") == stray
    assert set(workspace.actions().values()) == {Action.NOOP}
    assert workspace.writes() == []
    assert len(ids(workspace.sandbox, vendor)) == count


@pytest.mark.parametrize("vendor", LISTING, indirect=True)
def test_an_inventory_that_was_lost_is_rebuilt_by_name_where_there_is_a_list(workspace, vendor):
    workspace.write_project(manifests=GLOBS)
    workspace.write("web", spec(vendor))
    workspace.write("orders", spec(vendor, name="Orders"))
    workspace.apply()
    seeded = seed(workspace, spec(vendor, name="Stray"), spec(vendor, name="Other"))
    imported(workspace, importing.Wanted(names=("Stray", "Other")))
    before = {name: workspace.server_id(name) for name in workspace.inventory()}
    lose_record(workspace.root, vendor)
    workspace.sandbox.forget_requests()

    again = imported(workspace, importing.Wanted(names=("Stray", "Other", "Web", "Orders")))
    workspace.write_project(policy={"adopt": "unowned"})
    workspace.apply()

    assert again.imported == ()
    assert set(before.values()) >= set(seeded)
    assert {name: workspace.server_id(name) for name in before} == before
    assert set(workspace.actions().values()) == {Action.NOOP}
    assert workspace.writes() == []


@pytest.mark.parametrize("vendor", LISTING, indirect=True)
def test_without_a_record_no_second_manifest_is_written_for_a_client_that_has_one(
    workspace, vendor
):
    workspace.write_project(manifests=GLOBS)
    workspace.write("web", spec(vendor, name="Shop web"))
    workspace.apply()
    remote_id = workspace.server_id("web")
    lose_record(workspace.root, vendor)

    found = imported(workspace)

    why = {left.remote_id: left.why for left in found.skipped}[remote_id]
    assert why.rule in {"namesake", "meant"}
    assert remote_id not in {each.remote_id for each in found.imported}


def test_clients_are_selected_by_name(workspace, vendor):
    seed(workspace, spec(vendor, name="Shop web"), spec(vendor, name="Orders"))
    if provider_of(vendor).list is None:
        with pytest.raises(SelectionError, match="name each of them with --id"):
            imported(workspace, importing.Wanted(names=("Shop *",)))
        return

    found = imported(workspace, importing.Wanted(names=("Shop *",)))

    assert [each.key for each in found.imported] == ["shop-web"]
    with pytest.raises(SelectionError, match="no client is named Nobody"):
        imported(workspace, importing.Wanted(names=("Nobody",)))


@pytest.mark.parametrize(
    ("uri", "stated"),
    [
        ("https://app.example.com/cb ", False),
        ("https://app.example.com/cb#x", False),
        ("https://*.example.com/cb", True),
    ],
)
@pytest.mark.parametrize("vendor", LISTING)
def test_an_address_that_nobody_can_mean_is_told_and_its_client_imported(
    workspace, vendor, uri, stated
):
    field = "redirect_uris" if vendor == "boruta" else "redirectUris"
    seed(workspace, spec(vendor, **{field: ["https://app.example.com/cb", uri]}))

    (one,) = imported(workspace).imported

    assert any(note.field.startswith(f"{field}/") for note in one.notes)
    document = yaml.safe_load(Path(one.path).read_text())
    assert (field in document["spec"]) is stated
    planned = workspace.plan().targets[0]
    assert (planned.errors, [change.action for change in planned.changes]) == ((), [Action.NOOP])
