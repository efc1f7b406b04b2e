from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox.boruta.rows import ADMIN_UI

if TYPE_CHECKING:
    import httpx

    from reconciler.sandbox.handle import Sandbox


def _seed(sandbox: Sandbox, **fields: Any) -> str:
    return sandbox.seed("boruta", [fields])[0]


def _put(boruta: httpx.Client, client_id: str, **fields: Any) -> httpx.Response:
    return boruta.put(f"/clients/{client_id}", json={"client": fields})


def _names(client: dict[str, Any]) -> list[str]:
    return [scope["name"] for scope in client["authorized_scopes"]]


@pytest.mark.parametrize("fields", [{"name": "x"}, {}])
def test_a_put_that_leaves_the_scopes_out_empties_them_and_keeps_the_rest(
    sandbox: Sandbox, boruta: httpx.Client, fields: dict[str, Any]
):
    client_id = _seed(sandbox, authorized_scopes=[{"name": "email"}], pkce=True)

    answer = _put(boruta, client_id, **fields)

    assert answer.status_code == 200
    assert answer.json()["data"]["authorized_scopes"] == []
    assert answer.json()["data"]["pkce"] is True


def test_patch_is_the_same_code_as_put(sandbox: Sandbox, boruta: httpx.Client):
    client_id = _seed(sandbox, authorized_scopes=[{"name": "email"}])

    answer = boruta.patch(f"/clients/{client_id}", json={"client": {"name": "x"}})

    assert answer.status_code == 200
    assert sandbox.client("boruta", client_id)["authorized_scopes"] == []


@pytest.mark.parametrize(
    ("field", "stored", "refused", "accepted"),
    [("access_token_ttl", 86400, 301, 300), ("refresh_token_ttl", 2592000, 86401, 86400)],
)
def test_an_update_refuses_lifetimes_that_a_create_takes_unless_they_stay(
    sandbox: Sandbox, boruta: httpx.Client, field: str, stored: int, refused: int, accepted: int
):
    client_id = _seed(sandbox, **{field: stored})

    statuses = [
        _put(boruta, client_id, **{field: value}).status_code
        for value in (stored, refused, accepted)
    ]

    assert statuses == [200, 422, 200]


def test_an_update_does_not_judge_two_of_the_lifetimes(sandbox: Sandbox, boruta: httpx.Client):
    client_id = _seed(sandbox)

    answer = _put(boruta, client_id, id_token_ttl=999999, authorization_request_ttl=999999)

    assert answer.status_code == 200


def test_an_unknown_identity_provider_fails_the_put_after_the_rest_was_saved(
    sandbox: Sandbox, boruta: httpx.Client
):
    client_id = _seed(sandbox, name="before")
    unknown = {"id": "00000000-0000-0000-0000-000000000005"}

    answer = _put(boruta, client_id, name="after", identity_provider=unknown)

    assert answer.status_code == 422
    assert answer.json()["errors"] == {"identity_provider_id": ["does not exist"]}
    assert sandbox.client("boruta", client_id)["name"] == "after"


def test_a_field_error_saves_nothing(sandbox: Sandbox, boruta: httpx.Client):
    client_id = _seed(sandbox, name="before")

    answer = _put(boruta, client_id, name="after", redirect_uris=["/rel"])

    assert answer.json()["errors"] == {"redirect_uris": ["`/rel` is invalid"]}
    assert sandbox.client("boruta", client_id)["name"] == "before"


@pytest.mark.parametrize("provider", [None, {}, ""])
def test_a_put_without_an_identity_provider_keeps_it(
    sandbox: Sandbox, boruta: httpx.Client, provider: Any
):
    client_id = _seed(sandbox)
    before = sandbox.client("boruta", client_id)["identity_provider"]

    answer = _put(boruta, client_id, identity_provider=provider)

    assert answer.json()["data"]["identity_provider"] == before


