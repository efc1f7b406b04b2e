"""One sandbox for all contract tests of a process, and each request held against its schema."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator
from support.sailpoint_spec import hold_answer, hold_request, is_about_clients
from support.vendors import NAMES, schema
from support.workspace import Workspace, ids

from reconciler.sandbox.server import running


@pytest.fixture(scope="session")
def server():
    with running(rate_limit=None, seed=1) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def first(server):
    """The ids that each server has before anybody does anything."""
    return {name: ids(server, name) for name in NAMES}


@pytest.fixture(params=NAMES)
def vendor(request):
    return request.param


@pytest.fixture
def workspace(server, vendor, first, tmp_path):
    server.set_faults()
    server.forget_requests()
    opened = Workspace(tmp_path, server, vendor, first[vendor])
    yield opened
    opened.clear()
    server.set_faults()
    for exchange in server.requests:
        _hold_against_schema(exchange)
        if is_about_clients(exchange):
            hold_request(exchange)
            hold_answer(exchange)


def _hold_against_schema(exchange) -> None:
    body = {"POST": "create", "PUT": "update", "PATCH": "update"}.get(exchange.method)
    if body is None or exchange.path.endswith(("/token", "/rotate-secret")):
        return
    sent = json.loads(exchange.body)
    if exchange.vendor == "boruta":
        sent = sent["client"]
    Draft202012Validator(schema(exchange.vendor, body)).validate(sent)
