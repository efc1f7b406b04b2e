"""Turns a document that is not a valid manifest into its Problems, and into the client it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.model import Manifest, Problem
from reconciler.validation import unknown_names
from reconciler.validation.suggestions import closest_name, list_known

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.core.model import Source
    from reconciler.manifests.catalog import Entry
    from reconciler.validation.explain import Written


def stated_manifest(document: dict[str, Any], source: Source) -> Manifest:
    """The Manifest of an invalid document, to compare with others; empty where it says nothing."""
    metadata = document.get("metadata")
    stated = metadata if isinstance(metadata, dict) else {}
    return Manifest(
        source=source,
        kind=_string(document.get("kind")),
        name=_string(stated.get("name")),
        target=_string(stated.get("target")),
        id=_string(stated.get("id")) or None,
        spec={},
    )


def problems(
    document: dict[str, Any],
    manifest: Manifest,
    targets: Collection[str],
    entries: Mapping[str, Entry],
    kinds: Mapping[str, Entry],
    *,
    written: Written,
) -> Iterator[Problem]:
    """Everything that is wrong with a document that is not valid, or not for its target.

    `manifest` is what it states, `entries` has the providers by target, `kinds` by their clients', `written`
    what the user wrote at a path of it.
    """
    source = manifest.source
    own, stated = entries.get(manifest.target), kinds.get(manifest.kind)
    if manifest.target and manifest.target not in targets:
        yield unknown_names.unknown_target(source, manifest.target, targets)
    if own is not None and own.kind == manifest.kind:
        stated = own
    elif own is None and manifest.target in targets and stated is None:
        # The provider of its target cannot be used: that is told once, at its own place.
        return
    elif manifest.kind and stated is None:
        yield unknown_names.unknown_kind(source, manifest.kind, kinds)
        # What else is wrong is told in the same run: judged by the kind that was meant.
        stated = kinds.get(closest_name(manifest.kind, sorted(kinds)))
    elif own is not None and stated is not None:
        yield unknown_names.wrong_kind(manifest, own.kind)
    entry = stated or own
    if entry is not None:
        yield from _held_against(entry, document, manifest, written)
    elif not manifest.kind:
        message, hint = "`kind` must name the kind of client", list_known(kinds)
        yield Problem(source=source, pointer="/kind", message=message, hint=hint)


def _held_against(
    entry: Entry, document: dict[str, Any], manifest: Manifest, written: Written
) -> Iterator[Problem]:
    addresses = entry.uri_problems(document, manifest.source)
    yield from addresses
    # Each of these has a problem by now, in better words than the schema's.
    told = {problem.pointer for problem in addresses if problem.severity == "error"}
    told |= {"/kind"} if manifest.kind else set()
    found = entry.validator.problems(document, manifest.source, written)
    yield from (problem for problem in found if problem.pointer not in told)


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
