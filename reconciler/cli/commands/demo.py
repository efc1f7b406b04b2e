"""`reconciler demo`: the whole life of a few clients, told on the sandbox."""

from __future__ import annotations

import click

from reconciler.cli import sandbox_extra
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import global_options


@click.command("demo")
@click.option("--keep", metavar="DIR", help="Leave the demo's files in DIR, which must not exist.")
@global_options
def command(*, keep: str | None) -> ExitCode:
    """Show the whole life of a few clients on the sandbox.

    Starts the sandbox on this machine, works in a temporary folder, and shows a mistake found, a
    first apply, drift on a server and a change in git, each with the requests that it takes.
    """
    from reconciler.cli import demo  # noqa: PLC0415 - not needed for help

    with sandbox_extra.needed():
        return ExitCode(demo.run(keep=keep))
