import pytest
from support.given import client, field, provider

from reconciler.core.changes import Request
from reconciler.core.model import Secret
from reconciler.plan.requests import (
    create_requests,
    delete_request,
    late_requests,
    needs_replace,
    path_for,
    replacement_requests,
    update_requests,
)
from reconciler.provider.model import Chosen, Endpoint, Identity, UpdateStyle

PUT = Endpoint(method="PUT", path="/{id}", expect=frozenset({200}), envelope="client")
POST = Endpoint(method="POST", expect=frozenset({201}), envelope="client")
FIELDS = (
    field("name", schema={"type": "string"}),
    field("active", update_only=True, default=True, schema={"type": "boolean"}),
    field("homepage", equal=((None, ""),), schema={"type": ["string", "null"]}),
    field("uris", is_set=True, default=[], schema={"type": "array"}),
    field("ttl", read_as="token_ttl", default=60, schema={"type": "integer"}),
    field("scope", is_set=True, immutable=True, schema={"type": "array"}),
    field("secret", secret=True, schema={"type": "string"}),
    field("id", read_only=True),
)
VENDOR = provider(*FIELDS)
PUT_FULL = provider(*FIELDS, update=PUT, create=POST, style=UpdateStyle.PUT_FULL)
PUT_PARTIAL = provider(
    *FIELDS,
    update=PUT,
    create=POST,
    style=UpdateStyle.PUT_PARTIAL,
    identity=Identity(pointer="/id", chosen=Chosen.UUID),
)


def bodies(requests):
    return [request.body for request in requests]


def test_an_id_is_opaque_and_goes_into_the_path_as_one_segment():
    request = Request(
        operation="delete", method="DELETE", path="/c/{id}", content_type=None, body=None
    )

    assert path_for(request, "a/b c?d") == "/c/a%2Fb%20c%3Fd"


def test_a_create_sends_what_is_declared_in_canonical_form():
    (request,) = create_requests(VENDOR, {"name": "web", "uris": ["b", "a"], "homepage": ""})

    assert request == Request(
        operation="create",
        method="POST",
        path="/clients",
        content_type="application/json",
        body={"name": "web", "uris": ["a", "b"]},
    )


def test_a_chosen_id_goes_into_the_body_and_the_body_into_its_envelope():
    (request,) = create_requests(PUT_PARTIAL, {"name": "web"}, chosen_id="abc")

    assert request.body == {"client": {"id": "abc", "name": "web"}}


def test_a_field_that_no_create_takes_is_sent_by_a_call_after_it():
    post, put = create_requests(PUT_FULL, {"name": "web", "active": False})

    assert post.body == {"client": {"name": "web"}}
    assert (put.operation, put.method, put.path) == ("update", "PUT", "/clients/{id}")
    assert put.body == {"client": {"name": "web", "active": False, "uris": [], "ttl": 60}}


def test_no_second_call_is_made_for_what_the_server_does_by_default():
    assert len(create_requests(PUT_FULL, {"name": "web", "active": True})) == 1


def test_the_second_call_rests_on_what_the_server_really_answered():
    answer = {"id": "1", "name": "WEB", "active": True, "ttl": 90}

    (put,) = late_requests(PUT_FULL, {"name": "web", "active": False}, answer)

    assert put.body == {"client": {"active": False, "name": "web", "ttl": 90}}
    assert late_requests(PUT_FULL, {"active": False}, {**answer, "active": False}) == ()


def test_an_update_speaks_the_vendors_dialect():
    wanted, body = {"name": "b"}, {"id": "1", "name": "a", "uris": ["x"]}

    assert bodies(update_requests(VENDOR, wanted, body, ["name"])) == [
        [{"op": "replace", "path": "/name", "value": "b"}]
    ]
    assert bodies(update_requests(PUT_FULL, wanted, body, ["name"])) == [
        {"client": {"name": "b", "uris": ["x"]}}
    ]
    assert bodies(update_requests(PUT_PARTIAL, wanted, body, ["name"])) == [
        {"client": {"name": "b"}}
    ]


def test_a_whole_put_leaves_an_ignored_field_as_it_is_live():
    (put,) = update_requests(
        PUT_FULL, {"name": "b", "ttl": 5}, {"ttl": 9}, ["name"], ignore={"ttl"}
    )

    assert put.body == {"client": {"name": "b", "ttl": 9}}


def test_a_replace_carries_over_what_git_does_not_state():
    old = client("1", name="web", ttl=90, uris=[], secret=Secret("s"), scope=["a"], homepage=None)

    create, delete = replacement_requests(VENDOR, {"scope": ["b"]}, old)

    assert create.body == {"name": "web", "scope": ["b"], "ttl": 90}
    assert delete == delete_request(VENDOR)


def test_a_replace_does_not_carry_over_what_a_create_refuses():
    old = client("1", ttl="ninety")

    create, _ = replacement_requests(VENDOR, {"name": "web"}, old)

    assert create.body == {"name": "web"}


def test_a_delete_has_no_body():
    assert delete_request(VENDOR) == Request(
        operation="delete", method="DELETE", path="/clients/{id}", content_type=None, body=None
    )


def test_a_vendor_without_a_delete_gets_none():
    with pytest.raises(ValueError, match="no call that deletes"):
        delete_request(provider(field("name"), delete=None))


@pytest.mark.parametrize("fact", ["immutable", "create_only"])
def test_what_no_update_takes_needs_a_replace(fact):
    fixed = field("type", **{fact: True})

    assert needs_replace(provider(fixed), fixed, "x") is True


def test_a_value_that_only_a_create_takes_needs_a_replace():
    ttl = field("ttl", schema={"type": "integer", "maximum": 300})
    vendor = provider(
        ttl,
        style=UpdateStyle.PUT_PARTIAL,
        create_schema={"properties": {"ttl": {"type": "integer", "maximum": 86400}}},
    )

    assert needs_replace(vendor, ttl, 300) is False
    assert needs_replace(vendor, ttl, 301) is True
    assert needs_replace(vendor, ttl, Secret(301)) is True
    assert needs_replace(vendor, ttl, 86401) is False


def test_a_json_patch_is_not_judged_by_a_schema_of_bodies():
    assert needs_replace(VENDOR, VENDOR.fields["ttl"], "not a number") is False


def test_a_patch_tests_what_it_replaces_only_if_that_is_asked_for():
    live = {"name": "a", "ttl": None}

    (plain,) = update_requests(VENDOR, {"name": "b", "ttl": 5}, live, ["name", "ttl"])
    (tested,) = update_requests(
        VENDOR, {"name": "b", "ttl": 5}, live, ["name", "ttl"], tested=True, hidden=["name"]
    )

    assert tested.body == [{"op": "test", "path": "/name", "value": Secret("a")}, *plain.body]


def test_a_put_cannot_test():
    plain = update_requests(PUT_FULL, {"name": "b"}, {"name": "a"}, ["name"])

    assert update_requests(PUT_FULL, {"name": "b"}, {"name": "a"}, ["name"], tested=True) == plain
