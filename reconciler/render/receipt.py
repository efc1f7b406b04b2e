"""Turns what a run did into a receipt: JSON for an audit, of the shape of `schemas/receipt.schema.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.render.json import dumped, opening, outcome_members

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.model import Json, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Whose run it was, and of what; `commit` and `plan_file` are None where there is none.

    `started_at` is RFC 3339, UTC. `version` is the tool's own.
    """

    version: str
    plan_digest: str
    plan_file: str | None
    commit: str | None
    actor: str
    started_at: str


def render(
    heading: Heading, outcomes: Iterable[Outcome], *, ended_at: str | None, exit_code: int | None
) -> str:
    """Give a receipt as JSON text; a run that has not ended has neither a time nor a code for that."""
    return dumped(
        {
            **opening(heading.version),
            "plan": {"digest": heading.plan_digest, "file": heading.plan_file},
            "commit": heading.commit,
            "actor": heading.actor,
            "startedAt": heading.started_at,
            "endedAt": ended_at,
            "exitCode": exit_code,
            "changes": [_change(outcome) for outcome in outcomes],
        }
    )


def _change(outcome: Outcome) -> dict[str, Json]:
    return {
        **outcome_members(outcome),
        "requestsSent": outcome.requests_sent,
        "requestIds": list(outcome.tracking),
        "before": outcome.before or None,
        "after": outcome.after or None,
    }
