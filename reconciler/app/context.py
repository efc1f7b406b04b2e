"""What the use cases share: how they are called, which target is meant, and its open resources."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.errors import InputError, SelectionError
from reconciler.manifests.clients import load, with_positions
from reconciler.plan.selection import Selection, select_clients, select_targets
from reconciler.provider.identity import id_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.app.records import Records
    from reconciler.app.target_run import TargetJob
    from reconciler.apply.context import OpenTarget
    from reconciler.core.model import LiveClient, Manifest, Problem
    from reconciler.core.project import Project, Target
    from reconciler.inventory.open_inventory import OpenInventory
    from reconciler.manifests.clients import LoadedProject


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What every use case needs: the project file, the target's name or None, the wait for the lock.

    `lock_timeout` is in seconds. `changed` is called before the first thing that changes a server, a
    sink, the record or a file and that may be done though it fails, and after one that is done.
    """

    project_file: str
    target: str | None
    lock_timeout: float
    log: Callable[[str], None]
    changed: Callable[[], None] = lambda: None


def load_valid(call: Call) -> LoadedProject:
    """The project; InputError where anything in it is wrong."""
    loaded = load(call.project_file)
    refuse_errors(loaded.problems)
    return loaded


def refuse_errors(problems: Sequence[Problem]) -> None:
    """Raise InputError where one of `problems` is an error."""
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)


def one_line(problem: Problem) -> str:
    """A problem as one of the errors of a plan: with its place, and without the line of the file."""
    position = problem.position
    place = f"{position.line}:{position.column}:" if position else ""
    hint = f"; {problem.hint}" if problem.hint else ""
    return f"{problem.source.path}:{place} {problem.message}{hint}"


def target_of(loaded: LoadedProject, key: str, stated: str | None) -> str:
    """The target that is meant: the stated or only one, else the one with a manifest `key`."""
    targets = loaded.project.targets
    # Also looked up where it is stated: the error for a name that is none lists those that are.
    if stated is not None:
        return select_targets(Selection(targets=(stated,)), targets)[0]
    named = {manifest.target for manifest in loaded.manifests if manifest.name == key}
    # The only target needs no manifest: `forget` is for keys that have none any more.
    likely = tuple(targets) if len(targets) == 1 else tuple(named)
    if len(likely) != 1:
        raise SelectionError(f"say which target {key} is of: --target {'|'.join(sorted(targets))}")
    return likely[0]


def manifest_of(loaded: LoadedProject, target: str, key: str) -> Manifest | None:
    """The manifest `key` of a target, None where there is none."""
    named = (one for one in loaded.manifests if (one.target, one.name) == (target, key))
    return next(named, None)


@contextmanager
def open_target(loaded: LoadedProject, target: str, call: Call) -> Iterator[OpenTarget]:
    """The open resources of a target, its record locked; no manifest of it is planned."""
    from reconciler.app.target_run import TargetRun  # noqa: PLC0415 - loads httpx; --help must not

    # Without the manifests, so that none of their references has to lead anywhere.
    no_manifests = replace(loaded, manifests=())
    (job,) = make_jobs(no_manifests, Selection(targets=(target,)), call.log)
    others = {one.name: one for one in loaded.manifests if one.target == target}
    job = replace(job, others=others, records=records_of(loaded))
    with ExitStack() as stack:
        yield TargetRun(job).enter(stack, lock=True, timeout=call.lock_timeout)


@contextmanager
def open_record(project: Project, target: str, call: Call) -> Iterator[OpenInventory]:
    """The record of a target, locked, without its server or any credential."""
    from reconciler.app.connection import store_of  # noqa: PLC0415 - as above

    with store_of(project).open(target, lock=True, timeout=call.lock_timeout) as session:
        yield session


def read_client(opened: OpenTarget, remote_id: str) -> LiveClient:
    """The client as the server shows it, with its id as the server spells it. RemoteErrors."""
    from reconciler.http.live import read_client  # noqa: PLC0415 - as above

    client = read_client(opened.provider, opened.transport, remote_id)
    # A user may have typed it in capitals; the inventory is compared with what servers list.
    return replace(client, remote_id=id_in(opened.provider, client.body) or remote_id)


def make_jobs(
    loaded: LoadedProject,
    selection: Selection,
    log: Callable[[str], None],
    *,
    asks_sink: bool = True,
) -> list[TargetJob]:
    """What is to be done with each selected target; without `asks_sink` no sink is made for it.

    References that lead nowhere are `problems` of the job of their target, and of no other.
    InputError where the project's own do.
    """
    from reconciler.app.target_run import TargetJob  # noqa: PLC0415 - as above
    from reconciler.manifests import references  # noqa: PLC0415 - validate has none

    project = loaded.project
    names = select_targets(selection, project.targets)
    known = [manifest for manifest in loaded.manifests if manifest.target in names]
    selected = select_clients(selection, known)
    key, unresolved = references.fingerprint_key(project)
    refuse_errors(with_positions(unresolved))
    records = records_of(loaded)
    jobs = []
    for name in names:
        # All of a target's: whoever sets up a runner wants to hear of every variable that is missing,
        # and not of one a run.
        login, problems = references.credentials(project, project.targets[name])
        resolved, more = references.resolve(
            [manifest for manifest in selected if manifest.target == name],
            loaded.providers,
            project,
        )
        manifests = tuple(resolved)
        planned = {manifest.name for manifest in manifests}
        jobs.append(
            TargetJob(
                project=project,
                target=_with_override(project.targets[name], selection),
                provider=loaded.providers[name],
                login=login,
                problems=tuple(with_positions([*problems, *more])),
                manifests=manifests,
                # Unresolved: only their names and ids count, and their variables may not be here.
                others={
                    one.name: one for one in known if one.target == name and one.name not in planned
                },
                is_partial=bool(selection.selectors),
                unread=loaded.unread.get(name, ()),
                log=log,
                fingerprint_key=key,
                records=records,
                asks_sink=asks_sink,
            )
        )
    return jobs


def records_of(loaded: LoadedProject) -> Records:
    """The records of a project's targets, none of them open yet."""
    from reconciler.app.records import Records, server_of  # noqa: PLC0415 - loads the stores

    servers = {
        name: server_of(loaded.project.targets[name], provider)
        for name, provider in loaded.providers.items()
    }
    return Records(loaded.project, servers, loaded.manifests)


def _with_override(target: Target, selection: Selection) -> Target:
    """The target, its limits overridden for this run if that was asked for."""
    return replace(target, policy=replace(target.policy, override=selection.max_deletes))
