from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.sandbox.server import running
from reconciler.sandbox.tokens import Credential

if TYPE_CHECKING:
    from conftest import Clock

    from reconciler.sandbox.handle import Sandbox

CLIENTS = {
    "provident": "/oauth2/clients/nobody",
    "sailpoint": "/oauth-clients/v1/nobody",
    "boruta": "/clients/00000000-0000-0000-0000-000000000007",
}


def _token_url(sandbox: Sandbox, vendor: str):
    return {
        "provident": f"{sandbox.provident}/oauth2/token",
        "sailpoint": f"{sandbox.sailpoint}/oauth/token",
        "boruta": sandbox.boruta_token_url,
    }[vendor]


def _form(sandbox: Sandbox, name: str, **more: Any):
    credential = sandbox.credentials[name]
    return {
        "grant_type": "client_credentials",
        "client_id": credential.client_id,
        "client_secret": credential.client_secret,
        **more,
    }


def _read(sandbox: Sandbox, vendor: str, token: str):
    url = getattr(sandbox, vendor) + CLIENTS[vendor]
    return httpx.get(url, headers={"authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize(
    ("vendor", "lifetime", "scope"),
    [
        ("provident", 3600, {}),
        ("sailpoint", 749, {}),
        ("boruta", 86400, {"scope": "clients:manage:all"}),
    ],
)
def test_client_credentials_buy_a_token_that_works_until_it_expires(
    sandbox: Sandbox, clock: Clock, vendor: str, lifetime: int, scope: dict[str, str]
):
    answer = httpx.post(_token_url(sandbox, vendor), data=_form(sandbox, vendor, **scope))
    token = answer.json()["access_token"]

    clock.now += lifetime - 1
    before = _read(sandbox, vendor, token)
    clock.now += 1
    after = _read(sandbox, vendor, token)

    assert answer.status_code == 200
    assert answer.json()["expires_in"] == lifetime
    assert answer.headers["cache-control"] == "no-store"
    assert (before, after) == (404, 401)
    assert token in sandbox.issued_secrets


def test_a_boruta_token_without_a_scope_is_issued_and_then_forbidden(sandbox: Sandbox):
    answer = httpx.post(sandbox.boruta_token_url, data=_form(sandbox, "boruta"))

    assert answer.status_code == 200
    assert _read(sandbox, "boruta", answer.json()["access_token"]) == 403


@pytest.mark.parametrize(
    ("scope", "status"), [("clients:manage:all", 403), ("identity-providers:manage:all", 200)]
)
def test_identity_providers_need_a_scope_of_their_own(sandbox: Sandbox, scope: str, status: int):
    headers = {"authorization": f"Bearer {sandbox.token('boruta', scope=scope)}"}

    answer = httpx.get(f"{sandbox.boruta}/identity-providers", headers=headers)

    assert answer.status_code == status


def test_the_admin_api_and_the_oauth_host_are_different_places(sandbox: Sandbox):
    wrong = sandbox.boruta.removesuffix("/api") + "/oauth/token"

    answer = httpx.post(wrong, data=_form(sandbox, "boruta"))

    assert answer.status_code == 406


def test_boruta_takes_http_basic(sandbox: Sandbox):
    credential = sandbox.credentials["boruta"]
    form = {"grant_type": "client_credentials", "scope": "clients:manage:all"}

    answer = httpx.post(
        sandbox.boruta_token_url,
        data=form,
        auth=(credential.client_id, credential.client_secret),
    )

    assert _read(sandbox, "boruta", answer.json()["access_token"]) == 404


def test_basic_credentials_that_cannot_be_read_are_refused(sandbox: Sandbox):
    unreadable = base64.b64encode(b"\xff\xff").decode()

    answers = [
        httpx.post(
            sandbox.boruta_token_url,
            data=_form(sandbox, "boruta"),
            headers={"authorization": f"Basic {text}"},
        )
        for text in ("***", unreadable)
    ]

    assert [answer.json()["error"] for answer in answers] == ["invalid_client"] * 2


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"scope": "everything"}, 400, "invalid_scope"),
    ],
)
def test_a_token_request_that_is_wrong_is_refused_as_rfc_6749_says(
    sandbox: Sandbox, changed: dict[str, Any], status: int, error: str
):
    answer = httpx.post(
        _token_url(sandbox, "sailpoint"), data=_form(sandbox, "sailpoint", **changed)
    )

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_token_request_must_be_a_form(sandbox: Sandbox):
    answer = httpx.post(_token_url(sandbox, "provident"), json=_form(sandbox, "provident"))

    assert answer.json()["error"] == "invalid_request"


def test_a_plain_api_client_of_sailpoint_gets_a_token_and_403(sandbox: Sandbox):
    form = _form(sandbox, "sailpoint-api-client")

    token = httpx.post(_token_url(sandbox, "sailpoint"), data=form).json()["access_token"]

    with httpx.Client(
        base_url=sandbox.sailpoint, headers={"authorization": f"Bearer {token}"}
    ) as client:
        place = "/oauth-clients/v1"
        asked = [client.get(place), client.post(place, json={}), client.delete(f"{place}/x")]
        assert [answer.status_code for answer in asked] == [403, 403, 403]
        # By the specification a read by id is the only call that needs no user.
        assert client.get(f"{place}/x").status_code == 404


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [
        ("sp:scopes:all", 200, 404),
        ("sp:oauth-client:manage", 200, 404),
        ("sp:oauth-client:read", 200, 403),
        ("idn:read", 403, 403),
    ],
)
def test_a_sailpoint_token_may_what_the_specification_grants_its_scope(
    sandbox: Sandbox, scope: str, reads: int, writes: int
):
    headers = {"authorization": f"Bearer {sandbox.token('sailpoint', scope=scope)}"}
    place = f"{sandbox.sailpoint}/oauth-clients/v1"

    assert httpx.get(place, headers=headers).status_code == reads
    assert httpx.delete(f"{place}/x", headers=headers).status_code == writes


def test_a_sailpoint_token_needs_a_scope_that_manages_clients():
    credential = Credential(
        vendor="sailpoint",
        client_id="web",
        client_secret="web-secret",
        scopes=("sp:oauth-client:manage", "idn:read"),
    )

    with running(credentials={"sailpoint": credential}) as sandbox:
        statuses = [
            _read(sandbox, "sailpoint", sandbox.token("sailpoint", scope=scope))
            for scope in credential.scopes
        ]

        assert "web-secret" in sandbox.issued_secrets
    assert statuses == [404, 403]


@pytest.mark.parametrize("vendor", list(CLIENTS))
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic {}"])
def test_without_a_good_token_every_vendor_answers_401(
    sandbox: Sandbox, vendor: str, authorization: str
):
    url = getattr(sandbox, vendor) + CLIENTS[vendor]
    value = authorization.format(sandbox.token(vendor))

    answer = httpx.get(url, headers={"authorization": value} if value else {})

    assert answer.status_code == 401


def test_a_token_of_one_vendor_is_worth_nothing_at_another(sandbox: Sandbox):
    assert _read(sandbox, "provident", sandbox.token("sailpoint")) == 401


def test_expiring_the_tokens_makes_every_client_ask_again():
    with running() as sandbox:
        token = sandbox.token("provident")

        sandbox.expire_tokens()

        assert _read(sandbox, "provident", token) == 401


def test_a_credential_never_shows_its_secret(sandbox: Sandbox):
    assert sandbox.credentials["boruta"].client_secret not in repr(sandbox.credentials)
