"""Carries out a target's plan in stages, several changes at once, and gives one Outcome for each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from reconciler.apply.change import Step, finish_replace
from reconciler.apply.context import Scene
from reconciler.apply.stop import Brake
from reconciler.core.errors import InventoryError
from reconciler.core.model import Action, Outcome, Status
from reconciler.plan.preconditions import guard_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.apply.context import Recorder, Sink
    from reconciler.core.model import Change, TargetPlan
    from reconciler.core.project import ConflictCheck
    from reconciler.http.transport import Transport
    from reconciler.provider.model import Provider

_CREATES = (Action.CREATE, Action.REPLACE)
_UPDATES = (Action.UPDATE, Action.ADOPT)


def run(  # noqa: PLR0913 - every part that a run touches is handed in, so that none is hidden
    target_plan: TargetPlan,
    provider: Provider,
    transport: Transport,
    recorder: Recorder,
    sink: Sink,
    *,
    workers: int,
    key: bytes,
    now: Callable[[], str],
    on_outcome: Callable[[Outcome], None],
    stop: threading.Event,
    failed: threading.Event | None = None,
    guard: ConflictCheck | None = None,
    aged: Callable[[], bool] = lambda: False,
) -> tuple[Outcome, ...]:
    """Send what the plan holds: creates, then updates, then deletes; one outcome a change, in order.

    `recorder` is the target's inventory, open for writing. `now` gives RFC 3339 in UTC, `key` is
    for fingerprints. `on_outcome` is called in this thread, once a change, when it has ended. Once
    `stop` is set nothing new starts; what is under way ends and is recorded. A failure is in its
    change's outcome and is not raised; it sets `failed`, which then stops the run like `stop`.
    `guard` is what the target states, and `aged` says whether the plan's look at the server is too
    old to write on.
    """
    scene = Scene(
        target=target_plan.target,
        provider=provider,
        transport=transport,
        recorder=recorder,
        sink=sink,
        key=key,
        now=now,
        brake=Brake(stop, failed),
        guard=guard_of(provider, guard),
        aged=aged,
    )
    staged = _Run(scene, target_plan.changes, on_outcome)
    with ThreadPoolExecutor(workers, thread_name_prefix="apply") as pool:
        try:
            staged.refuse()
            staged.stage(pool, _CREATES, Step.create)
            staged.refresh()
            staged.stage(pool, _UPDATES, Step.update)
            staged.stage(pool, (Action.DELETE,), Step.delete)
            staged.finish_replaces(pool)
        except BaseException:
            # What is under way ends before the pool does; nothing more of it may start.
            stop.set()
            raise
    return staged.outcomes(_flush(recorder))


class _Run:
    """The changes of a plan by their place in it, and what became of them so far."""

    def __init__(
        self, scene: Scene, changes: tuple[Change, ...], on_outcome: Callable[[Outcome], None]
    ) -> None:
        self._scene = scene
        self._changes = changes
        self._on_outcome = on_outcome
        self._ended: dict[int, Outcome] = {}
        self._half_done: dict[int, Outcome] = {}

    def refuse(self) -> None:
        """Skip what a guard refuses."""
        for place, change in enumerate(self._changes):
            if change.refusal is not None:
                self._end(place, self._skipped(change, change.refusal.message))

    def refresh(self) -> None:
        """Bring the record of clients that are as wanted up to date, without a request."""
        for place, change in self._left((Action.NOOP,)):
            self._end(place, Step(self._scene, change).run(Step.update))

    def stage(
        self, pool: ThreadPoolExecutor, actions: tuple[Action, ...], act: Callable[[Step], None]
    ) -> None:
        """Carry out the changes of these actions, all that there is room for at once."""
        jobs = {
            place: partial(self._carry_out, change, act) for place, change in self._left(actions)
        }
        for place, outcome in _as_they_end(pool, jobs):
            if outcome.action is Action.REPLACE and outcome.status is Status.DONE:
                self._half_done[place] = outcome
            else:
                self._end(place, outcome)

    def finish_replaces(self, pool: ThreadPoolExecutor) -> None:
        """Delete the predecessors of the clients that were replaced."""
        jobs = {
            place: partial(self._delete_predecessor, self._changes[place], outcome)
            for place, outcome in self._half_done.items()
        }
        for place, outcome in _as_they_end(pool, jobs):
            self._end(place, outcome)

    def outcomes(self, unrecorded: str) -> tuple[Outcome, ...]:
        """Every outcome in the plan's order; `unrecorded` says why the last records are not on disk."""
        ended = (self._ended[place] for place in range(len(self._changes)))
        if not unrecorded:
            return tuple(ended)
        message = f"done on the server, and not recorded: {unrecorded}"
        return tuple(
            replace(outcome, status=Status.FAILED, message=message)
            if outcome.status is Status.DONE and outcome.action is not Action.NOOP
            else outcome
            for outcome in ended
        )

    def _left(self, actions: tuple[Action, ...]) -> Iterable[tuple[int, Change]]:
        for place, change in enumerate(self._changes):
            if change.action in actions and place not in self._ended:
                yield place, change

    def _carry_out(self, change: Change, act: Callable[[Step], None]) -> Outcome:
        reason = self._scene.brake.reason(creates=change.action in _CREATES)
        if reason:
            return self._skipped(change, f"not started: {reason}")
        return Step(self._scene, change).run(act)

    def _delete_predecessor(self, change: Change, created: Outcome) -> Outcome:
        reason = self._scene.brake.reason(creates=False)
        if not reason:
            return finish_replace(self._scene, change, created)
        message = (
            f"the new client is in place, the old one {change.remote_id} not deleted: {reason}"
        )
        return replace(created, status=Status.FAILED, message=message)

    def _skipped(self, change: Change, why: str) -> Outcome:
        return Step(self._scene, change).outcome(Status.SKIPPED, why)

    def _end(self, place: int, outcome: Outcome) -> None:
        self._ended[place] = outcome
        self._on_outcome(outcome)


def _as_they_end(
    pool: ThreadPoolExecutor, jobs: Mapping[int, Callable[[], Outcome]]
) -> Iterable[tuple[int, Outcome]]:
    places = {pool.submit(job): place for place, job in jobs.items()}
    for future in as_completed(places):
        yield places[future], future.result()


def _flush(recorder: Recorder) -> str:
    """Have the last records on disk; gives what went wrong, "" for nothing."""
    try:
        recorder.flush()
    except InventoryError as error:
        return str(error)
    return ""
