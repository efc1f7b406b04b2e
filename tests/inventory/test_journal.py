import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.given import entry, intent

from reconciler.core.errors import InventoryError
from reconciler.core.model import Inventory
from reconciler.inventory import journal
from reconciler.inventory.journal import CloseCreate, Drop, Forget, Intend, InventoryState, Record

KEYS = st.sampled_from(["web", "job", "ünï"])
IDS = st.sampled_from(["1", "2", "3"])
ENTRIES = st.builds(
    lambda remote_id, old, name: entry(remote_id, superseded=tuple(old), applied={"name": name}),
    IDS,
    st.lists(IDS, max_size=2, unique=True),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
EVENTS = st.lists(
    st.builds(lambda key: Intend(key, intent(key)), KEYS)
    | st.builds(CloseCreate, KEYS)
    | st.builds(Record, KEYS, ENTRIES)
    | st.builds(Forget, KEYS)
    | st.builds(Drop, KEYS, IDS),
    max_size=12,
)
STARTS = st.dictionaries(KEYS, ENTRIES, max_size=3).map(
    lambda entries: Inventory(target="shop", entries=entries)
)


def written(events, serial=4):
    return journal.encode_head("shop", serial) + journal.encode_events(events, number=1)


def read(content):
    return journal.decode(content, target="shop", path="inventory/shop.journal")


def after(inventory, events):
    state = InventoryState(inventory)
    for event in events:
        state.apply(event)
    return Inventory(target="shop", entries=state.entries, pending=state.pending)


@given(events=EVENTS)
def test_what_is_written_is_read_back(events):
    content = written(events)

    found = read(content)

    assert (found.serial, list(found.events), found.size) == (4, events, len(content))


# As 0.1.0 wrote them: the words in a journal stay, whatever the events are called in the code.
EARLIER = b"""\
["522f47fb",0,{"apiVersion":"reconciler/v1","target":"shop","serial":0}]
["67dad076",1,{"event":"intend","key":"web","intent":{"facts":{"n":1},"digest":"x","at":"t","predecessor":"5"}}]
["b879cd3b",2,{"event":"settle","key":"web"}]
["fef24e0a",3,{"event":"record","key":"two","entry":{"id":"2","applied":{},"fingerprints":{},"appliedAt":"2026","digest":"d","superseded":[]}}]
["4e54c64a",4,{"event":"drop","key":"web","id":"0"}]
["6988fd72",5,{"event":"forget","key":"two"}]
"""


def test_a_journal_that_an_earlier_version_left_is_read_and_written_the_same():
    found = read(EARLIER)

    assert [type(event) for event in found.events] == [Intend, CloseCreate, Record, Drop, Forget]
    assert written(found.events, serial=0) == EARLIER


@given(events=EVENTS, cut=st.integers(min_value=0))
def test_a_journal_that_is_cut_anywhere_holds_all_its_whole_lines(events, cut):
    content = written(events)
    cut %= len(content)

    found = read(content[:cut])

    whole = content[:cut].count(b"\n")
    if whole == 0:
        assert found is None
    else:
        assert list(found.events) == events[: whole - 1]
        assert content[: found.size].count(b"\n") == whole
        assert content[: found.size].endswith(b"\n")


@given(start=STARTS, events=EVENTS)
def test_events_that_the_record_holds_already_do_not_change_it(start, events):
    once = after(start, events)

    assert after(once, events) == once


@given(events=EVENTS)
def test_lines_can_be_read_by_anything_that_reads_json(events):
    for number, line in enumerate(written(events).splitlines()):
        check, place, members = json.loads(line)
        assert (len(check), place) == (8, number)
        assert isinstance(members, dict)


EVENTS_OF_THREE = [Record("web", entry("1")), Intend("job", intent("job")), Forget("web")]
LINES = written(EVENTS_OF_THREE).splitlines(keepends=True)


def test_a_tail_of_broken_lines_was_never_acknowledged():
    found = read(b"".join(LINES[:2]) + b"\0" * 40 + b"\n" + LINES[3][:-5] + b"\n")

    assert list(found.events) == EVENTS_OF_THREE[:1]
    assert found.size == len(LINES[0] + LINES[1])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (LINES[0] + b"\0\n" + b"".join(LINES[2:]), "its line 2 is damaged or missing"),
        (LINES[0] + b"".join(LINES[2:]), "its line 2 is damaged or missing"),
        (b"".join(LINES[1:]), "its line 1 is damaged or missing"),
        (LINES[0] + LINES[1].replace(b"web", b"job") + LINES[2], "its line 2 is damaged"),
        (b"".join(LINES[:2]) + LINES[1], "its line 3 is damaged or missing"),
        (b"<<<<<<< HEAD\n" + b"".join(LINES), "its line 1 is damaged"),
        (journal.encode_head("other", 4), "it is that of the target 'other'"),
        (
            journal.encode_events([Forget("web")], number=0),
            "another version of the tool wrote it",
        ),
    ],
)
def test_a_journal_that_is_broken_elsewhere_is_an_error_with_what_to_do(content, problem):
    with pytest.raises(InventoryError) as caught:
        read(content)

    message = str(caught.value)
    assert message.startswith("inventory/shop.journal cannot be used: ")
    assert problem in message
    assert "compare the clients that it names" in message


def line_of(members):
    """A line that is whole, whatever it says."""
    body = f"1,{json.dumps(members)}".encode()
    return b'["%08x",%s]\n' % (zlib.crc32(body), body)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"event": "rename", "key": "web"}, "its line 2 says what this version"),
        ({"event": "record", "key": "web", "entry": {}}, "what its line 2 holds has no applied"),
        ({"event": "intend", "key": "web", "intent": []}, "what its line 2 holds is not an object"),
        ([], "its line 2 says what this version"),
    ],
)
def test_a_line_of_another_version_is_an_error(members, problem):
    with pytest.raises(InventoryError, match=problem):
        read(LINES[0] + line_of(members))


@pytest.mark.parametrize("body", [b"1,{", b"x,{}", b"1"])
def test_a_line_whose_checksum_holds_and_whose_json_does_not_is_none(body):
    found = read(LINES[0] + b'["%08x",%s]\n' % (zlib.crc32(body), body))

    assert found.events == ()
