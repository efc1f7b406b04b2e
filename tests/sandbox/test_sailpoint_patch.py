from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx
    from conftest import Clock

    from reconciler.sandbox.handle import Sandbox

CLIENTS = "/oauth-clients/v1"
PATCH = "application/json-patch+json"


def _patch(sailpoint: httpx.Client, client_id: str, *operations: Any, kind: str = PATCH):
    return sailpoint.patch(
        f"{CLIENTS}/{client_id}", content=json.dumps(operations), headers={"content-type": kind}
    )


def _replace(name: str, value: object):
    return {"op": "replace", "path": f"/{name}", "value": value}


@pytest.fixture
def client_id(sandbox: Sandbox):
    fields = {"name": "web", "businessName": "Shop", "redirectUris": ["https://a.example.com"]}
    return sandbox.seed("sailpoint", [fields])[0]


def test_a_patch_answers_the_whole_new_client(
    sandbox: Sandbox, sailpoint: httpx.Client, client_id: str, clock: Clock
):
    clock.now += 1
    before = sandbox.client("sailpoint", client_id)

    answer = _patch(
        sailpoint,
        client_id,
        _replace("name", "shop"),
        {"op": "replace", "path": "/enabled", "value": False},
    )

    after = answer.json()
    assert answer.status_code == 200
    assert after.pop("secret") is None
    assert {n for n in after if after[n] != before[n]} == {"name", "enabled", "modified"}
    assert sandbox.client("sailpoint", client_id) == after


@pytest.mark.parametrize("kind", ["application/json", "application/merge-patch+json", ""])
def test_a_patch_of_another_content_type_is_refused(
    sandbox: Sandbox, sailpoint: httpx.Client, client_id: str, kind: str
):
    answer = _patch(sailpoint, client_id, _replace("name", "x"), kind=kind)

    assert answer.status_code == 400
    assert PATCH in answer.json()["messages"][0]["text"]
    assert sandbox.client("sailpoint", client_id)["name"] == "web"


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (_replace("type", "PUBLIC"), "/type is not patchable."),
        ({"op": "replace", "path": "/internal", "value": True}, "/internal is not patchable."),
        (_replace("scope", ["orders:read"]), "/scope is not patchable."),
        (_replace("created", "x"), "/created is not patchable."),
        (_replace("nope", "x"), "/nope is not patchable."),
        ({"op": "move", "from": "/type", "path": "/name"}, "/type is not patchable."),
        ({"op": "move", "path": "/name"}, "is not patchable."),
        (_replace("businessName", None), "value must be"),
        (_replace("accessTokenValiditySeconds", 1.5), "value must be"),
        (_replace("accessTokenValiditySeconds", "60"), "must be an int32"),
        (_replace("redirectUris", [None]), "must be an array of strings"),
        (_replace("grantTypes", ["REFRESH_TOKEN"]), "REFRESH_TOKEN needs"),
        ({"op": "replace", "path": "/name"}, "replace needs a value."),
        ({"op": "set", "path": "/name", "value": "x"}, "op must be one of"),
        ({"op": "replace", "path": "name", "value": "x"}, "path must be"),
        ({"op": "replace", "value": "x"}, "path must be"),
        ({"op": "replace", "path": "", "value": {}}, "path must be"),
        ({"op": "remove", "path": "/name"}, "name cannot be removed."),
        ({"op": "remove", "path": "/redirectUris"}, "redirectUris cannot be removed."),
        ({"op": "test", "path": "/name", "value": "other"}, "cannot be applied"),
        ({"op": "remove", "path": "/redirectUris/7"}, "cannot be applied"),
        ({"op": "replace", "path": "/name/first", "value": "x"}, "cannot be applied"),
        ({"op": "copy", "path": "/name"}, "cannot be applied"),
        ("text", "Each operation must be an object."),
    ],
)
def test_a_patch_that_is_refused_changes_nothing(
    sandbox: Sandbox, sailpoint: httpx.Client, client_id: str, operation: Any, text: str
):
    before = sandbox.client("sailpoint", client_id)

    answer = _patch(sailpoint, client_id, _replace("description", "new"), operation)

    assert answer.status_code == 400
    assert text in answer.json()["messages"][0]["text"]
    assert sandbox.client("sailpoint", client_id) == before


