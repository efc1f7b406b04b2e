"""`reconciler import`: manifests for clients that exist, bound to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.app import importing
from reconciler.cli.client_commands import print_json, use_case_call
from reconciler.cli.exit_codes import ExitCode, worse_if_changed
from reconciler.cli.options import format_option, global_options, lock_timeout_option
from reconciler.cli.output import print_line, print_message
from reconciler.core.project import reference
from reconciler.render.terminal import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.options import GlobalOptions
    from reconciler.core.model import Json
    from reconciler.core.project import Reference


def _name_patterns(
    ctx: click.Context, option: click.Parameter, stated: Sequence[str]
) -> tuple[str, ...]:
    """The globs of `name=GLOB`; raises BadParameter for another form."""
    patterns = []
    for text in stated:
        word, equals, pattern = text.partition("=")
        if word != "name" or not equals:
            message = f"{text!r} selects nothing; write name=GLOB, such as name='Shop *'"
            raise click.BadParameter(message, ctx=ctx, param=option)
        patterns.append(pattern)
    return tuple(patterns)


def _reference(ctx: click.Context, option: click.Parameter, stated: str | None) -> Reference | None:
    """What `env:NAME` or `file:PATH` refers to; raises BadParameter for another form."""
    if stated is None:
        return None
    kind, colon, name = stated.partition(":")
    found = reference({kind: name}) if colon and name else None
    if found is None:
        # Not quoted: it may be the token itself.
        message = "a token is given by reference: env:NAME or file:PATH"
        raise click.BadParameter(message, ctx=ctx, param=option)
    return found


@click.command("import")
@click.argument("target", metavar="TARGET")
@click.option("--id", "ids", metavar="ID", multiple=True, help="This client. Repeatable.")
@click.option("--all", "everything", is_flag=True, help="Every client that is not ours yet.")
@click.option(
    "--select",
    "names",
    metavar="name=GLOB",
    multiple=True,
    callback=_name_patterns,
    help="Every client whose name fits, that is not ours yet. Repeatable.",
)
@click.option(
    "--into",
    metavar="DIR",
    help="The folder for the files. Default: where the first of the target's patterns begins.",
)
@click.option(
    "--registration-token",
    "token",
    metavar="env:NAME|file:PATH",
    callback=_reference,
    help="Where the token of the one client is, if each has its own (RFC 7592).",
)
@click.option(
    "--registration-uri",
    "uri",
    metavar="URL",
    default="",
    help="The address of the one client, if it has its own. Default: the path of the server's other clients.",
)
@click.option("--full", is_flag=True, help="Also state the values that every new client has.")
@lock_timeout_option()
@format_option("text", "json")
@global_options
@click.pass_obj
def command(  # noqa: PLR0913 - one argument an option
    options: GlobalOptions,
    *,
    target: str,
    ids: tuple[str, ...],
    everything: bool,
    names: tuple[str, ...],
    into: str | None,
    token: Reference | None,
    uri: str,
    full: bool,
    lock_timeout: float,
    output_format: str,
) -> ExitCode:
    """Write manifests for clients that exist, and manage them from now on.

    Reads the clients of TARGET, writes one file for each and records it as ours; the next plan
    is empty. Nothing is sent to the server that changes it, no file is overwritten, and no secret
    is written. Left alone are clients that are ours already, those that a manifest means, the one
    that the tool logs in with and those that the server lives on; the last two can be named by
    --id. Where the vendor has no list of clients, name each by --id. Where each client has a token
    of its own, name that too: it goes to the target's sink.

    Exit codes: 0 done, also where all were left alone; 1 nothing done; 5 broken off half-way.
    """
    # Every client of a server is a lot to take over by leaving an option out, so --all is stated.
    if bool(ids) == (everything or bool(names)):
        raise click.UsageError("say which clients: --id for each, or --all, or --select")
    if (token is not None or uri) and (len(ids) != 1 or token is None):
        raise click.UsageError("--registration-token is for one client: name it by one --id")
    wanted = importing.Wanted(ids=ids, names=names, token=token, uri=uri)
    found = importing.import_clients(
        use_case_call(options, target, lock_timeout), wanted, into=into, full=full
    )
    if output_format == "json":
        print_json(**_document(found))
    else:
        _print(found)
    # On stderr: stdout is the list of files, or JSON, for the next command.
    print_message(_summary(found))
    if not found.trouble:
        return ExitCode.DONE
    return worse_if_changed(ExitCode.FAILED)


def _print(found: importing.Import) -> None:
    for each in found.imported:
        print_line(f"{each.path}: {each.name or 'a client without a name'} ({each.remote_id})")
        for note in each.notes:
            print_line(f"    {note.field}: {note.reason}")
    for left in found.skipped:
        print_line(
            f"left alone: {left.name or 'a client without a name'} ({left.remote_id}): {left.why.message}"
        )


def _document(found: importing.Import) -> dict[str, Json]:
    return {
        "target": found.target,
        "imported": [
            {
                "key": each.key,
                "id": each.remote_id,
                "name": each.name,
                "path": each.path,
                "notes": [{"field": note.field, "reason": note.reason} for note in each.notes],
            }
            for each in found.imported
        ],
        "skipped": [
            {
                "id": left.remote_id,
                "name": left.name,
                "rule": left.why.rule,
                "message": left.why.message,
            }
            for left in found.skipped
        ],
        "trouble": found.trouble,
    }


def _summary(found: importing.Import) -> str:
    done = f"{plural(len(found.imported), 'client')} of {found.target} imported"
    left = f", {len(found.skipped)} left alone" if found.skipped else ""
    if not found.trouble:
        return f"{done}{left}."
    return f"error: broken off: {found.trouble}\n{done}, the rest was not touched: run it again."
