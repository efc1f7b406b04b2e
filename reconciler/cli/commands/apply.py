"""`reconciler apply`: plans, shows the plan, asks, sends, and reports what came of it."""

from __future__ import annotations

import posixpath
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from reconciler.app import saved_plan as saving
from reconciler.app.apply import apply_plan
from reconciler.app.plan import plan_targets
from reconciler.cli import interrupts, receipts
from reconciler.cli.commands.plan import has_changes, has_errors, is_stopped, print_warnings
from reconciler.cli.exit_codes import ExitCode, worse_if_changed
from reconciler.cli.options import (
    error_lines,
    format_option,
    global_options,
    lock_timeout_option,
    max_deletes_option,
    selection_options,
    show_requests_option,
)
from reconciler.cli.output import (
    can_ask,
    confirm,
    print_document,
    print_message,
    print_text,
    style_for,
    version,
)
from reconciler.cli.progress import progress_bar
from reconciler.cli.project_file import find_project_file
from reconciler.cli.run_state import current
from reconciler.core.changes import Action, ApplyReport, Status
from reconciler.plan.selection import Selection
from reconciler.render import json, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.app.plan import Planned
    from reconciler.app.saved_plan import SavedPlan
    from reconciler.cli.options import GlobalOptions
    from reconciler.core.changes import Outcome, Plan
    from reconciler.core.model import Problem
    from reconciler.render.json import ReceiptHeader

_STOPPING: Final = "Stopping after the requests under way. Ctrl-C again aborts at once."


def _failed(_format: str, sentences: Sequence[str], problems: Sequence[Problem]) -> str:
    """The report of a run that ended before it could send anything."""
    errors = error_lines(sentences, problems)
    return json.render_report(ApplyReport(outcomes=()), version=version(), errors=errors)


@click.command("apply")
@click.argument("saved_plan", metavar="[PLAN]", required=False)
@selection_options
@max_deletes_option
@click.option(
    "--only",
    metavar="NAME",
    multiple=True,
    help="Of the saved PLAN, apply only the client of this name, or TARGET/NAME. Repeatable.",
)
@click.option(
    "--require-signature",
    is_flag=True,
    help="Take no saved PLAN but one that was signed with the key of the project's planKey.",
)
@lock_timeout_option()
@click.option(
    "--auto-approve",
    is_flag=True,
    help="Do not ask; needed where nobody can answer. A saved PLAN is never asked about.",
)
@click.option(
    "--fail-fast", is_flag=True, help="Start nothing more after the first change that fails."
)
@click.option(
    "--receipt",
    "receipt_file",
    metavar="FILE",
    help="Write what was done to FILE, as JSON: by whom, on which commit, and what became of it.",
)
@format_option("text", "json", failed=_failed)
@show_requests_option
@global_options
@click.pass_obj
def command(  # noqa: PLR0913 - every option is an argument
    options: GlobalOptions,
    *,
    saved_plan: str | None,
    targets: tuple[str, ...],
    selectors: tuple[str, ...],
    max_deletes: int | None,
    only: tuple[str, ...],
    require_signature: bool,
    lock_timeout: float,
    auto_approve: bool,
    fail_fast: bool,
    receipt_file: str | None,
    output_format: str,
    show_requests: bool,
) -> ExitCode:
    """Make the servers agree with the files.

    Plans, shows the plan, asks, and sends: creates, then updates, then deletes. Nothing is sent
    where the plan holds an error or a refusal; one that the plan shows to hold back its client
    alone leaves the others to be applied. With --format json the report goes to stdout and
    the plan to stderr. Ctrl-C stops after the requests that are under way; a second one ends the run at once.

    With PLAN, a file that `reconciler plan --out` saved, it plans again, and sends what was reviewed
    only where the same decisions come out on the same live values. A change that is not in PLAN is
    left for a plan of its own, and listed. Limits are those of the project, or --max-deletes of this
    very command, and never PLAN's.

    Exit codes: 0 all done; 1 failed, and nothing was changed; 3 a guard refused a change; 4 PLAN is
    not what would be done now; 5 something was carried out, or may have been, and something failed
    or is not recorded; 64 nobody to ask and no --auto-approve.
    """
    if saved_plan is not None and (targets or selectors):
        raise click.UsageError("a saved plan is of its own selection; --only applies a part of it")
    if require_signature and saved_plan is None:
        raise click.UsageError("--require-signature goes with a saved plan")
    if only and saved_plan is None:
        raise click.UsageError("--only goes with a saved plan; --select picks clients to plan")
    if saved_plan is None and not auto_approve and not can_ask():
        raise click.UsageError(
            "apply asks before it sends, and there is no terminal to ask on: "
            "look at the plan, then give --auto-approve"
        )
    path = find_project_file(options.project)
    as_json = output_format == "json"
    reviewed = None if saved_plan is None else saving.read_saved(saved_plan, version=version())
    selection = Selection(targets=targets, selectors=selectors, max_deletes=max_deletes)
    if reviewed is not None:
        if require_signature:
            saving.check_signed(reviewed, path)
        # Planned again with its own selection, and never with its limits (decision 0010).
        selection = replace(reviewed.selection, max_deletes=max_deletes)
    # Locked from the plan on, so that no other run writes between what is shown and what is sent.
    with (
        _reporting(as_json=as_json) as told,
        plan_targets(
            path, selection, lock=True, lock_timeout=lock_timeout, log=options.log
        ) as everything,
    ):
        print_warnings(everything)
        header = _receipt_header(everything, reviewed, selection, path) if receipt_file else None
        with receipts.keep_receipt(receipt_file, header) as receipt:
            planned = _hold_to_review(everything, reviewed, only)
            _print_left(planned.left)
            _print_plan(planned.plan, show_requests=show_requests, err=as_json)
            told.stopped = _reason_to_stop(
                planned.plan, auto_approve=auto_approve or reviewed is not None
            )
            if told.stopped is None:

                def add(outcome: Outcome) -> None:
                    told.add(outcome)
                    receipt.add(outcome)

                told.report = _apply(planned, add, fail_fast=fail_fast)
                # The report has them in the plan's order, and says where the record was not written.
                told.outcomes[:] = told.report.outcomes
                receipt.replace_outcomes(told.report.outcomes)
            told.quiet = told.stopped is not None or not has_changes(planned.plan)
            code = told.stopped.code if told.stopped else exit_code(told.report, planned.plan)
            if code is ExitCode.FAILED and current.changed:
                code = ExitCode.PARTLY_APPLIED
            receipt.exit_code = code
    # Printed by now: a receipt that could not be written costs nobody the report.
    return (
        code
        if receipt.is_written or code is not ExitCode.DONE
        else worse_if_changed(ExitCode.FAILED)
    )


