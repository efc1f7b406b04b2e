"""How a target may log in, by what its provider's descriptor says."""

from __future__ import annotations

import pytest
from support.given import target

from reconciler.core.model import Source
from reconciler.core.project import (
    ClientCredentials,
    NoAuth,
    Password,
    Project,
    Reference,
    StaticToken,
)
from reconciler.validation.logins import login_problems

SECRET = Reference(kind="env", name="SECRET")
CLIENT = ClientCredentials(client_id="a", client_secret=SECRET)
BY_KEY = ClientCredentials(client_id="a", private_key=SECRET)
TOKEN = StaticToken(token=SECRET)
USER = Password(username="u", password=SECRET)
AT = {"path": "/token"}


def messages(auth, token, *, key=None):
    project = Project(path="p", root=".", targets={}, fingerprint_key=key)
    found = list(login_problems(Source(path="p"), project, target(auth=auth), token))
    assert {(each.pointer, each.at_key) for each in found} <= {("/targets/shop/auth", True)}
    assert all(each.hint for each in found)
    return [each.message for each in found]


@pytest.mark.parametrize(
    ("auth", "token"),
    [
        (CLIENT, AT),
        (ClientCredentials(client_id="a", client_secret=SECRET, token_url="https://b"), {}),
        (BY_KEY, AT),
        (BY_KEY, {**AT, "clientAuthentication": "private_key_jwt"}),
        (CLIENT, {**AT, "clientAuthentication": "client_secret_basic"}),
        (CLIENT, {**AT, "scheme": "none"}),
        (TOKEN, {}),
        (TOKEN, {"scheme": "SSWS"}),
        (TOKEN, {"scheme": "none"}),
        (USER, {"scheme": "Basic"}),
    ],
)
def test_a_login_that_the_server_takes_has_no_problem(auth, token):
    assert messages(auth, token) == []


@pytest.mark.parametrize(
    ("auth", "token", "message"),
    [
        (CLIENT, {}, "`tokenUrl` is missing"),
        (CLIENT, {**AT, "clientAuthentication": "private_key_jwt"}, "takes no client secret"),
        (USER, AT, "takes no user and password"),
        (CLIENT, {"scheme": "Basic"}, "takes a user and a password"),
        (TOKEN, {"scheme": "Basic"}, "takes a user and a password"),
        (NoAuth(), AT, "asks who sends a request"),
        (NoAuth(), {"scheme": "none"}, "leaves no key for the fingerprints"),
    ],
)
def test_a_login_that_the_server_does_not_take_is_refused(auth, token, message):
    (found,) = messages(auth, token)

    assert message in found


def test_nobody_logs_in_where_the_project_has_a_key_of_its_own():
    assert messages(NoAuth(), {"scheme": "none"}, key=SECRET) == []
