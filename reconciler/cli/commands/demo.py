"""`reconciler demo`: the whole life of a few clients, shown on the sandbox."""

from __future__ import annotations

import click

from reconciler.cli.commands.sandbox import explain_missing_packages
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

    with explain_missing_packages():
        return ExitCode(demo.run(keep=keep))
