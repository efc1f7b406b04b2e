from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox.boruta.rows import IDENTITY_PROVIDER

if TYPE_CHECKING:
    import httpx

    from reconciler.sandbox.handle import Sandbox

OWN = {"identity_provider": {"id": IDENTITY_PROVIDER}}


def _create(boruta: httpx.Client, **fields: Any):
    return boruta.post("/clients", json={"client": OWN | fields})


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"name": 5}, {"name": ["is invalid"]}),
        ({"pkce": "maybe"}, {"pkce": ["is invalid"]}),
        ({"access_token_ttl": 0}, {"access_token_ttl": ["is invalid"]}),
        ({"access_token_ttl": True}, {"access_token_ttl": ["is invalid"]}),
        ({"authorization_code_ttl": None}, {"authorization_code_ttl": ["can't be blank"]}),
        ({"authorization_code_ttl": 601}, {"authorization_code_ttl": ["is invalid"]}),
        ({"authorization_request_ttl": 301}, {"authorization_request_ttl": ["is invalid"]}),
        ({"id_token_ttl": 86401}, {"id_token_ttl": ["is invalid"]}),
        ({"refresh_token_ttl": 2592001}, {"refresh_token_ttl": ["is invalid"]}),
        ({"redirect_uris": "https://a.example.com"}, {"redirect_uris": ["is invalid"]}),
        (
            {
                "redirect_uris": [
                    "https://a.example.com/#x",
                    "web:",
                    "https://[",
                    "https://b.example.com",
                ]
            },
            {
                "redirect_uris": [
                    "`https://a.example.com/#x` is invalid",
                    "`web:` is invalid",
                    "`https://[` is invalid",
                ]
            },
        ),
        ({"supported_grant_types": [1]}, {"supported_grant_types": ["is invalid"]}),
        ({"token_endpoint_jwt_auth_alg": "ES256"}, {"token_endpoint_jwt_auth_alg": ["is invalid"]}),
        ({"response_mode": "fragment"}, {"response_mode": ["is invalid"]}),
        ({"key_pair_type": None}, {"key_pair_type": ["can't be blank"]}),
        (
            {"identity_provider": {"id": "00000000-0000-0000-0000-000000000005"}},
            {"identity_provider_id": ["does not exist"]},
        ),
        ({"identity_provider": {}}, {"identity_provider_id": ["can't be blank"]}),
        (
            {"name": 5, "response_mode": "x"},
            {"name": ["is invalid"], "response_mode": ["is invalid"]},
        ),
    ],
)
def test_a_malformed_create_is_a_422_that_names_each_field(
    boruta: httpx.Client, fields: dict[str, Any], errors: dict[str, list[str]]
):
    answer = _create(boruta, **fields)

    assert answer.status_code == 422
    assert answer.json() == {
        "code": "UNPROCESSABLE_ENTITY",
        "errors": errors,
        "message": "Your request could not be processed.",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"name": None, "public_client_id": None, "response_mode": None, "pkce": None},
        {"supported_grant_types": [], "token_endpoint_auth_methods": ["private_key_jwt"]},
        {"key_pair_type": {"type": "ec", "curve": "P-384"}, "id_token_signature_alg": "ES256"},
        {"redirect_uris": ["https://a.example.com", "https://a.example.com", "app://open"]},
        {"authorization_request_ttl": 1, "userinfo_signed_response_alg": "RS256"},
        {"jwt_public_key": "k" * 300},
    ],
)
def test_what_a_create_takes_is_answered_as_it_was_given(
    boruta: httpx.Client, fields: dict[str, Any]
):
    answer = _create(boruta, **fields)

    assert answer.status_code == 201
    assert answer.json()["data"].items() >= fields.items()


@pytest.mark.parametrize(
    ("field", "default"),
    [("name", None), ("access_token_ttl", 86400), ("confidential", False), ("redirect_uris", [])],
)
def test_an_empty_text_stands_for_the_default(boruta: httpx.Client, field: str, default: Any):
    assert _create(boruta, **{field: ""}).json()["data"][field] == default


@pytest.mark.parametrize("given", [{}, {"secret": None}, {"secret": ""}])
def test_a_create_without_a_secret_gets_86_random_characters(
    boruta: httpx.Client, given: dict[str, Any]
):
    first, second = (_create(boruta, **given).json()["data"]["secret"] for _ in range(2))

    assert len(first) == len(second) == 86
    assert first != second


def test_a_chosen_secret_is_kept_and_known_to_the_sandbox(sandbox: Sandbox, boruta: httpx.Client):
    answer = _create(boruta, secret="chosen-for-the-shop")

    assert answer.json()["data"]["secret"] == "chosen-for-the-shop"
    assert "chosen-for-the-shop" in sandbox.issued_secrets


def test_a_chosen_id_is_lower_cased(boruta: httpx.Client):
    chosen = str(uuid.uuid4()).upper()

    answer = _create(boruta, id=chosen)

    assert answer.json()["data"]["id"] == chosen.lower()
    assert answer.headers["location"] == f"/api/clients/{chosen.lower()}"
    assert boruta.get(f"/clients/{chosen}").status_code == 200


def test_an_id_in_the_path_that_is_no_uuid_is_a_400_that_says_where(boruta: httpx.Client):
    answer = boruta.put("/clients/notauuid", json={"client": {}})

    assert answer.status_code == 400
    assert '`"notauuid"` in `where` cannot be cast' in answer.json()["message"]
