"""One sandbox for all contract tests of a process, and each request held against its schema."""

from __future__ import annotations

import pytest
from support.vendor_exchanges import hold_answer, hold_request
from support.vendors import NAMES
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
        hold_request(exchange)
        hold_answer(exchange)
