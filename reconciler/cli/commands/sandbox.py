"""`reconciler sandbox`: the vendors on this machine, until Ctrl-C."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from reconciler.cli import interrupts
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import global_options
from reconciler.cli.output import print_text
from reconciler.core.errors import ReconcilerError
from reconciler.sandbox import server
from reconciler.sandbox.faults import GRAMMAR, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.sandbox.handle import Sandbox

_DEFAULT_PORT = 8765


def _check_faults(
    ctx: click.Context, option: click.Parameter, faults: tuple[str, ...]
) -> tuple[str, ...]:
    """The faults as typed; raises BadParameter for one that is not known, before anything is started."""
    for fault in faults:
        try:
            parse(fault)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx=ctx, param=option) from error
    return faults


@click.command("sandbox")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_DEFAULT_PORT,
    show_default=True,
    help="The port on 127.0.0.1; 0 takes a free one.",
)
@click.option(
    "--fault",
    "faults",
    metavar="FAULT",
    multiple=True,
    callback=_check_faults,
    help=f"What is to go wrong, repeatable: {GRAMMAR}.",
)
@click.option(
    "--state",
    "state_path",
    metavar="FILE",
    help="Keep the clients in this SQLite file. Default: in memory.",
)
@click.option(
    "--ready-file",
    metavar="FILE",
    help="Write addresses and credentials to FILE as JSON as soon as the port is open.",
)
@click.option(
    "--env",
    "as_env",
    is_flag=True,
    help="Print addresses and credentials as `export` lines for a shell, and nothing else to stdout.",
)
@global_options
def command(
    *,
    port: int,
    faults: tuple[str, ...],
    state_path: str | None,
    ready_file: str | None,
    as_env: bool,
) -> ExitCode:
    """Serve the vendors on this machine, to try things on.

    Those that the tool brings, as their documentation describes them, quirks and traps included,
    on 127.0.0.1 until Ctrl-C. The credentials that they accept are made anew on each start, and go
    to the ready file, and with --env to stdout.
    """
    with (
        explain_missing_packages(),
        interrupts.stop_on_signal() as stop,
        server.running(port=port, faults=faults, state_path=state_path) as sandbox,
        _ready_file(sandbox, ready_file),
    ):
        print_text(_addresses(sandbox, ready_file), err=as_env)
        if as_env:
            # In one piece: who reads as soon as there is something must find all of it.
            print_text("".join(f"export {name}={quote(it)}\n" for name, it in sandbox.env.items()))
        interrupts.wait_for(stop)
    return ExitCode.DONE


@contextmanager
def explain_missing_packages() -> Iterator[None]:
    """Turn missing packages of the sandbox into a sentence with the command that installs them."""
    try:
        yield
    except server.SandboxUnavailable as error:
        raise ReconcilerError(str(error)) from error


@contextmanager
def _ready_file(sandbox: Sandbox, ready_file: str | None) -> Iterator[None]:
    """Write the ready file, and remove it when the sandbox stops: its addresses are dead then."""
    if ready_file is None:
        yield
        return
    path = Path(ready_file)
    # It holds credentials. Others wait for the file, so it must not be there before it is whole.
    server.write_privately(path, json.dumps(sandbox.ready, indent=2) + "\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _addresses(sandbox: Sandbox, ready_file: str | None) -> str:
    where = f"in {ready_file}" if ready_file else "made anew on each start, see --env"
    return f"{sandbox.address_lines}credentials  {where}\nCtrl-C stops it.\n"
