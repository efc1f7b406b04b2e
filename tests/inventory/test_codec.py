import json
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.given import entry, intent
from support.vendors import SCHEMAS

from reconciler.core.errors import InventoryError
from reconciler.core.model import Intent, Inventory, InventoryEntry
from reconciler.inventory.codec import decode, encode
from reconciler.plan.record.digests import sealed

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ENTRIES = st.builds(
    InventoryEntry,
    remote_id=NAMES,
    applied=st.dictionaries(TEXT, VALUES, max_size=4),
    fingerprints=st.dictionaries(TEXT, NAMES, max_size=2),
    answered=st.dictionaries(TEXT, VALUES, max_size=2),
    applied_at=st.just("2026-11-23T10:00:00Z"),
    digest=TEXT,
    superseded=st.lists(NAMES, max_size=2).map(tuple),
    prevent_destroy=st.booleans(),
    quarantined_at=st.sampled_from(["", "2026-11-22T10:00:00Z"]),
    secret=st.sampled_from(["", "stored", "spooled", "lost"]),
).map(sealed)
INVENTORIES = st.dictionaries(TEXT, ENTRIES, max_size=4)
INTENTS = st.builds(
    Intent,
    key=st.just("web"),
    remote_id=st.none() | NAMES,
    predecessor=st.none() | NAMES,
    facts=st.dictionaries(TEXT, VALUES, max_size=3),
    digest=TEXT,
    seen=st.none() | st.lists(NAMES, max_size=2).map(tuple),
    at=st.just("2026-11-23T10:00:00Z"),
)


def written(entries, target="shop", **facts):
    return encode(Inventory(target=target, entries=entries, **facts))


def read(content, target="shop"):
    return decode(content, target=target, path="inventory/shop.json")


@given(entries=INVENTORIES, target=NAMES)
def test_what_is_written_is_read_back(entries, target):
    inventory = read(written(entries, target), target)

    assert inventory.target == target
    assert inventory.entries == entries


@given(pending=INTENTS, serial=st.integers(min_value=0))
def test_pending_creates_and_the_serial_are_read_back(pending, serial):
    inventory = read(written({}, pending={"web": pending}, serial=serial))

    assert inventory.pending == {"web": pending}
    assert inventory.serial == serial


def test_a_record_of_the_first_version_is_its_zeroth_write():
    old = json.loads(written({"web": entry("1")}))
    del old["serial"]

    inventory = read(json.dumps(old).encode())

    assert inventory == Inventory(target="shop", entries={"web": entry("1")}, serial=0)


@given(entries=INVENTORIES)
def test_the_file_is_what_the_json_module_would_write(entries):
    content = written(entries)

    document = json.loads(content)
    plain = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert content == plain.encode()


@given(entries=INVENTORIES, random=st.randoms())
def test_the_order_of_entries_changes_no_byte(entries, random):
    keys = list(entries)
    random.shuffle(keys)

    assert written({key: entries[key] for key in keys}) == written(entries)


def test_a_file_holds_to_its_schema():
    schema = json.loads((SCHEMAS / "inventory.schema.json").read_text())
    entries = {
        "web": entry("1", applied={"name": "Web"}, superseded=("0",)),
        "job": entry("2", fingerprints={"secret": "hmac:1"}, answered={"name": "WEB"}),
        "api": replace(
            entry("3"),
            prevent_destroy=True,
            quarantined_at="2026-11-22T10:00:00Z",
            secret="stored",
            secret_at="shop/web",
        ),
    }
    pending = {"web": intent("web", "4", name="Web"), "cli": intent("cli")}

    jsonschema.Draft202012Validator(schema).validate(
        json.loads(written(entries, pending=pending, serial=7))
    )


def test_what_is_not_pending_and_as_in_a_plain_entry_is_left_out():
    document = json.loads(written({"web": entry("1")}))

    assert set(document) == {"apiVersion", "clients", "kind", "serial", "target"}
    assert set(document["clients"]["web"]) == {
        "id", "applied", "fingerprints", "appliedAt", "digest", "superseded"
    }  # fmt: skip


