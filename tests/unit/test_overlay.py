"""What a request carries of a field: all that is stated, and all that nobody stated."""

from __future__ import annotations

import pytest
from support.given import field, provider

from reconciler.core.model import MISSING, Secret
from reconciler.plan.fields.bodies import full_body, hidden_secrets
from reconciler.plan.fields.overlay import carried, hidden_members, laid_over, unknown_members
from reconciler.plan.requests import update_requests
from reconciler.provider.model import Clear, Identity, UpdateStyle
from reconciler.provider.secrets import seal

TEXT = {"type": "string"}
SECRET = {"type": "string", "x-reconciler": {"secret": True}}
SCOPES = field(
    "authorized_scopes",
    is_set=True,
    compare_by=("id", "name"),
    schema={"items": {"properties": {"id": {}, "name": {}, "public": {"readOnly": True}}}},
)
OPENID = {"id": "1", "name": "openid", "public": True}
EMAIL = {"id": "2", "name": "email", "public": False}
MAIL = field(
    "mail",
    schema={
        "type": "object",
        "properties": {
            "host": TEXT,
            "port": {"type": "integer"},
            "password": SECRET,
            "kept": {**SECRET, "x-reconciler": {"secret": True, "keptWhenLeftOut": True}},
            "since": {"type": "string", "readOnly": True},
            "tls": {"type": "object", "properties": {"on": {}, "note": TEXT}},
        },
    },
)


def test_what_goes_back_to_the_server_leaves_out_what_only_the_server_writes():
    idp = field("idp", schema={"properties": {"id": {}, "name": {"readOnly": True}}})

    assert carried(idp, {"id": "1", "name": "x", "new": 1}) == {"id": "1", "new": 1}
    assert carried(idp, None) is None
    assert carried(field("uris", is_set=True), ["b", "a"]) == ["a", "b"]
    assert carried(field("steps"), ["b", "a"]) == ["b", "a"]


def test_a_member_goes_back_by_what_identifies_it_best():
    assert carried(SCOPES, [EMAIL, OPENID]) == [{"id": "1"}, {"id": "2"}]


def test_a_member_without_an_identity_goes_back_whole():
    assert carried(SCOPES, [{"public": True, "x": 1}]) == [{"x": 1}]


@pytest.mark.parametrize(
    ("wanted", "live", "sent"),
    [
        ({"host": "b"}, {"host": "a", "port": 25}, {"host": "b", "port": 25}),
        (
            {"tls": {"on": True}},
            {"tls": {"note": "n", "new": 1}},
            {"tls": {"new": 1, "note": "n", "on": True}},
        ),
        ({"host": None}, {"host": "a", "unknown": [1]}, {"host": None, "unknown": [1]}),
        (
            {"host": "b"},
            {"since": "2020", "tls": {"on": False}},
            {"host": "b", "tls": {"on": False}},
        ),
        ({"host": "b"}, None, {"host": "b"}),
        ({"host": "b"}, MISSING, {"host": "b"}),
        ({}, {"host": "a"}, {"host": "a"}),
        ({"tls": {"on": True}}, {"tls": None, "port": 1}, {"port": 1, "tls": {"on": True}}),
        (None, {"host": "a"}, None),
        (
            {"password": Secret("p")},
            {"password": Secret("q"), "port": 1},
            {"password": Secret("p"), "port": 1},
        ),
    ],
)
def test_stating_one_member_of_an_object_drops_none_of_the_others(wanted, live, sent):
    assert laid_over(MAIL, wanted, live) == sent


def test_a_list_is_a_value_and_one_with_keys_is_not():
    keys = field("keys", compare_by=("kid",), schema={"items": {"properties": {"kid": TEXT}}})

    assert laid_over(field("uris"), [{"a": 1}], [{"a": 0, "b": 2}]) == [{"a": 1}]
    assert laid_over(
        keys, [{"kid": "1", "alg": "x"}, {"kid": "3"}], [{"kid": "2"}, {"kid": "1", "use": "s"}]
    ) == [
        {"alg": "x", "kid": "1", "use": "s"},
        {"kid": "3"},
    ]
    assert laid_over(SCOPES, [{"name": "openid"}, "odd"], [OPENID, "odd"]) == [
        "odd",
        {"name": "openid"},
    ]


MASKED = Secret("*****", masked=True)


@pytest.mark.parametrize(
    ("live", "sent"),
    [
        ({"password": MASKED, "host": "a"}, {"host": "a"}),
        ({"password": "", "host": "a"}, {"host": "a"}),
        ({"password": Secret("real")}, {"password": Secret("real")}),
        ({"unknown": {"token": MASKED, "b": 1}}, {"unknown": {"b": 1}}),
        ([{"password": MASKED, "a": 1}], [{"a": 1}]),
        (MASKED, MISSING),
    ],
)
def test_what_stands_in_place_of_a_secret_never_goes_back(live, sent):
    assert carried(MAIL, live) == sent


def test_the_mask_of_a_secret_field_never_goes_back():
    assert carried(field("secret", secret=True), "") is MISSING
    assert carried(field("secret", secret=True), Secret("real")) == Secret("real")


