"""Where the secrets of clients of ours are, and what a plan says of those that are not in their place."""

from __future__ import annotations

import pytest
from support.given import client, context, entry, field, provider

from reconciler.core.changes import Action, Change, RecordClient, Request
from reconciler.core.model import Inventory, Secret
from reconciler.plan.secrets.places import (
    brings_secret,
    moved_entry,
    places_in_sink,
    secret_state,
    swept_ids,
    warn_of_missing,
    warn_of_overwritten,
    warn_of_runner,
    warn_of_secret,
    with_secret,
    with_true_places,
)
from reconciler.provider.model import Endpoint

SECRET = field("secret", secret=True, read_only=True)
REPLACED = provider(SECRET, rotate=None)
ROTATED = provider(SECRET, rotate=Endpoint(method="POST", path="/{id}/secret", expect=(200,)))
NEITHER = provider(SECRET, rotate=None, delete=None)
CREATE = Request(operation="create", method="POST", path="", content_type="", body={})


def inventory(**entries):
    return Inventory(target="shop", entries=entries, pending={})


def change(key="web", **facts):
    return Change(target="shop", key=key, action=Action.CREATE, reason="", **facts)


def test_only_what_waits_in_a_file_that_is_not_there_is_swept_away():
    known = inventory(
        here=entry("1", secret="spooled"),
        gone=entry("2", secret="spooled"),
        kept=entry("3", secret="stored"),
        lost=entry("4", secret="lost"),
        unknown=entry("5"),
    )

    assert swept_ids(known, {"1"}) == {"2"}


@pytest.mark.parametrize(("stored", "place"), [({"1"}, "stored"), (set(), "lost"), ({"2"}, "lost")])
def test_what_was_swept_away_is_in_the_sink_or_lost(stored, place):
    known = inventory(web=entry("1", secret="spooled"), app=entry("9", secret="spooled"))

    seen = with_true_places(known, {"1"}, stored)

    assert (seen.entries["web"].secret, seen.entries["app"].secret) == (place, "spooled")
    assert with_true_places(known, set(), stored) is known


@pytest.mark.parametrize(
    ("body", "facts", "state"),
    [
        ({"secret": Secret("s")}, {}, "readable"),
        ({}, {"stored": frozenset({"1"})}, "stored"),
        ({}, {"spooled": frozenset({"1"})}, "spooled"),
        ({}, {}, "lost"),
    ],
)
def test_where_the_secret_of_a_client_is_that_was_found_again(body, facts, state):
    assert secret_state(context(ROTATED, **facts), client("1", **body)) == state


@pytest.mark.parametrize(
    ("of", "swept", "said"),
    [
        (ROTATED, False, "never arrived: `reconciler rotate web` gives it another"),
        (REPLACED, False, "and so does the next apply with lifecycle.allowReplace: true"),
        (ROTATED, True, "put the file back where it was kept, else `reconciler rotate web`"),
        (REPLACED, True, "put the file back where it was kept, else `reconciler rotate web`"),
        (NEITHER, True, "else only a new client beside it has another"),
    ],
)
def test_a_lost_secret_is_told_with_why_and_with_ways_that_are_ways(of, swept, said):
    known = context(of, swept=frozenset({"1"}) if swept else frozenset())

    (told,) = warn_of_secret(known, "web", "1", "lost")

    assert said in told
    assert not (swept and "allowReplace" in told)


def test_of_a_secret_in_its_place_nothing_is_said():
    known = context(ROTATED)

    assert (
        warn_of_secret(known, "web", "1", "stored") == warn_of_secret(known, "web", "1", "") == ()
    )
    assert "the next apply brings it" in warn_of_secret(known, "web", "1", "spooled")[0]


@pytest.mark.parametrize(
    ("before", "old", "new", "at"),
    [
        (entry("1", secret="stored"), ("shop", "web"), ("shop", "app"), "shop/web"),
        (entry("1", secret="stored", secret_at="a/b"), ("shop", "web"), ("shop", "app"), "a/b"),
        (entry("1", secret="stored", secret_at="shop/web"), ("shop", "x"), ("shop", "web"), ""),
        (entry("1", secret="spooled"), ("shop", "web"), ("shop", "app"), ""),
        (entry("1", secret="lost"), ("shop", "web"), ("shop", "app"), ""),
    ],
)
def test_what_a_sink_has_of_a_client_that_moves_stays_where_it_is(before, old, new, at):
    assert moved_entry(before, old, new).secret_at == at


def test_a_secret_that_is_stored_anew_is_under_the_clients_own_key():
    moved = entry("1", secret="stored", secret_at="a/b")

    assert (with_secret(moved, "spooled").secret, with_secret(moved, "stored").secret_at) == (
        "spooled",
        "",
    )


def test_a_sink_is_asked_of_stored_secrets_alone_and_of_moved_ones_in_both_places():
    known = inventory(
        web=entry("1", secret="stored"),
        app=entry("2", secret="stored", secret_at="old/app"),
        job=entry("3", secret="lost"),
        left=entry("4", secret="stored"),
    )

    assert places_in_sink(known, ["web", "app", "job", "new"]) == {
        "web": (("shop", "web"),),
        "app": (("old", "app"), ("shop", "app")),
    }


def test_what_a_sink_lacks_is_one_sentence_for_all():
    assert warn_of_missing({}) == ()
    (one,) = warn_of_missing({"web": "there is no file"})
    (many,) = warn_of_missing(dict.fromkeys("edcba", "gone"))
    assert "of 1 client that" in one
    assert "(a: gone; b: gone; c: gone; and 2 more)" in many


@pytest.mark.parametrize(
    ("facts", "brings"),
    [
        ({"requests": (CREATE,)}, True),
        ({"record": RecordClient(secret="readable")}, True),
        ({"record": RecordClient(secret="lost")}, False),
        ({}, False),
    ],
)
def test_a_change_brings_a_secret_where_it_makes_a_client_or_finds_one(facts, brings):
    assert brings_secret(change(**facts)) is brings


def test_a_secret_that_would_be_stored_over_that_of_a_client_that_moved_is_told():
    known = [("shop", inventory(app=entry("1", secret="stored", secret_at="shop/web")))]

    (told,) = warn_of_overwritten([change(requests=(CREATE,)), change("job")], known)

    assert "the sink has that of shop/app there" in told
    assert warn_of_overwritten([change()], known) == ()
    assert warn_of_overwritten([change(requests=(CREATE,))], []) == ()


@pytest.mark.parametrize(
    ("keys", "said"),
    [([], ""), (["a"], "secret of a goes"), (["a", "b", "c"], "a and 2 more goes")],
)
def test_files_of_a_runner_are_warned_of_where_a_secret_goes_there(keys, said):
    told = warn_of_runner(keys, "secrets", "GitLab")

    assert said in told
    assert bool(told) is bool(keys)
