"""Refuses to create a client whose name one has that the record does not know, until somebody says which is meant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.changes import Refusal
from reconciler.core.secrets import holds_secret
from reconciler.plan.guards.changes import refuse
from reconciler.plan.guards.clients import client_name, protected_refusal
from reconciler.plan.guards.rules import Rule
from reconciler.plan.ownership import list_ids
from reconciler.plan.warnings import creates
from reconciler.provider.model import Chosen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.changes import Change
    from reconciler.core.model import LiveClient, Manifest
    from reconciler.plan.context import TargetContext
    from reconciler.plan.ownership import Unowned


def settle_namesakes(
    context: TargetContext, changes: Iterable[Change], unowned: Unowned
) -> list[Change]:
    """The changes, each create refused whose name a client that is not ours has already.

    One whose manifest says lifecycle.allowNamesake is warned of instead.
    """
    planned = list(changes)
    # A client that the same plan adopts is about to be ours.
    taken = {change.remote_id for change in planned}
    return [
        _settle(context, change, unowned, taken) if creates(change) else change
        for change in planned
    ]


def _settle(
    context: TargetContext, change: Change, unowned: Unowned, taken: set[str | None]
) -> Change:
    match, manifest = context.provider.identity.match, change.manifest
    if match is None or manifest is None:
        return change
    name = client_name(context.provider, manifest.spec)
    found = [one for one in unowned.by_name.get(name, ()) if one.remote_id not in taken]
    if not found:
        return change
    # A name that came from a reference counts as secret, though the server may show it.
    named = "of its name" if holds_secret(manifest.spec.get(match)) else f"named {name!r}"
    word = f"the server already has a client {named} that is not ours ({list_ids(found)})"
    if manifest.lifecycle.allow_namesake:
        warning = f"{word}; another is created, as lifecycle.allowNamesake says"
        return replace(change, warnings=(*change.warnings, warning))
    return refuse(context, change, _refusal(context, word, manifest, found))


def taken_id_refusal(
    context: TargetContext, manifest: Manifest, live: LiveClient
) -> Refusal | None:
    """The veto on taking over, unasked, the client whose id a manifest states in a field of its own.

    An id that the tool made is its own; one that a person chose may be taken by somebody else.
    """
    asked = context.target.policy.adopt == "unowned" or manifest.name in context.inventory.pending
    if asked or context.provider.identity.chosen is not Chosen.FIELD:
        return None
    return Refusal(
        rule=Rule.FOREIGN_NAMESAKE,
        message=f"the server already has a client {live.remote_id} that is not ours: to manage that "
        f"one, run `reconciler adopt {manifest.name} --id {live.remote_id}` or set metadata.id; to "
        "have another, state another id",
    )


def _refusal(
    context: TargetContext, word: str, manifest: Manifest, found: list[LiveClient]
) -> Refusal:
    meant = found[0].remote_id if len(found) == 1 else "ID"
    way = f"to manage that one, run `reconciler adopt {manifest.name} --id {meant}` or set metadata.id"
    vetoes = [protected_refusal(context.provider, one.body, manifest) for one in found]
    if all(vetoes) and vetoes[0] is not None:
        way = vetoes[0].message
    return Refusal(
        rule=Rule.FOREIGN_NAMESAKE,
        message=f"{word}: {way}; to have another client of the same name, "
        "say lifecycle.allowNamesake: true",
    )
