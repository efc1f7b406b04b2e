from support.given import KEY, entry, field, manifest, provider, replace

from reconciler.core.model import Secret
from reconciler.core.secrets import fingerprint
from reconciler.plan.applied import ignored_fields, renews, server_changed
from reconciler.plan.applied import make_entry as entry_for

VENDOR = provider(
    field("name"),
    field("uris", is_set=True),
    field("secret", secret=True),
    field("jwks_uri", write_only=True),
)
NOW = "2026-11-23T12:00:00Z"


def remembered(spec, answer, **facts):
    return entry_for(VENDOR, manifest(spec=spec, **facts), "1", answer, key=KEY, now=NOW)


def test_an_entry_holds_the_managed_values_in_canonical_form():
    found = remembered({"uris": ["b", "a"], "name": "web"}, {"name": "web", "uris": ["a", "b"]})

    assert found.applied == {"name": "web", "uris": ["a", "b"]}
    assert (found.remote_id, found.applied_at, found.answered) == ("1", NOW, {})
    assert found.digest.startswith("sha256:")


def test_an_entry_holds_fingerprints_in_place_of_secrets():
    found = remembered({"secret": Secret("hunter2"), "name": Secret("by reference")}, {})

    assert found.applied == {}
    assert found.fingerprints == {
        "name": fingerprint(KEY, "by reference"),
        "secret": fingerprint(KEY, "hunter2"),
    }
    assert "hunter2" not in repr(found)


def test_an_entry_holds_what_the_server_made_of_a_value():
    found = remembered({"name": "Web", "uris": ["a"]}, {"name": "web"})

    assert found.applied["name"] == "Web"
    assert found.answered == {"name": "web"}


def test_a_field_that_no_answer_shows_is_remembered_as_it_was_sent():
    assert remembered({"jwks_uri": "https://a"}, {}).applied == {"jwks_uri": "https://a"}


def test_an_ignored_field_is_not_remembered():
    found = remembered({"name": "a", "uris": ["x"]}, {}, ignore_changes=frozenset({"/name"}))

    assert found.applied == {"uris": ["x"]}


def test_ignored_fields_are_named_by_json_pointer():
    stated = manifest(ignore_changes=frozenset({"/a~1b", "/c~0d", "/e"}))

    assert ignored_fields(stated) == {"a/b", "c~d", "e"}


def test_the_same_values_have_the_same_digest_at_any_time():
    one = remembered({"uris": ["a", "b"]}, {})
    other = replace(remembered({"uris": ["b", "a"]}, {}), applied_at="later")

    assert one.digest == other.digest
    assert not renews(one, other)


def test_an_entry_is_renewed_by_any_difference_but_the_time():
    old = entry("1", applied={"name": "a"})

    assert renews(None, old)
    assert not renews(old, replace(old, applied_at="later"))
    assert renews(old, replace(old, remote_id="2"))
    assert renews(old, replace(old, superseded=("0",)))


def test_what_the_server_changed_on_its_own_is_told():
    stated = manifest(
        spec={"name": "Web", "uris": ["a"], "jwks_uri": "u"}, ignore_changes=frozenset({"/uris"})
    )

    (change,) = server_changed(VENDOR, stated, {"name": "web", "uris": []}, key=KEY)

    assert (change.field, change.before, change.after) == ("name", "web", "Web")


def test_an_entry_remembers_what_must_not_be_destroyed_and_where_the_secret_is():
    stated = manifest(spec={"name": "web"}, prevent_destroy=True)

    found = entry_for(VENDOR, stated, "1", {}, key=KEY, now=NOW, secret="stored")

    assert found.prevent_destroy
    assert (found.secret, found.quarantined_at) == ("stored", "")
    assert renews(replace(found, prevent_destroy=False), found)
    assert renews(replace(found, quarantined_at=NOW), found)
    assert not renews(replace(found, applied_at="2020-01-01T00:00:00Z"), found)
