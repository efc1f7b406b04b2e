"""`reconciler rotate`: gives a client of ours a new secret, and its sink that secret."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from reconciler.app import secrets as secrecy
from reconciler.cli import interrupts
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import format_option, global_options, lock_timeout_option
from reconciler.cli.output import can_ask, say
from reconciler.cli.ownership import call, key_argument, show, show_refusal, target_option, tell
from reconciler.core.errors import Ambiguous, RemoteError
from reconciler.core.model import Refusal

if TYPE_CHECKING:
    from reconciler.app.secrets import Rotatable, Rotated
    from reconciler.cli.session import Session

_STOPPING: Final = "The secret is being changed; this ends when it is safe. Ctrl-C again aborts."
_AFTERWARDS: Final = "`reconciler secrets sync` gives the sink the secret that holds now."


@click.command("rotate")
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
    """Give a client a new secret.

    KEY is the metadata.name of a client that is ours. The secret sink is tried first; then the
    server gets or makes a new secret, and the sink has it before anything else happens. The old
    secret ceases to work at once. Where a vendor cannot do that, only a replace brings another.

    Exit codes: 0 the sink has the new secret; 1 failed, or not approved; 3 a guard refused; 5 the
    client has a new secret, which is not in its sink; 64 nothing is recorded of KEY, or nobody to
    ask and no --auto-approve.
    """
    if not auto_approve and not can_ask():
        raise click.UsageError(
            "rotate asks first, and there is no terminal to ask on: give --auto-approve"
        )
    as_json = output_format == "json"
    with secrecy.rotating(call(session, target, lock_timeout), key) as found:
        if isinstance(found, Refusal):
            show_refusal(key, found, as_json=as_json)
            return ExitCode.REFUSED
        say(_meaning(found))
        if not auto_approve and not _approved():
            say("Nothing was changed.")
            return ExitCode.FAILED
        done = _rotated(found)
    if as_json:
        show(
            target=found.target,
            key=key,
            id=found.remote_id,
            secret=done.place,
            secretLocation=done.location,
            message=done.trouble,
        )
    else:
        tell(_told(found, done))
    return ExitCode.DONE if done.place == "stored" else ExitCode.PARTLY_APPLIED


def _meaning(found: Rotatable) -> str:
    return (
        f"{found.key} is {found.remote_id} on {found.target}. It gets a new secret, which goes to "
        f"{found.sink}. The old one ceases to work at once."
    )


def _approved() -> bool:
    click.echo("Change it? Only 'yes' is taken as yes: ", nl=False, err=True)
    return sys.stdin.readline().strip() == "yes"


def _rotated(found: Rotatable) -> Rotated:
    """Change the secret; a Ctrl-C waits until the new one is safe."""
    with interrupts.graceful(_STOPPING):
        try:
            return interrupts.attentively(found.rotate)
        except Ambiguous:
            say(f"Nobody knows yet which secret holds. {_AFTERWARDS}")
            raise
        except RemoteError:
            say("The old secret still holds.")
            raise


def _told(found: Rotatable, done: Rotated) -> str:
    who = f"{found.target}/{found.key} (id {found.remote_id}) has a new secret"
    trouble = f" {done.trouble}." if done.trouble else ""
    if done.place == "stored":
        return f"{who}, which is in {done.location}.{trouble}"
    if done.place == "spooled":
        return (
            f"{who}, and its sink would not take it:{trouble} It is in {done.location}. Mend the "
            f"sink: the next apply, or `reconciler secrets sync`, brings it there."
        )
    return f"{who}, which could not be kept:{trouble} {_AFTERWARDS}"
