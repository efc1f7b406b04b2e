"""The options that several commands share, spelled once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import click

from reconciler.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = TypeVar("Function", bound=Callable[..., object])


def _keep_project(ctx: click.Context, _option: click.Parameter, path: str | None) -> None:
    if path is not None:
        ctx.ensure_object(Session).project = path


def _keep_verbose(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        ctx.ensure_object(Session).verbose = True


def global_options(function: Function) -> Function:
    """Add `--project` and `--verbose`, which may stand before or after the command's name."""
    verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_keep_verbose,
        help="Log to stderr what happens; secrets are left out.",
    )
    project = click.option(
        "--project",
        metavar="PATH",
        expose_value=False,
        callback=_keep_project,
        help="The project file, or its folder. Default: reconciler.yaml here or in the nearest "
        "parent folder.",
    )
    return project(verbose(function))


def _seconds(ctx: click.Context, option: click.Parameter, text: str | None) -> float | None:
    """Read a duration; the forms are those of the project file."""
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


def lock_timeout_option(*, default: str | None, text: str) -> Callable[[Function], Function]:
    """Add `--lock-timeout`, given as seconds."""
    return click.option(
        "--lock-timeout",
        metavar="DURATION",
        default=default,
        show_default=True,
        callback=_seconds,
        help=text,
    )


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
