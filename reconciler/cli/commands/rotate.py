"""`reconciler rotate`: gives a client of ours a new secret, and its sink that secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from reconciler.app.rotation import rotate as use_case
from reconciler.cli import interrupts
from reconciler.cli.client_commands import print_json, print_refusal, use_case_call
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
from reconciler.core.changes import Refusal
from reconciler.core.errors import Ambiguous, RemoteError

if TYPE_CHECKING:
    from reconciler.app.context import Call
    from reconciler.app.rotation.rotate import Rotatable, Rotated
    from reconciler.cli.options import GlobalOptions

_STOPPING: Final = "The secret is being changed; this ends when it is safe. Ctrl-C again aborts."
_AFTERWARDS: Final = "`reconciler secrets sync` gives the sink the secret that holds now."


@click.command("rotate")
@key_argument
@target_option
@click.option(
    "--finish",
    is_flag=True,
    help="Take the secret from before the last rotation away, where the vendor keeps it.",
)
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
    finish: bool,
    auto_approve: bool,
    lock_timeout: float,
    output_format: str,
) -> ExitCode:
    """Give a client a new secret.

    KEY is the metadata.name of a client that is ours. The secret sink is tried first; then the
    server gets or makes a new secret, and the sink has it before anything else happens. The old
    secret ceases to work at once, unless the vendor keeps it: then it works beside the new one
    until `rotate KEY --finish` takes it away.

    Where a vendor cannot change a secret, the client is replaced on purpose: the new one has
    another id too, and the old one lives on for the replaceGrace of its manifest or target, 24h
    unless stated, before an apply deletes it.

    Exit codes: 0 the sink has the new secret; 1 failed, or not approved; 3 a guard refused; 5 the
    client has a new secret, which is not in its sink; 64 nothing is recorded of KEY, or nobody to
    ask and no --auto-approve.
    """
    if not auto_approve:
        require_terminal("rotate")
    as_json = output_format == "json"
    call = use_case_call(options, target, lock_timeout)
    if finish:
        return _finish(call, key, auto_approve=auto_approve, as_json=as_json)
    with use_case.open_for_rotation(call, key) as found:
        if isinstance(found, Refusal):
            print_refusal(key, found, as_json=as_json)
            return ExitCode.REFUSED
        # Under the lock and after the probe: nothing that is confirmed can turn out impossible.
        print_message(_consequences(found))
        if found.warning:
            print_message(f"warning: {found.warning}")
        if not auto_approve and not confirm("Replace it?" if found.replaced else "Change it?"):
            print_message("Nothing was changed.")
            return ExitCode.FAILED
        done = _rotate(found)
    if as_json:
        print_json(
            target=found.target,
            key=key,
            id=done.successor or found.remote_id,
            **({"replaced": found.remote_id} if done.successor else {}),
            secret=done.place,
            secretLocation=done.location,
            message=done.trouble or done.note,
        )
    else:
        print_line(_result_line(found, done))
    return ExitCode.DONE if done.place == "stored" else ExitCode.PARTLY_APPLIED


def _finish(call: Call, key: str, *, auto_approve: bool, as_json: bool) -> ExitCode:
    """Take the old secret away, once that is approved."""
    with use_case.open_for_finish(call, key) as found:
        if isinstance(found, Refusal):
            print_refusal(key, found, as_json=as_json)
            return ExitCode.REFUSED
        print_message(
            f"{key} is {found.remote_id} on {found.target}. Its secret from before the last rotation "
            "ceases to work."
        )
        if not auto_approve and not confirm("Take it away?"):
            print_message("Nothing was changed.")
            return ExitCode.FAILED
        with interrupts.stop_on_signal(_STOPPING):
            interrupts.run_interruptibly(found.finish)
    if as_json:
        print_json(target=found.target, key=key, id=found.remote_id, finished=True)
    else:
        print_line(f"{found.target}/{key} (id {found.remote_id}) has its new secret alone.")
    return ExitCode.DONE


def _consequences(found: Rotatable) -> str:
    who = f"{found.key} is {found.remote_id} on {found.target}."
    if found.replaced:
        return f"{who} {found.replaced}. The new secret goes to {found.sink}."
    new = f"{who} It gets a new secret, which goes to {found.sink}."
    if found.overlaps:
        return f"{new} The old one works beside it, until `reconciler rotate {found.key} --finish`."
    return f"{new} The old one ceases to work at once."


def _rotate(found: Rotatable) -> Rotated:
    """Change the secret, and return where the new one is; a Ctrl-C waits until it is safe."""
    with interrupts.stop_on_signal(_STOPPING):
        try:
            return interrupts.run_interruptibly(found.rotate)
        # The server may have changed it: only a read of the client tells, which `secrets sync` does.
        except Ambiguous:
            if found.replaced:
                print_message(
                    "The old client is as it was, and nobody knows yet whether there is a new one."
                )
                raise
            print_message(f"Nobody knows yet which secret holds. {_AFTERWARDS}")
            raise
        # Every other error of the server says that it did not change the secret.
        except RemoteError:
            print_message("The old secret still holds.")
            raise


def _result_line(found: Rotatable, done: Rotated) -> str:
    place = f"{found.target}/{found.key}"
    who = f"{place} (id {found.remote_id}) has a new secret"
    if done.successor:
        who = f"{place} is {done.successor} now, in place of {found.remote_id}, with a new secret"
    note = f" {done.note}." if done.note else ""
    trouble = f" {done.trouble}." if done.trouble else ""
    if done.place == "stored":
        finish = (
            f" The old one works until `reconciler rotate {found.key} --finish`."
            if found.overlaps
            else ""
        )
        return f"{who}, which is in {done.location}.{trouble}{note}{finish}"
    if done.place == "spooled":
        return (
            f"{who}, and its sink would not take it:{trouble} It is in {done.location}. Mend the "
            f"sink: the next apply, or `reconciler secrets sync`, brings it there."
        )
    # A vendor that cannot change a secret need not tell it a second time.
    afterwards = (
        f"`reconciler rotate {found.key}` makes another." if done.successor else _AFTERWARDS
    )
    return f"{who}, which could not be kept:{trouble} {afterwards}"
