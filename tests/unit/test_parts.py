"""A field that holds secrets, compared member by member."""

import pytest
from support.given import KEY, entry, field, manifest, provider

from reconciler.core.changes import NestedChange, Origin
from reconciler.core.model import MISSING, Redacted, Secret
from reconciler.core.secrets import fingerprint
from reconciler.plan.applied import keep_unfinished, make_entry, renews, server_changed
from reconciler.plan.diff import accepted_spellings, compare
from reconciler.plan.fields.parts import is_whole_secret, open_part, redacted, secret_parts

SECRET = {"type": "string", "x-reconciler": {"secret": True}}
MAIL = field(
    "mail",
    schema={
        "properties": {
            "host": {},
            "password": SECRET,
            "never": {**SECRET, "writeOnly": True},
            "quiet": {"type": "string", "writeOnly": True},
        }
    },
)
HOOKS = field("hooks", schema={"items": {"properties": {"url": {}, "token": SECRET}}})
VENDOR = provider(MAIL, HOOKS, field("name"), field("uris", is_set=True), field("pin", secret=True))
MASKED = Secret("****", masked=True)


def seal_print(text):
    return Redacted(fingerprint(KEY, text))


def compared(wanted, body, **facts):
    remembered = entry("1", **facts) if facts else None
    return compare(VENDOR, wanted, body, key=KEY, entry=remembered)


def remembered(spec, answer=None):
    return make_entry(VENDOR, manifest(spec=spec), "1", answer or {}, key=KEY, now="")


STATED = {"host": "h", "password": Secret("pw")}


@pytest.mark.parametrize(
    "live",
    [
        {"host": "h", "password": Secret("pw"), "new": 1},
        {"host": "h", "password": MASKED},
        {"host": "h", "password": ""},
        {"host": "h"},
    ],
)
def test_a_secret_inside_that_is_as_applied_is_no_change(live):
    assert (
        compare(
            VENDOR, {"mail": STATED}, {"mail": live}, key=KEY, entry=remembered({"mail": STATED})
        )
        == ()
    )


def test_only_what_differs_inside_is_told_and_the_secret_as_a_fingerprint():
    (change,) = compared({"mail": STATED}, {"mail": {"host": "i", "password": Secret("old")}})

    assert change.nested == (
        NestedChange(pointer="/host", before="i", after="h"),
        NestedChange(pointer="/password", before=seal_print("old"), after=seal_print("pw")),
    )
    assert "old" not in repr(change)


@pytest.mark.parametrize(
    ("applied", "live", "origin"),
    [
        ("pw", Secret("drifted"), Origin.DRIFT),
        ("old", Secret("old"), Origin.CONFIG),
        ("older", Secret("old"), Origin.BOTH),
        ("old", MASKED, Origin.CONFIG),
    ],
)
def test_a_changed_secret_inside_says_who_moved(applied, live, origin):
    facts = {
        "applied": {"mail": {"host": "h"}},
        "fingerprints": {"/mail/password": fingerprint(KEY, applied)},
    }

    (change,) = compared({"mail": STATED}, {"mail": {"host": "h", "password": live}}, **facts)

    assert change.origin is origin
    assert change.nested[0].pointer == "/password"


def test_what_no_answer_shows_is_compared_with_what_was_applied():
    stated = {"never": Secret("n"), "quiet": "q"}
    held = remembered({"mail": stated})

    assert compare(VENDOR, {"mail": stated}, {"mail": {"x": 1}}, key=KEY, entry=held) == ()
    (change,) = compare(
        VENDOR, {"mail": {**stated, "quiet": "r"}}, {"mail": {}}, key=KEY, entry=held
    )
    assert change.nested == (NestedChange(pointer="/quiet", before="q", after="r"),)
    (change,) = compare(VENDOR, {"mail": {"never": Secret("m")}}, {"mail": {}}, key=KEY, entry=held)
    assert change.nested == (NestedChange(pointer="/never", before=MISSING, after=seal_print("m")),)


def test_an_object_of_secrets_alone_need_not_be_shown():
    stated = {"password": Secret("pw"), "never": Secret("n")}
    held = remembered({"mail": stated})

    assert compare(VENDOR, {"mail": stated}, {}, key=KEY, entry=held) == ()
    (change,) = compare(VENDOR, {"mail": {**stated, "host": "h"}}, {}, key=KEY, entry=held)
    assert (change.before, change.origin) == (MISSING, Origin.BOTH)


def test_items_of_a_list_are_compared_in_their_order():
    stated = [{"url": "a", "token": Secret("t")}, {"url": "b", "token": Secret("u")}]
    held = remembered({"hooks": stated})

    assert (
        compare(
            VENDOR,
            {"hooks": stated},
            {"hooks": [{"url": "a", "token": MASKED}, {"url": "b", "token": MASKED}]},
            key=KEY,
            entry=held,
        )
        == ()
    )
    (change,) = compare(
        VENDOR, {"hooks": stated}, {"hooks": [{"url": "a", "token": MASKED}]}, key=KEY, entry=held
    )
    assert change.origin is Origin.DRIFT
    (change,) = compared(
        {"hooks": stated},
        {
            "hooks": [
                {"url": "a", "token": Secret("x")},
                {"url": "b", "token": Secret("u")},
                {"url": "c"},
            ]
        },
    )
    assert {each.pointer for each in change.nested} == {"/0/token", "/2"}


