"""`reconciler provider check`: holds the description of a vendor against a server of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import interrupts
from reconciler.cli.client_commands import print_json
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import format_option, global_options
from reconciler.cli.output import print_line, print_message
from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.app.provider_check.findings import Finding
    from reconciler.cli.options import GlobalOptions

_MARKS = {"ok": "✓", "note": "-", "wrong": "✗"}


@click.group("provider")
@global_options
def command() -> None:
    """Hold the description of a vendor against a server of it."""


def _mapping(ctx: click.Context, option: click.Parameter, stated: str | None) -> Any:
    """What a text of YAML says; raises BadParameter for none that can be read."""
    import yaml  # noqa: PLC0415 - few commands need it

    try:
        return None if stated is None else yaml.safe_load(stated)
    except yaml.YAMLError as error:
        raise click.BadParameter(f"this is no YAML: {error}", ctx=ctx, param=option) from None


@command.command("check")
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.option("--base-url", metavar="URL", help="A server to hold the folder against.")
@click.option(
    "--auth",
    metavar="YAML",
    default="none",
    callback=_mapping,
    help="How to log in, as a target states it: '{token: {env: NAME}}'. Default: none.",
)
@click.option(
    "--target",
    "also",
    metavar="YAML",
    default="{}",
    callback=_mapping,
    help="What else a target of this server states: '{collection: /v2/clients}'.",
)
@click.option(
    "--write", is_flag=True, help="Make a client and live its life: on a test server alone."
)
@click.option(
    "--spec",
    metavar="YAML",
    callback=_mapping,
    help="The fields of that client. Default: what `init` writes.",
)
@format_option("text", "json")
@global_options
@click.pass_obj
def check(
    options: GlobalOptions,
    *,
    folder: str,
    base_url: str | None,
    auth: Any,
    also: Any,
    write: bool,
    spec: Any,
    output_format: str,
) -> ExitCode:
    """Check the FOLDER of a provider, and what it says of a server.

    The files alone are checked first. With --base-url the server's clients are read, and nothing is
    changed: does the list end where the descriptor says, is each client there by its id, which members
    does no schema describe, where is a secret shown. With --write one client is created, changed
    field by field, given another secret and deleted, with a plan after each step that has to be empty.

    Exit codes: 0 nothing is wrong; 1 something is; 64 wrong usage.
    """
    if write and base_url is None:
        raise click.UsageError("--write needs a server: --base-url")
    if not isinstance(also, dict) or not isinstance(spec or {}, dict):
        raise click.UsageError("--target and --spec take a mapping: '{name: value}'")
    found: list[Finding] = []
    with interrupts.stop_on_signal():
        for finding in _findings(options, folder, base_url, auth, also, spec, write=write):
            found.append(finding)
            if output_format == "text":
                print_line(f"{_MARKS[finding.level]} {finding.message}")
    faults = sum(each.level == "wrong" for each in found)
    if output_format == "json":
        print_json(findings=[{"level": each.level, "message": each.message} for each in found])
    print_message(f"{faults} wrong." if faults else "Nothing is wrong.")
    return ExitCode.FAILED if faults else ExitCode.DONE


def _findings(
    options: GlobalOptions,
    folder: str,
    base_url: str | None,
    auth: Any,
    also: Any,
    spec: Any,
    *,
    write: bool,
) -> Iterator[Finding]:
    from reconciler.app.context import Call  # noqa: PLC0415 - --help needs none of it
    from reconciler.app.provider_check import findings, reading, writing  # noqa: PLC0415 - as above
    from reconciler.cli import starter  # noqa: PLC0415 - as above
    from reconciler.manifests import catalog  # noqa: PLC0415 - as above
    from reconciler.provider.descriptor import parse_provider  # noqa: PLC0415 - as above

    entry = catalog.entry(f"./{folder}" if "/" not in folder else folder, ".")
    provider = parse_provider(entry.descriptor, *entry.bodies)
    yield findings.ok(f"the files are in order: {provider.title}, kind {provider.kind}")
    if base_url is None:
        return
    with findings.workshop(folder, base_url, auth, also) as shop:
        call = Call(
            project_file=shop.project_file,
            target=findings.TARGET,
            lock_timeout=0.0,
            log=options.log,
            changed=lambda: None,
        )
        try:
            yield from reading.read_half(shop, call)
        except ReconcilerError as error:
            yield findings.wrong(str(error))
            return
        if write:
            wanted = spec or starter.sample_spec(starter.Start(provider=folder, entry=entry))
            yield from writing.write_half(shop, call, provider, wanted)
