"""Says which planned changes may not be made: each veto is a Refusal with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.model import Action, Change, FieldChange, Json, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.model import InventoryEntry
    from reconciler.core.project import Policy
    from reconciler.provider.model import Provider


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


def threshold_refusals(
    changes: Iterable[Change], policy: Policy, *, unseen: int = 0
) -> tuple[Refusal, ...]:
    """The limits on how many clients one run may take away, a replaced or a disabled one included.

    `unseen` is the number of clients of ours that the run does not look at. `policy.override`
    stands in for both limits.
    """
    existing = [change for change in changes if change.live is not None]
    taken, ours = sum(map(_takes_away, existing)), len(existing) + unseen
    if policy.override is not None:
        over = taken > policy.override
        allowed = f"--max-deletes allows {policy.override}"
        return (_over("max-deletes", taken, allowed),) if over else ()
    found = []
    if policy.max_deletes is not None and taken > policy.max_deletes:
        allowed = f"the target's policy.maxDeletes allows {policy.max_deletes}"
        found.append(_over("max-deletes", taken, allowed + _WAY_OUT))
    percent = policy.max_change_percent
    if percent is not None and taken * 100 > percent * ours:
        allowed = f"the target's policy.maxChangePercent allows {percent:g}% of {ours}"
        found.append(_over("max-change-percent", taken, allowed + _WAY_OUT))
    return tuple(found)


_WAY_OUT: Final = "; to do it on purpose, run once with --max-deletes N"


def _takes_away(change: Change) -> bool:
    if change.action in (Action.REPLACE, Action.DELETE):
        return True
    return change.action is Action.UPDATE and change.manifest is None


def _over(rule: str, taken: int, allowed: str) -> Refusal:
    message = f"this plan would delete, replace or disable {taken} client(s), and {allowed}"
    return Refusal(rule=rule, message=message)


def overridden(policy: Policy) -> tuple[str, ...]:
    """A word on limits that do not hold for this run."""
    if policy.override is None:
        return ()
    limits = {"maxDeletes": policy.max_deletes, "maxChangePercent": policy.max_change_percent}
    stated = [f"policy.{name} ({limit:g})" for name, limit in limits.items() if limit is not None]
    instead = f" in place of {' and '.join(stated)}" if stated else ""
    return (f"--max-deletes {policy.override} holds for this run{instead}",)


def prevented(entry: InventoryEntry) -> Refusal | None:
    """The veto of a preventDestroy that the manifest said before it went."""
    if not entry.prevent_destroy:
        return None
    return Refusal(
        rule="prevent-destroy",
        message="its manifest is gone, and the last one said lifecycle.preventDestroy: to have the "
        "client taken away, bring the manifest back without it, apply, and remove it again",
    )


def _own_client(change: Change, own_id: str | None) -> Refusal | None:
    # A server may spell an id in another case than the login does: a UUID is the same in both.
    if own_id is None or (change.remote_id or "").lower() != own_id.lower():
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
