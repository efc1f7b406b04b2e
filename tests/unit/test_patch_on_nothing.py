"""Patches of fields that the server does not hold, in the view of an independent judge (RFC 6902)."""

from __future__ import annotations

import jsonpatch
import pytest
from support.vendors import vendor

from reconciler.plan.requests import create_requests, update_requests

SAILPOINT = vendor("sailpoint")
LIVE = {"id": "1", "name": "Web", "description": "Old", "businessName": "Acme", "scope": ["a"]}


def without_nulls(body):
    """What a server holds that shows null for what it does not hold."""
    return {name: value for name, value in body.items() if value is not None}


@pytest.mark.parametrize(
    ("field", "live", "wanted", "op"),
    [
        ("description", None, "New", "add"),
        ("description", "absent", "New", "add"),
        ("description", "", "New", "replace"),
        ("description", "Old", "New", "replace"),
        ("description", "Old", None, "remove"),
        ("description", "Old", "", "remove"),
        ("businessName", None, "Acme", "add"),
        ("businessName", "absent", "Acme", "add"),
        ("businessName", "Acme", "", "remove"),
        ("homepageUrl", None, "https://a.example.com", "add"),
        ("redirectUris", None, ["https://a.example.com"], "add"),
        ("redirectUris", "absent", ["https://a.example.com"], "add"),
        ("redirectUris", [], ["https://a.example.com"], "replace"),
        ("redirectUris", ["https://a.example.com"], None, "replace"),
        ("enabled", None, False, "add"),
        ("accessTokenValiditySeconds", "absent", 0, "add"),
        ("grantTypes", None, ["CLIENT_CREDENTIALS"], "add"),
    ],
)
def test_a_field_is_written_by_an_operation_that_its_server_can_carry_out(field, live, wanted, op):
    body = {**LIVE, field: live}
    if live == "absent":
        del body[field]

    (request,) = update_requests(SAILPOINT, {field: wanted}, body, [field], tested=True)

    assert [each["op"] for each in request.body if each["op"] != "test"] == [op]
    after = jsonpatch.JsonPatch(request.body).apply(without_nulls(body))
    if op == "remove":
        assert field not in after
    else:
        assert after[field] == ([] if wanted is None else wanted)


@pytest.mark.parametrize("stated", [None, ""])
def test_a_create_states_a_null_that_it_must_not_leave_out(stated):
    wanted = {"name": "Web", "description": stated, "businessName": stated, "scope": ["a"]}

    (request,) = create_requests(SAILPOINT, wanted)

    assert request.body == {"name": "Web", "description": None, "scope": ["a"]}
