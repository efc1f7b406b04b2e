from dataclasses import replace

import pytest
from support.given import KEY, client, field, manifest, provider

from reconciler.core.changes import Action, Change, FieldChange, Request
from reconciler.core.model import Redacted, Secret
from reconciler.plan.preconditions import (
    conflict_check,
    fingerprint_client,
    moved_fields,
    precondition_values,
    showable_values,
)
from reconciler.provider.model import UpdateStyle

FIELDS = (
    field("id", read_only=True),
    field("name"),
    field("uris", is_set=True, equal=((None, []),)),
    field("limit"),
    field("box", schema={"properties": {"title": {"readOnly": True}}}),
    field("secret", secret=True),
    field("jwk", write_only=True),
    field("used", volatile=True, read_only=True),
)
PATCHED = provider(*FIELDS)
PUT = provider(*FIELDS, style=UpdateStyle.PUT_FULL)
PARTLY_PUT = provider(*FIELDS, style=UpdateStyle.PUT_PARTIAL, always=("uris",))
BODY = {
    "id": "1",
    "name": "web",
    "uris": ["b", "a"],
    "limit": 3,
    "box": {"id": "9", "title": "Nine"},
    "secret": Secret("s"),
    "jwk": "never showable_values, and yet here",
    "used": "today",
}
SEND = Request(operation="update", method="PUT", path="/1", content_type=None, body={})


def change(action=Action.UPDATE, requests=(SEND,), **facts):
    stated = {"manifest": manifest(spec={"name": "shop"}), **facts}
    return Change(
        target="shop",
        key="web",
        action=action,
        reason="",
        remote_id="1",
        live=client("1"),
        requests=requests,
        **stated,
    )


@pytest.mark.parametrize(
    ("vendor", "names"),
    [
        (PATCHED, ["name"]),
        (PARTLY_PUT, ["name", "uris"]),
        (PUT, ["box", "limit", "name", "secret", "uris"]),
    ],
)
def test_an_update_rests_on_what_is_declared_and_on_what_its_put_carries(vendor, names):
    assert list(precondition_values(vendor, change(), BODY)) == names


def test_what_is_not_sent_carries_nothing():
    assert list(precondition_values(PUT, change(Action.NOOP, requests=()), BODY)) == ["name"]


def test_an_ignored_field_is_not_rested_on():
    stated = manifest(spec={"name": "a", "limit": 1}, ignore_changes=frozenset({"/limit"}))

    assert list(precondition_values(PATCHED, change(manifest=stated), BODY)) == ["name"]


@pytest.mark.parametrize("action", [Action.DELETE, Action.REPLACE])
def test_what_takes_a_client_away_rests_on_all_that_does_not_move_by_itself(action):
    names = ["box", "id", "limit", "name", "secret", "uris"]

    assert list(precondition_values(PATCHED, change(action), BODY)) == names
    assert list(precondition_values(PATCHED, change(Action.UPDATE, manifest=None), BODY)) == names


def test_the_values_are_canonical_and_cut_to_what_is_declared():
    stated = manifest(spec={"uris": ["x"], "box": {"id": "8"}})

    found = precondition_values(PATCHED, change(manifest=stated), BODY)

    assert found == {"box": {"id": "9"}, "uris": ["a", "b"]}


def test_order_and_spelling_are_no_move():
    stated = change(manifest=manifest(spec={"uris": ["x"]}))

    assert moved_fields(PATCHED, stated, {"uris": ["b", "a"]}, {"uris": ["a", "b"]}) == []
    assert moved_fields(PATCHED, stated, {"uris": None}, {}) == []


def test_what_moved_is_named():
    stated = change(manifest=manifest(spec={"uris": ["x"], "name": "n", "limit": 1}))

    now = {**BODY, "name": "new", "uris": ["b"]}

    assert moved_fields(PATCHED, stated, BODY, now) == ["name", "uris"]
    assert moved_fields(PATCHED, stated, BODY, {"uris": ["a", "b"], "limit": 3}) == ["name"]
    assert moved_fields(PATCHED, stated, {**BODY, "limit": 1}, {**BODY, "limit": True}) == ["limit"]


def test_no_secret_is_shown_nor_what_ever_was_one():
    stated = manifest(spec={"name": Secret("n"), "limit": 1, "box": {}, "uris": []})
    hidden = FieldChange(field="limit", before=Redacted("hmac:1"), after=2)

    found = showable_values(PUT, change(manifest=stated, fields=(hidden,)), {"box": "hmac:2"}, BODY)

    assert found == {"uris": ["a", "b"]}


def test_a_delete_shows_what_it_rests_on_without_the_secret():
    found = showable_values(PATCHED, change(Action.DELETE, manifest=None), {}, BODY)

    assert found == {
        "box": {"id": "9"},
        "id": "1",
        "limit": 3,
        "name": "web",
        "uris": ["a", "b"],
    }


def test_a_mark_tells_all_that_moves_and_nothing_that_moves_by_itself():
    before = fingerprint_client(PATCHED, BODY, KEY)

    assert before.startswith("hmac:")
    assert fingerprint_client(PATCHED, {**BODY, "uris": ["a", "b"], "used": "later"}, KEY) == before
    assert fingerprint_client(PATCHED, {**BODY, "secret": Secret("t")}, KEY) != before
    assert fingerprint_client(PATCHED, {**BODY, "limit": 4}, KEY) != before
    assert fingerprint_client(PATCHED, BODY, b"another key") != before


@pytest.mark.parametrize(
    ("vendor", "stated", "guard"),
    [
        (PATCHED, None, "test"),
        (PUT, None, "reread"),
        (PARTLY_PUT, None, "reread"),
        (PATCHED, "reread", "reread"),
        (PUT, "none", "none"),
    ],
)
def test_a_guard_is_what_the_target_states_or_what_the_dialect_can(vendor, stated, guard):
    assert conflict_check(vendor, stated) == guard


def test_a_put_that_is_only_part_of_a_noop_carries_nothing():
    assert precondition_values(PUT, replace(change(), requests=()), BODY) == {"name": "web"}