@pytest.mark.parametrize(
    ("wanted", "live", "found"),
    [
        (MISSING, {"password": MASKED}, ["/mail/password"]),
        ({"host": "a"}, {"password": MASKED}, ["/mail/password"]),
        ({"password": Secret("p")}, {"password": MASKED}, []),
        (MISSING, {"kept": MASKED}, []),
        (MISSING, {"password": Secret("real")}, []),
        (MISSING, [{"password": MASKED}], ["/mail/0/password"]),
        ([], [{"password": MASKED}], []),
        (MISSING, MISSING, []),
        (MISSING, {"since": MASKED}, []),
    ],
)
def test_a_secret_that_a_request_would_lose_is_found(wanted, live, found):
    assert list(hidden_members(MAIL, wanted, live)) == found


def vendor(style, **facts):
    return provider(field("name"), MAIL, field("id", read_only=True), style=style, **facts)


def test_what_no_field_describes_goes_back_and_what_the_descriptor_points_to_does_not():
    of = vendor(
        UpdateStyle.PUT_FULL,
        identity=Identity(pointer="/uuid", created="/made", last_used="/used/at"),
    )
    body = {
        "uuid": "1",
        "made": "x",
        "used": {"at": "y"},
        "logo_uri": "l",
        "api_token": "t",
        "id": 3,
    }
    body |= {"old_secret": "********", "deep": {"client_secret": "s", "x": [1]}}

    assert unknown_members(of, seal(of, body)) == {
        "logo_uri": "l",
        "api_token": Secret("t"),
        "deep": {"client_secret": Secret("s"), "x": [1]},
    }


def test_a_whole_put_carries_all_and_a_partial_one_only_inside_what_it_sends():
    body = {"id": "1", "name": "a", "mail": {"host": "h", "port": 25}, "logo_uri": "l"}
    wanted = {"mail": {"host": "i"}}

    assert full_body(vendor(UpdateStyle.PUT_FULL), wanted, body) == {
        "name": "a",
        "mail": {"host": "i", "port": 25},
        "logo_uri": "l",
    }
    (put,) = update_requests(vendor(UpdateStyle.PUT_PARTIAL), wanted, body, ["mail"])
    assert put.body == {"mail": {"host": "i", "port": 25}}


@pytest.mark.parametrize(
    ("style", "changed", "found"),
    [
        (UpdateStyle.PUT_FULL, ["name"], ("/mail/password",)),
        (UpdateStyle.PUT_PARTIAL, ["name"], ()),
        (UpdateStyle.PUT_PARTIAL, ["mail"], ("/mail/password",)),
        (UpdateStyle.JSON_PATCH, ["mail"], ()),
    ],
)
def test_only_a_request_that_has_to_carry_a_hidden_secret_loses_it(style, changed, found):
    of = vendor(style)
    body = seal(of, {"name": "a", "mail": {"host": "h", "password": "hidden"}})

    assert hidden_secrets(of, {"name": "b", "mail": {"host": "i"}}, body, changed) == found


@pytest.mark.parametrize(
    ("style", "found"),
    [
        (UpdateStyle.PUT_FULL, ("/webhook_secret", "/meta/token")),
        (UpdateStyle.PUT_PARTIAL, ()),
        (UpdateStyle.JSON_PATCH, ()),
    ],
)
def test_a_mask_of_what_no_field_describes_is_found_too(style, found):
    of = vendor(style)
    body = seal(of, {"id": "1", "webhook_secret": "*****", "meta": {"token": "<hidden>", "n": 1}})

    assert hidden_secrets(of, {"name": "b"}, body, ["name"]) == found


def test_a_patch_touches_only_the_members_that_are_stated_and_differ():
    clear = {"type": ["string", "null"], "x-reconciler": {"clear": {"remove": True}}}
    empty = {"type": ["string", "null"], "x-reconciler": {"clear": {"value": ""}}}
    of = provider(
        field(
            "mail",
            clear=Clear(remove=True),
            schema={"properties": {**MAIL.schema["properties"], "cc": clear, "to": empty}},
        )
    )
    body = {
        "mail": {
            "host": "h",
            "port": 25,
            "cc": "c",
            "to": "t",
            "tls": {"on": False, "a/b": 1},
            "password": MASKED,
        }
    }
    wanted = {
        "host": "h",
        "cc": None,
        "to": None,
        "password": Secret("p"),
        "tls": {"on": True, "a/b": 2, "new": 1},
    }

    (request,) = update_requests(of, {"mail": wanted}, body, ["mail"], tested=True)

    assert request.body == [
        {"op": "test", "path": "/mail/cc", "value": "c"},
        {"op": "test", "path": "/mail/tls/a~1b", "value": 1},
        {"op": "test", "path": "/mail/tls/on", "value": False},
        {"op": "test", "path": "/mail/to", "value": "t"},
        {"op": "remove", "path": "/mail/cc"},
        {"op": "replace", "path": "/mail/password", "value": Secret("p")},
        {"op": "replace", "path": "/mail/tls/a~1b", "value": 2},
        {"op": "add", "path": "/mail/tls/new", "value": 1},
        {"op": "replace", "path": "/mail/tls/on", "value": True},
        {"op": "replace", "path": "/mail/to", "value": ""},
    ]
    (whole,) = update_requests(
        of, {"mail": {"host": "h"}}, {"mail": [MASKED]}, ["mail"], tested=True
    )
    assert whole.body == [{"op": "replace", "path": "/mail", "value": {"host": "h"}}]
    (gone,) = update_requests(of, {"mail": None}, {"mail": {"host": "h"}}, ["mail"])
    assert gone.body == [{"op": "remove", "path": "/mail"}]
