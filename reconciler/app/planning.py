"""The use cases: which stage feeds which, from a project file to problems, a plan or a report."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import InputError, ReconcilerError, StalePlan
from reconciler.core.model import ApplyReport, Plan, Problem, Source
from reconciler.manifests import catalog
from reconciler.manifests.clients import load, loading, located
from reconciler.plan import selection as selecting
from reconciler.plan.selection import Selection
from reconciler.sinks import registry
from reconciler.validation import rules

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from reconciler.app.target_run import Job, TargetRun
    from reconciler.core.model import Json, Outcome
    from reconciler.core.project import Project, Target
    from reconciler.manifests.clients import Loaded, Loading

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A saved plan as its file holds it, and what it was made of."""

    path: str
    document: Mapping[str, Any]
    selection: Selection

    @property
    def digest(self) -> str:
        """The digest of the whole file."""
        return str(self.document["digest"])


def validate(project_file: str, *, files: Sequence[str] = ()) -> Validation:
    """Everything that is wrong with a project, without network, credentials or environment.

    With `files` only those are looked at. Raises InputError if the project file is not usable.
    """
    loaded = load(project_file, files=files)
    warnings = [] if files else located(list(_absent_sinks(loaded.project)), ())
    return Validation(
        problems=(*warnings, *loaded.problems),
        clients=len(loaded.manifests),
        files=loaded.file_count,
    )


@contextmanager
def planning(
    project_file: str,
    selection: Selection,
    *,
    lock: bool,
    lock_timeout: float = 0.0,
    log: Callable[[str], None] = lambda _line: None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Planned]:
    """The plan of what `selection` names, and what it takes to apply it.

    `lock` holds the inventories against other runs until the block ends. A target that cannot be
    planned says so in its `errors`. `monotonic` is the clock by which a plan gets too old to write
    on. Raises InputError, and SelectionError for a name that is none.
    """
    with ExitStack() as stack:
        with loading(project_file) as begun:
            runs = _ahead(begun, selection, log, stack) if begun.is_large and not lock else ()
            loaded = begun.finish()
        refuse_errors(loaded.problems)
        jobs = [replace(job, monotonic=monotonic) for job in jobs_of(loaded, selection, log)]
        from reconciler.app.target_run import opened, plan_all  # noqa: PLC0415 - loads httpx; validate must not

        for run, job in zip(runs, jobs, strict=False):
            run.job = job  # with the manifests, which nobody knew when it was opened
        runs = runs or opened(jobs, stack, lock=lock, timeout=lock_timeout)
        plan = Plan(targets=plan_all(runs))
        yield Planned(plan=plan, warnings=loaded.problems, runs=runs)


def _ahead(
    begun: Loading, selection: Selection, log: Callable[[str], None], stack: ExitStack
) -> tuple[TargetRun, ...]:
    """Open the targets of a large fleet, and let the servers list it while the files are read.

    Not under a lock: the files must be in order before anybody has to wait for it. Nothing is
    opened where something is wrong; whoever looks at it in its turn will say so.
    """
    targets_only = Selection(targets=selection.targets)
    try:
        jobs = jobs_of(begun.so_far, targets_only, log)
    except (ReconcilerError, KeyError):
        return ()
    from reconciler.app.target_run import opened  # noqa: PLC0415 - as above

    runs = opened(jobs, stack, lock=False, timeout=0.0)
    for run in runs:
        run.look_ahead(stack)
    return runs


def saved(planned: Planned, selection: Selection, *, version: str) -> dict[str, Json]:
    """The document of a saved plan: what was planned, the live values it rests on, and digests."""
    from reconciler.plan import planfile as saving  # noqa: PLC0415 - validate knows no saved plans
    from reconciler.render import json  # noqa: PLC0415 - as above

    document = json.plan_document(planned.plan, version=version)
    return saving.sealed(document, [run.footings() for run in planned.runs], selection)


