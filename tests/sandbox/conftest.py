"""A sandbox that listens, its clock, and a client for each vendor that already holds a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.vendor_exchanges import hold_answer

from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.sandbox.handle import Sandbox

NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        """Give the moment in seconds since the epoch."""
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with running(clock=clock, rate_limit=None) as started:
        yield started
        # What is sent here may be wrong on purpose, and what is answered must not be.
        for exchange in started.requests:
            hold_answer(exchange)


@pytest.fixture(scope="module")
def provident(sandbox: Sandbox) -> Iterator[httpx.Client]:
    yield from _client(sandbox, "provident", sandbox.provident)


@pytest.fixture(scope="module")
def sailpoint(sandbox: Sandbox) -> Iterator[httpx.Client]:
    yield from _client(sandbox, "sailpoint", sandbox.sailpoint)


@pytest.fixture(scope="module")
def boruta(sandbox: Sandbox) -> Iterator[httpx.Client]:
    yield from _client(sandbox, "boruta", sandbox.boruta)


def _client(sandbox: Sandbox, name: str, url: str) -> Iterator[httpx.Client]:
    token = sandbox.token(name, lifetime=10**9)
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}) as client:
        yield client


@pytest.fixture
def web() -> dict[str, Any]:
    """The body of a SailPoint create that is accepted."""
    return {
        "name": "web",
        "description": "Web shop",
        "accessTokenValiditySeconds": 750,
        "grantTypes": ["CLIENT_CREDENTIALS"],
        "accessType": "OFFLINE",
        "enabled": True,
        "scope": ["orders:read"],
    }


@pytest.fixture
def shop() -> dict[str, Any]:
    """The body of a Provident create that is accepted."""
    return {
        "name": "shop",
        "redirectUris": ["https://shop.example.com/cb"],
        "allowedScopes": ["orders.read"],
    }
