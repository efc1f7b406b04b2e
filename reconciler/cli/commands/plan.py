"""`reconciler plan`: what apply would change, as text, JSON or Markdown."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.app.plan import plan_targets
from reconciler.app.trust.base_branch import warn_of_changes
from reconciler.cli.exit_codes import ExitCode, system_error
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
    print_document,
    print_message,
    print_text,
    style_for,
    version,
    with_own_options,
    write_file,
)
from reconciler.cli.project_file import find_project_file
from reconciler.cli.run_state import current
from reconciler.core.changes import Action
from reconciler.core.commands import path_argument
from reconciler.core.errors import InputError, ReconcilerError
from reconciler.plan.selection import Selection
from reconciler.render import json, markdown, problems, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.app.plan import Planned
    from reconciler.cli.options import GlobalOptions
    from reconciler.core.changes import Plan
    from reconciler.core.model import Problem


def _failed(output_format: str, sentences: Sequence[str], problems: Sequence[Problem]) -> str:
    """The document in the place of a plan that could not be made."""
    errors = error_lines(sentences, problems)
    if output_format == "markdown":
        return markdown.render_failed_plan(errors)
    return json.json_text(json.failed_plan_document(errors, version=version()))


@click.command("plan")
@selection_options
@max_deletes_option
@lock_timeout_option(
    default=None,
    text="Wait this long for another run that works on a target, and keep others out meanwhile. "
    "Without it, plan reads beside them.",
)
@format_option("text", "json", "markdown", failed=_failed)
@click.option(
    "--out",
    metavar="FILE",
    help="Also save the plan to FILE, as JSON and without secrets, for `reconciler apply FILE`.",
)
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes to apply."
)
@click.option(
    "--trust",
    metavar="REF",
    help="Take the project file, with its policy, and the provider folders, keys, certificates and record "
    "that it names from this revision of git, such as origin/main; only the manifests from the working "
    "tree. No program of a sink runs. For plans of pull requests.",
)
@show_requests_option
@global_options
@click.pass_obj
def command(  # noqa: PLR0913 - every option is an argument
    options: GlobalOptions,
    *,
    targets: tuple[str, ...],
    selectors: tuple[str, ...],
    max_deletes: int | None,
    lock_timeout: float | None,
    output_format: str,
    out: str | None,
    detailed_exitcode: bool,
    trust: str | None,
    show_requests: bool,
) -> ExitCode:
    """Show what apply would change, and why.

    Reads the live state of every target and compares it with the files; changes nothing.
    JSON always holds the requests; Markdown, made for a pull request comment, never does.

    A saved plan holds what was decided and the live values that it rests on. It is written even
    where the plan has errors or refusals; apply takes it only whole.

    On a runner of a CI system, and without --trust, a project file that differs from the base branch of
    the pull request is warned of: it says where the credentials of the run are sent.

    Whatever went wrong, JSON, Markdown and FILE are whole documents that say it; apply refuses such
    a FILE.

    Exit codes: 0 planned; 1 something failed (the output says what, and holds the rest of the
    plan); 2 with --detailed-exitcode, changes pending; 3 a guard refused a change.
    """
    if show_requests and output_format == "markdown":
        # The format itself is what is wrong: nothing can be told in it.
        current.failed_document = None
        raise click.UsageError("--show-requests goes with --format text; JSON always has them")
    if trust is not None and lock_timeout is not None:
        message = "--lock-timeout does not go with --trust, which reads a copy of the record"
        raise click.UsageError(message)
    selection = Selection(targets=targets, selectors=selectors, max_deletes=max_deletes)
    with _saving_failure(out, selection):
        plan = _plan(options, selection, lock_timeout=lock_timeout, out=out, trust=trust)
    _print(plan, output_format, show_requests=show_requests)
    if out is not None:
        command = f"`reconciler apply {path_argument(out)}`"
        takes = f"{command} applies this plan and no other"
        print_message(f"Saved to {out}; {'apply refuses it' if has_errors(plan) else takes}.")
    return exit_code(plan, detailed=detailed_exitcode)


@contextmanager
def _saving_failure(out: str | None, selection: Selection) -> Iterator[None]:
    """Where the block could make no plan, write that to FILE: an older plan there is not this one."""
    try:
        yield
    except ReconcilerError as error:
        if out is not None:
            _save_failure(out, error, selection)
        raise


def _save_failure(out: str, error: ReconcilerError, selection: Selection) -> None:
    from reconciler.app import saved_plan  # noqa: PLC0415 - few plans are saved

    found = error.problems if isinstance(error, InputError) else ()
    errors = error_lines((), found) or [str(error)]
    document = saved_plan.make_failed_document(errors, selection, version=version())
    try:
        write_file(out, json.json_text(document))
    except OSError as cause:
        print_message(f"{out} was not written: {system_error(cause)}")
    else:
        print_message(f"{out} says that there is no plan, and why; apply refuses it.")


def _plan(
    options: GlobalOptions,
    selection: Selection,
    *,
    lock_timeout: float | None,
    out: str | None,
    trust: str | None,
) -> Plan:
    """The plan of what `selection` names, saved to `out` where that is given."""
    path = find_project_file(options.project)
    if trust is None:
        for sentence in warn_of_changes(path):
            print_message(f"warning: {sentence}")
    with plan_targets(
        path,
        selection,
        lock=lock_timeout is not None,
        lock_timeout=lock_timeout or 0.0,
        log=options.log,
        trust=trust,
    ) as planned:
        print_warnings(planned)
        if out is not None:
            from reconciler.app import saved_plan  # noqa: PLC0415 - few plans are saved

            document = saved_plan.make_document(planned, selection, version=version())
            document, unsigned = saved_plan.sign_document(document, planned.project)
            for problem in unsigned:
                print_message(f"warning: {out} is not signed: {problem.message}")
            # Also of a plan with errors: who reviews it must see them. apply refuses it.
            write_file(out, json.json_text(document))
        return planned.plan


def print_warnings(planned: Planned) -> None:
    """Print to stderr what `validate` would warn of."""
    print_text(problems.to_text(planned.warnings), err=True)


def _print(plan: Plan, output_format: str, *, show_requests: bool) -> None:
    match output_format:
        case "json":
            print_document(json.render_plan(plan, version=version()))
        case "markdown":
            print_text(_fitting_markdown(plan))
        case _:
            print_text(text.render_plan(plan, style=style_for(), show_requests=show_requests))


def _fitting_markdown(plan: Plan) -> str:
    """The plan as Markdown that is within the limit also with the options that its commands get."""
    whole = markdown.render_plan(plan)
    longer = len(with_own_options(whole)) - markdown.LIMIT
    return whole if longer <= 0 else markdown.render_plan(plan, limit=markdown.LIMIT - longer)


def exit_code(plan: Plan, *, detailed: bool) -> ExitCode:
    """The exit code of the worst that a plan holds: errors, then refusals, then changes."""
    # Before refusals: a plan with errors is not whole, and may hide more of them.
    if has_errors(plan):
        return ExitCode.FAILED
    if has_refusals(plan):
        return ExitCode.REFUSED
    return ExitCode.CHANGES_PENDING if detailed and has_changes(plan) else ExitCode.DONE


def has_errors(plan: Plan) -> bool:
    """Whether a target could not be planned whole."""
    return any(target.errors for target in plan.targets)


def has_refusals(plan: Plan) -> bool:
    """Whether a guard refused a change, or a whole target."""
    return any(
        target.refusals or any(change.refusal for change in target.changes)
        for target in plan.targets
    )


def is_stopped(plan: Plan) -> bool:
    """Whether a guard refused more than changes of single clients, so that nothing may be sent."""
    return any(
        refusal.holds_back == "apply"
        for target in plan.targets
        for refusal in (*target.refusals, *(change.refusal for change in target.changes))
        if refusal is not None
    )


def has_changes(plan: Plan, *, held_back: bool = True) -> bool:
    """Whether there is something to apply; `held_back` counts also what a guard refused."""
    return any(
        change.action is not Action.NOOP and (held_back or change.refusal is None)
        for target in plan.targets
        for change in target.changes
    )
