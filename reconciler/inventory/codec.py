"""Turns an Inventory into the bytes of its record, always the same for the same, and back.

The members of one entry and of one intent are also what the lines of a journal hold.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.core.decode import decoder
from reconciler.core.errors import InventoryError
from reconciler.core.model import Intent, Inventory, InventoryEntry
from reconciler.core.times import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from reconciler.core.decode import Accepted
    from reconciler.core.model import Json

    T = TypeVar("T")

VERSION: Final = "reconciler/v1"
_KIND: Final = "Inventory"
_TOP: Final = {"apiVersion", "kind", "target", "clients"}
# A record of the first version has no serial: it is taken for its zeroth write.
_TOP_OPTIONAL: Final = {"serial", "pending"}
_ENTRY: Final[Mapping[str, type]] = {
    "id": str,
    "applied": dict,
    "fingerprints": dict,
    "appliedAt": str,
    "digest": str,
    "superseded": list,
}
_ENTRY_OPTIONAL: Final[Mapping[str, type]] = {
    "answered": dict,
    "supersededAt": dict,
    "preventDestroy": bool,
    "quarantinedAt": str,
    "secret": str,
}
_INTENT: Final[Mapping[str, type]] = {"facts": dict, "digest": str, "at": str}
_INTENT_OPTIONAL: Final[Mapping[str, type]] = {"id": str, "predecessor": str}
_SECRETS: Final = {"stored", "spooled", "lost"}

_NAMES: Final = {"remote_id": "id"}
_DECODE_ENTRY: Final = decoder(InventoryEntry, names=_NAMES, superseded=tuple)
_DECODE_INTENT: Final = decoder(Intent, names=_NAMES)


def encode(inventory: Inventory) -> bytes:
    """The record: two blanks of indent, members sorted, pending creates left out when none are."""
    # People review it and git merges it, so that the same inventory must be the same bytes.
    clients = {key: entry_members(entry) for key, entry in inventory.entries.items()}
    pending = {key: intent_members(intent) for key, intent in inventory.pending.items()}
    document: dict[str, Json] = {
        "apiVersion": VERSION,
        "clients": clients,
        "kind": _KIND,
        "serial": inventory.serial,
        "target": inventory.target,
    }
    if pending:
        document["pending"] = pending
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def decode(content: bytes, *, target: str, path: str) -> Inventory:
    """The inventory in `content`; InventoryError, which names `path`, for anything but a whole one."""
    document = _parse_json(content, path)
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        raise _unusable(path, "it is not an inventory")
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
    serial = document.get("serial", 0)
    if not _TOP <= document.keys() <= _TOP | _TOP_OPTIONAL:
        raise _unusable(path, f"its members are not {', '.join(sorted(_TOP | _TOP_OPTIONAL))}")
    if not isinstance(serial, int) or isinstance(serial, bool) or serial < 0:
        raise _unusable(path, "its serial is not a whole number")
    return Inventory(
        target=target,
        entries=_parse_each(
            document["clients"], "client", lambda _, members: parse_entry(members), path
        ),
        pending=_parse_each(document.get("pending", {}), "pending create", parse_intent, path),
        serial=serial,
    )


def entry_members(entry: InventoryEntry) -> dict[str, Json]:
    """The members of an entry; those that say nothing are left out."""
    members: dict[str, Json] = {
        "id": entry.remote_id,
        "applied": dict(entry.applied),
        "fingerprints": dict(entry.fingerprints),
        "appliedAt": entry.applied_at,
        "digest": entry.digest,
        "superseded": list(entry.superseded),
    }
    optional: dict[str, Json] = {
        "answered": dict(entry.answered),
        "supersededAt": dict(entry.superseded_at),
        "preventDestroy": entry.prevent_destroy,
        "quarantinedAt": entry.quarantined_at,
        "secret": entry.secret,
    }
    return members | {name: value for name, value in optional.items() if value}


def intent_members(intent: Intent) -> dict[str, Json]:
    """The members of an intent, without its key."""
    members: dict[str, Json] = {
        "facts": dict(intent.facts),
        "digest": intent.digest,
        "at": intent.at,
    }
    optional: dict[str, Json] = {"id": intent.remote_id, "predecessor": intent.predecessor}
    return members | {name: value for name, value in optional.items() if value is not None}


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
    return _DECODE_ENTRY(checked)


def parse_intent(key: str, members: Json) -> Intent:
    """The intent that `members` state. Raises ValueError, which says what is wrong with them."""
    checked = _checked_members(members, _INTENT, _INTENT_OPTIONAL)
    return _DECODE_INTENT({"id": None, **checked, "key": key})


def _parse_each(
    by_key: Json, kind: str, parse: Callable[[str, Json], T], path: str
) -> Mapping[str, T]:
    if not isinstance(by_key, dict):
        raise _unusable(path, f"what should be each {kind} by its name is not an object")
    parsed = {}
    for key in sorted(by_key):
        try:
            parsed[key] = parse(key, by_key[key])
        except ValueError as error:
            problem = f"the {kind} {key!r} {error}"
        else:
            continue
        raise _unusable(path, problem)
    return parsed


def _parse_json(content: bytes, path: str) -> Json:
    try:
        document: Json = json.loads(content, object_pairs_hook=_refuse_duplicates)
    except RecursionError:
        reason = "it is nested too deep"
    except ValueError as error:
        reason = f"it is not whole JSON: {error}"
    else:
        return document
    raise _unusable(path, reason)


def _refuse_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # The usual mark of a merge that kept both sides.
        raise ValueError("a member stands there twice")
    return members


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


def _unusable(path: str, problem: str) -> InventoryError:
    return InventoryError(
        f"{path} cannot be used: {problem}. Nothing is done without it, since it says which "
        "clients are ours: take the last good copy from git or from a backup"
    )
