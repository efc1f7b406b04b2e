from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from reconciler.sandbox.handle import Sandbox

CLIENTS = "/oauth-clients/v1"


def _create(sailpoint: httpx.Client, body: Any):
    return sailpoint.post(CLIENTS, json=body)


def test_a_create_answers_200_with_the_secret_and_no_later_read_shows_it(
    sandbox: Sandbox, sailpoint: httpx.Client, web: dict[str, Any]
):
    created = _create(sailpoint, web)
    secret, client_id = created.json()["secret"], created.json()["id"]

    read = sailpoint.get(f"{CLIENTS}/{client_id}")

    assert created.status_code == 200
    assert read.json()["secret"] is None
    assert secret not in sailpoint.get(CLIENTS).text
    assert secret in sandbox.issued_secrets


def test_a_list_leaves_the_secret_out(sailpoint: httpx.Client, web: dict[str, Any]):
    _create(sailpoint, web)

    assert all("secret" not in client for client in sailpoint.get(CLIENTS).json())


def test_the_answer_fills_in_what_the_create_left_out(sailpoint: httpx.Client, web: dict[str, Any]):
    del web["scope"]

    client_id = _create(sailpoint, web).json()["id"]

    read = sailpoint.get(f"{CLIENTS}/{client_id}").json()
    assert read.items() >= web.items()
    assert read["scope"] == ["sp:scopes:all"]
    assert (read["type"], read["internal"]) == ("CONFIDENTIAL", False)
    assert read["businessName"] is read["redirectUris"] is None
    assert read["created"] == read["modified"] == "2026-01-01T12:00:00.000Z"


def test_what_is_null_in_a_read_is_empty_in_the_create_answer(
    sailpoint: httpx.Client, web: dict[str, Any]
):
    created = _create(sailpoint, web | {"description": None}).json()

    read = sailpoint.get(f"{CLIENTS}/{created['id']}").json()

    assert (created["businessName"], created["description"], created["redirectUris"]) == (
        "",
        "",
        [],
    )
    assert (read["businessName"], read["description"], read["redirectUris"]) == (None, None, None)


@pytest.mark.parametrize(
    ("asked", "given"), [([], ["sp:scopes:all"]), (None, ["sp:scopes:all"]), (["a"], ["a"])]
)
def test_no_scope_is_every_scope(
    sailpoint: httpx.Client, web: dict[str, Any], asked: Any, given: list[str]
):
    assert _create(sailpoint, web | {"scope": asked}).json()["scope"] == given


def test_scopes_can_come_back_wider_than_they_were_asked_for(
    sandbox: Sandbox, sailpoint: httpx.Client, web: dict[str, Any]
):
    sandbox.set_faults("widen-scopes")

    created = _create(sailpoint, web).json()
    sandbox.set_faults()

    assert created["scope"] == ["orders:read", "sp:scopes:all"]


def test_sets_come_back_in_the_servers_own_order(sailpoint: httpx.Client, web: dict[str, Any]):
    web |= {
        "grantTypes": ["REFRESH_TOKEN", "AUTHORIZATION_CODE"],
        "redirectUris": ["https://z.example.com", "https://a.example.com"],
    }

    created = _create(sailpoint, web).json()

    assert created["grantTypes"] == ["AUTHORIZATION_CODE", "REFRESH_TOKEN"]
    assert created["redirectUris"] == ["https://a.example.com", "https://z.example.com"]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"name": None}, "name must be a string."),
        ({"grantTypes": None}, "grantTypes must be an array"),
        ({"grantTypes": ["PASSWORD"]}, "grantTypes must be an array"),
        ({"accessTokenValiditySeconds": 2**31}, "must be an int32"),
        ({"accessTokenValiditySeconds": True}, "must be an int32"),
        ({"accessType": "BOTH"}, "accessType must be ONLINE or OFFLINE."),
        ({"enabled": "yes"}, "enabled must be a boolean."),
        ({"scope": "orders:read"}, "scope must be an array of strings."),
        ({"tenant": "x"}, "tenant is not a field of a create request."),
        ({"id": "x"}, "id is not a field of a create request."),
        ({"grantTypes": ["AUTHORIZATION_CODE"]}, "AUTHORIZATION_CODE needs at least one"),
        ({"grantTypes": ["REFRESH_TOKEN"]}, "REFRESH_TOKEN needs AUTHORIZATION_CODE"),
    ],
)
def test_a_malformed_create_is_a_400_that_names_the_field(
    sailpoint: httpx.Client, web: dict[str, Any], changed: dict[str, Any], text: str
):
    answer = _create(sailpoint, web | changed)

    assert answer.status_code == 400
    assert text in answer.json()["messages"][0]["text"]


