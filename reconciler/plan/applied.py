"""Turns what was applied to a client, or found of it, into the inventory's entry for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.model import EMPTY, MISSING, InventoryEntry, Json, JsonObject, Manifest
from reconciler.core.pointer import unescape
from reconciler.core.secrets import fingerprint, holds_secret, reveal
from reconciler.core.values import same
from reconciler.plan.diff import compare
from reconciler.plan.fields.parts import is_whole_secret, open_part, part_key, secret_parts
from reconciler.plan.normalize import canonical, declared_part
from reconciler.plan.record.digests import applied_digest
from reconciler.provider import references
from reconciler.provider.identity import client_id_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import TypeVar

    from reconciler.core.changes import FieldChange
    from reconciler.core.model import LiveClient, SecretPlace
    from reconciler.plan.context import TargetContext
    from reconciler.provider.model import Provider, Switch

    T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What to remember of a client that becomes ours, and what the next apply changes of it."""

    entry: InventoryEntry
    differing: tuple[FieldChange, ...]


def ignored_fields(manifest: Manifest) -> frozenset[str]:
    """The names of the fields that `lifecycle.ignoreChanges` points to."""
    return frozenset(
        unescape(pointer.removeprefix("/")) for pointer in manifest.lifecycle.ignore_changes
    )


def server_changed(
    provider: Provider, manifest: Manifest, answer: JsonObject, *, key: bytes
) -> tuple[FieldChange, ...]:
    """The fields that the answer to a write shows other than they were wanted.

    Those that no answer shows are left out, and so are those of `lifecycle.ignoreChanges`.
    """
    skip = ignored_fields(manifest)
    comparable = {
        name: value
        for name, value in manifest.spec.items()
        if name not in skip and not provider.fields[name].write_only
    }
    # As if it had been applied: of what the server hides, nothing can be said to be otherwise.
    stated = replace(manifest, spec=comparable)
    made = make_entry(provider, stated, "", {}, key=key, now="")
    return compare(provider, comparable, answer, key=key, entry=made)


def keep_unfinished(
    made: InventoryEntry, before: InventoryEntry | None, names: Collection[str]
) -> InventoryEntry:
    """`made`, with what `before` says of the fields `names`: the server did not take what is wanted of them.

    So the next plan asks for them again, and knows who moved. Of another client nothing is kept.
    """
    old = replace(made, applied={}, fingerprints={}, answered={})
    if before is not None and before.remote_id == made.remote_id:
        old = before
    applied = _kept(made.applied, old.applied, names)
    fingerprints = _kept(made.fingerprints, old.fingerprints, names)
    return replace(
        made,
        applied=applied,
        fingerprints=fingerprints,
        answered=_kept(made.answered, old.answered, names),
        digest=applied_digest(applied, fingerprints),
    )


def _kept(new: Mapping[str, T], old: Mapping[str, T], names: Collection[str]) -> dict[str, T]:
    """`new`, with the members of `old` in the place of its own for the fields `names`."""
    kept = {key: value for key, value in new.items() if _field_of(key) not in names}
    kept |= {key: value for key, value in old.items() if _field_of(key) in names}
    return dict(sorted(kept.items()))


def _field_of(key: str) -> str:
    """The field that a member of the record is about: the key of a secret inside one is a pointer."""
    return unescape(key.split("/")[1]) if key.startswith("/") else key


