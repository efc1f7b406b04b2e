"""Turns the events of a run into lines that can be appended, and the lines of a run that died back.

A line is a JSON array: a checksum, the line's number, the event. The first line says which write
of the record the rest goes on from (docs/decisions/0013). The words in the lines stay as they are:
journals that earlier versions left are still read.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.core.errors import InventoryError
from reconciler.inventory import codec, strict_json
from reconciler.plan.record.digests import amended, entry_members
from reconciler.plan.record.intents import intent_members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.model import Intent, Inventory, InventoryEntry, Json

# How many hexadecimal digits the checksum has.
_CHECKSUM_DIGITS: Final = 8
_PREFIX: Final = b'["'
NO_BASES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Intend:
    """A create is about to be sent."""

    key: str
    intent: Intent


@dataclass(frozen=True, slots=True)
class CloseCreate:
    """Nothing came of the create, or what came of it is recorded. In a line it is "settle"."""

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


@dataclass(frozen=True, slots=True)
class Move:
    """A client is known by another key. One event, so that it is never under both."""

    key: str
    to: str
    entry: InventoryEntry


Event: TypeAlias = Intend | CloseCreate | Record | Forget | Drop | Move


def keys_of(event: Event) -> tuple[str, ...]:
    """The keys whose record an event changes."""
    return (event.key, event.to) if isinstance(event, Move) else (event.key,)


class InventoryState:
    """The entries and the pending creates by key, while events change them.

    The same events give the same state again when they are applied to it once more: so a record
    that holds them already is not harmed by them.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.entries = dict(inventory.entries)
        self.pending = dict(inventory.pending)

    def apply(self, event: Event) -> None:
        """Change the state by one event."""
        match event:
            case Intend(key, intent):
                self.pending[key] = intent
            case CloseCreate(key):
                self.pending.pop(key, None)
            case Record(key, entry):
                self.entries[key] = entry
                self.pending.pop(key, None)
            case Forget(key):
                self.entries.pop(key, None)
            case Drop(key, remote_id):
                self._drop(key, remote_id)
            case Move(key, to, entry):
                self.entries.pop(key, None)
                self.entries[to] = entry

    def _drop(self, key: str, remote_id: str) -> None:
        entry = self.entries.get(key)
        if entry is None:
            return
        if entry.remote_id == remote_id:
            del self.entries[key]
        # An id that is neither may be gone already: the same event may be applied a second time.
        elif remote_id in entry.superseded:
            remaining = tuple(old for old in entry.superseded if old != remote_id)
            times = {old: at for old, at in entry.superseded_at.items() if old in remaining}
            self.entries[key] = amended(entry, superseded=remaining, superseded_at=times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The whole lines of a journal: the serial of the record that it goes on from, and the events.

    `bases` say by key what the record held of a client before the first event of it, as
    `codec.client_digest` has it; none in a journal that goes by the serial. `size` is how many bytes they are. What follows them was never on disk as a whole, so no request
    relied on it.
    """

    serial: int
    events: tuple[Event, ...]
    size: int
    bases: Mapping[str, str] = field(default_factory=dict)


def encode_head(target: str, serial: int | None) -> bytes:
    """The line that a journal begins with."""
    return _line(0, {"apiVersion": codec.VERSION, "target": target, "serial": serial or 0})


def encode_events(
    events: Sequence[Event], *, number: int, bases: Mapping[str, str] = NO_BASES
) -> bytes:
    """The lines of `events`, the first of them the `number`th of the journal, from 1.

    `bases` are those of the keys that no earlier line of the journal is about.
    """
    told: set[str] = set()
    lines = []
    for line, event in enumerate(events, number):
        new = {key: bases[key] for key in keys_of(event) if key in bases and key not in told}
        told |= new.keys()
        members = _event_members(event)
        lines.append(_line(line, {**members, "bases": new} if new else members))
    return b"".join(lines)


def decode(content: bytes, *, target: str, path: str) -> Journal | None:
    """The journal in `content`, None where not even its first line is whole.

    A write that a power cut tore leaves a tail of broken lines, which is left out: nothing was done
    on the strength of it. InventoryError, which names `path`, for lines that are broken elsewhere.
    """
    # What follows the last line break is a line that is not whole, or nothing.
    lines = content.split(b"\n")[:-1]
    parsed = [_parse_line(line) for line in lines]
    # Broken lines after the last whole one are what a power cut tore; one before it is damage.
    intact = max((place for place, one in enumerate(parsed, 1) if one is not None), default=0)
    whole = parsed[:intact]
    for place, one in enumerate(whole):
        if one is None or one[0] != place:
            raise _unusable(path, f"its line {place + 1} is damaged or missing")
    if not whole:
        return None
    head, *rest = [one[1] for one in whole if one is not None]
    return Journal(
        serial=_parse_serial(head, target, path),
        events=tuple(_parse_event(members, place, path) for place, members in enumerate(rest, 2)),
        size=sum(map(len, lines[:intact])) + intact,
        bases={key: base for members in rest for key, base in _bases(members).items()},
    )


def _bases(members: Json) -> Mapping[str, str]:
    found = members.get("bases", NO_BASES) if isinstance(members, dict) else NO_BASES
    return found if isinstance(found, dict) else NO_BASES


def _line(number: int, members: Json) -> bytes:
    body = json.dumps(members, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # The number is under the checksum too: a line that is whole and elsewhere is damage as well.
    checked = f"{number},{body}".encode()
    return b'["%08x",%s]\n' % (zlib.crc32(checked), checked)


def _parse_line(line: bytes) -> tuple[int, Json] | None:
    """The number and the members of a line, None for one that is not whole."""
    checked = line[len(_PREFIX) + _CHECKSUM_DIGITS + 2 : -1]
    if line != b'["%08x",%s]' % (zlib.crc32(checked), checked):
        return None
    number, _, body = checked.partition(b",")
    try:
        return int(number), strict_json.parse(body)
    except ValueError:
        return None


def _parse_serial(head: Json, target: str, path: str) -> int:
    match head:
        case {"apiVersion": codec.VERSION, "target": str(named), "serial": int(serial)}:
            if named == target:
                return serial
            raise _unusable(path, f"it is that of the target {named!r}")
    raise _unusable(path, "another version of the tool wrote it")


def _event_members(event: Event) -> dict[str, Json]:
    match event:
        case Intend(key, intent):
            return {"event": "intend", "key": key, "intent": intent_members(intent)}
        case CloseCreate(key):
            return {"event": "settle", "key": key}
        case Record(key, entry):
            return {"event": "record", "key": key, "entry": entry_members(entry)}
        case Forget(key):
            return {"event": "forget", "key": key}
        case Drop(key, remote_id):
            return {"event": "drop", "key": key, "id": remote_id}
        case Move(key, to, entry):
            return {"event": "move", "key": key, "to": to, "entry": entry_members(entry)}


def _parse_event(members: Json, place: int, path: str) -> Event:
    try:
        match members:
            case {"event": "intend", "key": str(key), "intent": intent}:
                return Intend(key, codec.parse_intent(key, intent))
            case {"event": "settle", "key": str(key)}:
                return CloseCreate(key)
            case {"event": "record", "key": str(key), "entry": entry}:
                return Record(key, codec.parse_entry(entry))
            case {"event": "forget", "key": str(key)}:
                return Forget(key)
            case {"event": "drop", "key": str(key), "id": str(remote_id)}:
                return Drop(key, remote_id)
            case {"event": "move", "key": str(key), "to": str(to), "entry": entry}:
                return Move(key, to, codec.parse_entry(entry))
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
