"""The limits on how many clients one run may take away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Action, Change, RecordClient, Refusal
from reconciler.plan.guards.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.project import Policy


_WAY_OUT: Final = "; to do it on purpose, run once with --max-deletes N"


def threshold_refusals(
    changes: Iterable[Change], policy: Policy, *, not_planned: int = 0
) -> tuple[Refusal, ...]:
    """The limits on how many clients one run may take away, a replaced or a disabled one included.

    `not_planned` is the number of clients of ours that the run does not look at. `policy.override`
    stands in for both limits.
    """
    # A create counts on neither side. Clients that were not picked do: a share is one of all.
    existing = [change for change in changes if change.live is not None]
    # What is held back alone is not taken away, however many of them there are.
    taken = sum(_takes_away(change) for change in existing if not _is_held_back(change))
    ours = len(existing) + not_planned
    if policy.override is not None:
        over = taken > policy.override
        allowed = f"--max-deletes allows {policy.override}"
        return (_too_many(Rule.MAX_DELETES, taken, allowed),) if over else ()
    found = []
    if policy.max_deletes is not None and taken > policy.max_deletes:
        allowed = f"the target's policy.maxDeletes allows {policy.max_deletes}"
        found.append(_too_many(Rule.MAX_DELETES, taken, allowed + _WAY_OUT))
    percent = policy.max_change_percent
    # Multiplied and not divided: a share of no clients at all is no error.
    if percent is not None and taken * 100 > percent * ours:
        allowed = f"the target's policy.maxChangePercent allows {percent:g}% of {ours}"
        found.append(_too_many(Rule.MAX_CHANGE_PERCENT, taken, allowed + _WAY_OUT))
    return tuple(found)


def _is_held_back(change: Change) -> bool:
    return change.refusal is not None and change.refusal.holds_back == "client"


def _takes_away(change: Change) -> bool:
    if change.action is Action.REPLACE:
        return not _serves_nobody(change)
    if change.action is Action.DELETE:
        return True
    # An update of a client that no manifest names can only be the one that turns it off.
    return change.action is Action.UPDATE and change.manifest is None


def _serves_nobody(change: Change) -> bool:
    """Whether a run that died made the client of a change, and nobody was ever told its secret."""
    return isinstance(change.record, RecordClient) and change.record.secret == "lost"  # noqa: S105 - a state


def _too_many(rule: Rule, taken: int, allowed: str) -> Refusal:
    message = f"this plan would delete, replace or disable {taken} client(s), and {allowed}"
    return Refusal(rule=rule, message=message)
