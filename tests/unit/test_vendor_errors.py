import json
from base64 import b64encode
from urllib.parse import quote

import pytest
from support.given import provider
from support.vendors import vendor

from reconciler.core.errors import (
    Ambiguous,
    BadAnswer,
    NotFound,
    Rejected,
    ServerFailed,
    Unauthorized,
)
from reconciler.provider import errors
from reconciler.provider.errors import ErrorAnswer, clean, remote_error
from reconciler.provider.model import ErrorShape

BORUTA_422 = {
    "code": "UNPROCESSABLE_ENTITY",
    "errors": {
        "redirect_uris": ["`/rel` is invalid"],
        "access_token_ttl": ["must be less than or equal to 300"],
        "secret": ["`hunter2-hunter2` is too long"],
    },
    "message": "Your request could not be processed.",
}
SAILPOINT_400 = {
    "detailCode": "400.1 Bad request content",
    "trackingId": "e7eab60924f64aa284175b9fa3309599",
    "messages": [{"locale": "en-US", "text": "The request was\nnot understood"}],
    "causes": [],
}


def told(name, status, body=None, method="PUT", **facts):
    refused = ErrorAnswer(
        target="shop",
        subject="web",
        method=method,
        path="/clients/1",
        status=status,
        body=body,
        **facts,
    )
    return remote_error(vendor(name), refused)


@pytest.mark.parametrize(
    ("method", "status", "kind"),
    [
        ("GET", 401, Unauthorized),
        ("PUT", 403, Unauthorized),
        ("GET", 404, NotFound),
        ("POST", 422, Rejected),
        ("POST", 409, Rejected),
        ("POST", 429, ServerFailed),
        ("GET", 500, ServerFailed),
        ("PUT", 503, ServerFailed),
        ("POST", 500, Ambiguous),
        ("PATCH", 504, Ambiguous),
        ("GET", 206, BadAnswer),
    ],
)
def test_a_status_decides_the_kind_of_error(method, status, kind):
    found = told("sailpoint", status, method=method)

    assert type(found) is kind
    assert found.status == status


def test_a_refusal_names_target_client_request_and_each_field_with_its_reason():
    message = str(told("boruta", 422, BORUTA_422))

    assert message.startswith("shop/web: PUT /clients/1 was answered with 422")
    assert "access_token_ttl: must be less than or equal to 300" in message
    assert "redirect_uris: `/rel` is invalid" in message
    assert "Your request could not be processed" in message


def test_what_is_said_of_a_secret_field_is_not_repeated():
    message = str(told("boruta", 422, BORUTA_422))

    assert "secret: not accepted" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_message_that_may_quote_the_servers_insides_is_never_shown(status):
    body = {"message": "Bearer abc.def", "errors": {"x": ["Bearer abc.def"]}}

    assert "abc.def" not in str(told("boruta", status, body))


def test_the_tracking_id_is_given_with_every_status():
    message = str(told("sailpoint", 400, SAILPOINT_400))

    assert "The request was not understood" in message
    assert "(trackingId e7eab60924f64aa284175b9fa3309599)" in message


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (401, {"error": "JWT validation failed"}, "JWT validation failed"),
        (429, {"message": "Rate limit exceeded"}, "Rate limit exceeded"),
    ],
)
def test_the_other_shapes_of_an_error_body_are_understood(status, body, text):
    assert text in str(told("sailpoint", status, body))


def test_a_403_comes_with_the_vendors_hint():
    assert "personal access token of an admin" in str(told("sailpoint", 403))


def test_a_write_that_failed_with_a_server_error_says_that_it_may_have_been_carried_out():
    assert "may have been carried out" in str(told("sailpoint", 500, method="POST"))


def test_an_undocumented_body_is_shown_with_its_secrets_masked():
    body = {
        "reason": "no",
        "clientSecret": "s3cr3t-value",
        "tokenLifetimeSeconds": 5,
        "nested": [{"access_token": "t0k3n-value", "name": "web"}],
        "Authorization": "Bearer t0k3n-value",
    }

    message = str(told("provident", 400, body))

    assert '"reason": "no"' in message
    assert '"tokenLifetimeSeconds": 5' in message
    assert '"name": "web"' in message
    assert "s3cr3t-value" not in message
    assert "t0k3n-value" not in message


def test_an_undocumented_answer_without_json_says_only_its_status():
    assert str(told("provident", 500)) == "shop/web: PUT /clients/1 was answered with 500"


def test_an_undocumented_body_is_neither_long_nor_deep():
    body = {"text": "x" * 2000}
    for _ in range(500):
        body = [body]

    assert "..." in str(told("provident", 400, body))
    assert str(told("provident", 400, {"text": "x" * 2000})).endswith("(cut)")


def test_a_secret_of_the_request_is_masked_even_where_the_server_repeats_it():
    body = {"messages": [{"text": "bad value hunter2-hunter2"}]}

    message = str(told("sailpoint", 400, body, known=["hunter2-hunter2", "xq"]))

    assert "bad value (secret)" in message


ECHOES = {
    "with signs that JSON escapes": lambda secret: secret,
    "in other case": str.upper,
    "cut": lambda secret: f"{secret[:-1]}...",
    "in a list": list,
    "as a name": lambda secret: {secret: 1},
    "deep": lambda secret: [{"a": [{"b": f"<{secret}>"}]}],
    "in JSON in a text": lambda secret: json.dumps({"name": secret}),
    "for Basic": lambda secret: "Basic " + b64encode(f"id:{secret}".encode()).decode(),
    "percent": lambda secret: quote(secret, safe=""),
}


