"""`reconciler schema`: the JSON Schema of a file format, for editors."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import global_options
from reconciler.cli.output import print_text
from reconciler.manifests import catalog
from reconciler.provider.manifest_schema import derive

if TYPE_CHECKING:
    from reconciler.core.model import JsonObject

_FORMATS: Final = ("project", "provider", "plan", "report", "receipt", "inventory")


@click.command("schema")
@click.argument("name", required=False)
@global_options
def command(*, name: str | None) -> ExitCode:
    """Print a JSON Schema, for editors and other tools.

    NAME is a kind of manifest such as SailPointClient, a folder with a provider of your own, or
    one of project, provider, plan, report, receipt, inventory. Without it, the names are listed.
    """
    if name is None:
        print_text("".join(f"{known}\n" for known in _names()))
    else:
        print_text(json.dumps(_schema(name), indent=2, ensure_ascii=False) + "\n")
    return ExitCode.DONE


def _names() -> list[str]:
    return [*sorted(_providers()), *_FORMATS]


def _providers() -> dict[str, str]:
    """Give the provider's name for each kind."""
    return {catalog.entry(name, ".").kind: name for name in catalog.names()}


def _schema(name: str) -> JsonObject:
    if name in _FORMATS:
        path = catalog.schemas_folder() / f"{name}.schema.json"
        document: JsonObject = json.loads(path.read_text(encoding="utf-8"))
        return document
    provider = f"./{os.path.relpath(name)}" if "/" in name else _providers().get(name)
    if provider is None:
        raise click.BadArgumentUsage(f"{name!r} is none of {', '.join(_names())}")
    entry = catalog.entry(provider, ".")
    return derive(entry.bodies[0], entry.kind)
