"""The use case of saved plans: a plan as a document, read back, and compared with what is planned now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.changes import Plan
from reconciler.core.errors import StalePlan
from reconciler.manifests import catalog
from reconciler.plan.planfile import differences, open_saved, saved_document
from reconciler.render.json import plan_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from reconciler.app.plan import Planned
    from reconciler.core.model import Json
    from reconciler.plan.selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A saved plan as its file holds it, and what it was made of."""

    path: str
    document: Mapping[str, Any]
    selection: Selection

    @property
    def digest(self) -> str:
        """The digest of the whole file."""
        return str(self.document["digest"])


def make_document(planned: Planned, selection: Selection, *, version: str) -> dict[str, Json]:
    """The document of a saved plan: what was planned, the live values it rests on, and digests."""
    document = plan_document(planned.plan, version=version)
    return saved_document(document, [run.precondition_values() for run in planned.runs], selection)


def read_saved(path: str, *, version: str) -> SavedPlan:
    """Read a saved plan. Raises StalePlan for one that cannot be applied by this `version`, and OSError."""
    document, selection = open_saved(
        _parse(Path(path).read_bytes()),
        name=path,
        version=version,
        fits=catalog.validator("plan").accepts,
    )
    return SavedPlan(path=path, document=document, selection=selection)


def keep_reviewed(
    planned: Planned, saved: SavedPlan, *, only: Sequence[str], version: str
) -> Planned:
    """The part of what was planned just now that `only` names, if that is what was reviewed.

    Raises StalePlan, which names each client that moved, and SelectionError for one in `only` that
    was not planned.
    """
    document = make_document(planned, saved.selection, version=version)
    moved = differences(saved.document, document, only)
    if moved:
        lines = "\n  ".join(moved)
        raise StalePlan(
            f"{saved.path} is not what would be done now:\n  {lines}\n"
            "Nothing was sent. Plan again, and have that reviewed."
        )
    # Only after the comparison, which is of whole plans: a client that moved is named first.
    plan = Plan(targets=tuple(run.narrow(only) for run in planned.runs))
    return replace(planned, plan=plan)


def _parse(content: bytes) -> Json:
    try:
        document: Json = loads(content)
    # The file comes from a pull request: ten thousand brackets in it are no plan, and no crash.
    except (ValueError, RecursionError):
        return None
    return document
