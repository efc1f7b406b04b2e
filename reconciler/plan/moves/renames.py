"""Tells of creates that look like a client whose key vanished: a rename that nobody stated."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Action, Change, Refusal
from reconciler.core.model import MISSING
from reconciler.core.places import place_text, split_place
from reconciler.core.secrets import reveal
from reconciler.core.values import canonical_json
from reconciler.plan.context import keys_without_manifest
from reconciler.plan.guards.changes import refuse
from reconciler.plan.guards.clients import client_name
from reconciler.plan.guards.rules import Rule
from reconciler.plan.normalize import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.core.model import JsonObject, Manifest
    from reconciler.plan.context import Neighbour, TargetContext

_NAME: Final = "name"
# What a client is known by: a field's name, and its value as a text.
_Trait = tuple[str, str]
# How many clients that look alike one sentence names.
_MOST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vanished:
    """A client of ours that no manifest names: its place, its id, and a target's record without a target."""

    place: str
    remote_id: str
    values: JsonObject
    is_orphan: bool = False


def tell_renames(
    context: TargetContext, manifests: Sequence[Manifest], changes: Sequence[Change]
) -> list[Change]:
    """The changes, with a word at each create that looks like a client whose key has vanished.

    Refused are a create and a removal in one plan that look like one client, and a create of what
    the record of a former target holds.
    """
    found = _look_alikes(context, manifests, changes)
    if not found:
        return list(changes)
    removed = {change.remote_id for change in changes if _is_removal(change)}
    partners = {
        one.remote_id: key
        for key, alike in found.items()
        for one, _ in alike
        if one.remote_id in removed
    }
    return [_tell(context, change, found, removed, partners) for change in changes]


def _tell(
    context: TargetContext,
    change: Change,
    found: Mapping[str, Sequence[tuple[_Vanished, str]]],
    removed: set[str | None],
    partners: Mapping[str, str],
) -> Change:
    if _is_removal(change) and change.remote_id in partners:
        return refuse(
            context, change, _rename_refusal(partners[change.remote_id or ""], change.key)
        )
    if change.action is not Action.CREATE or change.key not in found:
        return change
    alike = found[change.key]
    for one, _ in alike:
        if one.remote_id in removed:
            return refuse(context, change, _rename_refusal(change.key, one.place))
        if one.is_orphan:
            return refuse(context, change, _orphan_refusal(change.key, one))
    return replace(change, warnings=(*change.warnings, _warning(alike)))


def _warning(alike: Sequence[tuple[_Vanished, str]]) -> str:
    places = ", ".join(f"{one.place} (id {one.remote_id}; {why})" for one, why in alike[:_MOST])
    return (
        f"it looks like {places}, which no manifest names any more: if it only got another name, "
        f"state metadata.formerly: [{alike[0][0].place}], and it stays the client that it is; else "
        "another client is made"
    )


def _rename_refusal(key: str, place: str) -> Refusal:
    return Refusal(
        rule=Rule.RENAME,
        message=f"{key} is to be created and {place} to be taken away, and the two look like one "
        f"client: state metadata.formerly: [{place}] in the manifest of {key}, and it keeps its id and "
        "its secret; if they are two, apply the removal first and the new manifest after it",
    )


def _orphan_refusal(key: str, one: _Vanished) -> Refusal:
    target, _ = split_place(one.place)
    return Refusal(
        rule=Rule.RENAME,
        message=f"the record of {target}, which is no target of the project any more, has {key} as "
        f"{one.remote_id}: if the target only got another name, state `formerly: {target}` in it; "
        f"if this is another client, take the record of {target} away",
    )


def tell_orphans(context: TargetContext) -> tuple[str, ...]:
    """Warnings of records that no target of the project has any more, and that hold clients."""
    return tuple(
        f"the inventory holds a record of {each.target}, which is no target of the project any more, "
        f"with {len(each.inventory.entries)} client(s): if a target only got another name, state "
        f"`formerly: {each.target}` in it"
        for each in context.neighbours
        if not each.is_target and each.inventory.entries
    )


