"""Says which planned changes may not be made: each veto is a Refusal with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import Action, Change, FieldChange, Json, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.project import Policy
    from reconciler.core.provider import Provider


def refusal(change: Change, provider: Provider, own_id: str | None) -> Refusal | None:
    """The first guard that forbids `change`; `own_id` is the client that the tool runs as.

        action   the tool's own  protected  allowReplace  preventDestroy  no delete call
        create   -               -          -             -               -
        adopt    if it narrows   refused    -             -               -
        update   if it narrows   refused    -             -               -
        replace  refused         refused    refused if no refused if yes  refused
        delete   refused         refused    -             -               -

    A noop is always allowed.
    """
    if change.action in (Action.NOOP, Action.CREATE):
        return None
    guards = (
        _own_client(change, own_id),
        _protected(change, provider),
        _replace(change, provider) if change.action is Action.REPLACE else None,
    )
    return next((found for found in guards if found is not None), None)


def threshold_refusals(changes: Iterable[Change], policy: Policy) -> tuple[Refusal, ...]:
    """The limits on how many clients one run may take from a target, a replaced one included."""
    existing = [change for change in changes if change.live is not None]
    taken = sum(change.action in (Action.REPLACE, Action.DELETE) for change in existing)
    found = []
    if policy.max_deletes is not None and taken > policy.max_deletes:
        found.append(_over("max-deletes", taken, f"maxDeletes allows {policy.max_deletes}"))
    percent = policy.max_change_percent
    if percent is not None and taken * 100 > percent * len(existing):
        share = f"maxChangePercent allows {percent:g}% of {len(existing)}"
        found.append(_over("max-change-percent", taken, share))
    return tuple(found)


def _over(rule: str, taken: int, allowed: str) -> Refusal:
    message = f"this plan would delete {taken} client(s), and the target's policy.{allowed}"
    return Refusal(rule=rule, message=message)


def _own_client(change: Change, own_id: str | None) -> Refusal | None:
    if own_id is None or change.remote_id != own_id:
        return None
    if change.action in (Action.UPDATE, Action.ADOPT) and not any(map(narrows, change.fields)):
        return None
    return Refusal(
        rule="own-client",
        message="this is the client that the reconciler itself logs in with: it is never deleted, "
        "disabled or narrowed; change it by hand, or run as another client",
    )


def narrows(change: FieldChange) -> bool:
    """Whether a field loses something: a member of a set, a permission, a part of its range."""
    return bool(change.removed) or _is_less(change.before, change.after)


def _is_less(before: Json, after: Json) -> bool:
    if isinstance(before, int | float) and isinstance(after, int | float):
        return after < before
    return False


def _protected(change: Change, provider: Provider) -> Refusal | None:
    name = None if change.live is None else change.live.body.get(provider.identity.match or "name")
    if name not in provider.protected:
        return None
    return Refusal(
        rule="protected",
        message=f"the client named {name!r} belongs to the server itself and is never touched",
    )


def _replace(change: Change, provider: Provider) -> Refusal | None:
    lifecycle = change.manifest.lifecycle if change.manifest else None
    if provider.delete is None:
        return Refusal(
            rule="no-delete",
            message=f"{provider.title} cannot delete a client, so this one cannot be replaced",
        )
    if lifecycle is not None and lifecycle.prevent_destroy:
        return Refusal(
            rule="prevent-destroy",
            message="a replace deletes the client, and lifecycle.preventDestroy forbids that",
        )
    if change.manifest is not None and change.manifest.id is not None:
        return Refusal(
            rule="replace-bound-id",
            message="metadata.id binds this manifest to one client, and a replace makes another: "
            "take metadata.id out of the manifest first",
        )
    if lifecycle is not None and lifecycle.allow_replace:
        return None
    return Refusal(
        rule="replace-not-allowed",
        message="a replace gives the client a new id and a new secret: say "
        "lifecycle.allowReplace: true in its manifest if that is what you want",
    )
