"""A create is believed only where its answer shows a client that it can have made."""

import json

import httpx
import pytest
from support.given import entry, manifest
from support.shop import BOX, WEB, Shop, created
from support.targets import Server

from reconciler.core.changes import Status

FOREIGN = {"id": "9", "name": "Theirs", "created": "2020-01-01T00:00:00Z"}


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path, "sailpoint", FOREIGN)


def spooled(shop):
    with shop.store.open("shop", lock=False) as session:
        return [(each.key, each.remote_id) for each in session.spooled_secrets()]


@pytest.mark.parametrize("spelling", ["9", "aB", "Ab"])
def test_a_create_that_is_answered_with_a_client_of_the_list_is_not_believed(tmp_path, spelling):
    shop = Shop(tmp_path, "sailpoint", FOREIGN, {**FOREIGN, "id": "aB"})

    (outcome,) = shop.apply(Server(created(spelling)), manifest(spec=WEB))

    assert (outcome.status, outcome.remote_id) == (Status.UNKNOWN, None)
    assert (
        f"answered with the id {spelling}, which is a client that was there before: "
        "nothing was recorded of it"
    ) in outcome.message
    assert shop.inventory == {}
    assert list(shop.pending) == ["web"]


def test_its_secret_is_kept_in_a_private_file_and_goes_to_no_sink(shop):
    (outcome,) = shop.apply(Server(created("9")), manifest(spec=WEB))

    assert shop.secret("web") is None
    assert spooled(shop) == [("web", "")]
    assert ".spool" in outcome.secret_location


@pytest.mark.parametrize("facts", [{}, {"superseded": ("7",)}])
def test_a_create_that_is_answered_with_a_client_of_another_key_is_not_believed(shop, facts):
    bound = {"api": entry("7" if not facts else "8", **facts)}

    (outcome,) = shop.apply(Server(created("7")), manifest(spec=WEB), before=bound)

    assert outcome.status is Status.UNKNOWN
    assert ("a predecessor of api" if facts else "the client of api") in outcome.message
    assert shop.inventory.keys() == {"api"}


def test_of_two_creates_that_are_answered_with_one_client_one_is_believed(shop):
    outcomes = shop.apply(Server(created("5")), manifest(spec=WEB), manifest("zoo", spec=WEB))

    assert {outcome.status for outcome in outcomes} == {Status.DONE, Status.UNKNOWN}
    assert len(shop.inventory) == len(shop.pending) == 1
    (believed,) = shop.inventory
    (refused,) = (outcome for outcome in outcomes if outcome.status is Status.UNKNOWN)
    assert f"which is the client that was just created as {believed}" in refused.message


def test_a_replace_that_is_answered_with_what_it_replaces_deletes_nothing(tmp_path):
    old = {**WEB, "id": "1", "scope": ["old"], "type": "CONFIDENTIAL"}
    shop = Shop(tmp_path, "sailpoint", old)
    server = Server(created("1"))

    (outcome,) = shop.apply(
        server, manifest(spec=WEB, allow_replace=True), before={"web": entry("1")}
    )

    assert (outcome.status, server.calls) == (Status.UNKNOWN, ["POST /oauth-clients/v1"])
    assert shop.inventory["web"].remote_id == "1"


def test_a_client_that_is_gone_is_made_again_by_its_old_id(tmp_path):
    shop = Shop(tmp_path, "boruta")
    remote_id = "5b1f6c7e-0000-5000-8000-000000000000"

    def answer(request):
        body = json.loads(request.content)["client"]
        return httpx.Response(201, json={"data": {"secret": "hunter2-hunter2", **body}})

    shop.gone = frozenset({remote_id})
    (outcome,) = shop.apply(Server(answer), manifest(spec=BOX), before={"web": entry(remote_id)})

    assert outcome.status is Status.DONE
    assert shop.inventory["web"].remote_id == outcome.remote_id == remote_id


def test_what_a_lost_create_is_found_to_be_is_never_the_client_it_was_answered_with(shop):
    shop.apply(Server(created("9")), manifest(spec=WEB))

    (outcome,) = shop.apply(Server(created("10")), manifest(spec=WEB))

    assert outcome.status is Status.DONE
    assert (shop.inventory["web"].remote_id, shop.pending) == ("10", {})
