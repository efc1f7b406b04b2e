"""Turns an Inventory into the bytes of its file, always the same for the same entries, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from reconciler.core.errors import InventoryError
from reconciler.core.model import Inventory, InventoryEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.model import Json, JsonObject

_VERSION: Final = "reconciler/v1"
_KIND: Final = "Inventory"
_TOP: Final = {"apiVersion", "kind", "target", "clients"}
_REQUIRED: Final[Mapping[str, type]] = {
    "id": str,
    "applied": dict,
    "fingerprints": dict,
    "appliedAt": str,
    "digest": str,
    "superseded": list,
}
_OPTIONAL: Final[Mapping[str, type]] = {"answered": dict}
_INDENT: Final = "    "


def encode_entry(key: str, entry: InventoryEntry) -> bytes:
    """The lines of one client, as they stand in the file."""
    members: dict[str, Json] = {
        "id": entry.remote_id,
        "applied": dict(entry.applied),
        "fingerprints": dict(entry.fingerprints),
        "appliedAt": entry.applied_at,
        "digest": entry.digest,
        "superseded": list(entry.superseded),
    }
    if entry.answered:
        members["answered"] = dict(entry.answered)
    text = json.dumps(members, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    indented = text.replace("\n", f"\n{_INDENT}")
    return f"{_INDENT}{_quoted(key)}: {indented}".encode()


def encode(target: str, clients: Mapping[str, bytes]) -> bytes:
    """The file, from the lines of each client by its key: two blanks of indent, members sorted.

    Lines are kept from one write to the next: a run that records ten thousand creates would
    otherwise spend its time on spelling the ones before.
    """
    head = f'{{\n  "apiVersion": "{_VERSION}",\n  "clients": '
    tail = f',\n  "kind": "{_KIND}",\n  "target": {_quoted(target)}\n}}\n'
    if not clients:
        return f"{head}{{}}{tail}".encode()
    lines = [clients[key] for key in sorted(clients)]
    # Into the first and the last line, so that the whole is copied once.
    lines[0] = f"{head}{{\n".encode() + lines[0]
    lines[-1] += f"\n  }}{tail}".encode()
    return b",\n".join(lines)


def decode(content: bytes, *, target: str, path: str) -> Inventory:
    """The inventory in `content`; InventoryError, which names `path`, for anything but a whole one."""
    document = _parsed(content, path)
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        raise _unusable(path, "it is not an inventory")
    if document.get("apiVersion") != _VERSION:
        raise InventoryError(
            f"{path} has the format {document.get('apiVersion')!r}, and this version of the tool "
            f"knows {_VERSION!r}: run the version that wrote it, or a newer one"
        )
    if document.get("target") != target:
        raise InventoryError(
            f"{path} is the inventory of the target {document.get('target')!r}, not of {target!r}: "
            "put the right file there, or name the target as it was"
        )
    clients = document.get("clients")
    if set(document) != _TOP or not isinstance(clients, dict):
        raise _unusable(path, f"its members are not {', '.join(sorted(_TOP))}")
    entries = {key: _entry(key, clients[key], path) for key in sorted(clients)}
    return Inventory(target=target, entries=entries)


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


def _entry(key: str, members: Json, path: str) -> InventoryEntry:
    problem = _problem(members)
    if problem:
        raise _unusable(path, f"the client {key!r} {problem}")
    stated = cast("dict[str, JsonObject]", members)
    return InventoryEntry(
        remote_id=cast("str", stated["id"]),
        applied=stated["applied"],
        fingerprints=cast("Mapping[str, str]", stated["fingerprints"]),
        answered=stated.get("answered", {}),
        applied_at=cast("str", stated["appliedAt"]),
        digest=cast("str", stated["digest"]),
        superseded=tuple(cast("list[str]", stated["superseded"])),
    )


def _problem(members: Json) -> str:
    if not isinstance(members, dict):
        return "is not an object"
    for name in sorted(members.keys() ^ _REQUIRED.keys()):
        if name not in members:
            return f"has no {name}"
        if name not in _OPTIONAL:
            return f"has an unknown member {name!r}"
    kinds = {**_REQUIRED, **_OPTIONAL}
    wrong = [name for name in members if not isinstance(members[name], kinds[name])]
    if wrong:
        return f"has a {wrong[0]} of the wrong type"
    texts = [members["id"], *members["superseded"], *members["fingerprints"].values()]
    if not all(isinstance(text, str) and text for text in texts):
        return "has an id or a fingerprint that is not a text"
    return ""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _unusable(path: str, problem: str) -> InventoryError:
    return InventoryError(
        f"{path} cannot be used: {problem}. Nothing is done without it, since it says which "
        "clients are ours: take the last good copy from git or from a backup"
    )