@pytest.mark.parametrize("name", ["provident", "boruta", "sailpoint"])
@pytest.mark.parametrize(
    "secret", ['pa"ss\\w0rd-QQ7Z', "line1secret\nline2secret", "pass/w0rd w+th"]
)
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_secret_is_masked_in_what_is_quoted_before_anything_is_escaped(name, secret, echo):
    said = echo(secret)
    bodies = {
        "provident": {"detail": said},
        "boruta": {"errors": {"name": [said], "redirect_uris": said}},
        "sailpoint": {"messages": [{"text": said}], "trackingId": said},
    }

    error = told(name, 422 if name == "boruta" else 400, bodies[name], known=[secret])

    shown = f"{error} {error.tracking}".replace("(secret)", "")
    left = "".join(c for c in shown if c.isalnum()).lower()
    bare = "".join(c for c in secret if c.isalnum()).lower()
    assert not any(bare[at : at + 6] in left for at in range(len(bare) - 5))


@pytest.mark.parametrize("body", [{"detail": "bad abc"}, {"abc": "bad"}, {"a": ["b", "c"]}, 7.25])
def test_nothing_is_quoted_that_repeats_a_short_secret(body):
    known = ["abc", "7.25"]

    message = str(told("provident", 400, body, known=known))

    assert message.startswith("shop/web: PUT /clients/1 was answered with 400. ")
    assert "left out: it repeats a secret that is too short" in message
    assert "bad" not in message or "abc" not in message
    assert not any(secret in message for secret in known)


@pytest.mark.parametrize(
    "body",
    [
        {"a": ["x y"] * 20_000},
        {f"k{number}": "v" for number in range(20_000)},
        {"a": "%2525" * 20_000},
        {"errors": {f"k{number}": ["is taken"] for number in range(20_000)}},
    ],
)
def test_no_more_of_an_answer_is_looked_at_than_may_be_shown(body, monkeypatch):
    looked_at = []
    read = errors.mask
    monkeypatch.setattr(
        errors, "mask", lambda text, known: looked_at.append(text) or read(text, known)
    )

    message = str(
        told("boruta" if "errors" in body else "provident", 422, body, known=["hunter2-2"])
    )

    assert message.endswith("(cut)")
    assert len(looked_at) < 300
    assert sum(map(len, looked_at)) < 10_000


def test_a_number_that_is_a_secret_is_masked():
    message = str(told("provident", 400, {"pin": 1234567890, "n": 3}, known=["1234567890"]))

    assert '{"pin": (secret), "n": 3}' in message


def test_a_text_of_the_server_cannot_move_the_cursor_or_fill_the_screen():
    assert clean("a\x1b[2Jb\r\nc\ud800") == "a [2Jb  c "
    assert clean("x" * 600) == "x" * 500 + " (cut)"


@pytest.mark.parametrize(
    "said",
    [{"name": "is taken"}, {"name": {"deep": ["is taken"]}}, {"name": ["is taken", 3]}],
)
def test_field_messages_of_another_shape_are_shown_all_the_same(said):
    message = str(told("boruta", 422, {"errors": said}))

    assert "name: " in message
    assert "is taken" in message


@pytest.mark.parametrize("body", [None, [], "text", {"errors": []}, {"errors": {}}])
def test_a_body_without_messages_leaves_the_headline(body):
    assert str(told("boruta", 422, body)) == "shop/web: PUT /clients/1 was answered with 422"


def test_an_error_of_the_target_as_a_whole_names_no_client():
    refused = ErrorAnswer(target="shop", method="GET", path="/clients", status=500)

    assert str(remote_error(vendor("boruta"), refused)).startswith("shop: GET /clients was")


def test_what_was_refused_keeps_its_secrets_out_of_its_repr():
    refused = ErrorAnswer(
        target="shop", method="GET", path="/", status=500, body={"a": "b"}, known=["hunter2"]
    )

    assert "hunter2" not in repr(refused)
    assert "'b'" not in repr(refused)


@pytest.mark.parametrize(
    ("method", "scopes"),
    [
        ("GET", "sp:oauth-client:read or sp:oauth-client:manage"),
        ("POST", "the scope sp:oauth-client:manage"),
        ("PATCH", "the scope sp:oauth-client:manage"),
        ("DELETE", "the scope sp:oauth-client:manage"),
    ],
)
def test_the_hint_at_a_403_fits_what_was_asked(method, scopes):
    message = str(told("sailpoint", 403, method=method))

    assert scopes in message
    assert ("reading" if method == "GET" else "writing") in message


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_401_names_a_token_that_has_expired(method):
    assert "personal access token that has expired" in str(told("sailpoint", 401, method=method))


def test_a_hint_without_a_method_is_for_all_that_have_none_of_their_own():
    hints = {"403": "for all", "403 GET": "for reads", "404 PUT": "for puts"}
    shop = provider(errors=ErrorShape(hints=hints))

    def ends(method, status):
        asked = ErrorAnswer(target="shop", method=method, path="/clients", status=status)
        return str(remote_error(shop, asked)).rpartition(". ")[2]

    assert (ends("GET", 403), ends("POST", 403)) == ("for reads", "for all")
    assert ends("PUT", 404) == "for puts"
    assert "for" not in ends("GET", 404)
