"""Turns a plan or a report into counts, and counts into a sentence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Action, Status
from reconciler.render.terminal import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.changes import ApplyReport, TargetPlan

_PHRASES: Final = {
    "create": "to create",
    "update": "to update",
    "replace": "to replace",
    "delete": "to delete",
    "adopt": "to adopt",
    "move": "to move",
    "refused": "refused",
}


def plan_counts(targets: Iterable[TargetPlan]) -> dict[str, int]:
    """The number of changes by action, of refusals and of errors.

    A refused change is counted as refused and not by its action; a target's own refusals are
    counted too.
    """
    counts: Counter[str] = Counter()
    for target in targets:
        counts.update(
            change.action.value if change.refusal is None else "refused"
            for change in target.changes
        )
        counts["refused"] += len(target.refusals)
        counts["errors"] += len(target.errors)
    # Each word, also with 0, and in a fixed order: a script reads it, and the same plan is the same
    # bytes.
    return {word: counts[word] for word in (*(a.value for a in _ORDER), "refused", "errors")}


_ORDER: Final = (
    Action.CREATE,
    Action.UPDATE,
    Action.REPLACE,
    Action.DELETE,
    Action.ADOPT,
    Action.MOVE,
    Action.NOOP,
)


def report_counts(report: ApplyReport) -> dict[str, int]:
    """The number of outcomes by status; a client that needed no change is not counted."""
    counts = Counter(
        outcome.status.value for outcome in report.outcomes if outcome.action is not Action.NOOP
    )
    return {status.value: counts[status.value] for status in Status}


def plan_sentence(counts: Mapping[str, int]) -> str:
    """The sentence `2 to create, 1 to update, 9 unchanged`, or `no changes, 9 unchanged`."""
    parts = [f"{counts[word]:,} {phrase}" for word, phrase in _PHRASES.items() if counts[word]]
    if counts["errors"]:
        parts.append(plural(counts["errors"], "error"))
    # "no changes" is said out loud: an empty sentence could be a plan that looked at nothing.
    return ", ".join([*(parts or ["no changes"]), f"{counts['noop']:,} unchanged"])


def report_sentence(counts: Mapping[str, int]) -> str:
    """The sentence `3 done, 1 failed`; a status that nothing has is left out, except done."""
    return ", ".join(
        f"{count:,} {status}" for status, count in counts.items() if count or status == "done"
    )
