"""Turns an Inventory into the bytes of its record, always the same for the same, and back.

The members of one entry and of one intent are also what the lines of a journal hold.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from reconciler.core.decode import decoder
from reconciler.core.errors import InventoryError
from reconciler.core.model import Intent, Inventory, InventoryEntry
from reconciler.core.places import is_place
from reconciler.core.times import instant
from reconciler.inventory.damage import changed_by_hand, parse_json, unusable
from reconciler.plan.record.digests import entry_members, is_as_recorded
from reconciler.plan.record.intents import intent_members

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from reconciler.core.decode import Accepted
    from reconciler.core.model import Json

    T = TypeVar("T")

VERSION: Final = "reconciler/v1"
_KIND: Final = "Inventory"
_CLIENT_KIND: Final = "InventoryClient"
_TARGET_KIND: Final = "InventoryTarget"
_TOP: Final = {"apiVersion", "kind", "target", "clients"}
# A record of the first version has no serial: it is taken for its zeroth write.
_TOP_OPTIONAL: Final = {"serial", "pending", "server"}
_ENTRY: Final[Mapping[str, type]] = {
    "id": str,
    "applied": dict,
    "fingerprints": dict,
    "appliedAt": str,
    "digest": str,
    "superseded": list,
}
_ENTRY_OPTIONAL: Final[Mapping[str, type]] = {
    "clientId": str,
    "answered": dict,
    "supersededAt": dict,
    "preventDestroy": bool,
    "quarantinedAt": str,
    "secret": str,
    "secretAt": str,
    "origin": str,
}
_INTENT: Final[Mapping[str, type]] = {"facts": dict, "digest": str, "at": str}
_INTENT_OPTIONAL: Final[Mapping[str, type]] = {"id": str, "predecessor": str, "seen": list}
_SECRETS: Final = {"stored", "spooled", "lost"}
_ORIGINS: Final = {"adopted", "bound"}
_CLIENT: Final = {"apiVersion", "kind", "target", "key"}
_CLIENT_OPTIONAL: Final = {"client", "pending"}
_TARGET: Final = {"apiVersion", "kind", "target"}
# What to do with a file that git could not merge.
_SIDES: Final = {
    _KIND: "It holds all clients: keep those of both sides, and the higher serial. Of a client that "
    "both sides have, keep the side whose id the server knows",
    _CLIENT_KIND: "Two branches changed the same client: take one side whole, with `git checkout "
    "--ours` or `git checkout --theirs` and this path. It is the one whose id the server knows, and "
    "where both have the same id, either",
    _TARGET_KIND: "Take the side that names the server where the clients of this target are, with "
    "`git checkout --ours` or `git checkout --theirs` and this path",
}

_NAMES: Final = {"remote_id": "id"}
_DECODE_ENTRY: Final = decoder(InventoryEntry, names=_NAMES, superseded=tuple)
_DECODE_INTENT: Final = decoder(Intent, names=_NAMES, seen=tuple)


def encode(inventory: Inventory) -> bytes:
    """The record: two blanks of indent, members sorted, pending creates left out when none are."""
    # People review it and git merges it, so that the same inventory must be the same bytes.
    clients = {key: entry_members(entry) for key, entry in inventory.entries.items()}
    pending = {key: intent_members(intent) for key, intent in inventory.pending.items()}
    document: dict[str, Json] = {
        "apiVersion": VERSION,
        "clients": clients,
        "kind": _KIND,
        "serial": inventory.serial or 0,
        "target": inventory.target,
    }
    if pending:
        document["pending"] = pending
    if inventory.server:
        document["server"] = inventory.server
    return _text(document)


def encode_client(
    target: str, key: str, *, entry: InventoryEntry | None, intent: Intent | None
) -> bytes:
    """The file of one client: what is remembered of it, and the create of it that is pending."""
    document: dict[str, Json] = {
        "apiVersion": VERSION,
        "key": key,
        "kind": _CLIENT_KIND,
        "target": target,
    }
    if entry is not None:
        document["client"] = entry_members(entry)
    if intent is not None:
        document["pending"] = intent_members(intent)
    return _text(document)


def decode_client(
    content: bytes, *, target: str, path: str
) -> tuple[str, InventoryEntry | None, Intent | None]:
    """The key, the entry and the pending create in `content`. InventoryError, which names `path`."""
    document = _checked_document(content, _CLIENT_KIND, target, path)
    key = document.get("key")
    if not _CLIENT <= document.keys() <= _CLIENT | _CLIENT_OPTIONAL or not isinstance(key, str):
        raise unusable(path, f"its members are not {', '.join(sorted(_CLIENT | _CLIENT_OPTIONAL))}")
    try:
        entry = parse_entry(document["client"]) if "client" in document else None
        intent = parse_intent(key, document["pending"]) if "pending" in document else None
    except ValueError as error:
        problem = f"the client {key!r} {error}"
    else:
        _refuse_edited({} if entry is None else {key: entry}, content, path)
        return key, entry, intent
    raise unusable(path, problem)


def _refuse_edited(entries: Mapping[str, InventoryEntry], content: bytes, path: str) -> None:
    """InventoryError for the first entry that is not as it was recorded."""
    for key, entry in entries.items():
        if not is_as_recorded(entry):
            raise changed_by_hand(content, path, key, entry.digest)


def encode_target(target: str, server: str) -> bytes:
    """The file of what is true of a target as a whole."""
    document: dict[str, Json] = {"apiVersion": VERSION, "kind": _TARGET_KIND, "target": target}
    return _text({**document, "server": server} if server else document)


def decode_target(content: bytes, *, target: str, path: str) -> str:
    """The server that the ids are of, "" where it is not known. InventoryError, which names `path`."""
    document = _checked_document(content, _TARGET_KIND, target, path)
    server = document.get("server", "")
    if not _TARGET <= document.keys() <= _TARGET | {"server"} or not isinstance(server, str):
        raise unusable(path, f"its members are not {', '.join(sorted(_TARGET | {'server'}))}")
    return server


def client_digest(entry: InventoryEntry | None, intent: Intent | None) -> str:
    """What tells one state of a client's record from another, "" where nothing is recorded."""
    members = (entry and entry_members(entry), intent and intent_members(intent))
    if members == (None, None):
        return ""
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def decode(content: bytes, *, target: str, path: str) -> Inventory:
    """The inventory in `content`; InventoryError, which names `path`, for anything but a whole one."""
    document = _checked_document(content, _KIND, target, path)
    serial = document.get("serial", 0)
    if not _TOP <= document.keys() <= _TOP | _TOP_OPTIONAL:
        raise unusable(path, f"its members are not {', '.join(sorted(_TOP | _TOP_OPTIONAL))}")
    if not isinstance(serial, int) or isinstance(serial, bool) or serial < 0:
        raise unusable(path, "its serial is not a whole number")
    server = document.get("server", "")
    if not isinstance(server, str):
        raise unusable(path, "its server is not a text")
    entries = _parse_each(
        document["clients"], "client", lambda _, members: parse_entry(members), path
    )
    _refuse_edited(entries, content, path)
    return Inventory(
        target=target,
        server=server,
        entries=entries,
        pending=_parse_each(document.get("pending", {}), "pending create", parse_intent, path),
        serial=serial,
    )


