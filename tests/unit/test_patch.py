import pytest
from support.given import field, provider

from reconciler.core.model import Secret
from reconciler.plan.fields.bodies import full_body, partial_body
from reconciler.plan.requests import json_patch, value_tests
from reconciler.provider.model import Clear

VENDOR = provider(
    field("name"),
    field("homepage", equal=((None, ""),), clear=Clear(remove=True)),
    field("uris", is_set=True, equal=((None, []),), clear=Clear(value=[])),
    field("note"),
    field("ipRestriction", read_as="ip_restriction"),
    field(
        "scopes",
        is_set=True,
        compare_by=("id", "name"),
        schema={"items": {"properties": {"id": {}, "name": {}, "public": {"readOnly": True}}}},
    ),
    field("id", read_only=True),
    field("type", create_only=True),
    always=("scopes",),
)


def test_a_patch_has_one_operation_a_changed_field_sorted_by_path():
    wanted = {"name": "b", "uris": ["z", "a"], "note": "n"}

    patch = json_patch(VENDOR, wanted, {"name": "a", "uris": []}, ["uris", "name"])

    assert patch == [
        {"op": "replace", "path": "/name", "value": "b"},
        {"op": "replace", "path": "/uris", "value": ["a", "z"]},
    ]


def test_a_member_that_is_not_there_is_added():
    assert json_patch(VENDOR, {"note": "n"}, {}, ["note"]) == [
        {"op": "add", "path": "/note", "value": "n"}
    ]


def test_a_string_is_cleared_by_removing_it_and_never_by_null():
    assert json_patch(VENDOR, {"homepage": ""}, {"homepage": "x"}, ["homepage"]) == [
        {"op": "remove", "path": "/homepage"}
    ]


def test_an_array_is_cleared_by_an_empty_one():
    assert json_patch(VENDOR, {"uris": []}, {"uris": ["x"]}, ["uris"]) == [
        {"op": "replace", "path": "/uris", "value": []}
    ]


def test_a_whole_body_lays_what_is_wanted_over_what_is_live():
    wanted = {"name": "b", "note": "mine", "uris": [Secret("s")]}
    body = {"id": "1", "type": "t", "name": "a", "note": "theirs", "ipRestriction": True}

    assert full_body(VENDOR, wanted, body, {"note"}) == {
        "ipRestriction": True,
        "name": "b",
        "note": "theirs",
        "uris": [Secret("s")],
    }


def test_a_partial_body_carries_the_changed_fields_and_what_the_server_would_empty():
    wanted = {"name": "b", "note": "n", "scopes": [{"name": "openid"}]}
    body = {"name": "a", "note": "x", "scopes": [{"id": "1", "name": "openid", "public": True}]}

    assert partial_body(VENDOR, wanted, body, ["name"]) == {"name": "b", "scopes": [{"id": "1"}]}
    assert partial_body(VENDOR, wanted, body, ["scopes"]) == {"scopes": [{"name": "openid"}]}


def test_a_field_that_is_nowhere_is_not_invented():
    assert partial_body(VENDOR, {"name": "b"}, {}, ["name"]) == {"name": "b"}


def test_the_values_to_be_replaced_are_tested_as_the_server_spelled_them():
    body = {"name": "a", "uris": ["z", "a"], "note": 3, "ipRestriction": True}

    wanted = {"name": "b", "uris": ["a"], "note": 4, "ipRestriction": False}

    held = value_tests(VENDOR, wanted, body, ["uris", "name", "note", "ipRestriction"])

    assert held == [
        {"op": "test", "path": "/ip_restriction", "value": True},
        {"op": "test", "path": "/name", "value": "a"},
        {"op": "test", "path": "/note", "value": 3},
        {"op": "test", "path": "/uris", "value": ["z", "a"]},
    ]


@pytest.mark.parametrize("body", [{}, {"note": None}, {"note": 1.5}])
def test_nothing_null_or_with_a_point_is_tested(body):
    assert value_tests(VENDOR, {"note": "n"}, body, ["note"]) == []


def test_a_value_that_must_not_be_shown_is_tested_as_a_secret():
    body = {"name": "a", "note": Secret("b")}

    wanted = {"name": "c", "note": Secret("d")}

    held = value_tests(VENDOR, wanted, body, ["name", "note"], ["name", "note"])

    assert [operation["value"] for operation in held] == [Secret("a"), Secret("b")]
