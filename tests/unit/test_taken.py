"""Done, another spelling, or not taken."""

import pytest
from support.given import KEY, field, provider

from reconciler.core.changes import FieldChange
from reconciler.core.model import MISSING, Redacted
from reconciler.plan.diff import compare
from reconciler.plan.fields.taken import (
    Taken,
    is_spelling,
    not_taken,
    untaken_sentence,
    what_was_taken,
)

SPELLINGS = [
    ("Web", "web"),
    (" Web  ", "Web"),
    ("https://A.example.com/cb", "https://a.example.com/cb"),
    ("https://a.example.com", "https://a.example.com/"),
    ("https://a.example.com/cb/", "https://a.example.com/cb"),
    ("https://a.example.com:443/cb", "https://a.example.com/cb"),
    ("http://a.example.com:80/cb", "http://a.example.com/cb"),
    ("https://a.example.com/%7euser", "https://a.example.com/~user"),
    ("https://a.example.com/%c3%a9", "https://a.example.com/%C3%A9"),
    ("https://a.example.com/\u00e9", "https://a.example.com/%C3%A9"),
    ("https://m\u00fcnchen.example.com/cb", "https://xn--mnchen-3ya.example.com/cb"),
    ("HTTPS://a.example.com/cb", "https://a.example.com/cb"),
    (["b", "a"], ["a", "b"]),
    (["a", "a", "b"], ["b", "a"]),
    (["https://a.example.com/", "b"], ["b", "https://a.example.com"]),
    ([], None),
    ("", None),
    (None, MISSING),
    ({}, MISSING),
    (3600, "3600"),
    (True, "true"),
    ("203.0.113.7", "203.0.113.7/32"),
    ("10.0.0.5/24", "10.0.0.0/24"),
    ("2001:0DB8::0001", "2001:db8::1"),
    ("::1", "0:0:0:0:0:0:0:1"),
    ({"a": "X", "b": []}, {"a": "x"}),
]
OTHERS = [
    ("Web", "Web 2"),
    ("https://a.example.com/CB", "https://a.example.com/cb"),
    ("https://a.example.com/cb", "http://a.example.com/cb"),
    ("https://a.example.com:8443/cb", "https://a.example.com/cb"),
    ("https://user@a.example.com/cb", "https://a.example.com/cb"),
    ("https://a.example.com/cb?x=1", "https://a.example.com/cb"),
    ("https://a.example.com/a%2Fb", "https://a.example.com/a/b"),
    ("https://[::1", "https://[::2"),
    (["a", "b"], ["a"]),
    (["a"], ["a", "b"]),
    (["a"], []),
    ([], ["a"]),
    (["a"], MISSING),
    (100_000, 86_400),
    (True, False),
    (False, None),
    (0, None),
    ({"a": 1, "b": 2}, {"a": 1}),
    (None, "default"),
    ("08", "8"),
    (Redacted("hmac:1"), Redacted("hmac:2")),
    (":a", ":b"),
    (" ", "a"),
]


@pytest.mark.parametrize(("wanted", "now"), SPELLINGS)
def test_a_server_may_spell_a_value_its_own_way(wanted, now):
    assert is_spelling(wanted, now)
    assert what_was_taken("before", wanted, now) is Taken.SPELLING


@pytest.mark.parametrize(("wanted", "now"), OTHERS)
def test_what_lacks_something_or_has_more_is_no_spelling(wanted, now):
    assert not is_spelling(wanted, now)
    assert what_was_taken("before", wanted, now) is Taken.NOT_TAKEN


@pytest.mark.parametrize(("wanted", "now"), [*SPELLINGS, *OTHERS])
def test_a_value_that_is_still_the_one_from_before_was_not_taken(wanted, now):
    assert what_was_taken(now, wanted, now) in (Taken.NOT_TAKEN, Taken.DONE)


def test_a_value_that_is_there_is_done():
    assert what_was_taken("a", "b", "b") is Taken.DONE
    assert what_was_taken("b", "b", "b") is Taken.DONE


VENDOR = provider(field("name"), field("uris", is_set=True), field("ttl"))


def answered(wanted, answer):
    return compare(VENDOR, wanted, answer, key=KEY)


def test_the_fields_that_are_not_done_are_those_that_the_server_did_not_take():
    wanted = {"name": "Web", "uris": ["a"], "ttl": 5}
    planned = {
        change.field: change for change in answered(wanted, {"name": "x", "uris": ["a", "b"]})
    }
    shown = answered(wanted, {"name": "web", "uris": ["b", "a"], "ttl": 4})

    assert {change.field for change in not_taken(shown, planned)} == {"uris", "ttl"}
    # Of a field that was not to change, only another spelling is what it was.
    assert {change.field for change in not_taken(shown, {})} == {"uris", "ttl"}


def test_a_sentence_says_what_the_server_shows_and_hides_secrets():
    before = FieldChange(field="uris", before=["a", "b"], after=["a"])
    same = FieldChange(field="uris", before=["a", "b"], after=["a"])
    other = FieldChange(field="mail", before={"x": [Redacted("hmac:1")]}, after=Redacted("hmac:2"))

    assert untaken_sentence(same, [before]) == (
        "the server accepted the request and still shows uris as it was before, "
        '["a","b"] in place of ["a"]'
    )
    assert untaken_sentence(other, [before]) == (
        "the server accepted the request and shows mail as "
        '{"x":["(secret hmac:1)"]} in place of (secret hmac:2)'
    )
