"""What refuses one change of a plan, and the removal of a client that no manifest names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.changes import Action, Change, FieldChange, Origin, Refusal
from reconciler.core.model import MISSING, Redacted
from reconciler.core.pointer import escape
from reconciler.core.values import brief_text, first_few, same
from reconciler.plan.applied import ignored_fields
from reconciler.plan.fields.bodies import hidden_secrets
from reconciler.plan.guards.clients import own_client_refusal, protected_refusal
from reconciler.plan.guards.rules import OF_ONE_CLIENT, Rule
from reconciler.plan.requests import blocked_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.model import InventoryEntry, Json
    from reconciler.plan.context import TargetContext
    from reconciler.provider.model import Provider


def change_refusal(context: TargetContext, change: Change) -> Refusal | None:
    """The first guard that forbids `change`.

        action   the tool's own  protected  allowReplace  preventDestroy  no delete call
        create   -               -          -             -               -
        adopt    if it narrows   refused    -             -               -
        update   if it narrows   refused    -             -               -
        replace  refused         refused    refused if no refused if yes  refused
        delete   refused         refused    -             -               -

    A noop is always allowed, and so is a move, which sends nothing.
    """
    if change.action in (Action.NOOP, Action.CREATE, Action.MOVE):
        return None
    body = {} if change.live is None else change.live.body
    guards = (
        _narrowed_own_client(context, change),
        protected_refusal(context.provider, body, change.manifest),
        _hidden_secret_refusal(context, change),
        _replace_refusal(change, context.provider) if change.action is Action.REPLACE else None,
    )
    return next((found for found in guards if found is not None), None)


def refuse(context: TargetContext, change: Change, found: Refusal) -> Change:
    """The change, refused: without its requests, and with what the refusal holds back besides."""
    alone = found.rule in OF_ONE_CLIENT and _is_skipped(context, change)
    refusal = replace(found, holds_back="client" if alone else "apply")
    # A refused change shows no request: none would be sent, and --show-requests says what would.
    return replace(change, refusal=refusal, requests=())


def _is_skipped(context: TargetContext, change: Change) -> bool:
    stated = context.target.policy.refused
    if stated is not None:
        return stated == "skip"
    causes = _blocked(context.provider, change) or change.fields
    # Nobody who changes a file can be asked about it, and others' repairs must not wait for that.
    return bool(causes) and all(cause.origin is Origin.DRIFT for cause in causes)


def _blocked(provider: Provider, change: Change) -> list[FieldChange]:
    """The fields of a change for which the client would have to be replaced."""
    if change.action is not Action.REPLACE or change.manifest is None:
        return []
    return blocked_changes(provider, change.manifest.spec, change.fields)


def in_vain_refusal(entry: InventoryEntry | None, blocked: Iterable[FieldChange]) -> Refusal | None:
    """The veto on a replace for fields of which the server made this very value when it made the client."""
    for change in blocked:
        if (
            entry is not None
            and same(entry.answered.get(change.field, MISSING), change.before)
            and same(entry.applied.get(change.field, MISSING), change.after)
        ):
            return Refusal(
                rule=Rule.REPLACE_IN_VAIN,
                message=f"the server made {change.field} {brief_text(change.before)} of "
                f"{brief_text(change.after)} when it created this client, and would do the same "
                "with the next one: state what the server makes of it, or have the server changed",
            )
    return None


def _hidden_secret_refusal(context: TargetContext, change: Change) -> Refusal | None:
    if change.action is Action.REPLACE or change.manifest is None or change.live is None:
        return None
    if not change.requests:
        return None
    hidden = hidden_secrets(
        context.provider,
        change.manifest.spec,
        change.live.body,
        [field.field for field in change.fields],
        ignored_fields(change.manifest),
    )
    return hidden_secret_refusal(hidden)


def hidden_secret_refusal(hidden: Sequence[str]) -> Refusal | None:
    """The veto on a request that must carry the secrets at these pointers, and cannot."""
    if not hidden:
        return None
    return Refusal(
        rule=Rule.HIDDEN_SECRET,
        message=f"the server shows a mask in place of {', '.join(hidden)}, and a request that leaves "
        "it out may delete it: state it in the manifest by a reference, or say in client.schema.json "
        "that it is readOnly, where only the server sets it, or a secret that is keptWhenLeftOut, "
        "where the server keeps what is left out",
    )


def removal_refusal(
    context: TargetContext, change: Change, entry: InventoryEntry
) -> Refusal | None:
    """Why a client that no manifest names any more may not be taken away; None where it may."""
    if (found := change_refusal(context, change)) is not None or not entry.prevent_destroy:
        return found
    return Refusal(
        rule=Rule.PREVENT_DESTROY,
        message="its manifest is gone, and the last one said lifecycle.preventDestroy: to have the "
        "client taken away, bring the manifest back without it, apply, and remove it again",
    )


def unread_refusal(unread: Sequence[str], alone: Sequence[str]) -> Refusal:
    """The veto on taking away `alone`, the keys without a manifest, while manifests were not read."""
    return Refusal(
        rule=Rule.UNREAD_MANIFEST,
        message=f"a manifest that was not read is no removal, and of this target were not read: "
        f"{first_few(unread)}; it may be one of {', '.join(alone)}: see the warnings of `reconciler validate`, "
        "have all of them read, or leave them out with an exclusion in `manifests`",
    )


def refuse_shared_ids(changes: list[Change]) -> None:
    """Refuse, in place, manifests that mean one client: they would undo each other for ever."""
    # All of them, also one that is as wanted by now: it is the next one to be undone.
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
            refused = Refusal(rule=Rule.SHARED_ID, message=message)
            changes[position] = replace(changes[position], refusal=refused)


def narrows(change: FieldChange) -> bool:
    """Whether a field loses something: a member of a set, a permission, a part of its range."""
    return bool(change.removed) or _is_less(change.before, change.after)


def _is_less(before: Json, after: Json) -> bool:
    # False is less than True in Python, which is what is wanted of a permission.
    if isinstance(before, int | float) and isinstance(after, int | float):
        return after < before
    return False


def _narrowed_own_client(context: TargetContext, change: Change) -> Refusal | None:
    if change.action in (Action.UPDATE, Action.ADOPT) and not any(map(narrows, change.fields)):
        return None
    why = ": it is never deleted, disabled or narrowed; change it by hand, or run as another client"
    return own_client_refusal(context, change.remote_id, why)


def _replace_refusal(change: Change, provider: Provider) -> Refusal | None:
    lifecycle = change.manifest.lifecycle if change.manifest else None
    kept = _ways_to_keep(_blocked(provider, change))
    # The order decides which way out is named: first those that no word in the manifest opens.
    if provider.delete is None:
        return Refusal(
            rule=Rule.NO_DELETE,
            message=f"{provider.title} cannot delete a client, so this one cannot be replaced{kept}",
        )
    # Before allowReplace: "never" outweighs "may".
    if lifecycle is not None and lifecycle.prevent_destroy:
        return Refusal(
            rule=Rule.PREVENT_DESTROY,
            message="a replace deletes the client, and lifecycle.preventDestroy forbids that: take "
            f"it out of the manifest{kept}",
        )
    if change.manifest is not None and change.manifest.id is not None:
        return Refusal(
            rule=Rule.REPLACE_BOUND_ID,
            message="metadata.id binds this manifest to one client, and a replace makes another: "
            f"take metadata.id out of the manifest first{kept}",
        )
    if lifecycle is not None and lifecycle.allow_replace:
        return None
    return Refusal(
        rule=Rule.REPLACE_NOT_ALLOWED,
        message="a replace gives the client a new id and a new secret: say "
        f"lifecycle.allowReplace: true in its manifest if that is what you want{kept}",
    )


def _ways_to_keep(blocked: Iterable[FieldChange]) -> str:
    """The ways out that leave the client as it is on the server, as the end of a sentence."""
    stated = [
        # A secret has no value that could be shown, and may not be stated in a file anyway.
        (each.field, "" if isinstance(each.before, Redacted) else f": {brief_text(each.before)}")
        for each in blocked
        if each.before is not MISSING
    ]
    if not stated:
        return ""
    values = ", ".join(f"{name}{value}" for name, value in stated)
    pointers = ", ".join(f"/{escape(name)}" for name, _ in stated)
    return (
        f"; or keep the client as the server has it, and state that in its manifest ({values}), "
        f"or list {pointers} in lifecycle.ignoreChanges"
    )
