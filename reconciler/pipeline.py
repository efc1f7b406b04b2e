"""The use cases: which stage feeds which, from a project file to problems, a plan or a report."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core import selection as selecting
from reconciler.core.errors import InputError
from reconciler.core.model import ApplyReport, Plan
from reconciler.core.selection import Selection
from reconciler.manifests.clients import load, located

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.core.model import Outcome, Problem
    from reconciler.manifests.clients import Loaded
    from reconciler.run import Job, TargetRun

__all__ = ["Planned", "Selection", "Validation", "apply", "planning", "validate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What a look at the files alone found: all problems, and how much was looked at."""

    problems: tuple[Problem, ...]
    clients: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and the runs that can apply it while the block that made it is open.

    `warnings` are those of the files.
    """

    plan: Plan
    warnings: tuple[Problem, ...]
    runs: tuple[TargetRun, ...]


def validate(project_file: str, *, files: Sequence[str] = ()) -> Validation:
    """Everything that is wrong with a project, without network, credentials or environment.

    With `files` only those are looked at. Raises InputError if the project file is not usable.
    """
    loaded = load(project_file, files=files)
    return Validation(
        problems=loaded.problems, clients=len(loaded.manifests), files=loaded.file_count
    )


@contextmanager
def planning(
    project_file: str,
    selection: Selection,
    *,
    lock: bool,
    lock_timeout: float = 0.0,
    log: Callable[[str], None] = lambda _line: None,
) -> Iterator[Planned]:
    """The plan of what `selection` names, and what it takes to apply it.

    `lock` holds the inventories against other runs until the block ends. A target that cannot be
    planned says so in its `errors`. Raises InputError, and SelectionError for a name that is none.
    """
    loaded = load(project_file)
    refuse_errors(loaded.problems)
    jobs = jobs_of(loaded, selection, log)
    from reconciler.run import TargetRun, plan_all  # noqa: PLC0415 - loads httpx; validate must not

    runs = tuple(map(TargetRun, jobs))
    with ExitStack() as stack:
        for run in runs:
            run.open(stack, lock=lock, timeout=lock_timeout)
        plan = Plan(targets=plan_all(runs))
        yield Planned(plan=plan, warnings=loaded.problems, runs=runs)


def apply(
    planned: Planned,
    *,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
    stop: threading.Event | None = None,
) -> ApplyReport:
    """Send what was planned, the targets side by side, and report on every change in its order.

    `on_outcome` is told of each as it ends, by one thread at a time. After `stop` is set nothing
    new begins; what is under way ends and is recorded.
    """
    from reconciler.run import apply_all  # noqa: PLC0415 - as above

    return ApplyReport(outcomes=apply_all(planned.runs, on_outcome, stop))


def refuse_errors(problems: Sequence[Problem]) -> None:
    """Raise InputError where one of `problems` is an error."""
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)


def jobs_of(loaded: Loaded, selection: Selection, log: Callable[[str], None]) -> list[Job]:
    """What is to be done with each selected target; InputError for references that lead nowhere."""
    from reconciler.manifests import references  # noqa: PLC0415 - validate has none
    from reconciler.run import Job  # noqa: PLC0415 - as above

    project = loaded.project
    names = selecting.targets(selection, project.targets)
    known = [manifest for manifest in loaded.manifests if manifest.target in names]
    resolved, problems = references.resolve(selecting.clients(selection, known), loaded.providers)
    key, unresolved = references.fingerprint_key(project)
    problems.extend(unresolved)
    jobs = []
    for name in names:
        login, more = references.credentials(project, project.targets[name])
        problems.extend(more)
        manifests = tuple(manifest for manifest in resolved if manifest.target == name)
        keys = {manifest.name for manifest in manifests}
        others = {manifest.name for manifest in known if manifest.target == name} - keys
        jobs.append(
            Job(
                project=project,
                target=project.targets[name],
                provider=loaded.providers[name],
                credentials=login,
                manifests=manifests,
                others=frozenset(others),
                log=log,
                fingerprint_key=key,
            )
        )
    refuse_errors(located(problems, ()))
    return jobs
