"""Turns a Plan and an ApplyReport into text for a terminal or a log."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Action, Status
from reconciler.render.change_lines import (
    Line,
    changes_to_show,
    field_lines,
    heading_line,
    identity_text,
    known_path,
    message_lines,
    target_message_lines,
)
from reconciler.render.summary import (
    plan_counts,
    plan_sentence,
    report_counts,
    report_sentence,
)
from reconciler.render.terminal import PLAIN, Style, escape_unprintable, plural
from reconciler.render.value_text import json_line, json_lines, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.changes import (
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
    Action.MOVE: "moved",
    Action.NOOP: "unchanged",
}
_STATUS_MARKS: Final = {
    Status.DONE: "✓",
    Status.FAILED: "✗",
    Status.SKIPPED: "-",
    Status.UNKNOWN: "?",
}


def render_plan(plan: Plan, *, style: Style = PLAIN, show_requests: bool = False) -> str:
    """A plan as text that ends with a summary line; noops are counted, not listed.

    With `show_requests` each change is followed by what apply would send, secrets as `(secret)`.
    """
    lines = [
        line for target in plan.targets for line in (*_target(target, style, show_requests), "")
    ]
    lines.append(style.paint("summary", plan_summary(plan)))
    return "\n".join(lines) + "\n"


def plan_summary(plan: Plan) -> str:
    """The line that counts what a plan holds."""
    sentence = plan_sentence(plan_counts(plan.targets))
    return f"Plan: {sentence}."


def _target(target: TargetPlan, style: Style, show_requests: bool) -> Iterator[str]:  # noqa: FBT001
    where = f"({one_line(target.provider)} at {one_line(target.base_url)})"
    yield f"{style.paint('target', one_line(target.target))} {style.paint('note', where)}: " + (
        plan_sentence(plan_counts([target]))
    )
    for line in target_message_lines(target):
        yield _line_text(line, style)
    for change in changes_to_show(target):
        yield ""
        yield from (_line_text(line, style) for line in _change(change))
        if show_requests:
            yield from _requests(target, change, style)


def _change(change: Change) -> Iterator[Line]:
    yield heading_line(change)
    yield from field_lines(change)
    yield from message_lines(change)


def _requests(target: TargetPlan, change: Change, style: Style) -> Iterator[str]:
    for request in change.requests:
        url = escape_unprintable(target.base_url + known_path(change, request))
        yield ""
        yield " " * 8 + style.paint("target", f"{escape_unprintable(request.method)} {url}")
        if request.content_type is not None:
            yield " " * 8 + style.paint(
                "note", f"content-type: {escape_unprintable(request.content_type)}"
            )
            # Not clipped: who asks for requests wants to see exactly what would be sent.
            yield from (" " * 8 + line for line in json_lines(request.body))


def _line_text(line: Line, style: Style) -> str:
    # As wide as the widest mark, -/+. Padded before it is painted: rjust would count the codes.
    mark = style.paint(line.mark, line.mark.rjust(3))
    note = style.paint("note", f"  # {line.note}") if line.note else ""
    return f"{' ' * 4 * line.depth}{mark} {line.text}{note}"


def render_report(report: ApplyReport, *, style: Style = PLAIN) -> str:
    """A report as text that ends with a summary line; clients without a change are left out."""
    lines = _deliveries(report, style)
    # The outcomes are in the plan's order, one target after the other, as groupby needs it.
    for target, outcomes in groupby(report.outcomes, key=lambda outcome: outcome.target):
        to_show = [outcome for outcome in outcomes if _is_to_show(outcome)]
        if to_show:
            lines.append(style.paint("target", one_line(target)))
            lines.extend(line for outcome in to_show for line in _outcome(outcome, style))
            lines.append("")
    lines.append(style.paint("summary", report_summary(report)))
    return "\n".join(lines) + "\n"


def report_summary(report: ApplyReport) -> str:
    """The line that counts what was done, and how many requests it took."""
    sentence = report_sentence(report_counts(report))
    sent = plural(sum(outcome.requests_sent for outcome in report.outcomes), "request")
    return f"Apply: {sentence}; {sent} sent."


def _deliveries(report: ApplyReport, style: Style) -> list[str]:
    """The lines of secrets that waited for their sink; they come first, as they were sent first."""
    lines = [_delivery(delivery, style) for delivery in report.deliveries]
    return [style.paint("target", "secrets that waited"), *lines, ""] if lines else []


def _delivery(delivery: SecretDelivery, style: Style) -> str:
    role = delivery.status.value
    mark = style.paint(role, _STATUS_MARKS[delivery.status].rjust(3))
    what = f"delivered to {escape_unprintable(delivery.location)}"
    if delivery.status is not Status.DONE:
        what = f"still in {escape_unprintable(delivery.path)}"
    who = (
        f"{one_line(delivery.target)}/{one_line(delivery.key)} (id {one_line(delivery.remote_id)})"
    )
    message = f": {escape_unprintable(delivery.message)}" if delivery.message else ""
    return f"{mark} {who} {style.paint(role, what)}{message}"


def _is_to_show(outcome: Outcome) -> bool:
    return outcome.action is not Action.NOOP or bool(outcome.message or outcome.server_changed)


def _outcome(outcome: Outcome, style: Style) -> Iterator[str]:
    role = outcome.status.value
    who = one_line(outcome.key) + identity_text(outcome)
    what = _DONE[outcome.action] if outcome.status is Status.DONE else _status_words(outcome)
    mark = style.paint(role, _STATUS_MARKS[outcome.status].rjust(3))
    message = f": {escape_unprintable(outcome.message)}" if outcome.message else ""
    yield f"{mark} {who} {style.paint(role, what)}{message}"
    # Also of a change that failed: a secret that is safe is the better half of the news.
    if outcome.secret_location:
        yield f"        its secret is in {escape_unprintable(outcome.secret_location)}"
    yield from (_server_change(change) for change in outcome.server_changed)


def _status_words(outcome: Outcome) -> str:
    return f"{outcome.action.value} {outcome.status.value}"


def _server_change(change: FieldChange) -> str:
    """The line of a field that the server changed: `after` was sent, `before` is what it answered."""
    wanted, answered = one_line(json_line(change.after)), one_line(json_line(change.before))
    return f"        {one_line(change.field)}: sent {wanted}, the server made it {answered}"
