"""A run whose lock file was taken away sends, stores and records nothing more."""

import json

import httpx
import pytest
from support.given import entry, manifest
from support.shop import WEB, Shop, by_method, created, web

from reconciler.apply.secrets import deliver_spooled
from reconciler.core.changes import Status
from reconciler.core.model import Secret
from reconciler.inventory.file import FileStore


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def take_lock(shop):
    """Have another run take the lock: the file that this one locked is no longer there."""
    path = shop.folder / "inventory" / ".locks" / "shop.lock"
    path.rename(path.with_suffix(".old"))
    path.touch()


def losing(shop, answer):
    def handle(_request):
        take_lock(shop)
        return answer

    return handle


def waiting(shop):
    return {
        path.name: json.loads(path.read_text())
        for path in (shop.folder / "inventory" / ".spool").glob("*.json")
    }


def test_without_its_lock_a_run_sends_nothing(shop):
    def edit(plan):
        take_lock(shop)
        return plan

    server = by_method(POST=created())
    (outcome,) = shop.apply(server, manifest(spec=WEB), edit=edit)

    assert (outcome.status, outcome.requests_sent) == (Status.FAILED, 0)
    assert "lost its lock" in outcome.message
    assert server.calls == []
    assert (shop.inventory, shop.pending, shop.secret("web")) == ({}, {}, None)


def test_what_a_run_created_when_it_had_lost_its_lock_is_nobodys_and_its_secret_is_spooled(shop):
    theirs = shop.sink.store("shop", "web", "theirs", Secret("theirs-theirs"))

    server = by_method(POST=losing(shop, created("77")))
    (outcome,) = shop.apply(server, manifest(spec=WEB))

    assert (outcome.status, outcome.remote_id) == (Status.FAILED, "77")
    assert "the client 77 was created, and is nobody's: its secret is in" in outcome.message
    (kept,) = waiting(shop).values()
    assert (kept["client_id"], kept["client_secret"]) == ("77", "hunter2-hunter2")
    assert kept["client_secret"] not in outcome.message
    assert next(iter(waiting(shop))) in outcome.message
    # The winner's secret is where it was.
    assert theirs.endswith("web.json")
    assert shop.secret("web") == {"client_id": "theirs", "client_secret": "theirs-theirs"}
    assert "web" not in shop.inventory
    # That one was sent is known to the next run.
    assert "web" in shop.pending


def test_a_run_that_lost_its_lock_starts_nothing_more(shop):
    server = by_method(POST=losing(shop, created("77")))

    first, second = shop.apply(
        server, manifest(spec=WEB), manifest("job", spec={**WEB, "name": "Job"}), workers=1
    )

    assert {first.status, second.status} == {Status.FAILED, Status.SKIPPED}
    assert len(server.requests) == 1


def test_an_update_in_which_the_lock_was_lost_is_not_recorded(shop):
    shop.clients = {"1": web()}
    before = entry("1", applied=WEB)
    wanted = {**WEB, "description": "new"}

    (outcome,) = shop.apply(
        by_method(PATCH=losing(shop, httpx.Response(200, json=web(description="new")))),
        manifest(spec=wanted),
        before={"web": before},
    )

    assert outcome.status is Status.FAILED
    assert "lost its lock" in outcome.message
    assert shop.inventory["web"].applied["description"] == "shop"


def test_a_secret_that_waits_stays_in_its_file_without_the_lock(shop):
    with FileStore(shop.folder / "inventory").open("shop", lock=True) as session:
        session.record("web", entry("1"))
        session.flush()
        session.spool("web", "1", Secret("hunter2-hunter2"))
        take_lock(shop)

        (delivery,) = deliver_spooled("shop", session, shop.sink)

        assert delivery.status is Status.FAILED
        assert "lost its lock" in delivery.message
        assert [each.remote_id for each in session.spooled_secrets()] == ["1"]
        assert shop.secret("web") is None
