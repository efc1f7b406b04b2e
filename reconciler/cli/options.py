"""The options and arguments that several commands share, each defined once."""

from __future__ import annotations

import math
from functools import partial, wraps
from typing import TYPE_CHECKING, TypeVar, cast

import click

from reconciler.cli.output import print_message, version
from reconciler.cli.run_state import current

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.core.model import Problem

    FailedDocument = Callable[[str, Sequence[str], Sequence[Problem]], str]
    Function = TypeVar("Function", bound=Callable[..., object])


class GlobalOptions:
    """The global options of one run; `project` is as typed, None where it is to be looked for."""

    def __init__(self) -> None:
        self.verbose = False
        self.project: str | None = None

    def log(self, line: str) -> None:
        """Print a line of the log, where one is wanted."""
        if self.verbose:
            print_message(line)


def _set_project(ctx: click.Context, _option: click.Parameter, path: str | None) -> None:
    # The option may stand on the group and on the command: one that is absent must not undo the other.
    if path is not None:
        ctx.ensure_object(GlobalOptions).project = path
        current.project = path


def _set_verbose(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        ctx.ensure_object(GlobalOptions).verbose = True


def global_options(function: Function) -> Function:
    """Add `--project` and `--verbose`, which may stand before or after the command's name."""
    verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_set_verbose,
        help="Log to stderr what happens; secrets are left out.",
    )
    project = click.option(
        "--project",
        metavar="PATH",
        expose_value=False,
        callback=_set_project,
        help="The project file, or its folder. Default: reconciler.yaml here or in the nearest "
        "parent folder.",
    )
    return project(verbose(function))


def _seconds(ctx: click.Context, option: click.Parameter, text: str | None) -> float | None:
    """The seconds of a duration; its forms are those of the project file."""
    from reconciler.core.project import seconds  # noqa: PLC0415 - not needed for help

    if text is None:
        return None
    try:
        duration = seconds(text)
    except ValueError:
        duration = math.nan
    if not 0 <= duration < math.inf:
        message = f"{text!r} is no duration; write 500ms, 10s or 2m"
        raise click.BadParameter(message, ctx=ctx, param=option)
    return duration


def key_argument(function: Function) -> Function:
    """Add the argument KEY."""
    return click.argument("key", metavar="KEY")(function)


def _note_target(_ctx: click.Context, _option: click.Parameter, target: str | None) -> str | None:
    current.target = target
    return target


def target_option(function: Function) -> Function:
    """Add `--target`, for one target."""
    return click.option(
        "--target",
        metavar="NAME",
        callback=_note_target,
        help="The target of KEY; needed where several could be meant.",
    )(function)


def auto_approve_option(function: Function) -> Function:
    """Add `--auto-approve`."""
    return click.option(
        "--auto-approve", is_flag=True, help="Do not ask; needed where nobody can answer."
    )(function)


def selection_options(function: Function) -> Function:
    """Add `--target` and `--select`."""
    target = click.option(
        "--target", "targets", metavar="NAME", multiple=True, help="Only this target. Repeatable."
    )
    select = click.option(
        "--select",
        "selectors",
        metavar="NAME|LABEL=VALUE",
        multiple=True,
        help="Only the client of this name, or those with this label. Repeatable.",
    )
    return target(select(function))


def max_deletes_option(function: Function) -> Function:
    """Add `--max-deletes`."""
    return click.option(
        "--max-deletes",
        metavar="N",
        type=click.IntRange(min=0),
        help="Let this run delete, replace or disable up to N clients of each target, in place of "
        "policy.maxDeletes and policy.maxChangePercent.",
    )(function)


def lock_timeout_option(
    *,
    default: str | None = "10s",
    text: str = "How long to wait for another run that works on a target.",
) -> Callable[[Function], Function]:
    """Add `--lock-timeout`, passed on in seconds; a signal ends such a command in order."""
    option: Callable[[Function], Function] = click.option(
        "--lock-timeout",
        metavar="DURATION",
        default=default,
        show_default=True,
        callback=_seconds,
        help=text,
    )
    return lambda function: option(_ending_in_order(function))


def _ending_in_order(function: Function) -> Function:
    """`function`, in which the first signal gives back what is held, and the next ends the process."""

    @wraps(function)
    def run(*arguments: object, **options: object) -> object:
        from reconciler.cli.interrupts import end_in_order  # noqa: PLC0415 - validate needs none

        with end_in_order():
            return function(*arguments, **options)

    return cast("Function", run)


def record_command(function: Function) -> Function:
    """Add what the commands about the record of a target share: target, lock, format and global options.

    The function gets the GlobalOptions as its first argument.
    """
    options: Function = global_options(cast("Function", click.pass_obj(function)))
    options = lock_timeout_option()(format_option("text", "json")(options))
    return target_option(options)


def show_requests_option(function: Function) -> Function:
    """Add `--show-requests`."""
    return click.option(
        "--show-requests",
        is_flag=True,
        help="Also show the very requests that apply sends, without secrets.",
    )(function)


def format_option(
    *formats: str, failed: FailedDocument | None = None
) -> Callable[[Function], Function]:
    """Add `--format` with these formats, the first, which is for people, being the default.

    `failed` makes the document of a run that ended early, by its format, the sentences and the
    problems that say why. Without it the document has these alone.
    """

    def note(_ctx: click.Context, _option: click.Parameter, wanted: str) -> str:
        if wanted != formats[0]:
            current.failed_document = partial(failed or _failed_document, wanted)
        return wanted

    return click.option(
        "--format",
        "output_format",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        callback=note,
        # Before the others: what is wrong with one of them is told in this format.
        is_eager=True,
        help="How to print the result.",
    )


def _failed_document(_format: str, sentences: Sequence[str], problems: Sequence[Problem]) -> str:
    from reconciler.render import json  # noqa: PLC0415 - most runs do not fail

    return json.json_text(json.failed_document(error_lines(sentences, problems), version=version()))


def error_lines(sentences: Sequence[str], problems: Sequence[Problem]) -> list[str]:
    """Why a run ended early, a line each: `sentences`, and the errors among `problems`."""
    from reconciler.app.context import one_line  # noqa: PLC0415 - most runs do not fail

    return [*sentences, *(one_line(each) for each in problems if each.severity == "error")]
