"""Makes the warnings of a plan: lists that may not be whole, creates that no manifest asks for any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.addresses import open_http_host
from reconciler.core.changes import Action
from reconciler.core.project import ClientCredentials
from reconciler.plan.context import list_doubt
from reconciler.plan.ownership import adopts, resolve_command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.changes import Change
    from reconciler.core.project import Policy, Target
    from reconciler.plan.context import TargetContext

# One client that is gone was probably deleted; where several are gone, the address is probably wrong.
_A_FLEET: Final = 2


def creates(change: Change) -> bool:
    """Whether apply will send a POST for a client that was not there."""
    return change.action is Action.CREATE and change.refusal is None


def warn_of_idle_adoption(context: TargetContext, changes: Iterable[Change]) -> tuple[str, ...]:
    """A warning where policy.adopt cannot be followed, and a create may make a client a second time."""
    wanted = context.target.policy.adopt != "never" and not adopts(context)
    if not wanted or not any(change.action is Action.CREATE for change in changes):
        return ()
    word = f"{context.provider.title} has no list of names to look in"
    found = f"policy.adopt: unowned finds no client, since {word}"
    return (f"{found}: to manage one that exists, set metadata.id",)


def warn_of_a_doubtful_list(context: TargetContext, changes: Iterable[Change]) -> tuple[str, ...]:
    """A warning where a create rests on a list that may not be the whole one."""
    doubt = list_doubt(context)
    if not doubt or not any(map(creates, changes)):
        return ()
    word = f"the list of {context.provider.title} may not be whole, since {doubt}"
    return (f"{word}: clients of the same names as the new ones may be there already",)


def warn_of_unattended_creates(
    context: TargetContext, planned_keys: Iterable[str]
) -> tuple[str, ...]:
    """Warnings of pending creates that no manifest asks for any more; `planned_keys` have one."""
    pending = context.inventory.pending
    unattended = sorted(pending.keys() - set(planned_keys) - context.others.keys())
    return tuple(
        f"a run began to create {key} at {pending[key].at}, and no manifest "
        f"names it any more, so nobody has looked what came of it: look on the server, then run "
        f"{resolve_command(key)}"
        for key in unattended
    )


def warn_of_a_lost_fleet(context: TargetContext, changes: Iterable[Change]) -> tuple[str, ...]:
    """A warning where none of several known clients is there: the address is more likely wrong."""
    known = context.inventory.entries
    is_there = [change.live is not None for change in changes if change.key in known]
    if len(is_there) < _A_FLEET or any(is_there):
        return ()
    word = f"not one of the {len(is_there)} clients of ours is on the server any more: "
    return (word + "check baseUrl and collection before you have them all created again",)


def warn_of_plain_http(target: Target) -> tuple[str, ...]:
    """A warning of a target that is spoken to by plain HTTP over a network (`allowHttp`)."""
    urls = [target.base_url]
    if isinstance(target.auth, ClientCredentials) and target.auth.token_url is not None:
        urls.append(target.auth.token_url)
    hosts = dict.fromkeys(filter(None, map(open_http_host, urls)))
    if not hosts:
        return ()
    what = "whoever is on the way can read the login and new secrets, and change what is sent"
    return (f"plain HTTP to {' and '.join(hosts)} (allowHttp): {what}",)


def warn_of_overridden_limits(policy: Policy) -> tuple[str, ...]:
    """A warning of limits that do not hold for this run."""
    if policy.override is None:
        return ()
    limits = {"maxDeletes": policy.max_deletes, "maxChangePercent": policy.max_change_percent}
    stated = [f"policy.{name} ({limit:g})" for name, limit in limits.items() if limit is not None]
    instead = f" in place of {' and '.join(stated)}" if stated else ""
    return (f"--max-deletes {policy.override} holds for this run{instead}",)
