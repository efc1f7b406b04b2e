"""A record is checked when it is read: its JSON is of one reading, and its entries are as recorded."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.given import entry

from reconciler.core.errors import InventoryError
from reconciler.core.model import Inventory
from reconciler.inventory import codec, strict_json
from reconciler.inventory.strict_json import NotStrict
from reconciler.plan.record.digests import amended, applied_digest, sealed

PATH = "inventory/shop/web.json"


def recorded(**facts):
    return sealed(replace(entry("1", **facts), digest="sha256:0"))


WEB = recorded(applied={"name": "Web", "ttl": 750}, prevent_destroy=True, superseded=("0",))
GOOD = codec.encode_client("shop", "web", entry=WEB, intent=None)


def read(content):
    return codec.decode_client(content, target="shop", path=PATH)


def read_whole(content):
    return codec.decode(content, target="shop", path=PATH)


def refused(content, reading=read):
    with pytest.raises(InventoryError) as caught:
        reading(content)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('{\n "a": NaN}', 2, "NaN is no number"),
        ('{"a": [\n\nInfinity]}', 3, "Infinity is no number"),
        ('{"a": -Infinity}', 1, "-Infinity is no number"),
        ('{"a": "NaN",\n"b": NaN}', 2, "NaN is no number"),
        ('{"a": 1e400}', 1, "1e400 is no number"),
        ('{\n\n"a": -1e999}', 3, "-1e999 is no number"),
        ('{"a":\n' + "9" * 5000 + "}", 2, "is no number"),
        ('{"a":\n-' + "9" * 5000 + "}", 2, "is no number"),
        ('{"a": 1,\n"a": 1}', 2, 'a member stands there twice: "a"'),
        ('{"a": {"b": 1},\n"c": {"b": 2,\n"b": 3}}', 3, 'twice: "b"'),
        ('{"a": 1,\n"\\u0061": 2}', 2, 'twice: "a"'),
        ('[{"a": "a", "b": "a"}, {"a": 1,\n"a": 2}]', 2, 'twice: "a"'),
        ('{"a":\n"\\ud800"}', 2, "half a character"),
        ('{"a": "\\udc00\\ud800"}', 1, "\\udc00 is half a character"),
        ('{"\\ud83d\\ude00": 1,\n"b": "\\ud83d x"}', 2, "half a character"),
        ('{"a": "\\\\\\ud8ff"}', 1, "half a character"),
        ('\ufeff{"a": 1}', 1, "byte order mark"),
        ('{"a": 1,\n}', 2, "not whole JSON"),
        ("", 1, "not whole JSON"),
    ],
)
def test_what_programs_read_in_two_ways_is_refused_with_file_and_line(text, line, problem):
    message = refused(text.encode())

    assert message.startswith(f"{PATH} cannot be used: ")
    assert f"({PATH}:{line})" in message
    assert problem in message


@pytest.mark.parametrize(
    "content", [b'{"a":\n"\xff"}', b'{"a":\n"\xed\xa0\x80"}', '{"a": 1}'.encode("utf-16")]
)
def test_what_is_no_utf_8_is_refused(content):
    assert "not whole JSON: not UTF-8" in refused(content)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "NaN, Infinity, 1e400", "b": {"a": 1}, "c": [{"a": 1}, {"a": 1}]}',
        '{"a": "\\ud83d\\ude00", "b": "\\\\ud800", "c": 1e30, "d": "\\u00e4"}',
        '{"a": {"a": {"a": "a"}}}',
        '{"a":\r\n1}\r\n',
    ],
)
def test_what_has_one_reading_is_read(text):
    assert strict_json.parse(text.encode()) == json.loads(text)


def test_what_is_nested_too_deep_is_refused():
    assert "nested too deep" in refused(b"[" * 200_000)


@settings(max_examples=150)
@given(text=st.text(st.sampled_from('{}[]:,"\\ud8cNa019e.-\n '), max_size=40))
def test_any_text_is_read_as_the_json_module_does_or_refused(text):
    try:
        found = strict_json.parse(text.encode())
    except NotStrict as error:
        said, line = str(error), error.line
    else:
        said, line = "read", 0
        assert found == json.loads(text)
    assert said
    assert 0 <= line <= text.count("\n") + 1


EDITS = {
    "the id": lambda client: client.update(id="99"),
    "what was applied": lambda client: client["applied"].update(ttl=1),
    "a value of another type": lambda client: client["applied"].update(ttl="750"),
    "what was never applied": lambda client: client["applied"].update(more=None),
    "a predecessor": lambda client: client["superseded"].append("98"),
    "no predecessor": lambda client: client["superseded"].clear(),
    "the veto of the last manifest": lambda client: client.pop("preventDestroy"),
    "a quarantine": lambda client: client.update(quarantinedAt="2020-01-01T00:00:00Z"),
    "where the secret is": lambda client: client.update(secret="stored"),
    "whose secret it is": lambda client: client.update(secretAt="shop/other"),
    "a fingerprint": lambda client: client["fingerprints"].update(key="hmac:0"),
    "what the server made": lambda client: (
        client["answered"].update(ttl=1)
        if "answered" in client
        else client.update(answered={"ttl": 1})
    ),
    "the digest": lambda client: client.update(digest="sha256:0"),
    "a digest of another kind": lambda client: client.update(digest="md5:0"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_entry_that_was_edited_is_refused_with_a_way_out(edit):
    document = json.loads(GOOD)
    edit(document["client"])

    message = refused(json.dumps(document, indent=2).encode())

    assert "the client 'web' was changed since a run recorded it" in message
    assert f"({PATH}:" in message
    assert "git log -p" in message
    document["client"]["digest"] = ""
    assert read(json.dumps(document).encode())[1].digest == ""


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_so_is_one_of_a_record_in_one_file(edit):
    document = json.loads(codec.encode(Inventory(target="shop", entries={"web": WEB})))
    edit(document["clients"]["web"])

    message = refused(json.dumps(document, indent=2).encode(), read_whole)

    assert "the client 'web' was changed since a run recorded it" in message


def test_the_line_is_that_of_the_digest():
    document = json.loads(GOOD)
    document["client"]["id"] = "99"
    text = json.dumps(document, indent=2, sort_keys=True)

    line = next(n for n, each in enumerate(text.splitlines(), 1) if '"digest"' in each)

    assert f"({PATH}:{line})" in refused(text.encode())


def test_the_order_of_members_and_the_time_are_no_edit():
    document = json.loads(GOOD)
    document["client"]["appliedAt"] = "2027-01-01T00:00:00Z"
    document["client"] = dict(reversed(document["client"].items()))

    assert read(json.dumps(document).encode())[1].remote_id == "1"


def test_a_digest_of_an_earlier_version_is_that_of_what_was_applied():
    old = replace(WEB, digest=applied_digest(WEB.applied, WEB.fingerprints))
    content = codec.encode_client("shop", "web", entry=old, intent=None)

    assert read(content)[1] == old
    assert amended(old, superseded=()).digest == old.digest
    assert "was changed" in refused(content.replace(b"750", b"751"))


def test_an_entry_that_is_amended_keeps_a_digest_of_all_of_it():
    now = amended(WEB, superseded=())

    assert now.digest not in ("", WEB.digest)
    assert read(codec.encode_client("shop", "web", entry=now, intent=None))[1] == now
