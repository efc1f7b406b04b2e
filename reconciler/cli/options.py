"""The options and arguments that several commands share, each defined once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar, cast

import click

from reconciler.cli.output import print_message

if TYPE_CHECKING:
    from collections.abc import Callable

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


def target_option(function: Function) -> Function:
    """Add `--target`, for one target."""
    return click.option(
        "--target",
        metavar="NAME",
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
    """Add `--lock-timeout`, passed on in seconds."""
    return click.option(
        "--lock-timeout",
        metavar="DURATION",
        default=default,
        show_default=True,
        callback=_seconds,
        help=text,
    )


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


def format_option(*formats: str) -> Callable[[Function], Function]:
    """Add `--format` with these formats, the first being the default."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How to print the result.",
    )
