"""The digest of what is recorded of a client, by which an edit that nobody announced is seen.

It has no key: it finds mistakes, and not somebody who makes another one on purpose. Against those
stand the reviews of the record in git.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.values import canonical_json

if TYPE_CHECKING:
    from reconciler.core.model import InventoryEntry, Json, JsonObject

# The members of an entry that its digest is not over.
_APART: Final = {"appliedAt", "digest"}


def applied_digest(applied: JsonObject, fingerprints: JsonObject) -> str:
    """The digest of what was applied alone, as records of earlier versions have it."""
    return _digest({"applied": dict(applied), "fingerprints": dict(fingerprints)})


def entry_members(entry: InventoryEntry) -> dict[str, Json]:
    """The members of an entry as its file has them; those that say nothing are left out."""
    members: dict[str, Json] = {
        "id": entry.remote_id,
        "applied": dict(entry.applied),
        "fingerprints": dict(entry.fingerprints),
        "appliedAt": entry.applied_at,
        "digest": entry.digest,
        "superseded": list(entry.superseded),
    }
    optional: dict[str, Json] = {
        "clientId": entry.client_id,
        "answered": dict(entry.answered),
        "supersededAt": dict(entry.superseded_at),
        "preventDestroy": entry.prevent_destroy,
        "quarantinedAt": entry.quarantined_at,
        "secret": entry.secret,
        "secretAt": entry.secret_at,
        "origin": entry.origin,
    }
    return members | {name: value for name, value in optional.items() if value}


def entry_digest(entry: InventoryEntry) -> str:
    """The digest of all that is recorded of a client, the time of it aside."""
    members = entry_members(entry)
    # What says nothing is left out, so that a member of a later version changes no digest of today.
    return _digest({name: members[name] for name in members.keys() - _APART if members[name]})


def sealed(entry: InventoryEntry) -> InventoryEntry:
    """The entry with the digest of all of it; one without a digest stays as it is: edited by hand."""
    return replace(entry, digest=entry_digest(entry)) if entry.digest else entry


def amended(entry: InventoryEntry, **facts: Any) -> InventoryEntry:
    """The entry with other facts, and with the digest of them if it had one of the former."""
    changed = replace(entry, **facts)
    return sealed(changed) if entry.digest == entry_digest(entry) else changed


def is_as_recorded(entry: InventoryEntry) -> bool:
    """Whether the digest of an entry is that of its members; one without a digest says so itself."""
    return entry.digest in ("", entry_digest(entry)) or entry.digest == applied_digest(
        entry.applied, entry.fingerprints
    )


def _digest(members: JsonObject) -> str:
    return f"sha256:{hashlib.sha256(canonical_json(members).encode()).hexdigest()}"