def refuse_renames_elsewhere(context: TargetContext, changes: Sequence[Change]) -> list[Change]:
    """The changes, without a removal of what a new manifest of another target looks like."""
    removals = [change for change in changes if _is_removal(change)]
    newcomers = [
        (place_text(each.target, manifest.name), manifest)
        for each in context.neighbours
        for manifest in each.manifests.values()
        if manifest.name not in each.inventory.entries
    ]
    if not removals or not newcomers:
        return list(changes)
    index = defaultdict(list)
    for place, manifest in newcomers:
        for trait in _traits(context, manifest.spec):
            index[trait].append(place)
    partners = {
        change.remote_id: places[0]
        for change in removals
        if change.live is not None
        if (places := _hits(index, _traits(context, change.live.body)))
    }
    return [
        refuse(
            context,
            change,
            _rename_refusal(partners[change.remote_id], place_text(change.target, change.key)),
        )
        if _is_removal(change) and change.remote_id in partners
        else change
        for change in changes
    ]


def _hits(index: Mapping[_Trait, list[str]], traits: Iterator[_Trait]) -> list[str]:
    return [place for trait in traits for place in index.get(trait, ())]


def _is_removal(change: Change) -> bool:
    """Whether a change takes away a client that no manifest names any more."""
    return change.manifest is None and bool(change.requests) and change.refusal is None


def _look_alikes(
    context: TargetContext, manifests: Sequence[Manifest], changes: Sequence[Change]
) -> dict[str, list[tuple[_Vanished, str]]]:
    """The vanished clients that a create looks like, and by what, by the create's key."""
    creates = {
        change.key: change.manifest
        for change in changes
        if change.action is Action.CREATE and change.refusal is None and change.manifest is not None
    }
    index: dict[_Trait, list[_Vanished]] = defaultdict(list)
    for one in _vanished(context, manifests) if creates else ():
        for trait in _traits(context, one.values):
            index[trait].append(one)
    if not index:
        return {}
    # Redirect URIs that several manifests have, such as one of this machine, tell no two apart.
    shared = Counter(trait for each in manifests for trait in _traits(context, each.spec))
    found: dict[str, list[tuple[_Vanished, str]]] = {}
    for key, manifest in creates.items():
        alike: dict[str, tuple[_Vanished, str]] = {}
        for trait in _traits(context, manifest.spec):
            for one in index.get(trait, ()) if trait[0] == _NAME or shared[trait] == 1 else ():
                alike.setdefault(one.place, (one, f"the same {trait[0]}"))
        if alike:
            found[key] = list(alike.values())
    return found


def _traits(context: TargetContext, values: JsonObject) -> Iterator[_Trait]:
    """What a client is known by: its name, and what else tells it from others, each as a text."""
    provider = context.provider
    if name := client_name(provider, values):
        yield _NAME, name
    for field_name in provider.identity.recognize:
        field = provider.fields[field_name]
        value = canonical(field, reveal(values.get(field_name, MISSING)))
        if field_name != provider.identity.match and value not in (MISSING, None, [], "", {}):
            yield field_name, canonical_json(value)


def _vanished(context: TargetContext, manifests: Sequence[Manifest]) -> Iterator[_Vanished]:
    """The clients of this server that are in a record, and that no manifest names."""
    entries = context.inventory.entries
    for key in keys_without_manifest(context, manifests):
        live = context.live.clients.get(entries[key].remote_id)
        values = entries[key].applied if live is None else live.body
        yield _Vanished(place=key, remote_id=entries[key].remote_id, values=values)
    for each in context.neighbours:
        yield from _vanished_elsewhere(context, each)


def _vanished_elsewhere(context: TargetContext, neighbour: Neighbour) -> Iterator[_Vanished]:
    for key, entry in neighbour.inventory.entries.items():
        if key in neighbour.manifests:
            continue
        live = context.live.clients.get(entry.remote_id)
        yield _Vanished(
            place=place_text(neighbour.target, key),
            remote_id=entry.remote_id,
            values=entry.applied if live is None else live.body,
            is_orphan=not neighbour.is_target,
        )
