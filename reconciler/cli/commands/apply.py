"""`reconciler apply`: plans, shows the plan, asks, sends, and reports what came of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from reconciler import pipeline
from reconciler.cli import interrupts, progress, project_file
from reconciler.cli.commands.plan import failed, pending, refused, show_warnings
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import (
    format_option,
    global_options,
    lock_timeout_option,
    selection_options,
    show_requests_option,
)
from reconciler.cli.output import can_ask, result, say, style_for
from reconciler.cli.version import version
from reconciler.core.model import Action, ApplyReport, Status
from reconciler.render import json, text

if TYPE_CHECKING:
    from reconciler.cli.session import Session
    from reconciler.core.model import Plan

_STOPPING: Final = "Stopping after the requests under way. Ctrl-C again aborts at once."


@click.command("apply")
@selection_options
@lock_timeout_option(default="10s", text="How long to wait for another run that works on a target.")
@click.option("--auto-approve", is_flag=True, help="Do not ask; needed where nobody can answer.")
@format_option("text", "json")
@show_requests_option
@global_options
@click.pass_obj
def command(
    session: Session,
    *,
    targets: tuple[str, ...],
    selectors: tuple[str, ...],
    lock_timeout: float,
    auto_approve: bool,
    output_format: str,
    show_requests: bool,
) -> ExitCode:
    """Make the servers agree with the files.

    Plans, shows the plan, asks, and sends: creates, then updates, then deletes. Nothing is sent
    where the plan holds an error or a refusal. With --format json the report goes to stdout and
    the plan to stderr. Ctrl-C stops after the requests that are under way; a second one ends the run at once.

    Exit codes: 0 all done; 1 nothing done; 3 a guard refused a change; 5 some changes done and
    some not; 64 nobody to ask and no --auto-approve.
    """
    if not auto_approve and not can_ask():
        raise click.UsageError(
            "apply asks before it sends, and there is no terminal to ask on: "
            "look at the plan, then run apply --auto-approve"
        )
    path = project_file.find(session.project)
    as_json = output_format == "json"
    with pipeline.planning(
        path,
        pipeline.Selection(targets=targets, selectors=selectors),
        lock=True,
        lock_timeout=lock_timeout,
        log=session.log,
    ) as planned:
        show_warnings(planned)
        _show_plan(planned.plan, show_requests=show_requests, err=as_json)
        verdict = _verdict(planned.plan, auto_approve=auto_approve)
        report = ApplyReport(outcomes=()) if verdict else _applied(planned)
    _show_report(report, as_json=as_json, quiet=verdict is not None or not pending(planned.plan))
    return verdict or exit_code(report)


def _show_plan(plan: Plan, *, show_requests: bool, err: bool) -> None:
    style = style_for(err=err)
    result(text.render_plan(plan, style=style, show_requests=show_requests), err=err)


def _verdict(plan: Plan, *, auto_approve: bool) -> ExitCode | None:
    """Say why nothing may be sent, with the code for it; None where the plan may go ahead."""
    if failed(plan):
        say("Nothing was sent: the plan has errors.")
        return ExitCode.FAILED
    if refused(plan):
        say("Nothing was sent: a guard refused part of the plan.")
        return ExitCode.REFUSED
    if pending(plan) and not auto_approve and not _approved():
        say("Nothing was sent: the plan was not approved.")
        return ExitCode.FAILED
    return None


def _approved() -> bool:
    click.echo("Apply this plan? Only 'yes' is taken as yes: ", nl=False, err=True)
    return sys.stdin.readline().strip() == "yes"


def _applied(planned: pipeline.Planned) -> ApplyReport:
    """Send what the plan says. A plan without changes still refreshes the inventory."""
    changes = sum(
        change.action is not Action.NOOP
        for target in planned.plan.targets
        for change in target.changes
    )
    with interrupts.graceful(_STOPPING) as stop, progress.shown(changes) as on_outcome:
        return interrupts.attentively(
            lambda: pipeline.apply(planned, on_outcome=on_outcome, stop=stop)
        )


def _show_report(report: ApplyReport, *, as_json: bool, quiet: bool) -> None:
    """Print the report; as text only where there was something to do."""
    if as_json:
        result(json.render_report(report, version=version()))
    elif not quiet:
        result("\n" + text.render_report(report, style=style_for()))


def exit_code(report: ApplyReport) -> ExitCode:
    """Tell from the clients that were to change: all done, some done, none done."""
    done = [
        outcome.status is Status.DONE
        for outcome in report.outcomes
        if outcome.action is not Action.NOOP or outcome.status is Status.FAILED
    ]
    if all(done):
        return ExitCode.DONE
    return ExitCode.PARTLY_APPLIED if any(done) else ExitCode.FAILED