def reviewed(path: str, *, version: str) -> Reviewed:
    """Read a saved plan. Raises StalePlan for one that cannot be applied by this `version`, and OSError."""
    from reconciler.plan import planfile as saving  # noqa: PLC0415 - as above

    content = Path(path).read_bytes()
    document, selection = saving.opened(
        _parsed(content), name=path, version=version, fits=catalog.validator("plan").accepts
    )
    return Reviewed(path=path, document=document, selection=selection)


def held(planned: Planned, reviewed: Reviewed, *, only: Sequence[str], version: str) -> Planned:
    """What was planned just now, as far as `only` names it, if that is what was reviewed.

    Raises StalePlan, which names each client that moved, and SelectionError for one in `only` that
    was not planned.
    """
    from reconciler.plan import planfile as saving  # noqa: PLC0415 - as above

    document = saved(planned, reviewed.selection, version=version)
    moved = saving.differences(reviewed.document, document, only)
    if moved:
        told = "\n  ".join(moved)
        raise StalePlan(
            f"{reviewed.path} is not what would be done now:\n  {told}\n"
            "Nothing was sent. Plan again, and have that reviewed."
        )
    plan = Plan(targets=tuple(run.narrow(only) for run in planned.runs))
    return replace(planned, plan=plan)


def _parsed(content: bytes) -> Json:
    try:
        document: Json = loads(content)
    except (ValueError, RecursionError):
        return None
    return document


def apply(
    planned: Planned,
    *,
    fail_fast: bool = False,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
    stop: threading.Event | None = None,
) -> ApplyReport:
    """Send what was planned, the targets side by side, and report on every change in its order.

    `on_outcome` is told of each as it ends, by one thread at a time. After `stop` is set nothing
    new begins; what is under way ends and is recorded. With `fail_fast` the same happens after
    the first failure.
    """
    from reconciler.app.target_run import apply_all  # noqa: PLC0415 - as above

    outcomes = apply_all(planned.runs, on_outcome, stop, fail_fast=fail_fast)
    deliveries = tuple(each for run in planned.runs for each in run.deliveries)
    return ApplyReport(outcomes=outcomes, deliveries=deliveries)


def _absent_sinks(project: Project) -> Iterator[Problem]:
    """A warning for each sink that no package brings here: it may be there where the tool applies."""
    for target in project.targets.values():
        kind = target.sink.kind
        if kind not in registry.BUILT_IN and kind not in registry.sink_names():
            yield Problem(
                source=Source(path=project.path),
                pointer=f"/targets/{target.name}/secrets/sink",
                message=f"no installed package brings a sink `{kind}`",
                hint=rules.nearest(kind, registry.sink_names()),
                severity="warning",
            )


def refuse_errors(problems: Sequence[Problem]) -> None:
    """Raise InputError where one of `problems` is an error."""
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)


def jobs_of(loaded: Loaded, selection: Selection, log: Callable[[str], None]) -> list[Job]:
    """What is to be done with each selected target; InputError for references that lead nowhere."""
    from reconciler.app.target_run import Job  # noqa: PLC0415 - as above
    from reconciler.manifests import references  # noqa: PLC0415 - validate has none

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
        unseen = [one for one in known if one.target == name and one.name not in keys]
        jobs.append(
            Job(
                project=project,
                target=_limited(project.targets[name], selection),
                provider=loaded.providers[name],
                credentials=login,
                manifests=manifests,
                others=frozenset(one.name for one in unseen),
                claimed=frozenset(one.id for one in unseen if one.id is not None),
                selected=bool(selection.selectors),
                log=log,
                fingerprint_key=key,
            )
        )
    refuse_errors(located(problems, ()))
    return jobs


def _limited(target: Target, selection: Selection) -> Target:
    """The target, its limits overridden for this run if that was asked for."""
    return replace(target, policy=replace(target.policy, override=selection.max_deletes))