def make_entry(
    provider: Provider,
    manifest: Manifest,
    remote_id: str,
    answer: JsonObject,
    *,
    key: bytes,
    now: str,
    predecessors: Mapping[str, str] = EMPTY,
    secret: SecretPlace = "",
) -> InventoryEntry:
    """What to remember of a client that now is as `manifest`, resolved, wants it.

    `answer` is what the server last showed of it. `now` is RFC 3339, UTC. `predecessors`
    are the remote ids that are still to be deleted, each with the time since which it has a
    successor where it is to live on for a while, and "" otherwise. `secret` is where its secret is. A quarantine ends with the manifest.
    """
    applied: dict[str, Json] = {}
    fingerprints: dict[str, str] = {}
    answered: dict[str, Json] = {}
    for name in sorted(manifest.spec.keys() - ignored_fields(manifest)):
        field, wanted = provider.fields[name], manifest.spec[name]
        # A reference may stand in any field, and the inventory lies in git or in a bucket.
        if is_whole_secret(field, wanted):
            fingerprints[name] = fingerprint(key, canonical(field, reveal(wanted)))
            continue
        # Canonical: a set in another order must not rewrite a record that people review.
        stated = canonical(field, wanted)
        hidden = dict(secret_parts(stated))
        fingerprints |= {
            part_key(field, place): fingerprint(key, secret) for place, secret in hidden.items()
        }
        applied[name] = open_part(stated)
        if not field.write_only:
            # Members that the manifest does not declare are no other spelling of those that it does.
            live = canonical(
                field, declared_part(field, applied[name], answer.get(field.name, MISSING))
            )
            live = open_part(live)
            # What repeats a secret is no spelling to remember, and not for a record.
            if live is not MISSING and not holds_secret(live) and not same(applied[name], live):
                answered[name] = live
    client_id = client_id_in(provider, answer)
    return InventoryEntry(
        remote_id=remote_id,
        client_id=client_id if client_id and client_id != remote_id else "",
        applied=applied,
        fingerprints=fingerprints,
        answered=answered,
        applied_at=now,
        digest=applied_digest(applied, fingerprints),
        superseded=tuple(predecessors),
        superseded_at={old_id: since for old_id, since in predecessors.items() if since},
        prevent_destroy=manifest.lifecycle.prevent_destroy,
        secret=secret,
    )


def bind_entry(
    context: TargetContext,
    client: LiveClient,
    manifest: Manifest,
    *,
    now: str,
    superseded: Iterable[str] = (),
    superseded_at: Mapping[str, str] = EMPTY,
    secret: SecretPlace = "",
) -> Binding:
    """What to remember of `client` as that of `manifest`, whose references may be unresolved.

    Only what is as wanted counts as applied: the next apply shows and sends the rest. A field that
    no answer shows, or whose value is a reference, does not count: what the server has is unknown.
    """
    provider, spec = context.provider, manifest.spec
    hidden = {pointer.split("/")[1] for pointer, _ in references.find(spec, provider)}
    hidden |= {name for name in spec if provider.fields[name].write_only}
    hidden |= ignored_fields(manifest)
    known = {name: value for name, value in spec.items() if name not in hidden}
    differing = compare(provider, known, client.body, key=context.key)
    as_wanted = known.keys() - {change.field for change in differing}
    entry = make_entry(
        provider,
        replace(manifest, spec={name: known[name] for name in known if name in as_wanted}),
        client.remote_id,
        client.body,
        key=context.key,
        now=now,
        # A dict for its keys: the record and the intent of a replace may both name one predecessor.
        predecessors={old_id: superseded_at.get(old_id, "") for old_id in superseded},
        secret=secret,
    )
    return Binding(entry=entry, differing=differing)


def quarantine_entry(
    old: InventoryEntry, switch: Switch | None, *, turned: bool, now: str
) -> InventoryEntry:
    """What to remember of a client that no manifest names any more, in quarantine from `now` on.

    `turned` says that the quarantine turned it off. Only then is it turned on again when a manifest
    comes back, so only then does `applied` hold the switch.
    """
    field = "" if switch is None else switch.field
    applied = {name: value for name, value in old.applied.items() if name != field}
    if switch is not None and turned:
        applied[field] = switch.off
    return replace(
        old,
        applied=applied,
        digest=applied_digest(applied, old.fingerprints),
        applied_at=now,
        quarantined_at=now,
    )


def renews(old: InventoryEntry | None, new: InventoryEntry) -> bool:
    """Whether `new` says anything that `old` does not, the time aside."""
    # A run that changes nothing must leave the bytes of the record alone: it is a file in git, and
    # a new time in each entry would be a commit after every run (decision 0013).
    return old is None or replace(old, applied_at="", digest="") != replace(
        new, applied_at="", digest=""
    )