def test_a_patch_must_be_an_array(sailpoint: httpx.Client, client_id: str):
    answer = sailpoint.patch(
        f"{CLIENTS}/{client_id}", content="{}", headers={"content-type": PATCH}
    )

    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["businessName", "homepageUrl"])
def test_removing_a_nullable_text_leaves_null(sailpoint: httpx.Client, client_id: str, name: str):
    answer = _patch(sailpoint, client_id, {"op": "remove", "path": f"/{name}"})

    assert answer.json()[name] is None


def test_replacing_the_redirect_uris_by_an_empty_array_empties_them(
    sailpoint: httpx.Client, client_id: str
):
    assert _patch(sailpoint, client_id, _replace("redirectUris", [])).json()["redirectUris"] == []


def test_the_other_operations_of_rfc_6902_work_as_it_says(sailpoint: httpx.Client, client_id: str):
    answer = _patch(
        sailpoint,
        client_id,
        {"op": "test", "path": "/name", "value": "web"},
        {"op": "add", "path": "/redirectUris/-", "value": "https://0.example.com"},
        {"op": "copy", "from": "/businessName", "path": "/description"},
        {"op": "move", "from": "/businessName", "path": "/homepageUrl"},
    )

    after = answer.json()
    assert after["redirectUris"] == ["https://0.example.com", "https://a.example.com"]
    assert (after["description"], after["homepageUrl"], after["businessName"]) == (
        "Shop",
        "Shop",
        None,
    )


def test_grants_and_redirect_uris_are_judged_after_the_whole_patch(
    sailpoint: httpx.Client, client_id: str
):
    answer = _patch(
        sailpoint,
        client_id,
        _replace("redirectUris", []),
        _replace("grantTypes", ["AUTHORIZATION_CODE"]),
        _replace("redirectUris", ["https://b.example.com"]),
    )

    assert answer.status_code == 200


def test_the_tenant_can_be_written_and_never_read(
    sandbox: Sandbox, sailpoint: httpx.Client, client_id: str
):
    answer = _patch(sailpoint, client_id, _replace("tenant", "shop"))
    guarded = _patch(sailpoint, client_id, {"op": "test", "path": "/tenant", "value": "shop"})

    assert answer.status_code == guarded.status_code == 200
    assert "tenant" not in answer.json()
    assert "tenant" not in sandbox.client("sailpoint", client_id)


def test_a_patch_of_nobody_is_a_404(sailpoint: httpx.Client):
    assert _patch(sailpoint, "nobody", _replace("name", "x")).status_code == 404


@pytest.mark.parametrize("name", ["description", "homepageUrl", "redirectUris"])
def test_what_is_null_can_be_added_and_not_replaced(
    sandbox: Sandbox, sailpoint: httpx.Client, name: str
):
    (nothing,) = sandbox.seed("sailpoint", [{"description": None}])
    value: Any = ["https://a.example.com"] if name == "redirectUris" else "x"

    replaced = _patch(sailpoint, nothing, _replace(name, value))
    added = _patch(sailpoint, nothing, {"op": "add", "path": f"/{name}", "value": value})
    again = _patch(sailpoint, nothing, _replace(name, value))

    assert [answer.status_code for answer in (replaced, added, again)] == [400, 200, 200]
    assert added.json()[name] == value


@pytest.mark.parametrize(("fault", "status"), [("refuse-tests", 400), ("refuse-tests=501", 501)])
def test_a_server_that_takes_no_tests_refuses_them_alone(
    sandbox: Sandbox, sailpoint: httpx.Client, client_id: str, fault: str, status: int
):
    sandbox.set_faults(fault)
    test = {"op": "test", "path": "/name", "value": "web"}

    tested = _patch(sailpoint, client_id, test, _replace("name", "shop"))
    plain = _patch(sailpoint, client_id, _replace("name", "shop"))
    sandbox.set_faults()

    assert (tested.status_code, plain.status_code) == (status, 200)
