"""`reconciler move`: gives a client another key, or another target of its server, in the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.app import moving
from reconciler.cli.client_commands import print_json, print_refusal, use_case_call
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import record_command
from reconciler.cli.output import print_line
from reconciler.core.changes import Refusal

if TYPE_CHECKING:
    from reconciler.cli.options import GlobalOptions


@click.command("move")
@click.argument("old")
@click.argument("new")
@record_command
def command(
    options: GlobalOptions,
    *,
    old: str,
    new: str,
    target: str | None,
    lock_timeout: float,
    output_format: str,
) -> ExitCode:
    """Record a client under another key, or of another target of its server.

    OLD and NEW are keys, or a target and a key with a slash between; a target with a slash behind
    means all that its record holds, also one that the project does not name any more. The client
    keeps its id and its secret: nothing is sent. In place of this, a manifest can state
    metadata.formerly, and a target `formerly`, and the next apply moves them.

    Exit codes: 0 moved; 1 failed; 3 refused by a guard; 64 nothing is recorded of OLD, or there is
    no such target.
    """
    as_json = output_format == "json"
    found = moving.move(use_case_call(options, target, lock_timeout), old, new)
    if isinstance(found, Refusal):
        print_refusal(old, found, as_json=as_json)
        return ExitCode.REFUSED
    if as_json:
        moved = [{"old": one.old, "new": one.new, "id": one.remote_id} for one in found]
        print_json(moved=moved)
        return ExitCode.DONE
    for one in found:
        unnamed = "" if one.has_manifest else ", which no manifest names yet"
        print_line(f"{one.old} is {one.new} now{unnamed}: it stays the client {one.remote_id}.")
    if not found:
        print_line(f"The record of {old} holds no client: nothing was moved.")
    return ExitCode.DONE
