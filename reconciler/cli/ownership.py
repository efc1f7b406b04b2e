"""What the commands that bind and unbind clients share: how they are called and how they answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from reconciler.app.context import Call
from reconciler.cli import project_file
from reconciler.cli.output import result, say
from reconciler.cli.version import version
from reconciler.render.clean import clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from reconciler.app.ownership import Bound
    from reconciler.cli.session import Session
    from reconciler.core.model import Json, Refusal

    Function = TypeVar("Function", bound=Callable[..., object])


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


def call(session: Session, target: str | None, lock_timeout: float) -> Call:
    """What a use case has to be told."""
    return Call(
        project_file=project_file.find(session.project),
        target=target,
        lock_timeout=lock_timeout,
        log=session.log,
    )


def show(**members: Json) -> None:
    """Print a result as JSON."""
    opening = {"formatVersion": 1, "tool": {"name": "reconciler", "version": version()}}
    result(json.dumps({**opening, **members}, indent=2) + "\n")


def tell(line: str) -> None:
    """Print a line of a result, which may hold foreign text."""
    result(f"{clean(line)}\n")


def show_refusal(key: str, refusal: Refusal, *, as_json: bool) -> None:
    """Say why a guard would not have it."""
    if as_json:
        show(key=key, refusal={"rule": refusal.rule, "message": refusal.message})
    say(f"refused: {refusal.message} [{refusal.rule}]")


def show_differing(bound: Bound) -> None:
    """Say what the next apply will change of a client that is ours now."""
    names = ", ".join(bound.differing)
    tell(f"The next apply changes {names}." if names else "It is as its manifest says.")
