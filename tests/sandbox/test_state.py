from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.sandbox.server import running
from reconciler.sandbox.state import Row, Store
from reconciler.sandbox.world import Mint, SlidingWindow

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.sandbox.handle import Sandbox


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path):
    opened = Store(None if request.param == "memory" else str(tmp_path / "state.sqlite"))
    yield opened
    opened.close()


def test_rows_come_back_in_order_of_creation(store: Store):
    rows = [Row(id=name, body={"n": name}, hidden={"s": name}) for name in "cab"]

    store.add("web", rows)

    assert store.rows("web") == rows
    assert store.texts("web", limit=1, offset=1) == ['{"n":"a"}']
    assert store.texts("shop") == []


def test_a_changed_row_keeps_its_place(store: Store):
    store.add("web", [Row(id="a", body={}), Row(id="b", body={})])

    store.put("web", Row(id="a", body={"a": "ü"}))

    assert store.texts("web") == ['{"a":"\\u00fc"}', "{}"]


def test_a_taken_id_adds_none_of_the_rows(store: Store):
    store.add("web", [Row(id="a", body={})])

    with pytest.raises(sqlite3.IntegrityError):
        store.add("web", [Row(id="b", body={}), Row(id="a", body={})])

    assert [row.id for row in store.rows("web")] == ["a"]
    assert store.get("web", "b") is None


def test_a_removed_row_is_gone(store: Store):
    store.add("web", [Row(id="a", body={})])

    assert (store.remove("web", "a"), store.remove("web", "a")) == (True, False)


def test_a_state_file_that_cannot_be_opened_is_an_error_that_names_it(tmp_path: Path):
    other = tmp_path / "notes.txt"
    other.write_text("not a database, and long enough to be told from one" * 20)

    for path in (other, tmp_path / "missing" / "state.sqlite"):
        with pytest.raises(OSError, match=path.name):
            Store(str(path))


def test_a_text_that_is_no_unicode_survives(store: Store):
    store.add("web", [Row(id="a", body={"name": "\ud800"})])

    assert store.rows("web")[0].body == {"name": "\ud800"}


def test_a_state_file_keeps_clients_credentials_and_secrets_over_a_restart(tmp_path: Path):
    path = str(tmp_path / "state.sqlite")
    with running(state_path=path) as sandbox:
        seeded = sandbox.seed("boruta", [{"name": "web", "secret": "web-secret"}])[0]
        before, clients = sandbox.credentials, sandbox.clients("boruta")

    with running(state_path=path) as sandbox:
        assert sandbox.credentials == before
        assert sandbox.clients("boruta") == clients
        assert sandbox.client("boruta", seeded)["name"] == "web"
        assert "web-secret" in sandbox.issued_secrets
        assert {one.client_secret for one in before.values()} <= sandbox.issued_secrets


def test_a_seed_makes_every_generated_value_repeat():
    def world():
        with running(seed=7, clock=lambda: 0.0) as sandbox:
            sandbox.seed("sailpoint", [{}])
            return [sandbox.clients(vendor) for vendor in ("sailpoint", "boruta")], sandbox.env

    (first, first_env), (second, second_env) = world(), world()

    assert first == second
    assert first_env["BORUTA_SECRET"] == second_env["BORUTA_SECRET"]


@pytest.mark.parametrize("seed", [None, 1])
def test_generated_values_have_the_length_that_was_asked_for(seed: int | None):
    mint = Mint(seed)

    assert len(mint.secret(86)) == 86
    assert len(mint.hexadecimal(32)) == 32
    assert mint.uuid() != mint.uuid()
    assert len(mint.issued) == 1


def test_an_empty_text_is_no_secret():
    mint = Mint()

    mint.note("")

    assert mint.issued == set()


def test_a_window_slides():
    now = [0.0]
    window = SlidingWindow((2, 10.0), lambda: now[0])

    waits = []
    for moment in (0.0, 4.0, 5.0, 9.9, 10.0, 10.0, 14.0):
        now[0] = moment
        waits.append(window.take("web"))

    assert waits == [0, 0, 5, 1, 0, 4, 0]
    assert window.take("shop") == 0


def test_without_a_limit_nobody_waits():
    window = SlidingWindow(None, lambda: 0.0)

    assert {window.take("web") for _ in range(1000)} == {0}


def test_ten_thousand_clients_are_listed_in_pages(sandbox: Sandbox):
    sandbox.seed("sailpoint", ({"name": f"n{number}"} for number in range(10_000)))
    headers = {"authorization": f"Bearer {sandbox.token('sailpoint')}"}

    with httpx.Client(base_url=sandbox.sailpoint, headers=headers) as client:
        pages = [
            client.get("/oauth-clients/v1", params={"offset": offset}).json()
            for offset in range(0, 10_001, 250)
        ]

    assert [len(page) for page in pages] == [250] * 40 + [0]
    assert len({one["id"] for page in pages for one in page}) == 10_000


def test_a_snapshot_takes_everything_back():
    with running(seed=1) as sandbox:
        sandbox.seed("sailpoint", [{"name": "web"}])
        before = {vendor: sandbox.clients(vendor) for vendor in ("boruta", "sailpoint")}
        snapshot = sandbox.snapshot()
        sandbox.remove("sailpoint", before["sailpoint"][0]["id"])
        sandbox.seed("boruta", [{"name": "api"}])

        sandbox.restore(snapshot)

        assert {vendor: sandbox.clients(vendor) for vendor in before} == before
