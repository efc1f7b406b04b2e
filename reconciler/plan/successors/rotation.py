"""Plans the new client that stands in for one whose secret its vendor cannot change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.changes import Action, Change, Refusal
from reconciler.plan.applied import ignored_fields
from reconciler.plan.diff import compare
from reconciler.plan.existing import change_of, plan_replace
from reconciler.plan.guards.rules import Rule
from reconciler.plan.successors.grace import stated_grace

if TYPE_CHECKING:
    from reconciler.core.model import LiveClient, Manifest
    from reconciler.plan.context import TargetContext


def plan_rotation(context: TargetContext, manifest: Manifest, live: LiveClient) -> Change | Refusal:
    """The replace that gives a client of ours a new secret, and a new id with it; or why there is none.

    `manifest` is resolved. The new client is like the old one in all but these: a client that is
    not as its manifest wants is refused, since nobody has reviewed what would change. The old one
    lives on, unless it is stated that a replaced client does not.
    """
    entry, skip = context.inventory.entries[manifest.name], ignored_fields(manifest)
    fields = compare(
        context.provider, manifest.spec, live.body, key=context.key, entry=entry, ignore=skip
    )
    if fields:
        names = ", ".join(change.field for change in fields)
        return Refusal(
            rule=Rule.NOT_AS_WANTED,
            message="it gets a new secret by a new client that is made as its manifest says, and it "
            f"differs from that in {names}: apply first",
        )
    # What was left to others stays as they have it.
    kept = {name: value for name, value in manifest.spec.items() if name not in skip}
    like_it = replace(manifest, spec=kept)
    change = change_of(context, like_it, Action.REPLACE, "", remote_id=live.remote_id, live=live)
    at_once = stated_grace(context.target.policy, manifest) == 0
    return plan_replace(context, change, live, "it gets a new secret", deletes=at_once)
