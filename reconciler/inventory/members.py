"""Turns one client's entry, or the intent to create one, into JSON members, and checked ones back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.decode import decoder
from reconciler.core.model import Intent, InventoryEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.decode import Accepted
    from reconciler.core.model import Json

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
    "preventDestroy": bool,
    "quarantinedAt": str,
    "secret": str,
}
_INTENT: Final[Mapping[str, type]] = {"facts": dict, "digest": str, "at": str}
_INTENT_OPTIONAL: Final[Mapping[str, type]] = {"id": str, "predecessor": str}
_SECRETS: Final = {"stored", "spooled", "lost"}

_NAMES: Final = {"remote_id": "id"}
_DECODED_ENTRY: Final = decoder(InventoryEntry, names=_NAMES, superseded=tuple)
_DECODED_INTENT: Final = decoder(Intent, names=_NAMES)


def of_entry(entry: InventoryEntry) -> dict[str, Json]:
    """The members of an entry; what is as in a plain one is left out."""
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
        "preventDestroy": entry.prevent_destroy,
        "quarantinedAt": entry.quarantined_at,
        "secret": entry.secret,
    }
    return members | {name: value for name, value in optional.items() if value}


def of_intent(intent: Intent) -> dict[str, Json]:
    """The members of an intent, without its key."""
    members: dict[str, Json] = {
        "facts": dict(intent.facts),
        "digest": intent.digest,
        "at": intent.at,
    }
    optional: dict[str, Json] = {"id": intent.remote_id, "predecessor": intent.predecessor}
    return members | {name: value for name, value in optional.items() if value is not None}


def entry(members: Json) -> InventoryEntry:
    """The entry that `members` state; ValueError says what is wrong with them."""
    stated = _checked(members, _ENTRY, _ENTRY_OPTIONAL)
    texts = [stated["id"], *stated["superseded"], *stated["fingerprints"].values()]
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("has an id or a fingerprint that is not a text")
    secret = stated.get("secret", "")
    if secret and secret not in _SECRETS:
        raise ValueError(f"has a secret that is {secret!r}, and none of {sorted(_SECRETS)}")
    return _DECODED_ENTRY(stated)


def intent(key: str, members: Json) -> Intent:
    """The intent that `members` state; ValueError says what is wrong with them."""
    return _DECODED_INTENT({"id": None, **_checked(members, _INTENT, _INTENT_OPTIONAL), "key": key})


def _checked(members: Json, required: Mapping[str, type], optional: Mapping[str, type]) -> Accepted:
    if not isinstance(members, dict):
        raise ValueError("is not an object")  # noqa: TRY004 - the caller names the file
    for name in sorted(members.keys() ^ required.keys()):
        if name not in members:
            raise ValueError(f"has no {name}")
        if name not in optional:
            raise ValueError(f"has an unknown member {name!r}")
    for name, value in members.items():
        if not isinstance(value, required.get(name) or optional[name]):
            raise ValueError(f"has a {name} of the wrong type")  # noqa: TRY004 - as above
    return members
