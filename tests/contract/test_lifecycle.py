"""What every vendor's clients go through, over real HTTP: one suite for all of them."""

from __future__ import annotations

import pytest
from support.records import lose_record, record_file
from support.workspace import IDP, MINIMAL

from reconciler.core.changes import Action, Origin, Status

# For each vendor, a field that can change in place: its name, a first and a second value.
MUTABLE = {
    "provident": ("rateLimitCount", 10, 20),
    "sailpoint": ("accessTokenValiditySeconds", 700, 900),
    "boruta": ("access_token_ttl", 200, 250),
}
# A field that cannot, with the value that a replace is to bring.
FIXED = {
    "sailpoint": ("scope", ["sp:write"]),
    "boruta": ("access_token_ttl", 7200),
}
SETS = {"provident": "redirectUris", "sailpoint": "redirectUris", "boruta": "redirect_uris"}


def spec(vendor, **fields):
    return {**MINIMAL[vendor], **fields}


def identifier(vendor):
    return "clientId" if vendor == "provident" else "id"


def statuses(report):
    return {outcome.key: outcome.status for outcome in report.outcomes}


@pytest.fixture
def applied(workspace, vendor):
    """A workspace with one client, `web`, applied, and the requests so far forgotten."""
    field, first, _ = MUTABLE[vendor]
    workspace.write("web", spec(vendor, **{field: first}))
    report = workspace.apply()
    assert statuses(report) == {"web": Status.DONE}
    workspace.sandbox.forget_requests()
    return workspace


def test_a_new_client_is_created_once_and_then_as_wanted(workspace, vendor):
    workspace.write("web", spec(vendor))

    assert workspace.actions() == {"web": Action.CREATE}
    report = workspace.apply()

    assert statuses(report) == {"web": Status.DONE}
    assert [method for method, _ in workspace.writes()] == ["POST"]
    assert workspace.actions() == {"web": Action.NOOP}


def test_the_secret_of_a_new_client_is_in_its_private_file_and_nowhere_else(workspace, vendor):
    workspace.write("web", spec(vendor))

    report = workspace.apply()

    path = workspace.root / ".reconciler/secrets" / vendor / "web.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    kept = workspace.secret("web")
    assert kept["client_id"] == workspace.server_id("web")
    assert kept["client_secret"] in workspace.sandbox.issued_secrets
    assert report.outcomes[0].secret_location == str(path)


def test_a_client_that_is_as_wanted_is_not_written_again(applied):
    report = applied.apply()

    assert applied.writes() == []
    assert [outcome.status for outcome in report.outcomes] == [Status.DONE]


def test_a_second_run_changes_no_byte_of_the_inventory(applied):
    path = record_file(applied.root, applied.vendor, "web")
    before = path.read_bytes(), path.stat().st_mtime_ns

    applied.apply()

    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_change_in_git_is_one_request(applied, vendor):
    field, _, second = MUTABLE[vendor]
    applied.write("web", spec(vendor, **{field: second}))

    change = applied.changes()["web"]
    applied.apply()

    assert [(moved.field, moved.origin) for moved in change.fields] == [(field, Origin.CONFIG)]
    assert len(applied.writes()) == 1
    assert applied.sandbox.client(vendor, applied.server_id("web"))[field] == second
    assert applied.actions() == {"web": Action.NOOP}


def test_a_change_on_the_server_is_drift_and_mended_with_one_request(applied, vendor):
    field, first, second = MUTABLE[vendor]
    applied.sandbox.edit(vendor, applied.server_id("web"), **{field: second})

    change = applied.changes()["web"]
    applied.apply()

    assert [(moved.field, moved.origin) for moved in change.fields] == [(field, Origin.DRIFT)]
    assert len(applied.writes()) == 1
    assert applied.sandbox.client(vendor, applied.server_id("web"))[field] == first


def test_a_change_on_both_sides_is_told_as_such(applied, vendor):
    field, _, second = MUTABLE[vendor]
    applied.sandbox.edit(vendor, applied.server_id("web"), **{field: second})
    applied.write("web", spec(vendor, **{field: second + 1 if vendor == "provident" else 100}))

    assert [moved.origin for moved in applied.changes()["web"].fields] == [Origin.BOTH]


def test_a_field_that_git_does_not_state_is_never_touched(applied, vendor):
    field, _, second = MUTABLE[vendor]
    name = SETS[vendor]
    uris = ["https://theirs.example.com"]
    kept = {} if vendor == "provident" else {name: uris}
    applied.sandbox.edit(vendor, applied.server_id("web"), **kept)
    applied.write("web", spec(vendor, **{field: second}))

    applied.apply()

    live = applied.sandbox.client(vendor, applied.server_id("web"))
    assert live[name] == (uris if kept else MINIMAL[vendor][name])


def test_the_order_of_a_set_is_no_change(applied, vendor):
    field, first, _ = MUTABLE[vendor]
    name = SETS[vendor]
    uris = ["https://b.example.com", "https://a.example.com"]
    applied.write("web", spec(vendor, **{field: first, name: uris}))
    applied.apply()
    applied.sandbox.edit(vendor, applied.server_id("web"), **{name: list(reversed(uris))})

    assert applied.actions() == {"web": Action.NOOP}


