"""The part of `rotate` for vendors that cannot change a secret: a new client stands in for the old one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.app.context import manifest_of, refuse_errors
from reconciler.core.changes import Refusal, TargetPlan
from reconciler.core.model import LiveState
from reconciler.core.times import span
from reconciler.manifests import references
from reconciler.manifests.clients import with_positions
from reconciler.plan.successors.grace import grace_seconds
from reconciler.plan.successors.rotation import plan_rotation

if TYPE_CHECKING:
    from reconciler.apply.context import OpenTarget
    from reconciler.core.changes import Change, Outcome
    from reconciler.core.model import LiveClient
    from reconciler.manifests.clients import LoadedProject


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A replace that is ready: the client `old_id`, and in `words` what becomes of it."""

    opened: OpenTarget
    change: Change
    old_id: str
    words: str

    def carry_out(self) -> Outcome:
        """Create the new client, and delete the old one if it is not to live on."""
        from reconciler.apply.executor import carry_out  # noqa: PLC0415 - loads httpx

        target = self.opened.context.target
        plan = TargetPlan(
            target=target.name,
            provider=self.opened.provider.name,
            base_url=target.base_url,
            changes=(self.change,),
        )
        (outcome,) = carry_out(plan, self.opened, on_outcome=lambda _outcome: None)
        return outcome


def prepare(
    opened: OpenTarget, loaded: LoadedProject, key: str, live: LiveClient
) -> Succession | Refusal:
    """The replace of `live`, which was just read and has a manifest; or why it is not replaced.

    Raises InputError for references of the manifest that lead nowhere, and the RemoteErrors.
    """
    stated = manifest_of(loaded, opened.name, key)
    if stated is None:
        raise ValueError(f"{key} has no manifest to make a new client by")
    (manifest,), problems = references.resolve([stated], loaded.providers, loaded.project)
    refuse_errors(with_positions(problems))
    seen = replace(opened.context, live=_read_with_predecessors(opened, key, live))
    change = plan_rotation(seen, manifest, live)
    if isinstance(change, Refusal):
        return change
    grace = grace_seconds(seen.target.policy, manifest)
    after = f"lives on for {span(grace)}, then the next apply deletes it" if grace else "is deleted"
    return Succession(
        opened=replace(opened, context=seen),
        change=change,
        old_id=live.remote_id,
        words=f"{opened.provider.title} cannot change a secret, so that a new client takes its place, "
        f"with another id and another secret; the old one {after}",
    )


def _read_with_predecessors(opened: OpenTarget, key: str, live: LiveClient) -> LiveState:
    """The client and its predecessors that are still there, read by their ids."""
    from reconciler.http.live import ClientReader  # noqa: PLC0415 - loads httpx

    reader = ClientReader(opened.provider, opened.transport)
    old_ids = opened.context.inventory.entries[key].superseded
    found = {old_id: reader.read(old_id) for old_id in old_ids}
    there = {old_id: client for old_id, client in found.items() if client is not None}
    return LiveState(
        clients={live.remote_id: live, **there},
        gone=frozenset(found.keys() - there.keys()),
        listed=False,
    )
