from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from reconciler.sandbox.handle import Sandbox

CLIENTS = "/oauth2/clients"


@contextmanager
def _tenant(**traits: Any):
    with running(**traits) as sandbox, httpx.Client(base_url=sandbox.provident) as client:
        client.headers["authorization"] = f"Bearer {sandbox.token('provident')}"
        yield sandbox, client


@pytest.fixture
def client_id(sandbox: Sandbox):
    fields = {"name": "shop", "allowedScopes": ["a"], "rateLimitCount": 7, "isActive": False}
    return sandbox.seed("provident", [fields])[0]


def test_a_create_answers_the_client_with_its_secret_and_the_defaults(
    sandbox: Sandbox, provident: httpx.Client, shop: dict[str, Any]
):
    created = provident.post(CLIENTS, json=shop)

    body = created.json()
    assert created.status_code == 201
    assert body.items() >= shop.items()
    assert set(body) - set(shop) == {
        "id",
        "clientId",
        "clientSecret",
        "isActive",
        "createdAt",
        "updatedAt",
        "tokenLifetimeSeconds",
        "rateLimitCount",
        "rateLimitWindowSeconds",
        "ip_restriction",
        "allowedIps",
    }
    assert (body["tokenLifetimeSeconds"], body["rateLimitCount"]) == (3600, 200)
    assert (body["rateLimitWindowSeconds"], body["allowedIps"]) == (43200, [])
    assert body["isActive"] is True
    assert body["clientSecret"] in sandbox.issued_secrets


def test_ip_restriction_is_written_in_one_spelling_and_answered_in_another(
    provident: httpx.Client, shop: dict[str, Any]
):
    body = provident.post(CLIENTS, json=shop | {"ipRestriction": True}).json()
    refused = provident.post(CLIENTS, json=shop | {"ip_restriction": True})

    assert body["ip_restriction"] is True
    assert "ipRestriction" not in body
    assert refused.status_code == 400


def test_the_path_takes_the_client_id_and_not_the_id(provident: httpx.Client, shop: dict[str, Any]):
    body = provident.post(CLIENTS, json=shop).json()

    by_client_id = provident.get(f"{CLIENTS}/{body['clientId']}")
    by_id = provident.get(f"{CLIENTS}/{body['id']}")

    assert by_client_id.json() == body
    assert by_id.status_code == 404


def test_a_create_does_not_take_is_active(provident: httpx.Client, shop: dict[str, Any]):
    answer = provident.post(CLIENTS, json=shop | {"isActive": False})

    assert answer.status_code == 400
    assert answer.json()["error"]["issues"] == [{"path": "isActive", "problem": "unrecognized key"}]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": 5}, "name"),
        ({"redirectUris": "x"}, "redirectUris"),
        ({"tokenLifetimeSeconds": 60}, "tokenLifetimeSeconds"),
        ({"tokenLifetimeSeconds": False}, "tokenLifetimeSeconds"),
        ({"rateLimitCount": -1}, "rateLimitCount"),
        ({"rateLimitWindowSeconds": 0.5}, "rateLimitWindowSeconds"),
        ({"ipRestriction": "no"}, "ipRestriction"),
        ({"allowedIps": ["10.0.0.256"]}, "allowedIps"),
        ({"allowedIps": "10.0.0.1"}, "allowedIps"),
        ({"clientId": "mine"}, "clientId"),
    ],
)
def test_a_malformed_field_is_a_400_on_create_and_update(
    provident: httpx.Client,
    client_id: str,
    shop: dict[str, Any],
    changed: dict[str, Any],
    field: str,
):
    created = provident.post(CLIENTS, json=shop | changed)
    updated = provident.put(f"{CLIENTS}/{client_id}", json=changed)

    assert created.status_code == updated.status_code == 400
    assert [issue["path"] for issue in created.json()["error"]["issues"]] == [field]


