"""The transcribed bodies of SailPoint say what its specification says, and the judge of exchanges judges."""

from __future__ import annotations

import json

import pytest
from jsonschema import ValidationError
from support.sailpoint_spec import SPEC, converted_schema, hold_answer, hold_request
from support.vendors import schema, vendor
from support.workspace import MINIMAL

from reconciler.sandbox.world import RecordedRequest

OPERATIONS = SPEC["operations"]
CREATE = OPERATIONS["POST /oauth-clients/v1"]
READ = OPERATIONS["GET /oauth-clients/v1/{id}"]["answers"]["200"]["application/json"]
PATCHED = OPERATIONS["PATCH /oauth-clients/v1/{id}"]
CREATED = CREATE["answers"]["200"]["application/json"]
ITEM = OPERATIONS["GET /oauth-clients/v1"]["answers"]["200"]["application/json"]["items"]
BODY = MINIMAL["sailpoint"]
ANSWER = {
    **BODY,
    "id": "1",
    "businessName": None,
    "homepageUrl": None,
    "refreshTokenValiditySeconds": 0,
    "redirectUris": None,
    "type": "CONFIDENTIAL",
    "internal": False,
    "strongAuthSupported": False,
    "claimsSupported": False,
    "created": "2026-01-01T00:00:00.000Z",
    "modified": "2026-01-01T00:00:00.000Z",
}
PATCH = "application/json-patch+json"
TOLD = (AssertionError, KeyError, ValidationError)


def facts(of):
    """What a body's schema says of each member: its types, its values, its items' values."""
    return {
        name: (
            [*([each["type"]] if isinstance(each["type"], str) else each["type"])],
            each.get("enum"),
            each.get("items", {}).get("enum"),
        )
        for name, each in of["properties"].items()
    }


def test_the_body_of_a_create_is_transcribed_as_it_is_specified():
    specified = converted_schema(CREATE["request"]["application/json"])

    assert facts(schema("sailpoint", "create")) == facts(specified)
    assert schema("sailpoint", "create")["required"] == specified["required"]


@pytest.mark.parametrize("answer", [READ, ITEM, PATCHED["answers"]["200"]["application/json"]])
def test_an_answer_is_transcribed_as_it_is_specified(answer):
    specified = converted_schema(answer)

    assert facts(schema("sailpoint", "answer")) == facts(specified)
    assert schema("sailpoint", "answer")["required"] == specified["required"]


def test_the_answer_to_a_create_is_taken_by_the_schema_of_all_answers():
    shown = facts(converted_schema(CREATED))

    for name, (types, values, of_items) in facts(schema("sailpoint", "answer")).items():
        if name in shown:
            narrower = shown[name]
            assert set(narrower[0]) <= set(types)
            assert narrower[1:] == (values, of_items)


def test_the_calls_of_the_descriptor_are_those_of_the_specification():
    provider = vendor("sailpoint")
    calls = [provider.list, provider.create, provider.read, provider.update, provider.delete]
    for call in calls:
        stated = OPERATIONS[f"{call.method} {provider.collection}{call.path}"]
        assert {int(status) for status in stated["answers"] if status < "300"} == call.expect
        assert call is provider.list or stated["query"] == []
        assert "request" not in stated or [*stated["request"]] == [call.content_type]
    speaks = {int(status) for each in OPERATIONS.values() for status in each["answers"]}
    assert provider.errors.speaks_on == {status for status in speaks if status >= 400}


def exchange(method, path, *, body=None, status=200, answer=None, query="", kind=""):
    return RecordedRequest(
        vendor="sailpoint",
        method=method,
        path=f"/sailpoint{path}",
        query=query,
        content_type=kind or ("application/json" if method == "POST" else PATCH),
        body=b"" if body is None else json.dumps(body).encode(),
        status=status,
        answer=b"" if answer is None else json.dumps(answer).encode(),
    )


def one(path):
    return f"/oauth-clients/v1/{path}"


@pytest.mark.parametrize(
    "right",
    [
        exchange("POST", "/oauth-clients/v1", body=BODY),
        exchange("POST", "/v3/oauth-clients", body={**BODY, "description": None}),
        exchange("GET", "/oauth-clients/v1", query="limit=250&offset=0"),
        exchange("GET", "/beta/oauth-clients", query="filters=x"),
        exchange("PATCH", one("1"), body=[{"op": "add", "path": "/name", "value": "x"}]),
        exchange("PATCH", one("1"), body=[{"op": "remove", "path": "/businessName"}]),
        exchange("DELETE", one("1")),
    ],
)
def test_a_request_that_the_specification_takes_is_taken(right):
    hold_request(right)


@pytest.mark.parametrize(
    "wrong",
    [
        exchange("POST", "/oauth-clients/v1", body={**BODY, "tenant": "x"}),
        exchange("POST", "/oauth-clients/v1", body={**BODY, "enabled": None}),
        exchange("POST", "/oauth-clients/v1", body={"name": "x"}),
        exchange("POST", "/oauth-clients/v1", body={**BODY, "accessTokenValiditySeconds": 2**31}),
        exchange("POST", "/oauth-clients/v1", body=BODY, kind="text/json"),
        exchange("PUT", one("1"), body=BODY),
        exchange("GET", one("1"), query="limit=1"),
        exchange("GET", "/oauth-clients/v1", query="page=2"),
        exchange("PATCH", one("1"), body=[{"op": "replace", "path": "/name", "value": None}]),
        exchange("PATCH", one("1"), body=[{"op": "replace", "path": "/name"}]),
        exchange("PATCH", one("1"), body=[{"op": "replace", "path": "/scope", "value": []}]),
        exchange("PATCH", one("1"), body=[{"op": "merge", "path": "/name", "value": "x"}]),
        exchange("PATCH", one("1"), body={"name": "x"}),
        exchange("PATCH", one("1"), body=[], kind="application/json"),
        exchange("DELETE", one("1"), body=[]),
    ],
)
def test_a_request_that_the_specification_does_not_take_is_told(wrong):
    with pytest.raises(TOLD):
        hold_request(wrong)


@pytest.mark.parametrize(
    "right",
    [
        exchange("GET", one("1"), answer=ANSWER),
        exchange("GET", one("1"), answer={**ANSWER, "secret": None, "lastUsed": None}),
        exchange("GET", "/oauth-clients/v1", answer=[ANSWER]),
        exchange("DELETE", one("1"), status=204),
        exchange("GET", one("1"), status=401, answer={"error": "JWT is expired"}),
        exchange("GET", one("1"), status=503, answer="gateway"),
        exchange("GET", one("1"), status=None),
    ],
)
def test_an_answer_that_is_specified_is_taken(right):
    hold_answer(right)


@pytest.mark.parametrize(
    "wrong",
    [
        exchange("POST", "/oauth-clients/v1", answer={**ANSWER, "secret": "x"}),
        exchange("GET", one("1"), answer={**ANSWER, "tenant": "x"}),
        exchange("GET", one("1"), answer={**ANSWER, "created": "yesterday"}),
        exchange("GET", one("1"), answer={name: ANSWER[name] for name in BODY}),
        exchange("GET", one("1"), status=401, answer={"message": "no"}),
        exchange("GET", one("1"), status=409, answer={}),
        exchange("POST", "/oauth-clients/v1", status=404, answer={}),
        exchange("DELETE", one("1"), status=204, answer={}),
        exchange("GET", "/oauth-clients/v1", answer={"items": []}),
    ],
)
def test_an_answer_that_is_not_specified_is_told(wrong):
    with pytest.raises(TOLD):
        hold_answer(wrong)
