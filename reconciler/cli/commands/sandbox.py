"""`reconciler sandbox`: the vendors on this machine, until Ctrl-C."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import interrupts, sandbox_extra
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import global_options
from reconciler.cli.output import result
from reconciler.sandbox import server
from reconciler.sandbox.faults import GRAMMAR, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.sandbox.handle import Sandbox

_DEFAULT_PORT = 8765


def _known(ctx: click.Context, option: click.Parameter, faults: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a fault that nobody knows before anything is started."""
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
    callback=_known,
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
@global_options
def command(
    *, port: int, faults: tuple[str, ...], state_path: str | None, ready_file: str | None
) -> ExitCode:
    """Serve the vendors on this machine, to try things on.

    Those that the tool brings, as their documentation describes them, quirks and traps included,
    on 127.0.0.1 until Ctrl-C. The credentials that they accept are made anew on each start and go
    to the ready file only.
    """
    with (
        sandbox_extra.needed(),
        interrupts.graceful() as stop,
        server.running(port=port, faults=faults, state_path=state_path) as sandbox,
        _ready(sandbox, ready_file),
    ):
        result(_addresses(sandbox, ready_file))
        interrupts.until(stop)
    return ExitCode.DONE


@contextmanager
def _ready(sandbox: Sandbox, ready_file: str | None) -> Iterator[None]:
    """Keep the ready file there for as long as the sandbox answers."""
    if ready_file is None:
        yield
        return
    path = Path(ready_file)
    server.write_privately(path, json.dumps(sandbox.ready, indent=2) + "\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _addresses(sandbox: Sandbox, ready_file: str | None) -> str:
    where = f"in {ready_file}" if ready_file else "made anew on each start, see --ready-file"
    return f"{sandbox.address_lines}credentials  {where}\nCtrl-C stops it.\n"