def test_an_inventory_without_clients_is_one():
    assert read(written({})).entries == {}


def changed(**members):
    document = json.loads(written({"web": entry("1")}))
    document["clients"]["web"] |= {
        name: value for name, value in members.items() if value is not ...
    }
    for name in (name for name, value in members.items() if value is ...):
        del document["clients"]["web"][name]
    return json.dumps(document).encode()


def with_pending(**members):
    document = json.loads(written({}, pending={"web": intent()}))
    stated = document["pending"]["web"] | members
    document["pending"]["web"] = {name: it for name, it in stated.items() if it is not ...}
    return json.dumps(document).encode()


GOOD = written({"web": entry("1")})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not whole JSON"),
        (GOOD[: len(GOOD) // 2], "not whole JSON"),
        (GOOD + b"x", "not whole JSON"),
        (b"\xff", "not whole JSON"),
        (GOOD.replace(b'"id"', b'"applied": {}, "id"'), "a member stands there twice"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "not an inventory"),
        (b"{}", "not an inventory"),
        (GOOD.replace(b'"Inventory"', b'"Plan"'), "not an inventory"),
        (GOOD.replace(b'"target": "shop"', b'"target": "shop", "more": 1'), "its members are not"),
        (
            b'{"apiVersion":"reconciler/v1","kind":"Inventory","target":"shop","clients":[]}',
            "is not an object",
        ),
        (
            b'{"apiVersion":"reconciler/v1","kind":"Inventory","target":"shop"}',
            "its members are not",
        ),
        (changed(id=...), "the client 'web' has no id"),
        (changed(more=1), "the client 'web' has an unknown member 'more'"),
        (changed(id=7), "has a id of the wrong type"),
        (changed(answered=[]), "has a answered of the wrong type"),
        (changed(id=""), "not a text"),
        (changed(superseded=[""]), "not a text"),
        (changed(superseded=[7]), "not a text"),
        (changed(fingerprints={"secret": None}), "not a text"),
        (changed(preventDestroy="yes"), "has a preventDestroy of the wrong type"),
        (changed(secret="here"), "has a secret that is 'here'"),
        *(
            (changed(secretAt=place), "and no `target/key`")
            for place in (
                "../../../etc/passwd",
                "../web",
                "shop/..",
                "shop",
                "/web",
                "a/b/c",
                "shop/",
            )
        ),
        (GOOD.replace(b'"serial": 0', b'"serial": "0"'), "its serial is not a whole number"),
        (GOOD.replace(b'"serial": 0', b'"serial": true'), "its serial is not a whole number"),
        (GOOD.replace(b'"serial": 0', b'"serial": -1'), "its serial is not a whole number"),
        (with_pending(facts=...), "the pending create 'web' has no facts"),
        (with_pending(id=7), "the pending create 'web' has a id of the wrong type"),
        (with_pending(seen="1"), "the pending create 'web' has a seen of the wrong type"),
        (
            with_pending(seen=["1", 7]),
            "the pending create 'web' has an id in seen that is not a text",
        ),
        (
            GOOD.replace(b'"web": {', b'"web": [{').replace(b"    }\n", b"    }]\n"),
            "is not an object",
        ),
    ],
)
def test_a_damaged_file_is_an_error_with_what_to_do_and_never_an_empty_inventory(content, problem):
    with pytest.raises(InventoryError) as caught:
        read(content)

    message = str(caught.value)
    assert message.startswith("inventory/shop.json cannot be used: ")
    assert problem in message
    assert "take the last good copy from git" in message


def test_the_file_of_another_target_is_refused():
    with pytest.raises(
        InventoryError, match="is the inventory of the target 'other', not of 'shop'"
    ):
        read(written({}, "other"))


def test_a_file_of_a_newer_version_is_refused_as_such():
    with pytest.raises(InventoryError, match=r"format 'reconciler/v2'.* or a newer one"):
        read(GOOD.replace(b"reconciler/v1", b"reconciler/v2"))