def _hold_to_review(planned: Planned, reviewed: SavedPlan | None, only: tuple[str, ...]) -> Planned:
    """The part of `planned` to apply: all of it, or what was reviewed and still comes out the same."""
    # A plan with errors goes no further anyway, and is shown whole.
    if reviewed is None or has_errors(planned.plan):
        return planned
    return saving.keep_reviewed(planned, reviewed, only=only, version=version())


def _receipt_header(
    planned: Planned,
    reviewed: SavedPlan | None,
    selection: Selection,
    path: str,
) -> ReceiptHeader:
    if reviewed is not None:
        digest = reviewed.digest
    else:
        digest = str(saving.make_document(planned, selection, version=version())["digest"])
    return receipts.receipt_header(
        version=version(),
        folder=posixpath.dirname(path) or ".",
        plan_digest=digest,
        plan_file=None if reviewed is None else reviewed.path,
    )


def _print_plan(plan: Plan, *, show_requests: bool, err: bool) -> None:
    style = style_for(err=err)
    print_text(text.render_plan(plan, style=style, show_requests=show_requests), err=err)


def _print_left(left: Sequence[str]) -> None:
    if left:
        lines = "\n  ".join(left)
        print_message(f"Not in the reviewed plan, so left for a plan of its own:\n  {lines}")


def _reason_to_stop(plan: Plan, *, auto_approve: bool) -> _Stopped | None:
    """Print why nothing may be sent and return it, None where the plan may go ahead."""
    if has_errors(plan):
        print_message("Nothing was sent: the plan has errors.")
        errors = [f"{each.target}: {error}" for each in plan.targets for error in each.errors]
        return _Stopped(ExitCode.FAILED, errors)
    # But for those that hold back their client alone, one refusal stops everything (decision 0006).
    if is_stopped(plan):
        print_message("Nothing was sent: a guard refused part of the plan.")
        return _Stopped(ExitCode.REFUSED, list(_refusals(plan)))
    if has_changes(plan, held_back=False) and not auto_approve and not confirm("Apply this plan?"):
        print_message("Nothing was sent: the plan was not approved.")
        return _Stopped(ExitCode.FAILED, ["the plan was not approved"])
    return None


