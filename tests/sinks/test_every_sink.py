"""What every sink promises: one suite for all of them."""

import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.sink_places import SINKS

from reconciler.core.errors import SinkError
from reconciler.core.model import Secret
from reconciler.sinks import registry

SECRET = Secret('s3cr3t "quoted" \\ ünï\n')


def test_every_sink_is_held_to_the_contract():
    assert sorted(SINKS) == sorted(registry.BUILT_IN)


def test_a_stored_secret_can_be_got_from_there_with_its_client_id(place):
    where = place.sink.store("shop", "web", "id-1", SECRET)

    assert place.kept("shop", "web") == {"client_id": "id-1", "client_secret": SECRET.value}
    assert isinstance(where, str)
    assert where


def test_the_secret_of_a_successor_takes_the_place_of_the_old_one(place):
    place.sink.store("shop", "web", "id-1", Secret("the-old-one"))
    place.sink.store("shop", "web", "id-2", SECRET)

    assert place.kept("shop", "web") == {"client_id": "id-2", "client_secret": SECRET.value}
    assert place.keys() == ["web"]


def test_storing_the_same_again_is_well(place):
    place.sink.store("shop", "web", "id-1", SECRET)
    place.sink.store("shop", "web", "id-1", SECRET)

    assert place.kept("shop", "web")["client_secret"] == SECRET.value


def test_targets_and_clients_do_not_share_a_place(place):
    for target in ("shop", "hr"):
        for key in ("web", "app"):
            place.sink.store(target, key, "1", Secret(f"{target} {key} secret"))

    assert place.kept("shop", "web")["client_secret"] == "shop web secret"
    assert place.kept("hr", "web")["client_secret"] == "hr web secret"


def test_threads_may_store_at_once(place):
    keys = [f"c{number}" for number in range(16)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: place.sink.store("shop", key, key, Secret(key * 9)), keys))

    assert place.keys() == sorted(keys)
    assert all(place.kept("shop", key)["client_secret"] == key * 9 for key in keys)


def test_a_probe_stores_nothing(place):
    place.sink.probe()

    assert place.keys() == []
    assert not list(place.root.rglob(".probe*"))


def test_a_probe_leaves_what_is_stored_as_it_is(place):
    place.sink.store("shop", "web", "id-1", SECRET)

    place.sink.probe()

    assert place.kept("shop", "web")["client_secret"] == SECRET.value


def test_a_sink_that_cannot_store_is_found_by_its_probe(place):
    with pytest.raises(SinkError):
        place.broken().probe()


def test_a_sink_that_cannot_store_says_so_without_the_secret(place):
    with pytest.raises(SinkError) as caught:
        place.broken().store("shop", "web", "id-1", Secret("s3cr3t-of-the-web-client"))

    assert "s3cr3t" not in str(caught.value)


def test_what_a_sink_says_of_itself_holds_no_secret(place):
    where = place.sink.store("shop", "web", "id-1", Secret("s3cr3t-of-the-web-client"))

    assert "s3cr3t" not in f"{where} {place.sink.place} {place.sink!r}"


def test_the_sinks_that_come_with_the_tool_are_entry_points_as_well():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

    assert project["entry-points"][registry.GROUP] == registry.BUILT_IN
