"""The use case of plan: from a project file to what apply would change."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.app.context import make_jobs, refuse_errors
from reconciler.core.changes import Plan
from reconciler.core.errors import ReconcilerError
from reconciler.manifests.clients import loading
from reconciler.plan.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from reconciler.app.target_run import TargetRun
    from reconciler.app.trust.project import TrustedProject
    from reconciler.core.model import Problem
    from reconciler.core.project import Project
    from reconciler.manifests.clients import ProjectLoad

__all__ = ["Planned", "Selection", "plan_targets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and the runs that can apply it while the block that made it is open.

    `warnings` are those of the files. `left` has a sentence for each change that is not carried
    out since it is not in the plan that was reviewed. `project` is what was planned.
    """

    plan: Plan
    warnings: tuple[Problem, ...]
    runs: tuple[TargetRun, ...]
    left: tuple[str, ...] = ()
    project: Project


@contextmanager
def plan_targets(
    project_file: str,
    selection: Selection,
    *,
    lock: bool,
    lock_timeout: float = 0.0,
    log: Callable[[str], None] = lambda _line: None,
    monotonic: Callable[[], float] = time.monotonic,
    trust: str | None = None,
) -> Iterator[Planned]:
    """The plan of what `selection` names, and what it takes to apply it.

    `lock` holds the inventories against other runs until the block ends. A target that cannot be
    planned says so in its `errors`. `monotonic` is the clock by which a plan gets too old to write
    on. `trust` is the revision of git that the project file, and what it names, are taken from, in
    place of the working tree; then no program of a sink runs. Raises InputError, and SelectionError for a name that is none.
    """
    with ExitStack() as stack:
        trusted = None if trust is None else stack.enter_context(_trusted(project_file, trust))
        stated = None if trusted is None else (trusted.project, trusted.warnings)
        with loading(project_file, trusted=stated) as begun:
            # The files of a small project are read before a server could answer: nothing is gained.
            is_large = begun.is_large and not lock and trusted is None
            runs = _read_ahead(begun, selection, log, stack) if is_large else ()
            loaded = begun.finish()
        refuse_errors(loaded.problems)
        jobs = [
            replace(job, monotonic=monotonic)
            for job in make_jobs(loaded, selection, log, asks_sink=trusted is None)
        ]
        from reconciler.app.target_run import (  # noqa: PLC0415 - loads httpx; --help must not
            open_runs,
            plan_all,
        )

        for run, job in zip(runs, jobs, strict=False):
            run.job = job  # with the manifests, which were not read yet when it was opened
        runs = runs or open_runs(jobs, stack, lock=lock, timeout=lock_timeout)
        plan, warnings = Plan(targets=plan_all(runs)), loaded.problems
        if trusted is not None:
            plan, warnings = trusted.names.plan(plan), trusted.names.problems(warnings)
        yield Planned(plan=plan, warnings=warnings, runs=runs, project=loaded.project)


def _trusted(project_file: str, revision: str) -> AbstractContextManager[TrustedProject]:
    from reconciler.app.trust.project import trusted_project  # noqa: PLC0415 - most plans trust the files

    return trusted_project(project_file, revision)


def _read_ahead(
    begun: ProjectLoad, selection: Selection, log: Callable[[str], None], stack: ExitStack
) -> tuple[TargetRun, ...]:
    """Open the targets of a large fleet, and let the servers list it while the files are read.

    Not under a lock: the files must be in order before another run has to wait for it. Nothing is
    opened where something is wrong, which is then reported where it is found in its turn.
    """
    # Selectors pick manifests, and there are none yet: each would be an error.
    targets_only = Selection(targets=selection.targets)
    try:
        jobs = make_jobs(begun.without_manifests, targets_only, log)
    except (ReconcilerError, KeyError):  # KeyError: a provider that cannot be read is not there
        return ()
    from reconciler.app.target_run import open_runs  # noqa: PLC0415 - as above

    runs = open_runs(jobs, stack, lock=False, timeout=0.0)
    for run in runs:
        run.read_ahead(stack)
    return runs
