"""Finds the addresses that users are sent to in a spec, by the word of the client schema, and their faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.model import Problem
from reconciler.core.pointer import escape
from reconciler.provider.schema_views import facts, item_views, member_views, views
from reconciler.validation.uris.check import comparable, uri_faults
from reconciler.validation.uris.fault import warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.model import Json, JsonObject, Source
    from reconciler.provider.schema_views import Views
    from reconciler.validation.uris.fault import Fault

_WORD: Final = "uri"


def uri_problems(spec: Json, client: JsonObject, source: Source) -> list[Problem]:
    """The Problems of the addresses in a spec that the schema marks with `uri`, at `/spec/...`.

    `client` is the client schema, without `$ref`. The spec may be invalid otherwise.
    """
    return [
        Problem(
            source=source,
            pointer=f"/spec{pointer}",
            message=f"this is no address to send users to: {fault.message}"
            if fault.severity == "error"
            else f"a doubtful address: {fault.message}",
            hint=fault.hint,
            severity=fault.severity,
        )
        for pointer, fault in _faults_within(spec, views(client), "")
    ]


def _faults_within(value: Json, of: Views, pointer: str) -> Iterator[tuple[str, Fault]]:
    if not of:
        return
    kind = next((str(facts(view)[_WORD]) for view in of if _WORD in facts(view)), "")
    if kind and isinstance(value, list):
        yield from ((f"{pointer}/{index}", fault) for index, fault in list_faults(value, kind))
    elif kind and isinstance(value, str):
        yield from ((pointer, fault) for fault in uri_faults(value, kind))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults_within(item, item_views(of, index), f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _faults_within(member, member_views(of, name), f"{pointer}/{escape(name)}")


def list_faults(items: Sequence[Json], kind: str) -> Iterator[tuple[int, Fault]]:
    """The faults of a list of addresses by the place in it; what is no text is left to the schema."""
    seen: dict[str, str] = {}
    for index, item in enumerate(items):
        if not isinstance(item, str):
            continue
        found = uri_faults(item, kind)
        yield from ((index, fault) for fault in found)
        before = seen.setdefault(comparable(item), item)
        if before != item and not found:
            yield (
                index,
                warning(
                    "it is listed twice: only the spelling of scheme, host or port differs",
                    "leave one out",
                ),
            )


def is_plain(value: Json, kind: str) -> bool:
    """Whether nothing is to be said of what stands in a place that the schema marks with `uri`."""
    if isinstance(value, str):
        return not uri_faults(value, kind)
    return not isinstance(value, list) or not any(list_faults(value, kind))
