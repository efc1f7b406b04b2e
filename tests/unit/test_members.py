"""What stops being managed, and what a write lost."""

import pytest
from support.given import KEY, client, context, entry, field, live, manifest, provider

from reconciler.core.changes import Action, Change
from reconciler.core.model import Secret
from reconciler.core.secrets import fingerprint
from reconciler.plan.applied import make_entry
from reconciler.plan.fields.members import unmanaged_sentences, vanished_members
from reconciler.plan.planner import plan_target

SECRET = {"type": "string", "x-reconciler": {"secret": True}}
MAIL = {
    "properties": {"host": {}, "port": {}, "tls": {"properties": {"on": {}}}, "password": SECRET}
}
VENDOR = provider(
    field("name"),
    field("homepageUrl"),
    field("ipRestriction", read_as="ip_restriction"),
    field("mail", schema=MAIL),
    field("pin", secret=True),
    field("jwks", write_only=True),
    field("id", read_only=True),
    field("seen", volatile=True),
)


def told(applied, spec, body, **facts):
    return unmanaged_sentences(VENDOR, spec, entry("1", applied=applied, **facts), body, KEY)


@pytest.mark.parametrize(
    ("applied", "spec", "body", "sentences"),
    [
        (
            {"homepageUrl": "https://old.example.com"},
            {},
            {"homepageUrl": "https://old.example.com"},
            ('homepageUrl is no longer managed and stays "https://old.example.com"',),
        ),
        ({"name": "a"}, {"name": "b"}, {"name": "a"}, ()),
        (
            {"ipRestriction": True},
            {},
            {"ipRestriction": False},
            ("ipRestriction is no longer managed and stays false",),
        ),
        ({"name": None}, {}, {"name": None}, ("name is no longer managed and stays null",)),
        (
            {"jwks": "u"},
            {},
            {},
            ("jwks is no longer managed, and the server shows no value of it",),
        ),
        (
            {"mail": {"host": "h", "port": 25}},
            {"mail": {"host": "h"}},
            {"mail": {"host": "h", "port": 26}},
            ("mail/port is no longer managed and stays 26",),
        ),
        (
            {"mail": {"host": "h", "tls": {"on": True}}},
            {"mail": {"host": "h", "tls": {}}},
            {"mail": {"tls": {"on": True}}},
            ("mail/tls/on is no longer managed and stays true",),
        ),
        ({"mail": {"host": "h"}}, {"mail": None}, {"mail": {"host": "h"}}, ()),
        ({"gone from the schema": 1}, {}, {}, ()),
    ],
)
def test_what_is_stated_no_longer_is_told_with_the_value_at_which_it_stays(
    applied, spec, body, sentences
):
    assert told(applied, spec, body) == sentences


def test_a_secret_that_is_stated_no_longer_is_told_as_a_fingerprint():
    held = {"pin": "hmac:1", "name": "hmac:2", "/mail/password": "hmac:3", "/mail/tls/on": "hmac:4"}
    body = {
        "pin": Secret("1234"),
        "name": "was a reference",
        "mail": {"password": Secret("pw"), "tls": {"on": "was one too"}},
    }

    found = told(
        {"mail": {"host": "h", "tls": {}}}, {"mail": {"host": "h"}}, body, fingerprints=held
    )

    assert found == (
        f"name is no longer managed and stays (secret {fingerprint(KEY, 'was a reference')})",
        f"pin is no longer managed and stays (secret {fingerprint(KEY, '1234')})",
        f"mail/password is no longer managed and stays (secret {fingerprint(KEY, 'pw')})",
        f"mail/tls is no longer managed and stays (secret {fingerprint(KEY, {'on': 'was one too'})})",
    )


def test_a_mask_is_no_value_at_which_a_secret_stays():
    body = {"pin": Secret("****", masked=True), "mail": {"password": Secret("x"), "host": "h"}}

    assert told({}, {}, body, fingerprints={"pin": "hmac:1"}) == (
        "pin is no longer managed, and the server shows no value of it",
    )
    (sentence,) = told({"mail": {"host": "h"}}, {}, body)
    assert sentence.startswith(
        'mail is no longer managed and stays {"host":"h","password":"(secret'
    )


def test_nothing_is_told_of_a_client_that_has_no_record():
    assert unmanaged_sentences(VENDOR, {}, None, {"name": "a"}, KEY) == ()


def test_a_stated_value_speaks_of_all_that_was_inside():
    held = {"/mail/password": "hmac:1"}

    assert told({}, {"mail": "off"}, {"mail": "off"}, fingerprints=held) == ()
    assert told({}, {"mail": {"password": Secret("x")}}, {}, fingerprints=held) == ()


def test_it_is_told_until_an_apply_has_recorded_it():
    before, after = manifest(spec={"name": "a", "homepageUrl": "u"}), manifest(spec={"name": "a"})
    body = {"name": "a", "homepageUrl": "u"}
    seen = live(client("1", **body))

    def planned(entry):
        (change,) = plan_target(context(VENDOR, live=seen, entries={"web": entry}), [after]).changes
        return change

    first = planned(make_entry(VENDOR, before, "1", body, key=KEY, now=""))
    assert first.action is Action.NOOP
    assert first.warnings == ('homepageUrl is no longer managed and stays "u"',)
    assert planned(make_entry(VENDOR, after, "1", body, key=KEY, now="")).warnings == ()


def change(**spec):
    return Change(
        target="shop", key="web", action=Action.UPDATE, reason="", manifest=manifest(spec=spec)
    )


@pytest.mark.parametrize(
    ("before", "after", "gone"),
    [
        ({"logo_uri": "l", "name": "a"}, {"name": "a"}, ["logo_uri"]),
        ({"mail": {"host": "h", "x": {"y": 1}}}, {"mail": {"host": "h", "x": {}}}, ["mail/x/y"]),
        ({"mail": {"host": "h"}}, {"mail": "off"}, []),
        ({"homepageUrl": {"host": "h"}}, {"homepageUrl": {}}, ["homepageUrl/host"]),
        ({"logo_uri": None}, {}, []),
        ({"id": "1", "seen": "x", "pin": Secret("p"), "jwks": "u"}, {}, []),
        ({"token": Secret("t")}, {}, []),
        ({"name": "a"}, {}, []),
        ({"ipRestriction": True}, {}, ["ipRestriction"]),
    ],
)
def test_what_a_put_lost_is_found(before, after, gone):
    assert vanished_members(VENDOR, change(name="b"), before, after) == gone


def test_below_a_value_that_the_manifest_states_otherwise_nothing_is_lost():
    stated = change(homepageUrl="https://shop.example.com")

    assert (
        vanished_members(VENDOR, stated, {"homepageUrl": {"host": "h"}}, {"homepageUrl": {}}) == []
    )


def test_a_change_without_a_manifest_states_nothing():
    stopped = Change(target="shop", key="web", action=Action.UPDATE, reason="")

    assert vanished_members(VENDOR, stopped, {"name": "a"}, {}) == ["name"]
