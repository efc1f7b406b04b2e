"""Turns what happens during a run into lines that can be appended, and the lines of a run that died back.

A line is a JSON array: a checksum, the line's number, what happened. The first line says which
write of the record the rest goes on from.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.core.errors import InventoryError
from reconciler.inventory import document
from reconciler.inventory import members as stated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.model import Intent, Inventory, InventoryEntry, Json

_CHECK: Final = 8
_PREFIX: Final = b'["'
_SUFFIX: Final = b"]"


@dataclass(frozen=True, slots=True)
class Intend:
    """A create is about to be sent."""

    key: str
    intent: Intent


@dataclass(frozen=True, slots=True)
class Settle:
    """Nothing came of the create, or what came of it is recorded."""

    key: str


@dataclass(frozen=True, slots=True)
class Record:
    """What is now remembered of a client; a create of it is over."""

    key: str
    entry: InventoryEntry


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing is remembered of a client any more."""

    key: str


@dataclass(frozen=True, slots=True)
class Drop:
    """The server deleted one remote id of a client."""

    key: str
    remote_id: str


Event: TypeAlias = Intend | Settle | Record | Forget | Drop


class State:
    """The entries and the pending creates by key, while events change them.

    The same events give the same state again when they are applied to it once more: so a record
    that holds them already is not harmed by them.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.entries = dict(inventory.entries)
        self.pending = dict(inventory.pending)

    def apply(self, event: Event) -> None:
        """Take in what happened."""
        match event:
            case Intend(key, intent):
                self.pending[key] = intent
            case Settle(key):
                self.pending.pop(key, None)
            case Record(key, entry):
                self.entries[key] = entry
                self.pending.pop(key, None)
            case Forget(key):
                self.entries.pop(key, None)
            case Drop(key, remote_id):
                self._drop(key, remote_id)

    def _drop(self, key: str, remote_id: str) -> None:
        entry = self.entries.get(key)
        if entry is None:
            return
        if entry.remote_id == remote_id:
            del self.entries[key]
        elif remote_id in entry.superseded:
            left = tuple(old for old in entry.superseded if old != remote_id)
            self.entries[key] = replace(entry, superseded=left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The whole lines of a journal: the write of the record that it goes on from, and what happened.

    `size` is how many bytes they are; what follows them was never acknowledged to anybody.
    """

    serial: int
    events: tuple[Event, ...]
    size: int


def first_line(target: str, serial: int) -> bytes:
    """The line that a journal begins with."""
    return _line(0, {"apiVersion": document.VERSION, "target": target, "serial": serial})


def lines(events: Sequence[Event], *, number: int) -> bytes:
    """The lines of `events`, the first of them the `number`th of the journal, from 1."""
    return b"".join(_line(place, _members(event)) for place, event in enumerate(events, number))


def read(content: bytes, *, target: str, path: str) -> Journal | None:
    """The journal in `content`, None where not even its first line is whole.

    A write that a power cut tore leaves a tail of broken lines, which is left out: nothing was done
    on the strength of it. InventoryError, which names `path`, for lines that are broken elsewhere.
    """
    found = [_parsed(line) for line in content.split(b"\n")[:-1]]
    intact = max((place for place, one in enumerate(found, 1) if one is not None), default=0)
    whole = found[:intact]
    for place, one in enumerate(whole):
        if one is None or one[0] != place:
            raise _unusable(path, f"its line {place + 1} is damaged or missing")
    if not whole:
        return None
    head, *rest = [one[1] for one in whole if one is not None]
    serial = _serial(head, target, path)
    return Journal(
        serial=serial,
        events=tuple(_event(members, place, path) for place, members in enumerate(rest, 2)),
        size=sum(map(len, content.split(b"\n")[:intact])) + intact,
    )


def _line(number: int, members: Json) -> bytes:
    body = json.dumps(members, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    checked = f"{number},{body}".encode()
    return b'["%08x",%s]\n' % (zlib.crc32(checked), checked)


def _parsed(line: bytes) -> tuple[int, Json] | None:
    """The number and the members of a line, None for one that is not whole."""
    checked = line[len(_PREFIX) + _CHECK + 2 : -1]
    if line != b'["%08x",%s]' % (zlib.crc32(checked), checked):
        return None
    number, _, body = checked.partition(b",")
    try:
        return int(number), json.loads(body)
    except ValueError:
        return None


def _serial(head: Json, target: str, path: str) -> int:
    match head:
        case {"apiVersion": document.VERSION, "target": str(named), "serial": int(serial)}:
            if named == target:
                return serial
            raise _unusable(path, f"it is that of the target {named!r}")
    raise _unusable(path, "another version of the tool wrote it")


def _members(event: Event) -> dict[str, Json]:
    match event:
        case Intend(key, intent):
            return {"event": "intend", "key": key, "intent": stated.of_intent(intent)}
        case Settle(key):
            return {"event": "settle", "key": key}
        case Record(key, entry):
            return {"event": "record", "key": key, "entry": stated.of_entry(entry)}
        case Forget(key):
            return {"event": "forget", "key": key}
        case Drop(key, remote_id):
            return {"event": "drop", "key": key, "id": remote_id}


def _event(members: Json, place: int, path: str) -> Event:
    try:
        match members:
            case {"event": "intend", "key": str(key), "intent": intent}:
                return Intend(key, stated.intent(key, intent))
            case {"event": "settle", "key": str(key)}:
                return Settle(key)
            case {"event": "record", "key": str(key), "entry": entry}:
                return Record(key, stated.entry(entry))
            case {"event": "forget", "key": str(key)}:
                return Forget(key)
            case {"event": "drop", "key": str(key), "id": str(remote_id)}:
                return Drop(key, remote_id)
    except ValueError as error:
        problem = f"what its line {place} holds {error}"
    else:
        problem = f"its line {place} says what this version of the tool does not know"
    raise _unusable(path, problem)


def _unusable(path: str, problem: str) -> InventoryError:
    return InventoryError(
        f"{path} cannot be used: {problem}. It holds what a run did that could not end; without it "
        "clients may be lost or doubled: take a whole copy, or move it away and compare the "
        "clients that it names (its lines are JSON) with the server"
    )
