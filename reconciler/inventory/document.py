"""Turns an Inventory into the bytes of its record, always the same for the same, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import InventoryError
from reconciler.core.model import Inventory
from reconciler.inventory import members as stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from reconciler.core.model import Json

    Stated = TypeVar("Stated")

VERSION: Final = "reconciler/v1"
_KIND: Final = "Inventory"
_TOP: Final = {"apiVersion", "kind", "target", "clients"}
# A record of the first version has no serial: it is taken for its zeroth write.
_TOP_OPTIONAL: Final = {"serial", "pending"}


def encode(inventory: Inventory) -> bytes:
    """The record: two blanks of indent, members sorted, pending creates left out when none are."""
    clients = {key: stated.of_entry(entry) for key, entry in inventory.entries.items()}
    pending = {key: stated.of_intent(intent) for key, intent in inventory.pending.items()}
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
    document = _parsed(content, path)
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        raise _unusable(path, "it is not an inventory")
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
        entries=_each(document["clients"], "client", lambda _, one: stated.entry(one), path),
        pending=_each(document.get("pending", {}), "pending create", stated.intent, path),
        serial=serial,
    )


def _each(
    found: Json, kind: str, make: Callable[[str, Json], Stated], path: str
) -> Mapping[str, Stated]:
    if not isinstance(found, dict):
        raise _unusable(path, f"what should be each {kind} by its name is not an object")
    made = {}
    for key in sorted(found):
        try:
            made[key] = make(key, found[key])
        except ValueError as error:
            problem = f"the {kind} {key!r} {error}"
        else:
            continue
        raise _unusable(path, problem)
    return made


def _parsed(content: bytes, path: str) -> Json:
    try:
        document: Json = json.loads(content, object_pairs_hook=_no_duplicates)
    except RecursionError:
        reason = "it is nested too deep"
    except ValueError as error:
        reason = f"it is not whole JSON: {error}"
    else:
        return document
    raise _unusable(path, reason)


def _no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # The usual mark of a merge that kept both sides.
        raise ValueError("a member stands there twice")
    return members


def _unusable(path: str, problem: str) -> InventoryError:
    return InventoryError(
        f"{path} cannot be used: {problem}. Nothing is done without it, since it says which "
        "clients are ours: take the last good copy from git or from a backup"
    )
