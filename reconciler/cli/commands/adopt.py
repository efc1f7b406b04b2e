"""`reconciler adopt`: binds a manifest to a client that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.app import ownership
from reconciler.cli.client_commands import (
    print_differing_fields,
    print_json,
    print_refusal,
    use_case_call,
)
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import key_argument, record_command
from reconciler.cli.output import print_line
from reconciler.core.changes import Refusal

if TYPE_CHECKING:
    from reconciler.cli.options import GlobalOptions


@click.command("adopt")
@key_argument
@click.option(
    "--id", "remote_id", metavar="ID", required=True, help="The server's id of the client."
)
@record_command
def command(
    options: GlobalOptions,
    *,
    key: str,
    remote_id: str,
    target: str | None,
    lock_timeout: float,
    output_format: str,
) -> ExitCode:
    """Bind a manifest to a client that exists.

    Reads the client, to prove that it is there, and records it as the one that the manifest KEY
    means, which needs no metadata.id then. Nothing is sent that changes the client: the next plan
    shows where it differs from its manifest.

    Exit codes: 0 bound, or bound already; 1 failed; 3 the client or the key is bound otherwise;
    64 there is no such manifest.
    """
    as_json = output_format == "json"
    found = ownership.adopt(use_case_call(options, target, lock_timeout), key, remote_id)
    if isinstance(found, Refusal):
        print_refusal(key, found, as_json=as_json)
        return ExitCode.REFUSED
    if as_json:
        print_json(
            target=found.target,
            key=key,
            id=found.remote_id,
            already=found.already,
            differing=list(found.differing),
        )
        return ExitCode.DONE
    print_line(
        f"{key} is{' already' if found.already else ''} {found.remote_id} on {found.target}."
    )
    print_differing_fields(found)
    return ExitCode.DONE
