"""The use case of saved plans: a plan as a document, read back, and compared with what is planned now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.app.context import refuse_errors
from reconciler.core.changes import Plan
from reconciler.core.errors import SelectionError, StalePlan
from reconciler.core.secrets import reveal
from reconciler.inventory import strict_json
from reconciler.manifests import catalog, references
from reconciler.manifests.clients import with_positions
from reconciler.manifests.project import load
from reconciler.plan.context import keys_not_planned
from reconciler.plan.guards.limits import threshold_refusals
from reconciler.plan.guards.rules import Rule
from reconciler.plan.planfile import (
    check_signature,
    decided_places,
    differences,
    is_decided,
    is_named,
    left_alone,
    open_saved,
    saved_document,
    signed,
)
from reconciler.render.json import failed_plan_document, plan_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from reconciler.app.plan import Planned
    from reconciler.core.changes import TargetPlan
    from reconciler.core.model import Json, Problem
    from reconciler.core.project import Project
    from reconciler.plan.context import TargetContext
    from reconciler.plan.planfile import Place
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


def make_failed_document(
    errors: Sequence[str], selection: Selection, *, version: str
) -> dict[str, Json]:
    """The document that stands in the place of a plan that could not be made: why, and of what."""
    return saved_document(failed_plan_document(errors, version=version), [], selection)


def sign_document(
    document: dict[str, Json], project: Project
) -> tuple[dict[str, Json], Sequence[Problem]]:
    """The document of a saved plan, signed where the project states a key; the Problems of that key."""
    key, problems = references.plan_key(project)
    return (document if key is None else signed(document, str(reveal(key)))), problems


def check_signed(saved: SavedPlan, project_file: str) -> None:
    """Raise StalePlan for a plan that was not signed with the project's key, InputError without a key."""
    key, problems = references.plan_key(load(project_file))
    refuse_errors(with_positions(problems))
    if key is None:
        raise SelectionError(
            f"--require-signature needs a key: {project_file} states no planKey to check one with"
        )
    check_signature(saved.document, str(reveal(key)), name=saved.path)


def read_saved(path: str, *, version: str) -> SavedPlan:
    """Read a saved plan. Raises StalePlan for one that cannot be applied by this `version`, and OSError."""
    # A shell gives its pipes such names, and has somebody write to them. Another may wait for ever.
    if Path(path).is_fifo() and not path.startswith(("/dev/", "/proc/")):
        raise StalePlan(f"{path} is no saved plan: it is a pipe, to which nobody may write")
    try:
        content = strict_json.parse(Path(path).read_bytes())
    # The file comes from a pull request, and has one reading or none.
    except strict_json.NotStrict as error:
        line = f" (line {error.line})" if error.line else ""
        raise StalePlan(f"{path} is no saved plan: {error}{line}") from None
    document, selection = open_saved(
        content,
        name=path,
        version=version,
        fits=catalog.validator("plan").accepts,
    )
    return SavedPlan(path=path, document=document, selection=selection)


def keep_reviewed(
    planned: Planned, saved: SavedPlan, *, only: Sequence[str], version: str
) -> Planned:
    """The part of what was planned just now that was reviewed and that `only` names.

    What nobody reviewed is left for a plan of its own, and listed in `left`.

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
    decided = decided_places(saved.document)

    def keep(target: TargetPlan, context: TargetContext | None) -> TargetPlan:
        return _keep_decided(target, context, decided, only)

    plan = Plan(targets=tuple(run.narrow(keep) for run in planned.runs))
    return replace(planned, plan=plan, left=left_alone(saved.document, document))


def _keep_decided(
    plan: TargetPlan, context: TargetContext | None, decided: frozenset[Place], only: Sequence[str]
) -> TargetPlan:
    """Of a plan what was reviewed, and of that what `only` names, as `key` or as `target/key`."""
    reviewed = tuple(each for each in plan.changes if is_decided(each, decided))
    kept = tuple(each for each in reviewed if is_named(each.target, each.key, only))
    left = sum(each.live is not None for each in plan.changes if not is_decided(each, decided))
    if context is None or not left:
        return replace(plan, changes=kept)
    # What is left for another plan counts among the clients that are there, and not as taken away.
    not_planned = len(keys_not_planned(context)) + left
    limits = threshold_refusals(reviewed, context.target.policy, not_planned=not_planned)
    others = (
        each
        for each in plan.refusals
        if each.rule not in (Rule.MAX_DELETES, Rule.MAX_CHANGE_PERCENT)
    )
    return replace(plan, changes=kept, refusals=(*others, *limits))
