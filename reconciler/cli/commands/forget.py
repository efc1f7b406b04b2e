"""`reconciler forget`: takes a client out of the record of what is ours."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from reconciler.app import ownership
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import format_option, global_options, lock_timeout_option
from reconciler.cli.output import can_ask, say
from reconciler.cli.ownership import call, key_argument, show, target_option, tell

if TYPE_CHECKING:
    from reconciler.cli.session import Session


@click.command("forget")
@key_argument
@target_option
@click.option("--auto-approve", is_flag=True, help="Do not ask; needed where nobody can answer.")
@lock_timeout_option(default="10s", text="How long to wait for another run that works on a target.")
@format_option("text", "json")
@global_options
@click.pass_obj
def command(
    session: Session,
    *,
    key: str,
    target: str | None,
    auto_approve: bool,
    lock_timeout: float,
    output_format: str,
) -> ExitCode:
    """Cease to manage a client, and leave it on its server.

    Takes KEY out of the record of what is ours. The client stays as it is, and the tool never
    changes or deletes it again, unless it is adopted or imported anew. Needs no credentials.

    Exit codes: 0 forgotten; 1 not approved, or failed; 64 nothing is recorded of KEY, or nobody
    to ask and no --auto-approve.
    """
    if not auto_approve and not can_ask():
        raise click.UsageError(
            "forget asks first, and there is no terminal to ask on: give --auto-approve"
        )
    with ownership.forgetting(call(session, target, lock_timeout), key) as found:
        say(_meaning(found))
        if not auto_approve and not _approved():
            say("Nothing was forgotten.")
            return ExitCode.FAILED
        found.forget()
    if output_format == "json":
        entry = found.entry
        show(
            target=found.target,
            key=key,
            id=entry.remote_id,
            superseded=list(entry.superseded),
        )
    else:
        tell(f"{found.target} forgot {key}, which is {found.entry.remote_id}.")
    return ExitCode.DONE


def _meaning(found: ownership.Forgettable) -> str:
    """What forgetting a client brings with it."""
    key, entry = found.key, found.entry
    lines = [f"{key} is {entry.remote_id} on {found.target}. It stays there as it is."]
    if entry.superseded:
        old = ", ".join(entry.superseded)
        lines.append(f"Its predecessor, which the next apply was to delete, stays too: {old}.")
    if found.has_manifest:
        lines.append(
            f"Its manifest stays too: the next apply may create a second client for it. Delete it, "
            f"or bind it anew with `reconciler adopt {key} --id ID`."
        )
    return "\n".join(lines)


def _approved() -> bool:
    click.echo("Forget it? Only 'yes' is taken as yes: ", nl=False, err=True)
    return sys.stdin.readline().strip() == "yes"
