"""Adds to a plan what its reader should know: shared ids, names that are taken, clients left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.model import Action, Change, Manifest, Refusal
from reconciler.plan.unowned import name_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from reconciler.plan.inputs import Situation
    from reconciler.provider.model import Provider

_A_FLEET: Final = 2


def refuse_shared_ids(changes: list[Change]) -> None:
    """Refuse, in place, manifests that mean one client: they would undo each other for ever."""
    owners: dict[str, list[int]] = {}
    for position, change in enumerate(changes):
        if change.remote_id is not None:
            owners.setdefault(change.remote_id, []).append(position)
    for remote_id, positions in owners.items():
        if len(positions) == 1:
            continue
        names = ", ".join(changes[position].key for position in positions)
        message = f"{names} all mean the client {remote_id}: let one of them go"
        for position in positions:
            changes[position] = replace(
                changes[position], refusal=Refusal(rule="shared-id", message=message)
            )


def warn_of_namesakes(situation: Situation, changes: Sequence[Change]) -> list[Change]:
    """The changes, with a word on each create whose name a client that is not ours has already."""
    match = situation.provider.identity.match
    if match is None or not any(map(_creates, changes)):
        return list(changes)
    foreign = _foreign_by_name(situation, match, {change.remote_id for change in changes})
    return [
        replace(change, warnings=(*change.warnings, *_namesakes(change, match, foreign)))
        if _creates(change)
        else change
        for change in changes
    ]


def warn_of_renames(situation: Situation, changes: Sequence[Change]) -> list[Change]:
    """The changes, with a word on each removal whose client a create would make again by name."""
    created = {
        name: change.key
        for change in changes
        if _creates(change) and change.manifest is not None
        if (name := name_of(situation, change.manifest.spec)) is not None
    }
    return [
        replace(change, warnings=(*change.warnings, *_renamed(situation, change, created)))
        if created and change.manifest is None
        else change
        for change in changes
    ]


def _renamed(situation: Situation, change: Change, created: Mapping[str, str]) -> tuple[str, ...]:
    if change.live is None or not change.requests:
        return ()
    key = created.get(name_of(situation, change.live.body) or "")
    if key is None:
        return ()
    same = f"{key} is created with the same name"
    way = f"state metadata.id: {change.remote_id} there, and the client stays"
    return (f"{same}: if its manifest only got another metadata.name, {way}",)


def _creates(change: Change) -> bool:
    return change.action is Action.CREATE and change.refusal is None


def _foreign_by_name(
    situation: Situation, match: str, known: Collection[str | None]
) -> Mapping[object, list[str]]:
    ours = {entry.remote_id for entry in situation.inventory.entries.values()}
    found: dict[object, list[str]] = {}
    for remote_id, client in situation.live.clients.items():
        if remote_id not in ours and remote_id not in known:
            found.setdefault(str(client.body.get(match)), []).append(remote_id)
    return found


def _namesakes(change: Change, match: str, foreign: Mapping[object, list[str]]) -> tuple[str, ...]:
    wanted = change.manifest.spec.get(match) if change.manifest else None
    ids = sorted(foreign.get(wanted, ()))
    if not ids:
        return ()
    taken = f"the server already has a client named {wanted!r} that is not ours ({', '.join(ids)})"
    return (f"{taken}: to manage that one instead, set metadata.id",)


def on_secret(situation: Situation, key: str, place: str) -> tuple[str, ...]:
    """A word on a secret that is not where it belongs, and on the way to another."""
    if place == "spooled":
        return ("its secret waits in a private file: the next apply brings it to its sink",)
    if place != "lost":
        return ()
    lost = "its secret is lost, since the answer that told it never arrived"
    if can_rotate(situation.provider):
        return (f"{lost}: `reconciler rotate {key}` gives it another",)
    way = "say lifecycle.allowReplace: true to have it replaced, or delete it on the server"
    return (f"{lost}, and only a new client gets another: {way}, and apply",)


def can_rotate(provider: Provider) -> bool:
    """Whether a client can be given another secret in place."""
    return provider.rotate is not None or any(
        field.secret and not field.read_only for field in provider.fields.values()
    )


def replaceable(situation: Situation, manifest: Manifest) -> bool:
    """Whether a client whose secret is lost is replaced: where that is allowed, and the one way."""
    lifecycle, provider = manifest.lifecycle, situation.provider
    allowed = lifecycle.allow_replace and not lifecycle.prevent_destroy and manifest.id is None
    return allowed and provider.delete is not None and not can_rotate(provider)


def all_gone(situation: Situation, changes: Iterable[Change]) -> tuple[str, ...]:
    """A word where none of several known clients is there: rather the wrong place than a lost fleet."""
    known = situation.inventory.entries
    there = [change.live is not None for change in changes if change.key in known]
    if len(there) < _A_FLEET or any(there):
        return ()
    word = f"not one of the {len(there)} clients of ours is on the server any more: "
    return (word + "check baseUrl and collection before you have them all created again",)
