"""Changes that remember, forget, bind and settle besides their requests, or instead of any."""

from dataclasses import replace

import httpx
import pytest
from support.given import entry, manifest
from support.shop import WEB, Shop, by_method, web
from support.targets import Server

from reconciler.core.changes import (
    Action,
    Change,
    FieldChange,
    ForgetClient,
    RecordClient,
    RecordEntry,
    Request,
    Status,
)
from reconciler.core.model import Intent, LiveClient
from reconciler.inventory.file import FileStore

OFF = Request(
    operation="update",
    method="PATCH",
    path="/oauth-clients/v1/{id}",
    content_type="application/json-patch+json",
    body=[
        {"op": "test", "path": "/enabled", "value": True},
        {"op": "replace", "path": "/enabled", "value": False},
    ],
)
TURNED_OFF = Change(
    target="shop",
    key="old",
    action=Action.UPDATE,
    reason="no manifest names it any more",
    remote_id="1",
    fields=(FieldChange(field="enabled", before=True, after=False),),
    requests=(OFF,),
    live=LiveClient(remote_id="1", body=web()),
    record=RecordEntry(entry=entry("1", quarantined_at="2026-11-23T10:00:00Z")),
)
INTENT = Intent(key="web", remote_id=None, facts={}, digest="", at="2026-11-23T09:00:00Z")


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def apply(shop, server, change, **entries):
    """Apply this one change."""
    (outcome,) = shop.apply(
        server, before=entries, edit=lambda plan: replace(plan, changes=(change,))
    )
    return outcome


def ok(**facts):
    return httpx.Response(200, json=web(**facts))


def test_a_client_without_a_manifest_is_turned_off_and_that_is_remembered(shop):
    server = by_method(PATCH=ok(enabled=False))

    outcome = apply(shop, server, TURNED_OFF, old=entry("1"))

    assert outcome.status is Status.DONE
    assert shop.inventory["old"].quarantined_at == "2026-11-23T10:00:00Z"


def test_one_that_moved_meanwhile_is_not_turned_off(shop):
    server = by_method(PATCH=httpx.Response(400), GET=ok(enabled=False, description="edited"))

    outcome = apply(shop, server, TURNED_OFF, old=entry("1"))

    assert "changed meanwhile: enabled was true, and is false now" in outcome.message
    assert shop.inventory["old"] == entry("1")


def test_one_that_did_not_move_is_refused_for_another_reason(shop):
    outcome = apply(shop, by_method(PATCH=httpx.Response(400), GET=ok()), TURNED_OFF)

    assert "was answered with 400" in outcome.message


def test_one_that_is_only_forgotten_takes_no_request(shop):
    change = replace(TURNED_OFF, action=Action.NOOP, fields=(), requests=(), record=ForgetClient())

    outcome = apply(shop, Server(httpx.Response(500)), change, old=entry("1"))

    assert (outcome.status, outcome.requests_sent) == (Status.DONE, 0)
    assert shop.inventory == {}


def test_a_create_that_came_to_nothing_is_settled_without_a_request(shop):
    with FileStore(shop.folder / "inventory").open("shop", lock=True) as session:
        session.intend("web", INTENT)
    stays = Change(
        target="shop",
        key="web",
        action=Action.NOOP,
        reason="",
        remote_id="1",
        record=RecordClient(abandons_create=True),
    )

    outcome = apply(shop, Server(httpx.Response(500)), replace(stays, manifest=manifest(spec={})))

    assert outcome.status is Status.DONE
    assert shop.pending == {}


def test_a_lost_create_that_is_found_again_is_bound_without_its_secret(shop):
    with FileStore(shop.folder / "inventory").open("shop", lock=True) as session:
        session.intend("web", INTENT)
    found = Change(
        target="shop",
        key="web",
        action=Action.ADOPT,
        reason="",
        remote_id="1",
        live=LiveClient(remote_id="1", body=web()),
        manifest=manifest(spec=WEB),
        record=RecordClient(secret="lost", superseded=("0",)),
    )

    outcome = apply(shop, Server(httpx.Response(500)), found)

    assert outcome.status is Status.DONE
    assert shop.inventory["web"].secret == "lost"
    assert shop.inventory["web"].superseded == ("0",)
    assert shop.pending == {}
    assert shop.secret("web") is None


def test_what_is_not_looked_at_before_is_not_guarded(shop):
    server = by_method(PATCH=ok(enabled=False))
    shop.aged = True

    outcome = apply(shop, server, replace(TURNED_OFF, live=None))

    assert outcome.status is Status.DONE


def test_a_client_that_the_server_does_not_turn_off_is_not_recorded_as_turned_off(shop):
    server = Server(httpx.Response(200, json=web()), httpx.Response(200, json=web()))

    outcome = apply(shop, server, TURNED_OFF, old=entry("1"))

    assert outcome.status is Status.FAILED
    assert "still shows enabled as it was before" in outcome.message
    assert shop.inventory["old"].quarantined_at == ""
