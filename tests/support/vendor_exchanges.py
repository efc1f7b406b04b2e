"""Holds what is sent to a vendor, and what it answers, against what the vendor documents.

SailPoint publishes a specification. The others publish pages, which the schemas transcribe.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from reconciler.core.pointer import resolve
from support.sailpoint_spec import hold_answer as hold_sailpoint_answer
from support.sailpoint_spec import hold_request as hold_sailpoint_request
from support.sailpoint_spec import is_about_clients
from support.vendors import schema, vendor

if TYPE_CHECKING:
    from reconciler.sandbox.world import RecordedRequest

BODIES = {"POST": "create", "PUT": "update", "PATCH": "update"}
# No clients are in these: a token, a new secret alone, scopes, identity providers.
_OTHERS = ("/token", "/rotate-secret", "/scopes", "/identity-providers")
_ERRORS = 400


def hold_request(exchange: RecordedRequest) -> None:
    """Hold the body of a request against the schema of its operation, out of its envelope."""
    if is_about_clients(exchange):
        hold_sailpoint_request(exchange)
    if exchange.method in BODIES and not exchange.path.endswith(_OTHERS):
        hold_body(exchange.vendor, exchange.method, json.loads(exchange.body))


def hold_body(name: str, method: str, sent: Any) -> None:
    """Hold what is sent to create or update a client, as it is sent."""
    endpoint = vendor(name).create if method == "POST" else vendor(name).update
    if endpoint.envelope is not None:
        assert sent.keys() == {endpoint.envelope}
        sent = sent[endpoint.envelope]
    _judge(name, BODIES[method]).validate(sent)


def hold_answer(exchange: RecordedRequest) -> None:
    """Hold the client in an answer, or each of them in a list, against the answer's schema."""
    if is_about_clients(exchange):
        hold_sailpoint_answer(exchange)
    for client in _clients(exchange):
        shown = _judge(exchange.vendor, "answer")
        assert client.keys() <= shown.schema["properties"].keys()
        shown.validate(client)


def _clients(exchange: RecordedRequest) -> list[dict[str, Any]]:
    said = exchange.status is not None and exchange.status < _ERRORS and exchange.answer
    if not said or exchange.path.endswith(_OTHERS):
        return []
    whole = json.loads(exchange.answer)
    found = resolve(whole, vendor(exchange.vendor).read.item)
    return found if isinstance(found, list) else [found]


@cache
def _judge(name: str, body: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name, body))
