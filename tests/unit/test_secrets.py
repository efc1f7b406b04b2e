import pytest
from support.given import KEY, field, provider

from reconciler.core.model import MISSING, Redacted, Secret
from reconciler.core.secrets import (
    fingerprint,
    fingerprint_key,
    holds_secret,
    redact,
    reveal,
    secret_texts,
)
from reconciler.provider.model import Believed
from reconciler.provider.secrets import seal, secret_anywhere_in, secret_at, secret_in

VENDOR = provider(field("name"), field("secret", secret=True, read_as="client_secret"))


def test_a_secret_prints_as_nothing_but_the_word():
    secret = Secret("hunter2")

    shown = f"{secret} {secret!r} {[secret]} {{'s': {secret}}}"

    assert "hunter2" not in shown
    assert shown.count("(secret)") == 4


def test_the_texts_of_secrets_are_found_at_any_depth():
    body = {
        "name": "web",
        "secret": Secret("hunter2"),
        "hidden": Secret("********", masked=True),
        "more": [{"pin": Secret(1234)}, (Secret({"a": ["b", 1.5, None, True]}), 7)],
    }

    assert list(secret_texts(body)) == ["hunter2", "1234", "b", "1.5"]


def test_an_answer_is_sealed_by_the_spelling_that_answers_use():
    body = {"name": "web", "client_secret": "hunter2"}

    sealed = seal(VENDOR, body)

    assert sealed == {
        "name": "web",
        "client_secret": Secret("hunter2"),
        "secret": Secret("hunter2"),
    }
    assert body["client_secret"] == "hunter2"


def test_an_answer_is_sealed_by_the_spelling_that_requests_use_too():
    assert seal(VENDOR, {"secret": "hunter2"}) == {"secret": Secret("hunter2")}


@pytest.mark.parametrize("told", [{}, {"client_secret": None}, {"client_secret": ""}])
def test_an_answer_that_tells_no_secret_stays_as_it_is(told):
    assert seal(VENDOR, told).items() >= told.items()
    assert secret_in(VENDOR, seal(VENDOR, told)) is None


def test_the_secret_that_a_create_answers_is_found_once_it_is_sealed():
    assert secret_in(VENDOR, seal(VENDOR, {"client_secret": "hunter2"})) == Secret("hunter2")


def test_revealing_reaches_every_depth():
    value = {"a": [Secret("x"), {"b": Secret("y")}], "c": (1, None)}

    assert reveal(value) == {"a": ["x", {"b": "y"}], "c": [1, None]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(Secret("x"), True), ({"a": [Secret("x")]}, True), ({"a": ["x", 1]}, False), ((), False)],
)
def test_a_secret_is_noticed_at_every_depth(value, expected):
    assert holds_secret(value) is expected


def test_equal_secrets_share_a_fingerprint_and_others_do_not():
    assert fingerprint(KEY, Secret("x")) == fingerprint(KEY, "x")
    assert fingerprint(KEY, "x") != fingerprint(KEY, "y")


def test_a_fingerprint_cannot_be_made_without_the_key():
    assert fingerprint(fingerprint_key("one"), "x") != fingerprint(fingerprint_key("two"), "x")


def test_redaction_keeps_whether_there_is_a_secret_at_all():
    assert redact("x", KEY) == Redacted(fingerprint(KEY, "x"))
    assert redact(MISSING, KEY) is MISSING
    assert redact(None, KEY) is None
    assert str(redact("x", KEY)).startswith("(secret hmac:")


def test_a_secret_inside_an_object_elsewhere_is_found_and_sealed_by_its_name_there():
    inner = {
        "properties": {
            "key": {"readOnly": True, "x-reconciler": {"secret": True, "readAs": "apiKey"}}
        }
    }
    of = provider(field("access", schema=inner, read_as="/settings/access", inside=True))
    shown = seal(of, {"settings": {"access": {"apiKey": "k3y-of-a-client"}, "x": 1}})

    assert secret_in(of, shown) == Secret("k3y-of-a-client")
    assert secret_anywhere_in(of, {"data": {"apiKey": "another-k3y"}}) == Secret("another-k3y")
    assert shown["settings"]["access"]["apiKey"] == Secret("k3y-of-a-client")


def test_where_no_secret_is_described_none_is_looked_for():
    assert secret_anywhere_in(provider(field("name")), {"secret": "s"}) is None


@pytest.mark.parametrize(
    ("shown", "told"),
    [({"value": "n3w"}, "n3w"), ({"value": "*****"}, None), ({"value": 1}, None), ({}, None)],
)
def test_a_new_secret_is_what_the_pointer_finds_as_a_text(shown, told):
    found = secret_at(shown, "/value")

    assert found == (None if told is None else Secret(told))


@pytest.mark.parametrize(
    ("believed", "is_new", "masked"),
    [
        ("always", False, False),
        ("create", True, False),
        ("create", False, True),
        ("never", True, True),
    ],
)
def test_what_an_answer_may_not_tell_is_a_mask(believed, is_new, masked):
    inner = {"properties": {"key": {"readOnly": True, "x-reconciler": {"secret": True}}}}
    of = provider(field("access", schema=inner), secret="/access/key", believed=Believed(believed))

    for body in ({"access": {"key": "k3y"}}, {"access": {"key": None}}, {"access": 1}, {}):
        shown = seal(of, body, is_new=is_new)
        if body == {"access": {"key": "k3y"}}:
            assert shown == {"access": {"key": Secret("k3y", masked=masked)}}
        else:
            assert shown == body
    nothing = provider(field("name"), believed=Believed(believed))
    assert seal(nothing, {"name": "a"}, is_new=is_new) == {"name": "a"}