@pytest.mark.parametrize(
    "name",
    ["name", "description", "accessTokenValiditySeconds", "grantTypes", "accessType", "enabled"],
)
def test_a_create_without_a_required_field_is_refused(
    sailpoint: httpx.Client, web: dict[str, Any], name: str
):
    del web[name]

    answer = _create(sailpoint, web)

    assert answer.status_code == 400
    assert f"{name} is required." in answer.json()["messages"][0]["text"]


@pytest.mark.parametrize(
    ("content", "kind", "text"),
    [
        ("{}", "text/plain", "content type"),
        ("{", "application/json", "not well-formed"),
        ("[" * 100_000, "application/json", "not well-formed"),
        ("[]", "application/json; charset=utf-8", "must be an object"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    sailpoint: httpx.Client, content: str, kind: str, text: str
):
    answer = sailpoint.post(CLIENTS, content=content, headers={"content-type": kind})

    assert answer.status_code == 400
    assert text in answer.json()["messages"][0]["text"]


def test_deleting_answers_204_without_a_body_and_then_404(
    sailpoint: httpx.Client, web: dict[str, Any]
):
    place = f"{CLIENTS}/{_create(sailpoint, web).json()['id']}"

    first, second, read = sailpoint.delete(place), sailpoint.delete(place), sailpoint.get(place)

    assert (first.status_code, first.content) == (204, b"")
    assert (second.status_code, read.status_code) == (404, 404)
    assert set(read.json()) == {"detailCode", "trackingId", "messages", "causes"}


@pytest.mark.parametrize("version", ["v3", "beta", "v2024", "v2025", "v2026"])
def test_the_legacy_paths_serve_the_same_clients(
    sailpoint: httpx.Client, web: dict[str, Any], version: str
):
    client_id = sailpoint.post(f"/{version}/oauth-clients", json=web).json()["id"]

    assert sailpoint.get(f"{CLIENTS}/{client_id}").json()["name"] == "web"
    assert sailpoint.get(f"/{version}/oauth-clients/{client_id}").status_code == 200


def test_errors_have_three_shapes(sandbox: Sandbox, sailpoint: httpx.Client):
    plain = {"authorization": f"Bearer {sandbox.token('sailpoint-api-client')}"}

    unauthorized = sailpoint.get(CLIENTS, headers={"authorization": "Bearer wrong"})
    forbidden = sailpoint.get(CLIENTS, headers=plain)
    sandbox.set_faults("429-burst=1")
    limited = sailpoint.get(CLIENTS)
    sandbox.set_faults()

    assert (unauthorized.status_code, set(unauthorized.json())) == (401, {"error"})
    assert (forbidden.status_code, len(forbidden.json()["trackingId"])) == (403, 32)
    assert (limited.status_code, set(limited.json())) == (429, {"message"})


def test_a_put_is_not_allowed(sailpoint: httpx.Client):
    answer = sailpoint.put(f"{CLIENTS}/x", json={})

    assert answer.status_code == 405
    assert answer.json()["detailCode"] == "405 Method Not Allowed"
    assert answer.headers["allow"]
