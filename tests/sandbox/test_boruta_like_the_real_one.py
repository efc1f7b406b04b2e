"""What an unmodified boruta-server 0.10.5 answered where it is easy to answer otherwise: a row for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.sandbox.boruta.rows import IDENTITY_PROVIDER

if TYPE_CHECKING:
    from reconciler.sandbox.handle import Sandbox

OWN = {"identity_provider": {"id": IDENTITY_PROVIDER}}
LONG = "x" * 300
GRANTS = (
    "must be part of client_credentials, password, authorization_code, agent_code, refresh_token, "
    "implicit, revoke, introspect, id_token, vp_token, preauthorized_code, agent_credentials"
)
RSA = {"type": "rsa", "modulus_size": "2048", "exponent_size": "65537"}
TOO_LONG = (
    "ERROR 22001 (string_data_right_truncation) value too long for type character varying(255)"
)
NO_COLUMN = 'ERROR 23502 (not_null_violation) null value in column "{}" of relation "oauth_clients"'
NO_MAP = "expected params to be a :map, got: `{}`"
NO_CLAUSE = "no function clause matching in BorutaAdminWeb.ClientController.{}/2\n\nThe following"
NO_ACCESS = "no function clause matching in Access.get/3"

# The fields of a create, and of its answer: a message begins with a text, errors and fields are whole.
CREATES: dict[str, tuple[dict[str, Any], int, Any]] = {
    "name with NUL": (
        {"name": "a\0b"},
        400,
        "ERROR 22021 (character_not_in_repertoire) invalid byte",
    ),
    "redirect uri of 300": ({"redirect_uris": [f"https://a/{LONG}"]}, 500, TOO_LONG),
    "redirect uri empty": ({"redirect_uris": [""]}, 201, {}),
    "redirect uri without a name": (
        {"redirect_uris": ["https:///cb"]},
        201,
        {"redirect_uris": ["https:///cb"]},
    ),
    "redirect uri null": (
        {"redirect_uris": [None]},
        422,
        {"redirect_uris": ["empty values are not allowed"]},
    ),
    "redirect uris null": ({"redirect_uris": None}, 422, {"redirect_uris": ["can't be blank"]}),
    "ttl as text": ({"access_token_ttl": "300"}, 201, {"access_token_ttl": 300}),
    "ttl as other text": ({"access_token_ttl": "3x"}, 422, {"access_token_ttl": ["is invalid"]}),
    "ttl null": ({"access_token_ttl": None}, 201, {"access_token_ttl": 86400}),
    "boolean as text": ({"pkce": "true"}, 201, {"pkce": True}),
    "boolean null": ({"confidential": None}, 500, NO_COLUMN.format("confidential")),
    "grants null": ({"supported_grant_types": None}, 201, {}),
    "grants twice": (
        {"supported_grant_types": ["implicit", "implicit"]},
        422,
        {"supported_grant_types": [GRANTS]},
    ),
    "auth method unknown": (
        {"token_endpoint_auth_methods": ["none"]},
        422,
        {"token_endpoint_auth_methods": ["has an invalid entry"]},
    ),
    "algorithm unknown": (
        {"id_token_signature_alg": "none"},
        422,
        {"id_token_signature_alg": ["is invalid", "is invalid"]},
    ),
    "algorithm null": ({"id_token_signature_alg": None}, 201, {"id_token_signature_alg": "RS512"}),
    "userinfo of another key": (
        {"userinfo_signed_response_alg": "ES256"},
        422,
        {"userinfo_signed_response_alg": ["is invalid"]},
    ),
    "userinfo unknown": (
        {"userinfo_signed_response_alg": "none"},
        422,
        {"userinfo_signed_response_alg": ["is invalid", "is invalid"]},
    ),
    "curve P-521": (
        {"key_pair_type": {"type": "ec", "curve": "P-521"}},
        422,
        {
            "key_pair_type": [
                "validation failed: #/curve do match required pattern /^P-256|P-384|P-512$/."
            ]
        },
    ),
    "curve P-512": (
        {"key_pair_type": {"type": "ec", "curve": "P-512"}, "id_token_signature_alg": "ES256"},
        500,
        "no function clause",
    ),
    "rsa 1024": (
        {"key_pair_type": {**RSA, "modulus_size": "1024"}},
        422,
        {
            "key_pair_type": ["rsa modulus_size must be at least 2048"],
            "private_key": ["private_key_type is invalid"],
        },
    ),
    "sizes as numbers": (
        {"key_pair_type": {"type": "rsa", "modulus_size": 2048, "exponent_size": 65537}},
        500,
        "errors were found at the given arguments:\n\n  * 1st argument: not a binary\n",
    ),
    "sizes missing": (
        {"key_pair_type": {"type": "rsa"}},
        422,
        {"key_pair_type": ["is invalid"], "private_key": ["private_key_type is invalid"]},
    ),
    "key empty": (
        {"key_pair_type": {}},
        422,
        {
            "key_pair_type": ["validation failed: Required property type is missing at #."],
            "private_key": ["private_key_type is invalid"],
            "signatures_adapter": ["unknown key pair type"],
        },
    ),
    "key as text": ({"key_pair_type": "rsa"}, 422, {"key_pair_type": ["is invalid"]}),
    "key universal": (
        {"key_pair_type": {"type": "universal"}},
        422,
        {"private_key": ["Could not create did."]},
    ),
    "adapter odd": (
        {"signatures_adapter": "Elixir.No.Such"},
        422,
        {"signatures_adapter": ["is invalid"]},
    ),
    "adapter universal": (
        {"signatures_adapter": "Elixir.Boruta.Universal.Signatures"},
        422,
        {"signatures_adapter": ["is invalid"]},
    ),
    "scope with a blank": (
        {"authorized_scopes": [{"name": "odd scope ü"}]},
        201,
        {"authorized_scopes": []},
    ),
    "scope with a line break": (
        {"authorized_scopes": [{"name": "a\nb"}]},
        201,
        {"authorized_scopes": []},
    ),
    "scope with a tab": ({"authorized_scopes": [{"name": "a\tb"}]}, 201, {"authorized_scopes": []}),
    "scope as text": ({"authorized_scopes": ["openid"]}, 400, NO_MAP.format('"openid"')),
    "scope null": ({"authorized_scopes": [None]}, 400, NO_MAP.format("nil")),
    "scopes as a map": (
        {"authorized_scopes": {"0": {"name": "email"}}},
        400,
        NO_MAP.format('{"0", %{"name" => "email"}}'),
    ),
    "scopes as text": ({"authorized_scopes": "openid"}, 400, NO_MAP.format('"openid"')),
    "identity provider not a uuid": (
        {"identity_provider": {"id": "nope"}},
        422,
        {"identity_provider_id": ["has invalid format"]},
    ),
    "identity provider as text": ({"identity_provider": "x"}, 500, NO_ACCESS),
    "jwk in part": ({"jwk": {"kty": "RSA", "n": "abc"}}, 500, "no match of right hand side value"),
    "jwk of a curve in part": ({"jwk": {"kty": "EC"}}, 500, "no match of right hand side value"),
    "jwk without a kind": ({"jwk": {}}, 500, "no match of right hand side value"),
    "jwk whole": ({"jwk": {"kty": "RSA", "n": "abc", "e": "AQAB"}}, 201, {}),
    "metadata a list": ({"metadata": []}, 422, {"metadata": ["is invalid"]}),
    "secret of 300": ({"secret": "s" * 300}, 500, TOO_LONG),
    "public client id of 300": ({"public_client_id": LONG}, 500, TOO_LONG),
    "jwks uri of 300": ({"jwks_uri": LONG}, 500, TOO_LONG),
    "logo uri of 300": ({"logo_uri": LONG}, 500, TOO_LONG),
    "key id of 300": ({"id_token_kid": LONG}, 500, TOO_LONG),
    "agent ttl of 0": ({"agent_token_ttl": 0}, 422, {"agent_token_ttl": ["is invalid"]}),
}
# The fields of a PUT, likewise.
UPDATES: dict[str, tuple[dict[str, Any], int, Any]] = {
    "redirect uris null": ({"redirect_uris": None}, 500, NO_COLUMN.format("redirect_uris")),
    "boolean null": ({"confidential": None}, 500, NO_COLUMN.format("confidential")),
    "grants null": ({"supported_grant_types": None}, 200, {"supported_grant_types": None}),
    "pkce null": ({"pkce": None}, 200, {"pkce": None}),
    "key pair type": (
        {"key_pair_type": {"type": "ec", "curve": "P-256"}},
        200,
        {"key_pair_type": {"type": "ec", "curve": "P-256"}},
    ),
    "key pair type and algorithm": (
        {"key_pair_type": {"type": "ec", "curve": "P-256"}, "id_token_signature_alg": "ES256"},
        200,
        {"id_token_signature_alg": "ES256"},
    ),
    "algorithm of another key": (
        {"id_token_signature_alg": "ES256"},
        422,
        {"id_token_signature_alg": ["is invalid"]},
    ),
    "key of 1024 bits": (
        {"key_pair_type": {**RSA, "modulus_size": "1024"}},
        422,
        {"key_pair_type": ["rsa modulus_size must be at least 2048"]},
    ),
    "secret empty": ({"secret": ""}, 200, {"secret": None}),
    "secret of 300": ({"secret": LONG}, 500, TOO_LONG),
    "name of 300": ({"name": LONG}, 500, TOO_LONG),
    "scopes null": ({"authorized_scopes": None}, 200, {"authorized_scopes": []}),
    "scopes text": ({"authorized_scopes": ["x"]}, 400, NO_MAP.format('"x"')),
    "identity provider not a uuid": (
        {"identity_provider": {"id": "nope"}},
        422,
        {"identity_provider_id": ["has invalid format"]},
    ),
    "empty client": ({}, 200, {"authorized_scopes": []}),
    "long uri": ({"redirect_uris": [f"https://a/{LONG}"]}, 500, TOO_LONG),
    "jwk in part": ({"jwk": {"kty": "RSA"}}, 500, "no match of right hand side value"),
    "adapter odd": ({"signatures_adapter": "x"}, 422, {"signatures_adapter": ["is invalid"]}),
}


def held(answer: httpx.Response, status: int, expected: Any) -> None:
    """Hold an answer against a row: its message, its errors or its fields."""
    body = answer.json()
    assert answer.status_code == status, body
    if isinstance(expected, str):
        assert body["message"].startswith(expected)
        assert "errors" not in body
    elif status == 422:
        assert body["errors"] == expected
    else:
        assert body["data"].items() >= expected.items()


@pytest.mark.parametrize(("fields", "status", "expected"), CREATES.values(), ids=CREATES)
def test_a_create_is_answered_as_by_the_real_one(
    boruta: httpx.Client, fields: dict[str, Any], status: int, expected: Any
):
    held(boruta.post("/clients", json={"client": OWN | fields}), status, expected)


@pytest.mark.parametrize(("fields", "status", "expected"), UPDATES.values(), ids=UPDATES)
def test_an_update_is_answered_as_by_the_real_one(
    boruta: httpx.Client, fields: dict[str, Any], status: int, expected: Any
):
    made = boruta.post("/clients", json={"client": OWN}).json()["data"]

    held(boruta.put(f"/clients/{made['id']}", json={"client": fields}), status, expected)


@pytest.mark.parametrize("wanted", [[{}], [{"name": ""}]])
def test_a_scope_without_a_name_is_a_scope_of_that_name(
    boruta: httpx.Client, wanted: list[dict[str, str]]
):
    answer = boruta.post("/clients", json={"client": OWN | {"authorized_scopes": wanted}})

    (scope,) = answer.json()["data"]["authorized_scopes"]
    assert (scope["name"], scope["public"]) == ("", False)


def test_a_scope_that_a_create_names_twice_is_there_twice_in_its_answer_alone(boruta: httpx.Client):
    wanted = [{"name": "email"}, {"name": "email"}]

    made = boruta.post("/clients", json={"client": OWN | {"authorized_scopes": wanted}})
    read = boruta.get(f"/clients/{made.json()['data']['id']}")

    assert [each["name"] for each in made.json()["data"]["authorized_scopes"]] == ["email"] * 2
    assert [each["name"] for each in read.json()["data"]["authorized_scopes"]] == ["email"]


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        ({"json": {"client": None}}, 400, NO_MAP.format("nil")),
        ({"json": {"client": []}}, 500, "the Access module supports only keyword lists"),
        ({"json": {"client": "x"}}, 500, NO_ACCESS),
        ({"json": []}, 400, NO_CLAUSE.format("create")),
        ({"json": "x"}, 400, NO_CLAUSE.format("create")),
        ({"content": b""}, 400, NO_CLAUSE.format("create")),
        ({"content": b"", "headers": {"content-type": "application/json"}}, 400, "no function"),
        ({"content": b'{"client": {}}'}, 400, NO_CLAUSE.format("create")),
        (
            {"content": b'{"client": {}}', "headers": {"content-type": "text/plain"}},
            400,
            NO_CLAUSE.format("create"),
        ),
    ],
)
def test_a_body_of_another_shape_is_refused_as_by_the_real_one(
    boruta: httpx.Client, sent: dict[str, Any], status: int, message: str
):
    held(boruta.post("/clients", **sent), status, message)


def test_a_put_without_its_envelope_names_its_own_function(boruta: httpx.Client):
    made = boruta.post("/clients", json={"client": OWN}).json()["data"]

    held(boruta.put(f"/clients/{made['id']}", json={}), 400, NO_CLAUSE.format("update"))


def test_a_form_is_a_body_like_json(boruta: httpx.Client):
    form = {"client[name]": "form", "client[identity_provider][id]": IDENTITY_PROVIDER}

    held(boruta.post("/clients", data=form), 201, {"name": "form"})


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_id_that_is_no_uuid_is_refused_by_another_file_on_a_write(
    boruta: httpx.Client, method: str
):
    answer = boruta.request(method, "/clients/nope", json={"client": {}})

    held(answer, 400, 'deps/ecto/lib/ecto/repo/queryable.ex:477: value `"nope"` in `where`')


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_the_collection_knows_no_other_method(boruta: httpx.Client, method: str):
    answer = boruta.request(method, "/clients")

    held(answer, 404, f"no route found for {method} /api/clients (BorutaAdminWeb.Router)")
    assert "allow" not in answer.headers


@pytest.mark.parametrize(
    ("path", "accept", "served"),
    [
        ("/nope", "application/json", "html"),
        ("/clients", "text/html", "json"),
        ("/clients", "application/xml", "json"),
        ("/clients", "image/png, */*;q=0.1", "json"),
    ],
)
def test_what_is_not_served_is_a_406(boruta: httpx.Client, path: str, accept: str, served: str):
    answer = boruta.get(path, headers={"accept": accept})

    held(answer, 406, f'no supported media type in accept header.\n\nExpected one of ["{served}"]')
    assert answer.json()["code"] == "NOT_ACCEPTABLE"


def _form(sandbox: Sandbox, **members: str) -> dict[str, str]:
    own = sandbox.credentials["boruta"]
    usual = {"grant_type": "client_credentials", "client_id": own.client_id}
    form = {**usual, "client_secret": own.client_secret, **members}
    return {name: value for name, value in form.items() if value != "-"}


@pytest.mark.parametrize("members", [{"scope": "clients:manage:all"}, {}, {"scope": ""}])
def test_a_token_is_answered_as_by_the_real_one(sandbox: Sandbox, members: dict[str, str]):
    answer = httpx.post(sandbox.boruta_token_url, data=_form(sandbox, **members))

    body = answer.json()
    assert answer.status_code == 200
    assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "c_nonce"}
    assert body["expires_in"] == 86400
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["pragma"] == "no-cache"
    assert body["refresh_token"] in sandbox.issued_secrets


@pytest.mark.parametrize(
    ("members", "status", "error", "description"),
    [
        ({"scope": "nope"}, 400, "invalid_scope", "Given scopes are unknown or unauthorized."),
        ({"client_secret": "wrong"}, 401, "invalid_client", "Invalid client_id or client_secret."),
        (
            {"client_id": "00000000-0000-4000-8000-000000000000"},
            401,
            "invalid_client",
            "Invalid client_id or client_secret.",
        ),
        (
            {"client_id": "nope"},
            400,
            "invalid_request",
            "Request body validation failed. #/client_id do match required pattern /^[0-9a-fA-F]{8}-",
        ),
        (
            {"client_id": "-"},
            400,
            "invalid_request",
            "Request body validation failed. Required property client_id is missing at #.",
        ),
        (
            {"grant_type": "-"},
            400,
            "invalid_request",
            "Request is not a valid OAuth request. Need a grant_type param.",
        ),
        (
            {"grant_type": "password"},
            400,
            "invalid_request",
            "Request body validation failed. Required properties username, password are missing at #.",
        ),
        (
            {"grant_type": "nope"},
            400,
            "invalid_request",
            "Request body validation failed. #/grant_type do match required pattern /^(client_credentials|agent_credentials|password|agent_code|authorization_code|refresh_token)$/.",
        ),
        ({"grant_type": "agent_credentials"}, 400, "unsupported_grant_type", "Only"),
    ],
)
def test_a_token_request_is_refused_as_by_the_real_one(
    sandbox: Sandbox,
    members: dict[str, str],
    status: int,
    error: str,
    description: str,
):
    answer = httpx.post(sandbox.boruta_token_url, data=_form(sandbox, **members))

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"].startswith(description)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "max-age=0, private, must-revalidate"
