from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from conftest import Clock

    from reconciler.sandbox.handle import Sandbox

CLIENTS = "/oauth-clients/v1"


@pytest.fixture(scope="module")
def fleet(sandbox: Sandbox):
    used = {"lastUsed": "2026-01-01T00:00:00Z"}
    return sandbox.seed("sailpoint", [used] + [{"name": f"n{number}"} for number in range(600)])


def _ids(answer: httpx.Response):
    return [client["id"] for client in answer.json()]


def test_a_list_gives_250_clients_unless_asked_for_fewer(sailpoint: httpx.Client, fleet: list[str]):
    assert _ids(sailpoint.get(CLIENTS)) == fleet[:250]
    assert _ids(sailpoint.get(CLIENTS, params={"limit": 3, "offset": 5})) == fleet[5:8]


def test_the_pages_together_are_every_client_once(sailpoint: httpx.Client, fleet: list[str]):
    pages = [
        _ids(sailpoint.get(CLIENTS, params={"limit": 250, "offset": offset}))
        for offset in (0, 250, 500, 750)
    ]

    assert [len(page) for page in pages] == [250, 250, 101, 0]
    assert [client_id for page in pages for client_id in page] == fleet


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "251"},
        {"limit": "-1"},
        {"limit": "x"},
        {"offset": "-1"},
        {"filters": 'name eq "web"'},
        {"filters": "lastUsed le yesterday"},
    ],
)
def test_a_query_that_is_not_supported_is_a_400(sailpoint: httpx.Client, query: dict[str, str]):
    answer = sailpoint.get(CLIENTS, params=query)

    assert answer.status_code == 400
    assert answer.json()["detailCode"] == "400 Bad Request"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("lastUsed le 2026-01-01T00:00:00Z", slice(0, 1)),
        ('lastUsed le "2025-12-31T23:59:59"', slice(0, 0)),
        ("lastUsed isnull", slice(1, 251)),
        ("isnull(lastUsed)", slice(1, 251)),
    ],
)
def test_last_used_can_be_filtered(
    sailpoint: httpx.Client, fleet: list[str], filters: str, expected: slice
):
    assert _ids(sailpoint.get(CLIENTS, params={"filters": filters})) == fleet[expected]


@pytest.mark.usefixtures("fleet")
def test_short_pages_hold_fewer_clients_although_more_follow(
    sandbox: Sandbox, sailpoint: httpx.Client
):
    sandbox.set_faults("short-pages=100@2")

    lengths = [len(_ids(sailpoint.get(CLIENTS))) for _ in range(2)]
    sandbox.set_faults("short-pages")
    lengths.append(len(_ids(sailpoint.get(CLIENTS))))
    sandbox.set_faults()

    assert lengths == [250, 100, 125]


def test_repeated_pages_ignore_the_offset(
    sandbox: Sandbox, sailpoint: httpx.Client, fleet: list[str]
):
    sandbox.set_faults("repeat-pages")

    page = _ids(sailpoint.get(CLIENTS, params={"offset": 250}))
    sandbox.set_faults()

    assert page == fleet[:250]


def test_more_than_a_hundred_requests_in_ten_seconds_are_answered_429(clock: Clock):
    with running(clock=clock) as sandbox, httpx.Client(base_url=sandbox.sailpoint) as client:
        client.headers["authorization"] = f"Bearer {sandbox.token('sailpoint')}"
        statuses = {client.get(CLIENTS).status_code for _ in range(100)}
        clock.now += 2.5

        refused = client.get(CLIENTS)
        other_version = client.get("/v2025/oauth-clients")
        clock.now += 7.5
        later = client.get(CLIENTS)

    assert statuses == {200}
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "8")
    assert other_version.status_code == later.status_code == 200


def test_a_list_that_does_not_page_gives_every_client_each_time(
    sandbox: Sandbox, sailpoint: httpx.Client, fleet: list[str]
):
    sandbox.set_faults("unpaged")

    pages = [_ids(sailpoint.get(CLIENTS, params={"offset": offset})) for offset in (0, 250)]
    sandbox.set_faults()

    assert pages == [fleet, fleet]
