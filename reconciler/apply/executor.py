"""Carries out a target's plan in stages, several changes at once, into one Outcome for each change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from reconciler.apply.change import ChangeRun, delete_predecessor
from reconciler.core.changes import Action, Outcome, Status
from reconciler.core.errors import InventoryError
from reconciler.plan.successors.grace import keeps_predecessor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.apply.context import OpenTarget
    from reconciler.core.changes import Change, TargetPlan
    from reconciler.inventory.open_inventory import OpenInventory

_CREATES = (Action.CREATE, Action.REPLACE)
_UPDATES = (Action.UPDATE, Action.ADOPT)


def carry_out(
    plan: TargetPlan, target: OpenTarget, *, on_outcome: Callable[[Outcome], None]
) -> tuple[Outcome, ...]:
    """Send what the plan holds: creates, then updates, then deletes; one outcome a change, in order.

    `on_outcome` is called in this thread, once a change, when it has ended. Once the target's
    stop signal is set nothing new starts; what is under way ends and is recorded. A failure is in
    its change's outcome and is not raised.
    """
    stages = _Stages(target, plan.changes, on_outcome)
    with ThreadPoolExecutor(target.transport.workers, thread_name_prefix="apply") as pool:
        try:
            stages.refuse()
            # First: what follows rests on the record with the clients in their new places.
            stages.move_records()
            stages.run(pool, _CREATES, ChangeRun.create)
            stages.refresh_records()
            stages.run(pool, _UPDATES, ChangeRun.update)
            # Deletes are last: until its successor is in place, a client may be in use.
            stages.run(pool, (Action.DELETE,), ChangeRun.delete)
            stages.finish_replaces(pool)
        except BaseException:
            # What is under way ends before the pool does; nothing more of it may start.
            target.stop.interrupted.set()
            raise
    return stages.outcomes(_flush(target.session))


class _Stages:
    """The changes of a plan by their place in it, and what became of them so far."""

    def __init__(
        self,
        target: OpenTarget,
        changes: tuple[Change, ...],
        on_outcome: Callable[[Outcome], None],
    ) -> None:
        self._target = target
        self._changes = changes
        self._on_outcome = on_outcome
        self._ended: dict[int, Outcome] = {}
        self._half_done: dict[int, Outcome] = {}

    def refuse(self) -> None:
        """Skip what a guard refuses."""
        for place, change in enumerate(self._changes):
            if change.refusal is not None:
                self._end(place, self._skip(change, change.refusal.message))

    def move_records(self) -> None:
        """Record the clients that have another key or target now, one after the other."""
        for place, change in self._left((Action.MOVE,)):
            self._end(place, self._carry_out(change, ChangeRun.move))

    def refresh_records(self) -> None:
        """Bring the record of clients that are as wanted up to date, without a request."""
        for place, change in self._left((Action.NOOP,)):
            self._end(place, ChangeRun(self._target, change).run(ChangeRun.update))

    def run(
        self,
        pool: ThreadPoolExecutor,
        actions: tuple[Action, ...],
        act: Callable[[ChangeRun], None],
    ) -> None:
        """Carry out the changes of these actions, all that there is room for at once."""
        # All at once: the pool, and behind it the pace of the transport, hold them back.
        jobs = {
            place: partial(self._carry_out, change, act) for place, change in self._left(actions)
        }
        for place, outcome in _as_they_end(pool, jobs):
            # A replace ends with its delete, in the last stage (decision 0002), unless the client that
            # was replaced lives on for a while.
            replaced = outcome.action is Action.REPLACE and outcome.status is Status.DONE
            if replaced and not keeps_predecessor(self._changes[place]):
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
        # Not done: the next plan rests on a record that lacks it. A noop has nothing to lose.
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

    def _carry_out(self, change: Change, act: Callable[[ChangeRun], None]) -> Outcome:
        # Asked when its turn comes and not when it is queued: meanwhile the run may have been stopped.
        reason = self._target.stop.reason(creates=change.action in _CREATES)
        if reason:
            return self._skip(change, f"not started: {reason}")
        return ChangeRun(self._target, change).run(act)

    def _delete_predecessor(self, change: Change, created: Outcome) -> Outcome:
        reason = self._target.stop.reason(creates=False)
        if not reason:
            return delete_predecessor(self._target, change, created)
        message = (
            f"the new client is in place, the old one {change.remote_id} not deleted: {reason}"
        )
        return replace(created, status=Status.FAILED, message=message)

    def _skip(self, change: Change, why: str) -> Outcome:
        return ChangeRun(self._target, change).outcome(Status.SKIPPED, why)

    def _end(self, place: int, outcome: Outcome) -> None:
        self._ended[place] = outcome
        self._on_outcome(outcome)


def _as_they_end(
    pool: ThreadPoolExecutor, jobs: Mapping[int, Callable[[], Outcome]]
) -> Iterable[tuple[int, Outcome]]:
    places = {pool.submit(job): place for place, job in jobs.items()}
    # Collected here, so that `on_outcome` is called by one thread only.
    for future in as_completed(places):
        yield places[future], future.result()


def _flush(recorder: OpenInventory) -> str:
    """Write the last records to disk; what went wrong, "" for nothing."""
    try:
        recorder.flush()
    except InventoryError as error:
        return str(error)
    return ""