def test_a_client_that_is_gone_from_the_server_is_created_again(applied, vendor):
    applied.sandbox.remove(vendor, applied.server_id("web"))

    change = applied.changes()["web"]
    applied.apply()

    assert change.action is Action.CREATE
    assert "gone" in change.reason
    assert applied.actions() == {"web": Action.NOOP}


def test_an_existing_client_is_bound_by_its_id(workspace, vendor):
    (remote_id,) = workspace.sandbox.seed(vendor, [spec(vendor)])
    field, _, second = MUTABLE[vendor]
    workspace.write("web", {field: second}, id=remote_id)

    assert workspace.actions() == {"web": Action.ADOPT}
    workspace.apply()

    assert [method for method, _ in workspace.writes()] in (["PUT"], ["PATCH"])
    assert workspace.server_id("web") == remote_id
    assert workspace.actions() == {"web": Action.NOOP}


def test_clients_that_are_not_ours_are_never_changed(workspace, vendor):
    workspace.sandbox.seed(vendor, [spec(vendor, name=f"theirs {n}") for n in range(3)])
    before = workspace.sandbox.clients(vendor)
    workspace.write("web", spec(vendor))

    workspace.apply()

    after = {client[identifier(vendor)]: client for client in workspace.sandbox.clients(vendor)}
    assert [after[client[identifier(vendor)]] for client in before] == before
    assert len(after) == len(before) + 1


def test_a_manifest_that_is_taken_away_takes_no_client_with_it(applied, vendor):
    (applied.root / "clients/web.json").unlink()
    applied.write("api", spec(vendor, name="Api"))

    (target,) = applied.plan().targets
    applied.apply()

    assert "web" in target.warnings[0]
    assert applied.sandbox.client(vendor, applied.server_id("web"))


def test_a_client_that_the_server_refuses_leaves_the_others_to_go_on(workspace, vendor):
    poison = {
        "provident": {},
        "sailpoint": {},
        "boruta": {"identity_provider": {"id": "00000000-0000-0000-0000-000000000005"}},
    }[vendor]
    if not poison:
        workspace.sandbox.set_faults("500@1:post")
    workspace.write("a", spec(vendor, name="a", **poison))
    workspace.write("b", spec(vendor, name="b"))
    workspace.write("c", spec(vendor, name="c"))

    report = workspace.apply()

    found = sorted(outcome.status.value for outcome in report.outcomes)
    assert found in (["done", "done", "failed"], ["done", "done", "unknown"])


@pytest.mark.parametrize("vendor", sorted(FIXED))
def test_a_replace_is_refused_until_it_is_allowed(applied, vendor):
    field, value = FIXED[vendor]
    applied.write("web", spec(vendor, **{field: value}))

    change = applied.changes()["web"]
    report = applied.apply()

    assert (change.action, change.refusal.rule) == (Action.REPLACE, "replace-not-allowed")
    assert statuses(report) == {"web": Status.SKIPPED}
    assert applied.writes() == []


@pytest.mark.parametrize("vendor", sorted(FIXED))
def test_a_replace_creates_the_successor_before_it_deletes_the_predecessor(applied, vendor):
    field, value = FIXED[vendor]
    old_id, old_secret = applied.server_id("web"), applied.secret("web")
    applied.write("web", spec(vendor, **{field: value}), lifecycle={"allowReplace": True})

    applied.apply()

    assert [method for method, _ in applied.writes()] == ["POST", "DELETE"]
    assert applied.server_id("web") != old_id
    assert applied.secret("web")["client_secret"] != old_secret["client_secret"]
    assert old_id not in {client["id"] for client in applied.sandbox.clients(vendor)}
    assert applied.inventory()["web"].get("superseded", []) == []
    assert applied.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize("vendor", sorted(FIXED))
def test_a_predecessor_that_cannot_be_deleted_is_deleted_by_the_next_run(applied, vendor):
    field, value = FIXED[vendor]
    old_id = applied.server_id("web")
    applied.write("web", spec(vendor, **{field: value}), lifecycle={"allowReplace": True})
    applied.sandbox.set_faults("500@1:delete")

    first = applied.apply()
    applied.sandbox.set_faults()
    with_left_over = [change.action for change in applied.plan().targets[0].changes]
    applied.apply()

    assert statuses(first) == {"web": Status.FAILED}
    assert with_left_over == [Action.NOOP, Action.DELETE]
    assert old_id not in {client["id"] for client in applied.sandbox.clients(vendor)}
    assert applied.actions() == {"web": Action.NOOP}


def test_wrong_credentials_are_an_error_and_not_an_absence(applied):
    applied.env["SECRET"] = "not the secret"

    (target,) = applied.plan().targets

    assert target.changes == ()
    assert "refused the credentials" in target.errors[0]


