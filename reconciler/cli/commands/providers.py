"""`reconciler providers`: which vendors are known, and what each supports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import format_option, global_options
from reconciler.cli.output import print_text
from reconciler.manifests import catalog
from reconciler.provider.descriptor import parse_provider

if TYPE_CHECKING:
    from reconciler.core.model import Json, JsonObject
    from reconciler.provider.model import Provider

_HEADINGS: Final = ("NAME", "KIND", "LIST", "DELETE", "UPDATE", "A CHANGE OF THESE REPLACES")


@click.command("providers")
@format_option("text", "json")
@global_options
def command(*, output_format: str) -> ExitCode:
    """List the vendors that are known and what each supports.

    Without a list, clients are read one by one, by the ids in the inventory. Without a delete, a
    client cannot be replaced. How clients are updated is each vendor's own: json-patch (RFC
    6902), put-full (every writable field) or put-partial (the changed fields).
    """
    entries = [catalog.entry(name, ".") for name in catalog.names()]
    known = [
        (parse_provider(entry.descriptor, *entry.bodies), entry.descriptor) for entry in entries
    ]
    if output_format == "json":
        described = [_described(provider, descriptor) for provider, descriptor in known]
        print_text(json.dumps(described, indent=2) + "\n")
    else:
        print_text(_table([_HEADINGS, *(_row(provider) for provider, _ in known)]))
    return ExitCode.DONE


def _described(provider: Provider, descriptor: JsonObject) -> dict[str, Json]:
    limit = provider.rate_limit
    return {
        "name": provider.name,
        "title": provider.title,
        "kind": provider.kind,
        "docs": descriptor["docs"],
        "list": provider.list is not None,
        "delete": provider.delete is not None,
        "update": provider.style.value,
        "rotate": provider.rotate is not None,
        "idChosen": provider.identity.chosen,
        "replacedBy": _replacing(provider),
        "setAfterCreate": sorted(n for n, field in provider.fields.items() if field.update_only),
        "neverShown": sorted(n for n, field in provider.fields.items() if field.write_only),
        "rateLimit": limit and {"requests": limit.requests, "seconds": limit.seconds},
        "protected": sorted(provider.protected),
    }


def _replacing(provider: Provider) -> list[str]:
    return sorted(name for name, field in provider.fields.items() if field.immutable)


def _row(provider: Provider) -> tuple[str, ...]:
    return (
        provider.name,
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