def parse_entry(members: Json) -> InventoryEntry:
    """The entry that `members` state. Raises ValueError, which says what is wrong with them."""
    checked = _checked_members(members, _ENTRY, _ENTRY_OPTIONAL)
    texts = [checked["id"], *checked["superseded"], *checked["fingerprints"].values()]
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("has an id or a fingerprint that is not a text")
    # A time that cannot be read would end a grace period that is still running.
    if not all(instant(since) for since in checked.get("supersededAt", {}).values()):
        raise ValueError("has a supersededAt that is not a time")
    secret = checked.get("secret", "")
    if secret and secret not in _SECRETS:
        raise ValueError(f"has a secret that is {secret!r}, and none of {sorted(_SECRETS)}")
    place = checked.get("secretAt", "")
    if place and not is_place(place):
        raise ValueError(f"has a secretAt that is {place!r}, and no `target/key`")
    origin = checked.get("origin", "")
    if origin and origin not in _ORIGINS:
        raise ValueError(f"has an origin that is {origin!r}, and none of {sorted(_ORIGINS)}")
    return _DECODE_ENTRY(checked)


def parse_intent(key: str, members: Json) -> Intent:
    """The intent that `members` state. Raises ValueError, which says what is wrong with them."""
    checked = _checked_members(members, _INTENT, _INTENT_OPTIONAL)
    if not all(isinstance(each, str) for each in checked.get("seen", [])):
        raise ValueError("has an id in seen that is not a text")
    return _DECODE_INTENT({"id": None, **checked, "key": key})


def _checked_document(content: bytes, kind: str, target: str, path: str) -> dict[str, Json]:
    """The members of a document of this kind and target. InventoryError, which names `path`."""
    document = parse_json(content, path, _SIDES[kind])
    if not isinstance(document, dict) or document.get("kind") != kind:
        raise unusable(path, "it is not an inventory")
    # Before anything else is held against it: another version may have other members.
    if document.get("apiVersion") != VERSION:
        raise InventoryError(
            f"{path} has the format {document.get('apiVersion')!r}, and this version of the tool "
            f"knows {VERSION!r}: run the version that wrote it, or a newer one"
        )
    if document.get("target") != target:
        raise InventoryError(
            f"{path} is the inventory of the target {document.get('target')!r}, not of {target!r}: "
            "put the right file there, or name the target as it was"
        )
    return document


def _text(document: Json) -> bytes:
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def _parse_each(
    by_key: Json, kind: str, parse: Callable[[str, Json], T], path: str
) -> Mapping[str, T]:
    if not isinstance(by_key, dict):
        raise unusable(path, f"what should be each {kind} by its name is not an object")
    parsed = {}
    for key in sorted(by_key):
        try:
            parsed[key] = parse(key, by_key[key])
        except ValueError as error:
            problem = f"the {kind} {key!r} {error}"
        else:
            continue
        raise unusable(path, problem)
    return parsed


def _checked_members(
    members: Json, required: Mapping[str, type], optional: Mapping[str, type]
) -> Accepted:
    if not isinstance(members, dict):
        raise ValueError("is not an object")  # noqa: TRY004 - the caller names the file
    for name in sorted(members.keys() ^ required.keys()):
        if name not in members:
            raise ValueError(f"has no {name}")
        # Not left out: the next write would drop what a newer version has put there.
        if name not in optional:
            raise ValueError(f"has an unknown member {name!r}")
    for name, value in members.items():
        if not isinstance(value, required.get(name) or optional[name]):
            raise ValueError(f"has a {name} of the wrong type")  # noqa: TRY004 - as above
    return members
