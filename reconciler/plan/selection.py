"""Picks the targets and the clients that a run is about."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reconciler.core.dataclass import dataclass
from reconciler.core.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.core.model import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the user asks of one run: targets, and clients by name (with `*`, `?`) or by `label=value`.

    Nothing named means all. Of several selectors, one that fits is enough. `max_deletes` stands
    in for the limits of the targets' policies.
    """

    targets: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    max_deletes: int | None = None


def select_targets(selection: Selection, known: Collection[str]) -> tuple[str, ...]:
    """The names of the targets that are selected, sorted. SelectionError for one that is not known."""
    unknown = sorted(set(selection.targets) - set(known))
    if unknown:
        raise SelectionError(
            f"--target {', '.join(unknown)}: the project has no such target, only "
            f"{', '.join(sorted(known))}"
        )
    return tuple(sorted(set(selection.targets) or known))


def select_clients(selection: Selection, manifests: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """The manifests that are selected. SelectionError for a selector that fits none of them."""
    known = tuple(manifests)
    # Each by itself: a typo must not pass because another selector fits, or end as an empty plan.
    for selector in selection.selectors:
        if not any(_fits(selector, manifest) for manifest in known):
            raise SelectionError(f"--select {selector}: no client of the selected targets fits it")
    if not selection.selectors:
        return known
    return tuple(
        manifest
        for manifest in known
        if any(_fits(selector, manifest) for selector in selection.selectors)
    )


def _fits(selector: str, manifest: Manifest) -> bool:
    label, equals, value = selector.partition("=")
    # fnmatchcase, since fnmatch ignores case on some systems and a plan must not hang on that.
    if equals:
        return label in manifest.labels and fnmatchcase(manifest.labels[label], value)
    return fnmatchcase(manifest.name, selector)
