"""`reconciler resolve`: settles a create that got no answer, by what the user saw on the server."""

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
from reconciler.cli.output import print_line, print_message
from reconciler.core.changes import Refusal

if TYPE_CHECKING:
    from reconciler.cli.options import GlobalOptions


@click.command("resolve")
@key_argument
@click.option(
    "--id", "remote_id", metavar="ID", help="The client that it made, by the server's id."
)
@click.option("--absent", is_flag=True, help="It made none: you have looked.")
@record_command
def command(
    options: GlobalOptions,
    *,
    key: str,
    remote_id: str | None,
    absent: bool,
    target: str | None,
    lock_timeout: float,
    output_format: str,
) -> ExitCode:
    """Say what came of a create that got no answer.

    Where a vendor has no list of clients, only a person can look whether a create that was cut
    off has made one. With --id the client is read, bound to KEY, and its secret goes to the sink
    if the vendor still tells it. With --absent the next apply creates the client.

    Exit codes: 0 settled; 1 failed; 3 that client cannot be the one; 5 bound, and its secret is
    not where it belongs; 64 no create of KEY is pending.
    """
    if absent == (remote_id is not None):
        raise click.UsageError("say what came of it: --id ID, or --absent")
    as_json = output_format == "json"
    asked = use_case_call(options, target, lock_timeout)
    if remote_id is None:
        _print_absent(ownership.resolve_absent(asked, key), key, as_json=as_json)
        return ExitCode.DONE
    found = ownership.resolve(asked, key, remote_id)
    if isinstance(found, Refusal):
        print_refusal(key, found, as_json=as_json)
        return ExitCode.REFUSED
    _print_bound(found, as_json=as_json)
    # Not failed: the client is bound, and to run it again would find nothing pending.
    return ExitCode.PARTLY_APPLIED if found.trouble else ExitCode.DONE


def _print_absent(target: str, key: str, *, as_json: bool) -> None:
    if as_json:
        print_json(target=target, key=key, id=None)
    else:
        print_line(f"{key} is on {target} not yet: the next apply creates it.")


def _print_bound(found: ownership.Bound, *, as_json: bool) -> None:
    if found.trouble:
        print_message(f"error: its secret could not be stored: {found.trouble}")
    if as_json:
        print_json(
            target=found.target,
            key=found.key,
            id=found.remote_id,
            differing=list(found.differing),
            secret=found.secret,
            secretLocation=found.location,
        )
        return
    print_line(f"{found.key} is {found.remote_id} on {found.target}.")
    print_differing_fields(found)
    if found.secret == "lost":  # noqa: S105 - the word for it, not the secret
        print_line(f"Its secret is lost, since the server tells it only once: {found.way}.")
    elif found.location:
        print_line(f"Its secret is in {found.location}.")
