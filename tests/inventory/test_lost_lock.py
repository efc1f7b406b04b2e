"""A run that loses its lock, at whatever moment: it sends nothing more, stores nothing and records nothing."""

import json
import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from support.given import entry, manifest
from support.shop import FRONT, WEB, Shop, created
from support.store_places import SetClock
from support.targets import Server

from reconciler.apply.secrets import deliver_spooled, keep_secret
from reconciler.core.changes import Action, Status
from reconciler.core.errors import InventoryError
from reconciler.core.model import Secret

BUSY = httpx.Response(429, headers={"retry-after": "30"})
AWAY = httpx.Response(503)
WEBS = manifest(spec=WEB)


@pytest.fixture
def shop(tmp_path, bucket):
    made = Shop(tmp_path)
    made.store = bucket.store()
    return made


@pytest.fixture
def stolen(bucket):
    """Makes an answer before which another run takes the lock, works, and is done."""

    def stolen(answer, work=lambda _session: None):
        def steal(_request):
            thief = replace(bucket, clock=SetClock())
            thief.clock.seconds += 91
            bucket.clock.seconds += 31
            with thief.store().open("shop", lock=True) as session:
                work(session)
            return answer

        return steal

    return stolen


class WithLogin(Server):
    """A server that does something at its login."""

    def __init__(self, at_login, *answers):
        super().__init__(*answers)
        self.at_login = at_login

    def __call__(self, request):
        if request.url.path == "/token":
            self.at_login(request)
        return super().__call__(request)


def test_what_waits_for_the_server_is_not_sent_again(shop, stolen):
    server = Server(stolen(BUSY), created())

    (outcome,) = shop.apply(server, WEBS)

    assert server.calls == ["POST /oauth-clients/v1"]
    assert (outcome.status, outcome.secret_location) == (Status.FAILED, "")
    assert "this run lost its lock" in outcome.message
    assert "another run took it" in outcome.message


def test_what_waits_for_its_login_is_not_sent(shop, stolen):
    server = WithLogin(stolen(None), created())

    (outcome,) = shop.apply(server, WEBS)

    assert server.calls == []
    assert (outcome.status, outcome.requests_sent) == (Status.FAILED, 0)


def test_what_follows_another_change_is_not_sent(shop, stolen):
    later = [manifest(f"c{number}", spec={**WEB, "name": f"c{number}"}) for number in range(5)]
    server = Server(stolen(created()), created("2"))

    outcomes = shop.apply(server, *later, workers=1)

    assert server.calls == ["POST /oauth-clients/v1"]
    assert Status.DONE not in {outcome.status for outcome in outcomes}


def test_a_write_that_may_have_been_carried_out_is_told_as_that(shop, stolen, tmp_path):
    there = {"id": "7", "clientId": "1", "isActive": True, **FRONT, "allowedScopes": ["b"]}
    store = shop.store
    shop = Shop(tmp_path, "provident", there)
    shop.store = store
    server = Server(stolen(AWAY), httpx.Response(200, json={**there, **FRONT}))

    (outcome,) = shop.apply(
        server, manifest(spec=FRONT), before={"web": entry("1", applied={"name": "Front"})}
    )

    assert server.calls == ["PUT /oauth2/clients/1", "GET /oauth2/clients/1"]
    # It was read after that, so that it is known what came of it.
    assert outcome.status is Status.FAILED
    assert "done on the server, and not recorded: this run lost its lock" in outcome.message


def test_a_client_that_was_made_meanwhile_is_nobodys_and_its_secret_is_kept_apart(shop, stolen):
    shop.sink.store("shop", "web", "theirs", Secret("the secret of the other run"))
    recorded = {}

    def work(session):
        session.close_create("web")
        session.record("web", entry("theirs"))
        recorded.update(session.inventory.entries)

    (outcome,) = shop.apply(Server(stolen(created(), work)), WEBS)

    assert (outcome.action, outcome.status, outcome.remote_id) == (
        Action.CREATE,
        Status.FAILED,
        "1",
    )
    assert "the client 1 was created, and is nobody's: its secret is in " in outcome.message
    (kept,) = re.findall(r"its secret is in (\S+\.json)", outcome.message)
    assert json.loads(Path(kept).read_text())["client_secret"] == "hunter2-hunter2"
    assert shop.secret("web")["client_id"] == "theirs"
    assert shop.inventory == recorded
    assert "hunter2" not in outcome.message


def test_where_there_is_no_place_for_its_secret_that_is_told(shop, stolen, bucket):
    bucket.private.write_text("in the way")

    (outcome,) = shop.apply(Server(stolen(created())), WEBS)

    assert "the client 1 was created, and is nobody's: its secret is lost" in outcome.message
    assert shop.secret("web") is None


def test_a_secret_that_waited_is_not_delivered_without_the_lock(shop, stolen):
    with (  # noqa: PT012 - to end the run is what raises
        pytest.raises(InventoryError, match="lost its lock"),
        shop.store.open("shop", lock=True) as session,
    ):
        session.record("web", entry("1", secret="spooled"))
        path = session.spool("web", "1", Secret("hunter2-hunter2"))
        stolen(None)(None)
        (delivery,) = deliver_spooled("shop", session, shop.sink)
        kept = keep_secret(
            "shop", session, shop.sink, key="web", remote_id="1", secret=Secret("hunter3")
        )

    assert (delivery.status, str(delivery.path)) == (Status.FAILED, str(path))
    assert kept.place == "spooled"
    assert shop.secret("web") is None
    assert "lost its lock" in delivery.message


def test_a_run_whose_clock_stood_while_it_was_paused_writes_nothing(shop, bucket):
    def pause(_request):
        # Only the clock that people read went on, as on a machine that slept.
        thief = replace(bucket, clock=SetClock())
        thief.clock.seconds += 3600
        with thief.store().open("shop", lock=True):
            pass
        bucket.clock.seconds += 3600
        return BUSY

    server = Server(pause, created())

    (outcome,) = shop.apply(server, WEBS)

    assert server.calls == ["POST /oauth-clients/v1"]
    assert "lost its lock" in outcome.message
