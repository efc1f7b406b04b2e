"""`reconciler providers`: which vendors are known, and what each supports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli import known_providers
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import GlobalOptions, format_option, global_options
from reconciler.cli.output import print_document, print_text
from reconciler.provider.descriptor import parse_provider

if TYPE_CHECKING:
    from reconciler.core.model import Json
    from reconciler.manifests.catalog import Entry
    from reconciler.provider.model import Provider

_HEADINGS: Final = ("NAME", "KIND", "LIST", "DELETE", "UPDATE", "A CHANGE OF THESE REPLACES")


@click.command("providers")
@format_option("text", "json")
@global_options
@click.make_pass_decorator(GlobalOptions, ensure=True)
def command(options: GlobalOptions, *, output_format: str) -> ExitCode:
    """List the vendors that are known and what each supports.

    In a project, the folders that its targets name are listed too, each as a target names it.
    What is wrong with one of them is said on stderr, and the others are listed.

    Without a list, clients are read one by one, by the ids in the inventory. Without a delete, a
    client cannot be replaced. How clients are updated is each vendor's own: json-patch (RFC
    6902), put-full (every writable field) or put-partial (the changed fields).
    """
    known = known_providers.find(options)
    if output_format == "json":
        shipped = [_described(entry, None) for entry in known.shipped.values()]
        own = [_described(entry, folder) for folder, entry in known.own.items()]
        print_document(json.dumps([*shipped, *own], indent=2) + "\n")
    else:
        entries = {**known.shipped, **known.own}
        print_text(_table([_HEADINGS, *(_row(name, entry) for name, entry in entries.items())]))
    # After the list: one folder that is broken must not cost the others their rows.
    known_providers.warn(known)
    return ExitCode.DONE


def _parsed(entry: Entry) -> Provider:
    """The provider as its folder has it, without the overrides of a target."""
    return parse_provider(entry.descriptor, *entry.bodies)


def _described(entry: Entry, folder: str | None) -> dict[str, Json]:
    provider = _parsed(entry)
    limit = provider.rate_limit
    return {
        "name": provider.name,
        "folder": folder,
        "title": provider.title,
        "kind": provider.kind,
        "docs": entry.descriptor["docs"],
        "list": provider.list is not None,
        "delete": provider.delete is not None,
        "update": provider.style.value,
        "rotate": provider.rotate is not None,
        "idChosen": provider.identity.chosen is not None,
        "replacedBy": [*_replacing(provider)],
        "setAfterCreate": sorted(n for n, field in provider.fields.items() if field.update_only),
        "neverShown": sorted(n for n, field in provider.fields.items() if field.write_only),
        "rateLimit": limit and {"requests": limit.requests, "seconds": limit.seconds},
        "protected": sorted(provider.protected),
    }


def _replacing(provider: Provider) -> list[str]:
    return sorted(name for name, field in provider.fields.items() if field.immutable)


def _row(name: str, entry: Entry) -> tuple[str, ...]:
    provider = _parsed(entry)
    return (
        name,
        provider.kind,
        "no" if provider.list is None else "yes",
        "no" if provider.delete is None else "yes",
        provider.style.value,
        ", ".join(_replacing(provider)) or "-",
    )


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)
