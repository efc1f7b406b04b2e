"""`reconciler forget`: takes a client out of the record of what is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.app import ownership
from reconciler.cli.client_commands import print_json, use_case_call
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import (
    auto_approve_option,
    format_option,
    global_options,
    key_argument,
    lock_timeout_option,
    target_option,
)
from reconciler.cli.output import confirm, print_line, print_message, require_terminal

if TYPE_CHECKING:
    from reconciler.cli.options import GlobalOptions


@click.command("forget")
@key_argument
@target_option
@auto_approve_option
@lock_timeout_option()
@format_option("text", "json")
@global_options
@click.pass_obj
def command(
    options: GlobalOptions,
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
    if not auto_approve:
        require_terminal("forget")
    with ownership.open_for_forgetting(use_case_call(options, target, lock_timeout), key) as found:
        # Under the lock, so that what is confirmed is what is forgotten.
        print_message(_consequences(found))
        if not auto_approve and not confirm("Forget it?"):
            print_message("Nothing was forgotten.")
            return ExitCode.FAILED
        found.forget()
    if output_format == "json":
        entry = found.entry
        print_json(
            target=found.target,
            key=key,
            id=entry.remote_id,
            superseded=list(entry.superseded),
        )
    else:
        print_line(f"{found.target} forgot {key}, which is {found.entry.remote_id}.")
    return ExitCode.DONE


def _consequences(found: ownership.Forgettable) -> str:
    """The sentences that say what forgetting a client means."""
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