def _refusals(plan: Plan) -> Iterator[str]:
    for target in plan.targets:
        for refusal in target.refusals:
            yield f"{target.target}: refused ({refusal.rule}): {refusal.message}"
        for change in target.changes:
            if change.refusal is not None:
                where = f"{target.target}/{change.key}"
                yield f"{where}: refused ({change.refusal.rule}): {change.refusal.message}"


def _apply(
    planned: Planned, add_outcome: Callable[[Outcome], None], *, fail_fast: bool
) -> ApplyReport:
    """Send what the plan says, and return what came of it."""
    changes = sum(
        change.action is not Action.NOOP
        for target in planned.plan.targets
        for change in target.changes
    )
    # Also where there are no changes: the inventory is still refreshed.
    with interrupts.stop_on_signal(_STOPPING) as stop, progress_bar(changes) as advance:

        def on_outcome(outcome: Outcome) -> None:
            add_outcome(outcome)
            advance(outcome)

        report = interrupts.run_interruptibly(
            lambda: apply_plan(planned, on_outcome=on_outcome, stop=stop, fail_fast=fail_fast)
        )
    if any(delivery.status is Status.DONE for delivery in report.deliveries):
        current.note_change()
    return report


class _Stopped(NamedTuple):
    """Why nothing was sent."""

    code: ExitCode
    errors: list[str]


class _Told:
    """What there is to tell of a run: the outcomes as they come, and at its end the report."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.report = ApplyReport(outcomes=())
        self.stopped: _Stopped | None = None
        self.quiet = True

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome, and note in the state of the run whether it may have changed something."""
        self.outcomes.append(outcome)
        if outcome.may_have_changed:
            current.note_change()


@contextmanager
def _reporting(*, as_json: bool) -> Iterator[_Told]:
    """Print the report when the block ends, and where it breaks off, what is known by then."""
    told = _Told()
    try:
        yield told
    except BaseException:
        known = ApplyReport(outcomes=tuple(told.outcomes), deliveries=told.report.deliveries)
        if as_json:
            current.failed_document = partial(_broken_off, known)
        elif known.outcomes:
            _print_report(known)
        raise
    errors = told.stopped.errors if told.stopped else ()
    if as_json:
        print_document(json.render_report(told.report, version=version(), errors=errors))
    elif told.report.deliveries or not told.quiet:
        _print_report(told.report)


def _broken_off(known: ApplyReport, sentences: Sequence[str], problems: Sequence[Problem]) -> str:
    errors = error_lines(sentences, problems)
    return json.render_report(known, version=version(), errors=errors)


def _print_report(report: ApplyReport) -> None:
    print_text("\n" + text.render_report(report, style=style_for()))


def exit_code(report: ApplyReport, plan: Plan) -> ExitCode:
    """The exit code by the clients that were to change and the secrets that waited: all, some or none.

    Where all of it is done, a client that a guard held back still makes it that of a refusal.
    """
    held_back = {
        (change.target, change.key, change.action, change.remote_id)
        for target in plan.targets
        for change in target.changes
        if change.refusal is not None
    }
    done = [
        outcome.status is Status.DONE
        for outcome in report.outcomes
        # A noop fails where its secret could not be stored: then the run is not done.
        if (outcome.action is not Action.NOOP or outcome.status is Status.FAILED)
        and (outcome.target, outcome.key, outcome.action, outcome.remote_id) not in held_back
    ]
    done += [
        delivery.status is Status.DONE
        for delivery in report.deliveries
        if delivery.status is not Status.SKIPPED
    ]
    # Of nothing, `all` is true: a run that had nothing to do is done.
    if all(done):
        return ExitCode.REFUSED if held_back else ExitCode.DONE
    # What the server accepted may have changed something, though it does not show it, and so may
    # what it gave no answer to.
    changed = any(outcome.may_have_changed for outcome in report.outcomes)
    return ExitCode.PARTLY_APPLIED if any(done) or changed else ExitCode.FAILED