def test_an_unknown_scope_name_is_created_and_an_unknown_id_dropped(
    sandbox: Sandbox, boruta: httpx.Client
):
    client_id = _seed(sandbox)
    wanted = [
        {"name": "never.seen"},
        {"id": "00000000-0000-0000-0000-000000000009"},
        {"name": "two words"},
    ]

    answer = _put(boruta, client_id, authorized_scopes=wanted)

    assert _names(answer.json()["data"]) == ["never.seen"]
    assert answer.json()["data"]["authorized_scopes"][0]["public"] is False
    scopes = {scope["name"]: scope for scope in boruta.get("/scopes").json()["data"]}
    assert scopes["never.seen"]["public"] is False


def test_the_id_of_a_scope_wins_over_its_name(sandbox: Sandbox, boruta: httpx.Client):
    client_id = _seed(sandbox)
    scopes = {s["name"]: s["id"] for s in boruta.get("/scopes").json()["data"]}

    answer = _put(boruta, client_id, authorized_scopes=[{"id": scopes["openid"], "name": "email"}])

    assert _names(answer.json()["data"]) == ["openid"]


def test_the_answer_of_a_put_keeps_the_order_of_scopes_and_a_read_does_not(
    sandbox: Sandbox, boruta: httpx.Client
):
    client_id = _seed(sandbox)

    answer = _put(boruta, client_id, authorized_scopes=[{"name": "email"}, {"name": "openid"}])
    read = boruta.get(f"/clients/{client_id}")

    assert _names(answer.json()["data"]) == ["email", "openid"]
    assert _names(read.json()["data"]) == ["openid", "email"]


@pytest.mark.parametrize("body", [{"name": "x"}, "text", []])
def test_a_body_without_its_envelope_leaks_the_bearer_token(boruta: httpx.Client, body: Any):
    answer = boruta.post("/clients", json=body)

    assert answer.status_code == 400
    assert boruta.headers["authorization"] in answer.json()["message"]
    assert "errors" not in answer.json()


def test_a_body_of_another_content_type_has_no_envelope(boruta: httpx.Client):
    answer = boruta.post(
        "/clients", content='{"client": {}}', headers={"content-type": "text/plain"}
    )

    assert answer.status_code == 400
    assert "no function clause" in answer.json()["message"]


@pytest.mark.parametrize(
    "fields",
    [{"confidential": None}, {"redirect_uris": None}, {"token_endpoint_auth_methods": None}],
)
def test_what_the_database_refuses_is_a_500_that_leaks_the_client_secret(
    sandbox: Sandbox, boruta: httpx.Client, fields: dict[str, Any]
):
    client_id = _seed(sandbox)

    answer = _put(boruta, client_id, **fields)

    assert answer.status_code == 500
    assert answer.json()["code"] == "INTERNAL_SERVER_ERROR"
    assert sandbox.client("boruta", client_id)["secret"] in answer.json()["message"]


def test_a_crashed_create_leaks_a_secret_that_the_sandbox_knows(
    sandbox: Sandbox, boruta: httpx.Client
):
    answer = boruta.post("/clients", json={"client": {"confidential": None}})

    assert answer.status_code == 500
    assert any(secret in answer.json()["message"] for secret in sandbox.issued_secrets)


def test_old_rows_refuse_every_put_without_a_valid_key_pair_type(
    sandbox: Sandbox, boruta: httpx.Client
):
    old = {"type": "rsa", "modulus_size": "1024", "exponent_size": "65537"}
    client_id = _seed(sandbox, key_pair_type=old)

    refused = _put(boruta, client_id, name="x")
    accepted = _put(boruta, client_id, name="x", key_pair_type=old | {"modulus_size": "2048"})

    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["key_pair_type"]
    assert accepted.status_code == 200


def test_the_admin_uis_own_client_answers_403_to_put_and_delete(boruta: httpx.Client):
    read = boruta.get(f"/clients/{ADMIN_UI}")
    put = _put(boruta, ADMIN_UI, name="x")
    delete = boruta.delete(f"/clients/{ADMIN_UI}")

    assert (read.status_code, put.status_code, delete.status_code) == (200, 403, 403)
    assert put.json()["code"] == "FORBIDDEN"


