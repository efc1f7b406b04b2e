import pytest
from support.given import KEY, entry, field, provider

from reconciler.core.changes import FieldChange, NestedChange, Origin
from reconciler.core.model import MISSING, Redacted, Secret
from reconciler.core.secrets import fingerprint
from reconciler.plan.diff import accepted_spellings, compare
from reconciler.plan.requests import json_patch

VENDOR = provider(
    field("name"),
    field("ipRestriction", read_as="ip_restriction"),
    field("uris", is_set=True),
    field("key_pair_type"),
    field("homepage", equal=((None, ""),)),
    field("jwks_uri", write_only=True),
    field("secret", secret=True),
    field("pin", secret=True, write_only=True),
)


def changes(wanted, body, **facts):
    return compare(VENDOR, wanted, body, key=KEY, **facts)


def only(wanted, body, **facts):
    (change,) = changes(wanted, body, **facts)
    return change


def test_a_field_that_git_does_not_state_is_not_compared():
    assert changes({"name": "a"}, {"name": "a", "uris": ["x"], "new": 1}) == ()


def test_a_field_is_read_by_the_spelling_that_answers_use():
    assert changes({"ipRestriction": True}, {"ipRestriction": True}) == ()
    assert only({"ipRestriction": True}, {"ipRestriction": False}).before is False


def test_true_is_not_one():
    assert only({"name": True}, {"name": 1}).after is True


def test_a_set_in_another_order_is_no_change():
    assert changes({"uris": ["a", "b"]}, {"uris": ["b", "a"]}) == ()


def test_a_changed_set_says_what_was_added_and_removed():
    change = only({"uris": ["c", "a"]}, {"uris": ["a", "b"]})

    assert change.before == ["a", "b"]
    assert change.after == ["a", "c"]
    assert (change.added, change.removed) == (("c",), ("b",))


def test_a_duplicate_on_the_server_is_a_member_to_remove():
    assert only({"uris": ["a"]}, {"uris": ["a", "a"]}).removed == ("a",)


def test_a_set_that_the_server_does_not_show_gains_all_its_members():
    change = only({"uris": ["a"]}, {})

    assert (change.before, change.added, change.removed) == (MISSING, ("a",), ())


def test_a_set_that_is_emptied_loses_all_its_members():
    emptied = provider(field("uris", is_set=True, equal=((None, []),)))

    (change,) = compare(emptied, {"uris": []}, {"uris": ["a"]}, key=KEY)

    assert (change.after, change.removed) == (None, ("a",))


def test_a_changed_object_says_what_differs_inside():
    change = only(
        {"key_pair_type": {"type": "ec", "curve": "P-256", "a/b": [1, 2]}},
        {"key_pair_type": {"type": "rsa", "size": "2048", "a/b": [1, 3]}},
    )

    assert change.nested == (
        NestedChange(pointer="/a~1b/1", before=3, after=2),
        NestedChange(pointer="/curve", before=MISSING, after="P-256"),
        NestedChange(pointer="/type", before="rsa", after="ec"),
    )


def test_values_of_one_meaning_are_no_change():
    assert changes({"homepage": ""}, {"homepage": None}) == ()
    assert changes({"homepage": None}, {}) == ()


def test_an_ignored_field_is_not_compared():
    assert changes({"name": "a"}, {"name": "b"}, ignore={"name"}) == ()


@pytest.mark.parametrize(
    ("applied", "live", "wanted", "origin"),
    [
        ({"name": "a"}, "b", "a", Origin.DRIFT),
        ({"name": "a"}, "a", "b", Origin.CONFIG),
        ({"name": "a"}, "b", "c", Origin.BOTH),
        ({}, "a", "b", Origin.CONFIG),
    ],
)
def test_each_change_says_who_moved(applied, live, wanted, origin):
    change = only({"name": wanted}, {"name": live}, entry=entry("1", applied=applied))

    assert change.origin is origin


def test_without_a_record_of_the_past_it_was_git_that_moved():
    assert only({"name": "a"}, {"name": "b"}).origin is Origin.CONFIG