def test_a_dead_server_is_an_error_and_not_an_absence(applied):
    applied.write_project(baseUrl="http://127.0.0.1:9/nothing")

    (target,) = applied.plan().targets

    assert target.changes == ()
    assert target.errors


@pytest.mark.parametrize("vendor", ["provident"])
def test_an_inactive_client_of_provident_takes_two_calls(workspace, vendor):
    workspace.write("web", spec(vendor, isActive=False, ipRestriction=True))

    workspace.apply()

    assert [method for method, _ in workspace.writes()] == ["POST", "PUT"]
    assert workspace.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize("vendor", ["provident"])
def test_provident_is_read_once_for_each_known_client(applied, vendor):
    applied.write("api", spec(vendor, name="Api"))

    applied.changes()

    reads = [request for request in applied.sandbox.requests if request.method == "GET"]
    assert [request.path.rsplit("/", 1)[-1] for request in reads] == [applied.server_id("web")]


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_sailpoint_gets_one_patch_for_all_fields_with_its_content_type(applied, vendor):
    applied.sandbox.edit(
        vendor, applied.server_id("web"), businessName="x", redirectUris=["https://x.example.com"]
    )
    wanted = {"businessName": None, "redirectUris": [], "enabled": False}
    applied.write("web", spec(vendor, accessTokenValiditySeconds=700, **wanted))

    applied.apply()

    (request,) = [each for each in applied.sandbox.requests if each.method == "PATCH"]
    assert request.content_type == "application/json-patch+json"
    assert applied.writes()[0][1] == [
        {"op": "test", "path": "/businessName", "value": "x"},
        {"op": "test", "path": "/enabled", "value": True},
        {"op": "test", "path": "/redirectUris", "value": ["https://x.example.com"]},
        {"op": "remove", "path": "/businessName"},
        {"op": "replace", "path": "/enabled", "value": False},
        {"op": "replace", "path": "/redirectUris", "value": []},
    ]
    assert applied.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize("vendor", ["sailpoint"])
def test_a_fleet_of_several_pages_is_read_whole(workspace, vendor):
    ids = workspace.sandbox.seed(vendor, [spec(vendor, name=f"c{n}") for n in range(501)])
    workspace.write("last", {"enabled": True}, id=ids[-1])

    assert workspace.actions() == {"last": Action.ADOPT}


@pytest.mark.parametrize("vendor", ["boruta"])
def test_boruta_keeps_its_scopes_whatever_else_is_put(applied, vendor):
    client_id = applied.server_id("web")
    applied.write("web", spec(vendor, access_token_ttl=200, authorized_scopes=[{"name": "openid"}]))
    applied.apply()
    applied.write("web", spec(vendor, access_token_ttl=250))

    applied.apply()

    scopes = applied.sandbox.client(vendor, client_id)["authorized_scopes"]
    assert [scope["name"] for scope in scopes] == ["openid"]


@pytest.mark.parametrize("vendor", ["boruta"])
def test_what_boruta_half_applied_is_seen_by_the_next_plan(applied, vendor):
    applied.write(
        "web",
        spec(
            vendor,
            name="half",
            access_token_ttl=200,
            identity_provider={"id": "00000000-0000-0000-0000-000000000005"},
        ),
    )

    report = applied.apply()
    change = applied.changes()["web"]

    assert statuses(report) == {"web": Status.FAILED}
    assert "identity_provider" in report.outcomes[0].message
    assert [moved.field for moved in change.fields] == ["identity_provider"]


@pytest.mark.parametrize("vendor", ["boruta"])
def test_a_create_that_was_not_recorded_is_found_again_by_its_id(applied, vendor):
    secret = applied.secret("web")
    lose_record(applied.root, vendor)
    (applied.root / ".reconciler/secrets" / vendor / "web.json").unlink()

    assert applied.actions() == {"web": Action.ADOPT}
    applied.apply()

    assert applied.writes() == []
    assert applied.secret("web") == secret
    assert applied.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize("vendor", ["boruta"])
def test_a_secret_that_the_user_chose_is_set_and_kept(workspace, vendor):
    workspace.env["CHOSEN"] = "a secret of the user's own"
    workspace.write("web", spec(vendor, secret={"env": "CHOSEN"}, identity_provider=IDP))

    workspace.apply()

    live = workspace.sandbox.client(vendor, workspace.server_id("web"))
    assert live["secret"] == "a secret of the user's own"
    assert workspace.actions() == {"web": Action.NOOP}
    workspace.sandbox.edit(vendor, workspace.server_id("web"), secret="changed by hand")
    assert [moved.field for moved in workspace.changes()["web"].fields] == ["secret"]


def test_a_selection_leaves_the_other_clients_alone(workspace, vendor):
    workspace.write("web", spec(vendor, name="web"), labels={"team": "shop"})
    workspace.write("api", spec(vendor, name="api"))

    report = workspace.apply(selectors=("team=shop",))

    assert statuses(report) == {"web": Status.DONE}
    assert workspace.actions() == {"api": Action.CREATE, "web": Action.NOOP}
