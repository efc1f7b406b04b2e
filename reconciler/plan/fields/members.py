"""Says what becomes of members that no manifest states: which stop being managed, and which a write lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import (
    EMPTY,
    MISSING,
    InventoryEntry,
    Json,
    JsonObject,
    Missing,
    Redacted,
    Secret,
)
from reconciler.core.pointer import escape, resolve, unescape
from reconciler.core.secrets import fingerprint, holds_secret
from reconciler.core.values import brief_text
from reconciler.plan.fields.parts import held_parts, redacted, secret_text
from reconciler.provider.spelling import answer_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.changes import Change
    from reconciler.provider.model import Provider


def unmanaged_sentences(
    provider: Provider,
    spec: JsonObject,
    entry: InventoryEntry | None,
    body: JsonObject,
    key: bytes,
) -> tuple[str, ...]:
    """What was applied and is stated no longer, at any depth, a sentence each with the value at which it stays.

    Once an apply has recorded that, it is not told again. A secret is told as its fingerprint.
    """
    if entry is None:
        return ()
    recorded = entry.applied.keys() | entry.fingerprints.keys()
    whole = sorted((recorded - spec.keys()) & provider.fields.keys())
    # Asked for each client of a fleet, of which most have no object that could have lost a member.
    inside = any(name.startswith("/") for name in entry.fingerprints)
    nested = [name for name in spec if inside or isinstance(entry.applied.get(name), dict)]
    return tuple(
        [_sentence(provider, name, "", entry, body, key) for name in whole]
        + [
            _sentence(provider, name, pointer, entry, body, key)
            for name in sorted(nested)
            if name in provider.fields
            for pointer in _dropped(provider, name, spec[name], entry)
        ]
    )


def _dropped(provider: Provider, name: str, wanted: Json, entry: InventoryEntry) -> list[str]:
    """The pointers inside a stated field of what was applied and is stated no longer."""
    plain = _lost(entry.applied.get(name, MISSING), wanted, "")
    parts = held_parts(provider.fields[name], entry)
    secret = (place for place in parts if not _is_stated(wanted, place))
    # What stands inside something that is told goes with it.
    found = sorted({*plain, *secret})
    return [place for place in found if not any(place.startswith(f"{other}/") for other in found)]


def _lost(applied: Json | Missing, wanted: Json | Missing, pointer: str) -> Iterator[str]:
    if not isinstance(applied, dict) or not isinstance(wanted, dict):
        return
    for name, member in applied.items():
        below = f"{pointer}/{escape(name)}"
        if name in wanted:
            yield from _lost(member, wanted[name], below)
        else:
            yield below


def _is_stated(wanted: Json, place: str) -> bool:
    """Whether `wanted` says anything at a pointer: a value in place of an object speaks of its inside too."""
    if not isinstance(wanted, dict):
        return True
    first, _, rest = place.removeprefix("/").partition("/")
    name = unescape(first)
    return name in wanted and (not rest or _is_stated(wanted[name], rest))


def _sentence(
    provider: Provider, name: str, pointer: str, entry: InventoryEntry, body: JsonObject, key: bytes
) -> str:
    field = provider.fields[name]
    subject = f"{name}{pointer} is no longer managed"
    live = resolve(body, f"/{escape(field.name)}{pointer}")
    if live is MISSING or (isinstance(live, Secret) and live.masked):
        return f"{subject}, and the server shows no value of it"
    if _was_secret(entry, name, pointer, held_parts(field, entry)):
        return f"{subject} and stays {Redacted(fingerprint(key, live))}"
    if holds_secret(live):
        return f"{subject} and stays {secret_text(redacted(live, key))}"
    return f"{subject} and stays {brief_text(live)}"


def _was_secret(entry: InventoryEntry, name: str, pointer: str, held: Iterable[str]) -> bool:
    """Whether a value, or anything in it, was last applied as a secret: a reference may stand in any field."""
    inside = any(place == pointer or place.startswith(f"{pointer}/") for place in held)
    return inside or (not pointer and name in entry.fingerprints)


def vanished_members(
    provider: Provider, change: Change, before: JsonObject, after: JsonObject
) -> list[str]:
    """The members, at any depth, that a client showed before an update and that it does not show after it.

    Left out are those that the manifest states, which are judged for themselves, and those that only
    the server sets or that need not be shown.
    """
    spec = EMPTY if change.manifest is None else change.manifest.spec
    # A field that answers have elsewhere stands in `before` under its own name too.
    elsewhere = answer_names(provider) - provider.fields.keys()
    found: list[str] = []
    for name in sorted(before.keys() - elsewhere):
        field = provider.fields.get(name)
        quiet = field is not None and (
            field.read_only or field.volatile or field.secret or field.write_only
        )
        if not quiet:
            stated = MISSING if field is None else spec.get(field.name, MISSING)
            found += _gone(stated, before[name], after.get(name, MISSING), name)
    return found


def _gone(stated: Json | Missing, before: Json, after: Json | Missing, place: str) -> Iterator[str]:
    if before is None or holds_secret(before):
        return
    if after is MISSING and stated is MISSING:
        yield place
    elif isinstance(before, dict) and isinstance(after, dict):
        if stated is not MISSING and not isinstance(stated, dict):
            return
        inside = stated if isinstance(stated, dict) else {}
        for name, member in sorted(before.items()):
            wanted = inside.get(name, MISSING)
            yield from _gone(wanted, member, after.get(name, MISSING), f"{place}/{escape(name)}")