def test_the_public_client_is_listed_and_not_protected(boruta: httpx.Client):
    listed = {c["name"]: c for c in boruta.get("/clients").json()["data"]}

    answer = _put(boruta, listed["public client"]["id"], pkce=True)

    assert answer.status_code == 200


def test_the_client_that_asks_is_listed_too(sandbox: Sandbox, boruta: httpx.Client):
    listed = {client["id"] for client in boruta.get("/clients").json()["data"]}

    assert sandbox.credentials["boruta"].client_id in listed


def test_each_list_holds_everything_in_another_order(sandbox: Sandbox, boruta: httpx.Client):
    sandbox.seed("boruta", [{"name": f"n{number}"} for number in range(5)])

    lists = [[c["id"] for c in boruta.get("/clients").json()["data"]] for _ in range(3)]

    assert len({tuple(one) for one in lists}) > 1
    assert {tuple(sorted(one)) for one in lists} == {
        tuple(sorted(client["id"] for client in sandbox.clients("boruta")))
    }


def test_secrets_stand_in_clear_in_read_and_list(sandbox: Sandbox, boruta: httpx.Client):
    client_id = _seed(sandbox, secret="s3cret-of-a-client")

    read = boruta.get(f"/clients/{client_id}")
    listed = boruta.get("/clients")

    assert read.json()["data"]["secret"] == "s3cret-of-a-client"
    assert "s3cret-of-a-client" in listed.text
    assert "s3cret-of-a-client" in sandbox.issued_secrets


@pytest.mark.parametrize("emptied", [None, ""])
def test_a_put_can_wipe_the_secret(sandbox: Sandbox, boruta: httpx.Client, emptied: str | None):
    client_id = _seed(sandbox)

    answer = _put(boruta, client_id, secret=emptied)

    assert answer.status_code == 200
    assert answer.json()["data"]["secret"] is None


def test_regenerating_the_key_pair_changes_the_public_key_alone(
    sandbox: Sandbox, boruta: httpx.Client
):
    client_id = _seed(sandbox)
    before = sandbox.client("boruta", client_id)

    answer = boruta.post(f"/clients/{client_id}/regenerate_key_pair")

    after = answer.json()["data"]
    assert answer.status_code == 200
    assert {name for name in after if after[name] != before[name]} == {"public_key"}


def test_the_key_pair_type_is_a_label_that_leaves_the_key_alone(
    sandbox: Sandbox, boruta: httpx.Client
):
    client_id = _seed(sandbox)
    before = sandbox.client("boruta", client_id)

    after = _put(boruta, client_id, key_pair_type={"type": "ec", "curve": "P-256"}).json()["data"]

    assert after["key_pair_type"]["type"] == "ec"
    assert after["public_key"] == before["public_key"]


def test_write_only_fields_are_kept_and_never_shown(sandbox: Sandbox, boruta: httpx.Client):
    client_id = _seed(sandbox)

    answer = _put(boruta, client_id, agent_token_ttl=60, jwks_uri="https://web.example.com/jwks")

    assert answer.status_code == 200
    assert not {"agent_token_ttl", "jwks_uri"} & set(answer.json()["data"])
    assert "jwks_uri" not in sandbox.client("boruta", client_id)


def test_unknown_and_server_assigned_fields_are_ignored(sandbox: Sandbox, boruta: httpx.Client):
    client_id = _seed(sandbox)
    before = sandbox.client("boruta", client_id)

    answer = _put(boruta, client_id, id=ADMIN_UI, public_key="mine", did="did:x", no_such_field="x")

    assert answer.status_code == 200
    assert sandbox.client("boruta", client_id) == before


def test_unknown_paths_are_refused_in_the_vendors_shape(boruta: httpx.Client):
    assert boruta.get("/nothing").json()["code"] == "NOT_ACCEPTABLE"
    assert boruta.post("/scopes").status_code == 404
