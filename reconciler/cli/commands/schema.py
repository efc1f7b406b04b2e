"""`reconciler schema`: the JSON Schema of a file format, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli import known_providers
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import GlobalOptions, global_options
from reconciler.cli.output import print_document, print_message, print_text
from reconciler.core.errors import InputError
from reconciler.manifests import catalog
from reconciler.provider.manifest_schema import derive

if TYPE_CHECKING:
    from reconciler.cli.known_providers import Known
    from reconciler.core.model import JsonObject
    from reconciler.manifests.catalog import Entry

_FORMATS: Final = ("project", "provider", "plan", "report", "receipt", "inventory")


@click.command("schema")
@click.argument("name", required=False)
@global_options
@click.make_pass_decorator(GlobalOptions, ensure=True)
def command(options: GlobalOptions, *, name: str | None) -> ExitCode:
    """Print a JSON Schema, for editors and other tools.

    NAME is a kind of manifest, as `reconciler providers` lists them, a folder with a provider of
    your own, or one of project, provider, plan, report, receipt, inventory. Without it, the names
    are listed. In a project, the kinds of the folders that its targets name are known too, and
    such a kind is meant where the tool brings one of the same name.
    """
    if name is None:
        known = known_providers.find(options)
        print_text("".join(f"{each}\n" for each in _names(known)))
        known_providers.warn(known)
    else:
        print_document(json.dumps(_schema(name, options), indent=2, ensure_ascii=False) + "\n")
    return ExitCode.DONE


def _names(known: Known) -> list[str]:
    kinds = {entry.kind for entry in (*known.shipped.values(), *known.own.values())}
    return [*sorted(kinds), *_FORMATS]


def _schema(name: str, options: GlobalOptions) -> JsonObject:
    if name in _FORMATS:
        path = Path(catalog.schemas_folder(), f"{name}.schema.json")
        document: JsonObject = json.loads(path.read_text(encoding="utf-8"))
        return document
    if "/" in name:
        entry = catalog.entry(known_providers.folder_name(name, "."), ".")
    else:
        known = known_providers.find(options)
        entry = _of_kind(name, known)
        known_providers.warn(known)
    return derive(entry.bodies[0], entry.kind)


def _of_kind(kind: str, known: Known) -> Entry:
    """The provider of a kind, the project's own before the tool's."""
    # A project that copied a folder of the tool's to change it means its copy.
    own = [folder for folder, entry in known.own.items() if entry.kind == kind]
    if len(own) > 1:
        folders = (known_providers.folder_name(f"{known.root}/{each}", ".") for each in own)
        raise click.BadArgumentUsage(
            f"{kind!r} is the kind of {' and of '.join(folders)}: name the folder"
        )
    if own:
        return known.own[own[0]]
    shipped = (entry for entry in known.shipped.values() if entry.kind == kind)
    found = next(shipped, None)
    if found is not None:
        return found
    if known.problems:
        # Not wrong usage: the kind may be right, and its provider the one that cannot be read.
        print_message(f"no provider that can be read has the kind {kind!r}:")
        raise InputError(known.problems)
    raise click.BadArgumentUsage(f"{kind!r} is none of {', '.join(_names(known))}")
