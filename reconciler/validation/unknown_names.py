"""Turns a kind or a target that a manifest names, and that does not fit or is not known, into a Problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import Problem
from reconciler.validation.suggestions import suggest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.model import Manifest, Source


def unknown_kind(source: Source, stated: str, known: Iterable[str]) -> Problem:
    """The Problem that no provider has clients of this kind."""
    return Problem(
        source=source,
        pointer="/kind",
        message=f"unknown kind `{stated}`",
        hint=suggest(stated, known),
    )


def unknown_target(source: Source, stated: str, known: Iterable[str]) -> Problem:
    """The Problem that the project has no such target."""
    return Problem(
        source=source,
        pointer="/metadata/target",
        message=f"unknown target `{stated}`",
        hint=suggest(stated, known),
    )


def wrong_kind(manifest: Manifest, wanted: str) -> Problem:
    """The Problem that a manifest's kind is not that of its target's provider."""
    return Problem(
        source=manifest.source,
        pointer="/kind",
        message=f"kind `{manifest.kind}` does not fit target `{manifest.target}`",
        hint=f"the clients of this target are of kind `{wanted}`",
    )