@pytest.mark.parametrize("name", ["name", "redirectUris", "allowedScopes"])
def test_a_create_without_a_required_field_is_refused(
    provident: httpx.Client, shop: dict[str, Any], name: str
):
    del shop[name]

    answer = provident.post(CLIENTS, json=shop)

    assert answer.json()["error"]["issues"] == [{"path": name, "problem": "required"}]


def test_edges_of_the_documented_ranges_are_accepted(provident: httpx.Client, shop: dict[str, Any]):
    edges = {
        "tokenLifetimeSeconds": 0,
        "rateLimitCount": 0,
        "rateLimitWindowSeconds": 1,
        "allowedIps": ["10.0.0.0/8", "2001:db8::1"],
    }

    assert provident.post(CLIENTS, json=shop | edges).json().items() >= edges.items()


def test_a_number_too_large_for_json_is_refused(provident: httpx.Client, client_id: str):
    answer = provident.put(
        f"{CLIENTS}/{client_id}",
        content='{"rateLimitCount": 1e999}',
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [("{}", "text/plain", 415), ("{", "application/json", 400), ("[]", "application/json", 400)],
)
def test_a_body_that_is_no_json_object_is_refused(
    provident: httpx.Client, content: str, kind: str, status: int
):
    answer = provident.post(CLIENTS, content=content, headers={"content-type": kind})

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("method", "path"), [("GET", CLIENTS), ("DELETE", f"{CLIENTS}/x"), ("PATCH", f"{CLIENTS}/x")]
)
def test_there_is_no_list_and_no_delete(provident: httpx.Client, method: str, path: str):
    answer = provident.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"]
    assert answer.json()["success"] is False


def test_a_put_that_replaces_resets_what_it_leaves_out(
    sandbox: Sandbox, provident: httpx.Client, client_id: str
):
    answer = provident.put(f"{CLIENTS}/{client_id}", json={"allowedScopes": ["z", "b"]})

    after = answer.json()
    assert answer.status_code == 200
    assert after["name"] == "shop"
    assert after["allowedScopes"] == ["b", "z"]
    assert (after["rateLimitCount"], after["isActive"]) == (200, True)
    assert after["clientSecret"] == sandbox.client("provident", client_id)["clientSecret"]


def test_a_put_that_merges_keeps_what_it_leaves_out():
    with _tenant(provident_put="merge") as (sandbox, client):
        client_id = sandbox.seed("provident", [{"name": "shop", "rateLimitCount": 7}])[0]

        after = client.put(f"{CLIENTS}/{client_id}", json={"isActive": False}).json()

    assert (after["name"], after["rateLimitCount"], after["isActive"]) == ("shop", 7, False)


def test_rotating_answers_a_new_secret(sandbox: Sandbox, provident: httpx.Client, client_id: str):
    before = sandbox.client("provident", client_id)["clientSecret"]

    answer = provident.post(f"{CLIENTS}/{client_id}/rotate-secret")

    secret = answer.json()["clientSecret"]
    assert answer.status_code == 200
    assert secret != before
    assert provident.get(f"{CLIENTS}/{client_id}").json()["clientSecret"] == secret
    assert {secret, before} <= sandbox.issued_secrets


def test_nobody_is_a_404(provident: httpx.Client):
    assert provident.get(f"{CLIENTS}/nobody").status_code == 404
    assert provident.put(f"{CLIENTS}/nobody", json={}).status_code == 404


def test_a_tenant_may_have_list_and_delete():
    with _tenant(provident_list=True) as (sandbox, client):
        client_id = sandbox.seed("provident", [{"name": "shop"}, {"name": "web"}])[0]

        listed = client.get(CLIENTS)
        deleted = client.delete(f"{CLIENTS}/{client_id}")

        assert [one["name"] for one in listed.json()["items"]] == ["shop", "web"]
        assert listed.json()["total"] == 2
        assert deleted.status_code == 200
        assert client.get(f"{CLIENTS}/{client_id}").status_code == 404
