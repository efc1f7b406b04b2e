"""A live value that no update takes any more goes along repaired, since the server refuses the rest too."""

import pytest
from support.given import client, context, field, manifest, provider, replace
from support.vendors import vendor

from reconciler.plan.existing import plan_existing
from reconciler.plan.requests import update_requests
from reconciler.provider.model import UpdateStyle

RSA = {"type": "rsa", "modulus_size": "2048", "exponent_size": "65537"}
BORUTA = vendor("boruta")
LABELS = {
    "1024 bits": ({**RSA, "modulus_size": "1024"}, RSA),
    "512 bits": ({**RSA, "modulus_size": "512"}, RSA),
    "a size as a number": ({**RSA, "modulus_size": 1024}, RSA),
    "another curve": ({"type": "ec", "curve": "P-521"}, RSA),
    "no type": ({}, RSA),
    "null": (None, RSA),
    "2048 bits": (RSA, None),
    "4096 bits": ({**RSA, "modulus_size": "4096"}, None),
    "a curve that works": ({"type": "ec", "curve": "P-384"}, None),
}


def sent(vendor, wanted, body, changed):
    (request,) = update_requests(vendor, wanted, body, changed)
    return request.body.get("client", request.body)


@pytest.mark.parametrize(("live", "expected"), LABELS.values(), ids=LABELS)
def test_an_old_label_of_a_key_goes_along_as_one_that_the_server_takes(live, expected):
    body = {"name": "a", "authorized_scopes": [], "key_pair_type": live}

    client = sent(BORUTA, {"name": "b"}, body, ["name"])

    assert client.get("key_pair_type") == expected
    assert client["name"] == "b"


def test_what_no_answer_shows_and_what_is_to_change_is_left_as_it_is():
    assert "key_pair_type" not in sent(BORUTA, {"name": "b"}, {"name": "a"}, ["name"])
    old = {"key_pair_type": {**RSA, "modulus_size": "1024"}}
    stated = {**RSA, "modulus_size": "3072"}
    assert sent(BORUTA, {"key_pair_type": stated}, old, ["key_pair_type"]) == old | {
        "key_pair_type": stated
    }


@pytest.mark.parametrize("style", UpdateStyle)
def test_a_full_put_is_repaired_too_and_a_patch_needs_no_repair(style):
    size = field("size", schema={"type": "integer", "minimum": 5}, when_invalid=5)
    acme = replace(provider(field("name"), size), style=style)

    (request,) = update_requests(acme, {"name": "b"}, {"name": "a", "size": 1}, ["name"])

    if style is UpdateStyle.JSON_PATCH:
        assert [each["path"] for each in request.body] == ["/name"]
    else:
        assert request.body["size"] == 5


def planned(vendor, body):
    stated = manifest(spec={"name": "b"}, id="1")
    return plan_existing(context(vendor), stated, None, client("1", **body))


def test_the_plan_says_what_goes_along():
    change = planned(BORUTA, {"name": "a", "key_pair_type": {**RSA, "modulus_size": "1024"}})

    (warning,) = change.warnings
    assert '"1024"' in warning
    assert '"2048"' in warning
    assert "is sent along" in warning
    assert planned(BORUTA, {"name": "a", "key_pair_type": RSA}).warnings == ()


def test_a_client_that_is_as_wanted_is_not_written_for_the_sake_of_a_label():
    change = planned(BORUTA, {"name": "b", "key_pair_type": {**RSA, "modulus_size": "1024"}})

    assert change.requests == ()
    assert change.warnings == ()


def test_a_patch_warns_of_nothing():
    size = field("size", schema={"type": "integer", "minimum": 5}, when_invalid=5)

    assert planned(provider(field("name"), size), {"name": "a", "size": 1}).warnings == ()
