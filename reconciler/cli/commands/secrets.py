"""`reconciler secrets`: the commands for the secrets of clients that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from reconciler.app import secrets as secrecy
from reconciler.cli import interrupts
from reconciler.cli.client_commands import print_json, use_case_call
from reconciler.cli.exit_codes import ExitCode, worse_if_changed
from reconciler.cli.options import (
    format_option,
    global_options,
    lock_timeout_option,
    selection_options,
)
from reconciler.cli.output import print_line, print_message
from reconciler.core.changes import Status
from reconciler.plan.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.app.secrets import Sync, Synced
    from reconciler.cli.options import GlobalOptions
    from reconciler.core.model import Json

_STOPPING: Final = "Stopping after the secret under way. Ctrl-C again aborts at once."
_MARKS: Final = {Status.DONE: "✓", Status.FAILED: "✗", Status.SKIPPED: "-"}


@click.group("secrets")
@global_options
def command() -> None:
    """Bring the secrets of clients to where they belong."""


@command.command("sync")
@selection_options
@lock_timeout_option()
@format_option("text", "json")
@global_options
@click.pass_obj
def sync(
    options: GlobalOptions,
    *,
    targets: tuple[str, ...],
    selectors: tuple[str, ...],
    lock_timeout: float,
    output_format: str,
) -> ExitCode:
    """Give the sinks every secret again that can still be had.

    That is each secret that a vendor tells when a client is read, and each that waits in a private
    file because its sink would not take it. What no vendor tells any more is said. Nothing is
    changed on a server.

    Exit codes: 0 the sinks have all that could be had; 1 failed; 5 some sinks or clients failed
    and some not; 64 wrong usage.
    """
    # The selection names the targets, of which there may be several.
    asked = use_case_call(options, None, lock_timeout)
    selection = Selection(targets=targets, selectors=selectors)
    # A list, since `sync` is a generator: it has to run in here, where Ctrl-C is handled.
    with interrupts.stop_on_signal(_STOPPING) as stop:
        done = interrupts.run_interruptibly(lambda: list(secrecy.sync(asked, selection, stop)))
    if output_format == "json":
        print_json(targets=[_document(each) for each in done])
    else:
        for each in done:
            _print(each)
    return worse_if_changed(exit_code(done))


def exit_code(done: Sequence[Sync]) -> ExitCode:
    """The exit code by the secrets that could be had: all in their sinks, some, or none."""
    in_place = [
        client.status is Status.DONE
        for each in done
        for client in each.clients
        if client.status is not Status.SKIPPED
    ]
    # A target that could not be opened has no clients here, and is a failure all the same.
    in_place += [False for each in done if each.trouble]
    if all(in_place):
        return ExitCode.DONE
    return ExitCode.PARTLY_APPLIED if any(in_place) else ExitCode.FAILED


def _print(done: Sync) -> None:
    if done.trouble:
        print_message(f"error: {done.target}: {done.trouble}")
    for client in done.clients:
        print_line(f"  {_MARKS[client.status]} {client.target}/{client.key}: {_result(client)}")
    count = sum(client.status is Status.DONE for client in done.clients)
    print_line(f"{done.target}: {count} of {len(done.clients)} secrets are in the sink now.")


def _result(client: Synced) -> str:
    message = f" ({client.message})" if client.message else ""
    if client.status is Status.DONE:
        return f"in {client.location}{message}"
    if client.status is Status.SKIPPED:
        return f"left alone: {client.message}"
    where = f" It waits in {client.location}." if client.location else ""
    return f"not stored: {client.message}.{where}"


def _document(done: Sync) -> Json:
    return {
        "target": done.target,
        "message": done.trouble,
        "clients": [
            {
                "key": client.key,
                "id": client.remote_id,
                "status": client.status.value,
                "secretLocation": client.location,
                "message": client.message,
            }
            for client in done.clients
        ],
    }