def test_a_field_that_no_answer_shows_is_compared_with_what_was_last_applied():
    remembered = entry("1", applied={"jwks_uri": "https://a"})

    assert changes({"jwks_uri": "https://a"}, {}, entry=remembered) == ()
    assert only({"jwks_uri": "https://b"}, {}, entry=remembered).before == "https://a"
    assert only({"jwks_uri": "https://b"}, {}).before is MISSING


def test_a_secret_is_compared_by_value_and_shown_by_fingerprint():
    wanted, body = {"secret": Secret("new")}, {"secret": Secret("old")}

    change = only(wanted, body)

    assert change == FieldChange(
        field="secret",
        before=Redacted(fingerprint(KEY, "old")),
        after=Redacted(fingerprint(KEY, "new")),
        origin=Origin.CONFIG,
    )
    assert changes(wanted, {"secret": Secret("new")}) == ()


@pytest.mark.parametrize(
    ("applied", "origin"),
    [("new", Origin.DRIFT), ("old", Origin.CONFIG), ("older", Origin.BOTH)],
)
def test_a_changed_secret_says_who_moved(applied, origin):
    remembered = entry("1", fingerprints={"secret": fingerprint(KEY, applied)})

    change = only({"secret": Secret("new")}, {"secret": Secret("old")}, entry=remembered)

    assert change.origin is origin


def test_a_secret_that_no_answer_shows_is_compared_by_fingerprint():
    remembered = entry("1", fingerprints={"pin": fingerprint(KEY, "1234")})

    assert changes({"pin": Secret("1234")}, {}, entry=remembered) == ()
    assert only({"pin": Secret("9999")}, {}, entry=remembered).before is MISSING


def test_a_referenced_value_hides_what_is_live_in_its_place():
    change = only({"name": Secret("from the environment")}, {"name": "live name"})

    assert isinstance(change.before, Redacted)
    assert "live name" not in repr(change)


def test_a_reference_anywhere_in_a_field_hides_the_whole_field():
    wanted = {"uris": ["https://a", Secret("https://b")]}

    assert changes(wanted, {"uris": ["https://b", "https://a"]}) == ()
    assert isinstance(only(wanted, {"uris": ["https://c"]}).before, Redacted)


def test_a_value_that_was_a_reference_stays_hidden_when_git_makes_it_plain():
    remembered = entry("1", fingerprints={"name": fingerprint(KEY, "was secret")})

    change = only({"name": "plain"}, {"name": "was secret"}, entry=remembered)

    assert "was secret" not in repr(change)
    assert change.origin is Origin.CONFIG


def test_what_the_server_made_of_a_wish_is_not_asked_again():
    remembered = entry("1", applied={"name": "Web"}, answered={"name": "web"})

    assert changes({"name": "Web"}, {"name": "web"}, entry=remembered) == ()
    assert accepted_spellings(VENDOR, {"name": "Web"}, remembered) == ["name"]


@pytest.mark.parametrize(("wanted", "live"), [("Web", "drifted"), ("Shop", "web")])
def test_a_new_wish_or_a_new_value_is_a_change_again(wanted, live):
    remembered = entry("1", applied={"name": "Web"}, answered={"name": "web"})

    assert only({"name": wanted}, {"name": live}, entry=remembered).after == wanted


def test_nothing_is_settled_without_an_answer_of_the_servers_own():
    assert accepted_spellings(VENDOR, {"name": "a"}, None) == []
    assert accepted_spellings(VENDOR, {"name": "a"}, entry("1", applied={"name": "a"})) == []
    assert (
        accepted_spellings(
            VENDOR, {"name": "b"}, entry("1", applied={"name": "a"}, answered={"name": "c"})
        )
        == []
    )


def test_what_changes_by_itself_is_no_difference_at_any_depth():
    seen = {"properties": {"at": {"x-reconciler": {"volatile": True}}, "by": {}}}
    of = provider(field("seen", volatile=True), field("last", schema=seen, inside=True))
    wanted, live = (
        {"seen": 1, "last": {"at": 1, "by": "a"}},
        {"seen": 2, "last": {"at": 2, "by": "b"}},
    )

    (change,) = compare(of, wanted, live, key=KEY)

    assert [each.pointer for each in change.nested] == ["/by"]
    assert json_patch(of, wanted, live, ["last"]) == [
        {"op": "replace", "path": "/last/by", "value": "a"}
    ]
