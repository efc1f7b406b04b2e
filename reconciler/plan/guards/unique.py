"""Refuses what would give two clients of a server the same value of a field that no two may share."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.changes import Action, Refusal
from reconciler.core.values import brief_text
from reconciler.plan.guards.rules import Rule
from reconciler.provider.model import Chosen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.changes import Change
    from reconciler.core.model import Json
    from reconciler.plan.context import TargetContext

_MAKES = frozenset({Action.CREATE, Action.REPLACE})


def refuse_taken_values(context: TargetContext, changes: Sequence[Change]) -> list[Change]:
    """The changes, those refused that the server would refuse, or that would leave nobody with the value.

    A replace creates before it deletes, so that its successor cannot have what its predecessor has.
    """
    identity = context.provider.identity
    own_id = [identity.pointer.removeprefix("/")] if identity.chosen is Chosen.FIELD else []
    found = list(changes)
    for name in (*identity.unique, *own_id):
        holders, claims = _holders(context, name), _claims(found, name)
        found = [_judged(context, change, name, holders, claims) for change in found]
    return found


def _holders(context: TargetContext, name: str) -> Mapping[Json, list[str]]:
    """The clients that have each value now, by their remote ids."""
    holders: dict[Json, list[str]] = defaultdict(list)
    for remote_id in sorted(context.live.clients):
        value = context.live.clients[remote_id].body.get(name)
        if isinstance(value, str):
            holders[value].append(remote_id)
    return holders


def _claims(changes: Sequence[Change], name: str) -> Mapping[Json, list[str]]:
    """The keys whose manifests state each value."""
    claims: dict[Json, list[str]] = defaultdict(list)
    for change in changes:
        value = _wanted(change, name)
        if value is not None and change.action is not Action.DELETE:
            claims[value].append(change.key)
    return claims


def _wanted(change: Change, name: str) -> str | None:
    value = None if change.manifest is None else change.manifest.spec.get(name)
    return value if isinstance(value, str) else None


def _judged(
    context: TargetContext,
    change: Change,
    name: str,
    holders: Mapping[Json, list[str]],
    claims: Mapping[Json, list[str]],
) -> Change:
    value = _wanted(change, name)
    brings = change.action in _MAKES or any(each.field == name for each in change.fields)
    if value is None or not brings or change.refusal is not None:
        return change
    if message := _why_not(context, change, name, value, holders, claims):
        return replace(change, refusal=Refusal(rule=Rule.TAKEN_VALUE, message=message))
    return change


def _why_not(
    context: TargetContext,
    change: Change,
    name: str,
    value: str,
    holders: Mapping[Json, list[str]],
    claims: Mapping[Json, list[str]],
) -> str:
    what = f"no two clients of {context.provider.title} share {name}, and {brief_text(value)}"
    if twins := [key for key in claims[value] if key != change.key]:
        return f"{what} is what {', '.join(twins)} states too: state another in one of them"
    held = holders.get(value, [])
    if change.action is Action.REPLACE and change.remote_id in held:
        return (
            f"{what} is its own until it is deleted, which is after its successor is made: state another "
            f"{name} as well, or take the change back, or delete {change.remote_id} by hand and apply, if its users "
            "can do without it for so long"
        )
    if others := [remote_id for remote_id in held if remote_id != change.remote_id]:
        return (
            f"{what} is that of {', '.join(others)}: state another, or take that client over with "
            f"`reconciler adopt {change.key} --id {others[0]}`"
        )
    return ""