def test_a_reference_where_no_schema_says_secret_hides_what_is_live():
    (change,) = compared({"mail": {"host": Secret("h")}}, {"mail": {"host": "live host"}})

    assert "live host" not in repr(change)
    # Not shown is not hidden: only of a secret is it no proof.
    (gone,) = compared(
        {"mail": {"host": Secret("h")}},
        {"mail": {}},
        fingerprints={"/mail/host": fingerprint(KEY, "h")},
    )
    assert gone.nested == (NestedChange(pointer="/host", before=MISSING, after=seal_print("h")),)


def test_a_value_that_was_a_reference_inside_stays_hidden():
    held = {"/mail/host": fingerprint(KEY, "was secret")}

    (change,) = compared(
        {"mail": {"host": "plain"}}, {"mail": {"host": "was secret"}}, fingerprints=held
    )

    assert "was secret" not in repr(change)


def test_a_live_secret_in_place_of_a_plain_value_is_hidden():
    (change,) = compared({"mail": "off"}, {"mail": {"password": Secret("pw"), "hosts": ["h"]}})

    assert change.before == {"password": seal_print("pw"), "hosts": ["h"]}


def test_a_secret_in_a_list_of_texts_hides_the_whole_field():
    assert is_whole_secret(field("a"), {"x": [Secret("s")]})
    assert is_whole_secret(field("a", is_set=True), [{"x": Secret("s")}])
    assert not is_whole_secret(field("a"), [{"x": Secret("s")}])
    assert is_whole_secret(field("a", secret=True), "s")


def test_a_record_holds_the_open_part_and_a_fingerprint_for_each_secret():
    made = remembered(
        {"mail": STATED, "hooks": [{"url": "a", "token": Secret("t")}]},
        {"mail": {"host": "H", "password": MASKED}, "hooks": [{"url": "a", "token": MASKED}]},
    )

    assert made.applied == {"hooks": [{"url": "a"}], "mail": {"host": "h"}}
    assert made.fingerprints == {
        "/hooks/0/token": fingerprint(KEY, "t"),
        "/mail/password": fingerprint(KEY, "pw"),
    }
    assert made.answered == {"mail": {"host": "H"}}
    body = {"mail": {"host": "H", "password": MASKED}}
    assert compare(VENDOR, {"mail": STATED}, body, key=KEY, entry=made) == ()
    assert accepted_spellings(VENDOR, {"mail": STATED}, made) == ["mail"]


def test_a_spelling_does_not_hide_a_secret_that_moved():
    made = remembered({"mail": STATED}, {"mail": {"host": "H", "password": Secret("pw")}})
    body = {"mail": {"host": "H", "password": Secret("moved")}}

    (change,) = compare(VENDOR, {"mail": STATED}, body, key=KEY, entry=made)

    assert change.field == "mail"


@pytest.mark.parametrize(
    ("wanted", "live"), [(["a"], ["a", "b"]), (["a", "b"], ["a"]), (["a"], ["b"])]
)
def test_what_an_older_record_calls_a_spelling_and_is_none_is_asked_again(wanted, live):
    old = entry("1", applied={"uris": wanted}, answered={"uris": live})

    assert [
        each.field for each in compare(VENDOR, {"uris": wanted}, {"uris": live}, key=KEY, entry=old)
    ] == ["uris"]
    assert accepted_spellings(VENDOR, {"uris": wanted}, old) == []


def test_after_a_write_what_the_server_hides_is_not_said_to_be_otherwise():
    stated = manifest(spec={"mail": STATED, "pin": Secret("1234"), "name": "a"})

    assert (
        server_changed(
            VENDOR,
            stated,
            {"mail": {"host": "h", "password": MASKED}, "pin": MASKED, "name": "a"},
            key=KEY,
        )
        == ()
    )
    assert (
        server_changed(VENDOR, stated, {"mail": {"host": "h"}, "pin": "", "name": "a"}, key=KEY)
        == ()
    )
    found = server_changed(
        VENDOR, stated, {"mail": {"host": "h"}, "pin": Secret("old"), "name": "a"}, key=KEY
    )
    assert [each.field for each in found] == ["pin"]


def test_a_text_that_looks_like_a_mask_may_be_the_secret():
    assert compared({"pin": Secret("****")}, {"pin": MASKED}) == ()


def test_what_was_not_taken_is_recorded_as_it_was_before():
    old = remembered({"mail": {"host": "old", "password": Secret("old")}, "name": "a"})
    new = remembered({"mail": STATED, "name": "b", "uris": ["x"]})

    kept = keep_unfinished(new, old, {"mail", "uris"})

    assert kept.applied == {"mail": {"host": "old"}, "name": "b"}
    assert kept.fingerprints == {"/mail/password": fingerprint(KEY, "old")}
    assert kept.digest != new.digest
    assert not renews(
        old, keep_unfinished(remembered({"mail": STATED, "name": "a"}), old, {"mail"})
    )
    assert keep_unfinished(new, None, {"mail"}).applied == {"name": "b", "uris": ["x"]}
    other = entry("2", applied={"mail": 1})
    assert keep_unfinished(new, other, {"mail"}).applied == {"name": "b", "uris": ["x"]}


def test_parts_are_found_cut_out_and_redacted_at_any_depth():
    value = {"a": [{"b": Secret("x"), "c": 1}], "d~/": Secret("y")}

    assert dict(secret_parts(value)) == {"/a/0/b": Secret("x"), "/d~0~1": Secret("y")}
    assert open_part(value) == {"a": [{"c": 1}]}
    assert redacted(value, KEY) == {"a": [{"b": seal_print("x"), "c": 1}], "d~/": seal_print("y")}
