"""The use case of apply: what was planned is sent, and every change is reported on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.changes import ApplyReport

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from reconciler.app.plan import Planned
    from reconciler.core.changes import Outcome


def apply_plan(
    planned: Planned,
    *,
    fail_fast: bool = False,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
    stop: threading.Event | None = None,
) -> ApplyReport:
    """Send what was planned, the targets side by side, and report on every change in its order.

    `on_outcome` gets each as it ends, from one thread at a time. After `stop` is set nothing
    new begins; what is under way ends and is recorded. With `fail_fast` the same happens after
    the first failure.
    """
    from reconciler.app.target_run import apply_all  # noqa: PLC0415 - loads httpx; --help must not

    outcomes = apply_all(planned.runs, on_outcome, stop, fail_fast=fail_fast)
    deliveries = tuple(each for run in planned.runs for each in run.deliveries)
    return ApplyReport(outcomes=outcomes, deliveries=deliveries)
