"""Says what the other targets of a server, and records without a target, have a claim on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.changes import Refusal
from reconciler.core.places import place_text
from reconciler.plan.context import spelled_id
from reconciler.plan.guards.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.model import Intent
    from reconciler.plan.context import TargetContext


def claims_elsewhere(context: TargetContext) -> Mapping[str, str]:
    """Who else of the project has a claim on a client of this server: `target/key` by remote id."""
    claimed: dict[str, str] = {}
    for neighbour in context.neighbours:
        # Last what is bound: it is the strongest claim, and named where there are several.
        for key, manifest in neighbour.manifests.items():
            if manifest.id is not None:
                claimed[spelled_id(context.provider, manifest.id)] = place_text(
                    neighbour.target, key
                )
        for key, entry in neighbour.inventory.entries.items():
            for remote_id in (*entry.superseded, entry.remote_id):
                claimed[remote_id] = place_text(neighbour.target, key)
    return claimed


def pending_elsewhere(context: TargetContext) -> Iterator[tuple[str, Intent]]:
    """The pending creates of the other targets of this server, each with its `target/key`."""
    for neighbour in context.neighbours:
        for key, intent in neighbour.inventory.pending.items():
            yield place_text(neighbour.target, key), intent


def elsewhere_refusal(
    context: TargetContext, elsewhere: Mapping[str, str], remote_id: str | None, key: str
) -> Refusal | None:
    """Why the key of this target may not have a client; None where no other target claims it."""
    holder = elsewhere.get(remote_id or "")
    if holder is None:
        return None
    own = place_text(context.target.name, key) if key else context.target.name
    bound = {entry.remote_id for entry in context.inventory.entries.values()}
    return Refusal(
        rule=Rule.TWO_OWNERS,
        message=f"{holder} and {own} would both own the client {remote_id}, since their targets "
        f"are of one server. {_way_out(own, holder) if remote_id in bound else _way_out(holder, own)}",
    )


def _way_out(old: str, new: str) -> str:
    if "/" not in new:
        return f"Only {old} may have it"
    return (
        f"To move it from {old} to {new}, state `metadata.formerly: [{old}]` in the new manifest and "
        f"leave metadata.id out, or run `reconciler move {old} {new}`; else let one of the two go"
    )


def server_refusal(context: TargetContext, former: frozenset[str]) -> tuple[Refusal, ...]:
    """The refusal of a target whose record is of another server; `former` are addresses it had."""
    recorded = context.inventory.server
    if not recorded or not context.server or recorded in {context.server, *former}:
        return ()
    return (
        Refusal(
            rule=Rule.OTHER_SERVER,
            message=f"the record of {context.target.name} is of the clients at {recorded}, and the "
            f"target is at {context.server} now. If the same clients were moved there, state the old "
            "base URL in the target's `formerly`; if it is another server, give the target another "
            "name, so that it gets a record of its own",
        ),
    )
