"""Turns a Plan and an ApplyReport into text for a terminal or a log."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from reconciler.core.model import Action, Status
from reconciler.render.clean import clean
from reconciler.render.counts import (
    plan_counts,
    plan_sentence,
    plural,
    report_counts,
    report_sentence,
)
from reconciler.render.lines import Line, field_lines, head, listed, target_verdicts, verdicts
from reconciler.render.requests import known_path
from reconciler.render.style import PLAIN, Style
from reconciler.render.values import name, pretty, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.model import (
        ApplyReport,
        Change,
        FieldChange,
        Outcome,
        Plan,
        SecretDelivery,
        TargetPlan,
    )

_DONE: Final = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
    Action.ADOPT: "adopted",
    Action.NOOP: "unchanged",
}
_STATUS_MARKS: Final = {
    Status.DONE: "✓",
    Status.FAILED: "✗",
    Status.SKIPPED: "-",
    Status.UNKNOWN: "?",
}


def render_plan(plan: Plan, *, style: Style = PLAIN, show_requests: bool = False) -> str:
    """Give a plan as text that ends with a summary line; noops are counted, not listed.

    With `show_requests` each change is followed by what apply would send, secrets as `(secret)`.
    """
    lines = [
        line for target in plan.targets for line in (*_target(target, style, show_requests), "")
    ]
    lines.append(style.paint("summary", plan_summary(plan)))
    return "\n".join(lines) + "\n"


def plan_summary(plan: Plan) -> str:
    """Say in one line what a plan comes to."""
    sentence = plan_sentence(plan_counts(plan.targets))
    return f"Plan: {sentence}."


def _target(target: TargetPlan, style: Style, show_requests: bool) -> Iterator[str]:  # noqa: FBT001
    where = f"({name(target.provider)} at {name(target.base_url)})"
    yield f"{style.paint('target', name(target.target))} {style.paint('note', where)}: " + (
        plan_sentence(plan_counts([target]))
    )
    for line in target_verdicts(target):
        yield _decorated(line, style)
    for change in listed(target):
        yield ""
        yield from (_decorated(line, style) for line in _change(change))
        if show_requests:
            yield from _requests(target, change, style)


def _change(change: Change) -> Iterator[Line]:
    yield head(change)
    yield from field_lines(change)
    yield from verdicts(change)


def _requests(target: TargetPlan, change: Change, style: Style) -> Iterator[str]:
    for request in change.requests:
        url = clean(target.base_url + known_path(change, request))
        yield ""
        yield " " * 8 + style.paint("target", f"{clean(request.method)} {url}")
        if request.content_type is not None:
            yield " " * 8 + style.paint("note", f"content-type: {clean(request.content_type)}")
            yield from (" " * 8 + line for line in pretty(request.body))


def _decorated(line: Line, style: Style) -> str:
    mark = style.paint(line.mark, line.mark.rjust(3))
    note = style.paint("note", f"  # {line.note}") if line.note else ""
    return f"{' ' * 4 * line.depth}{mark} {line.text}{note}"


def render_report(report: ApplyReport, *, style: Style = PLAIN) -> str:
    """Give a report as text that ends with a summary line; clients without a change are left out."""
    lines = _deliveries(report, style)
    for target, outcomes in groupby(report.outcomes, key=lambda outcome: outcome.target):
        worth_telling = [outcome for outcome in outcomes if _worth_telling(outcome)]
        if worth_telling:
            lines.append(style.paint("target", name(target)))
            lines.extend(line for outcome in worth_telling for line in _outcome(outcome, style))
            lines.append("")
    lines.append(style.paint("summary", report_summary(report)))
    return "\n".join(lines) + "\n"


def report_summary(report: ApplyReport) -> str:
    """Say in one line what came of a plan, and how many requests it took."""
    sentence = report_sentence(report_counts(report))
    sent = plural(sum(outcome.requests_sent for outcome in report.outcomes), "request")
    return f"Apply: {sentence}; {sent} sent."


def _deliveries(report: ApplyReport, style: Style) -> list[str]:
    """What became of secrets that waited for their sink, which came before everything else."""
    lines = [_delivery(delivery, style) for delivery in report.deliveries]
    return [style.paint("target", "secrets that waited"), *lines, ""] if lines else []


def _delivery(delivery: SecretDelivery, style: Style) -> str:
    role = delivery.status.value
    mark = style.paint(role, _STATUS_MARKS[delivery.status].rjust(3))
    what = f"delivered to {clean(delivery.location)}"
    if delivery.status is not Status.DONE:
        what = f"still in {clean(delivery.path)}"
    who = f"{name(delivery.target)}/{name(delivery.key)} (id {name(delivery.remote_id)})"
    message = f": {clean(delivery.message)}" if delivery.message else ""
    return f"{mark} {who} {style.paint(role, what)}{message}"


def _worth_telling(outcome: Outcome) -> bool:
    return outcome.action is not Action.NOOP or bool(outcome.message or outcome.server_changed)


def _outcome(outcome: Outcome, style: Style) -> Iterator[str]:
    role = outcome.status.value
    who = name(outcome.key)
    if outcome.remote_id is not None:
        who += f" (id {name(outcome.remote_id)})"
    what = _DONE[outcome.action] if outcome.status is Status.DONE else _unfinished(outcome)
    mark = style.paint(role, _STATUS_MARKS[outcome.status].rjust(3))
    message = f": {clean(outcome.message)}" if outcome.message else ""
    yield f"{mark} {who} {style.paint(role, what)}{message}"
    if outcome.secret_location:
        yield f"        its secret is in {clean(outcome.secret_location)}"
    yield from (_kept(change) for change in outcome.server_changed)


def _unfinished(outcome: Outcome) -> str:
    return f"{outcome.action.value} {outcome.status.value}"


def _kept(change: FieldChange) -> str:
    """Say what the server made of a field: `after` was wanted, `before` is what it answered."""
    wanted, answered = name(show(change.after)), name(show(change.before))
    return f"        {name(change.field)}: sent {wanted}, the server made it {answered}"
