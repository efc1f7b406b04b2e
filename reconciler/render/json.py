"""Turns a Plan, an ApplyReport and a receipt into JSON: the same input gives the same bytes.

The shapes are those of `schemas/plan.schema.json`, `report.schema.json` and `receipt.schema.json`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import ForgetClient, RecordMove
from reconciler.core.model import MISSING
from reconciler.core.pointer import escape
from reconciler.render.change_lines import known_path, sources_of
from reconciler.render.summary import plan_counts, report_counts
from reconciler.render.terminal import disarm
from reconciler.render.value_text import json_ready

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.changes import (
        ApplyReport,
        Change,
        FieldChange,
        NestedChange,
        Outcome,
        Plan,
        Refusal,
        SecretDelivery,
        Standing,
        TargetPlan,
    )
    from reconciler.core.model import Json, JsonObject

FORMAT_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptHeader:
    """Who started a run, and of which plan; `commit` and `plan_file` are None where there is none.

    `started_at` is RFC 3339, UTC. `version` is the tool's own.
    """

    version: str
    plan_digest: str
    plan_file: str | None
    commit: str | None
    actor: str
    started_at: str


def render_plan(plan: Plan, *, version: str) -> str:
    """A plan as JSON text, whole and never clipped; `version` is the tool's own."""
    return json_text(plan_document(plan, version=version))


def render_report(report: ApplyReport, *, version: str, errors: Sequence[str] = ()) -> str:
    """A report as JSON text; `version` is the tool's own, `errors` say why it is not a whole one."""
    return json_text(
        {
            **document_header(version),
            "summary": report_counts(report),
            "outcomes": [_outcome(outcome) for outcome in report.outcomes],
            "deliveries": [_delivery(delivery) for delivery in report.deliveries],
            **({"errors": list(errors)} if errors else {}),
        }
    )


def failed_plan_document(errors: Sequence[str], *, version: str) -> JsonObject:
    """What stands in the place of a plan that could not be made; `errors` say why."""
    summary = {**plan_counts(()), "errors": len(errors)}
    return failed_document(errors, version=version, summary=summary, targets=[])


def failed_document(errors: Sequence[str], *, version: str, **members: Json) -> JsonObject:
    """The document of a command that has nothing else to tell than why it failed."""
    return {**document_header(version), **members, "errors": list(errors)}


def render_receipt(
    header: ReceiptHeader,
    outcomes: Iterable[Outcome],
    *,
    ended_at: str | None,
    exit_code: int | None,
) -> str:
    """A receipt as JSON text; a run that has not ended has neither an end time nor an exit code."""
    return json_text(
        {
            **document_header(header.version),
            "plan": {"digest": header.plan_digest, "file": header.plan_file},
            "commit": header.commit,
            "actor": header.actor,
            "startedAt": header.started_at,
            "endedAt": ended_at,
            # Null in a receipt that stays: the run was killed.
            "exitCode": exit_code,
            "changes": [_receipt_entry(outcome) for outcome in outcomes],
        }
    )


def plan_document(plan: Plan, *, version: str) -> dict[str, Json]:
    """A plan as the value that its JSON text states."""
    return {
        **document_header(version),
        "summary": plan_counts(plan.targets),
        "targets": [_target(target) for target in plan.targets],
    }


def json_text(document: JsonObject) -> str:
    """A document as JSON text that ends with a line break."""
    # ASCII only: no terminal, encoding or lone surrogate can get in the way of a machine. Disarmed,
    # since a file of it may be shown in the log of a CI system; JSON reads the escapes as the same.
    return disarm(json.dumps(document, ensure_ascii=True, indent=2, allow_nan=False)) + "\n"


def document_header(version: str) -> dict[str, Json]:
    """The members that every document begins with; `version` is the tool's own."""
    return {
        "formatVersion": FORMAT_VERSION,
        "tool": {"name": "reconciler", "version": version},
    }


def _target(target: TargetPlan) -> dict[str, Json]:
    return {
        "target": target.target,
        "provider": target.provider,
        "baseUrl": target.base_url,
        "changes": [_change(change) for change in target.changes],
        "warnings": list(target.warnings),
        "refusals": [_refusal(refusal) for refusal in target.refusals],
        "errors": list(target.errors),
    }


def _change(change: Change) -> dict[str, Json]:
    source = None if change.manifest is None else change.manifest.source
    return {
        "key": change.key,
        "action": change.action.value,
        "reason": change.reason,
        "id": change.remote_id,
        **({"clientId": change.client_id} if change.client_id else {}),
        "source": None if source is None else {"path": source.path, "document": source.document},
        "fields": [_field(field, sources_of(change, field.field)) for field in change.fields],
        "requests": [
            {
                "operation": request.operation,
                "method": request.method,
                "path": known_path(change, request),
                "contentType": request.content_type,
                "body": json_ready(request.body),
            }
            for request in change.requests
        ],
        "refusal": None if change.refusal is None else _refusal(change.refusal),
        "warnings": list(change.warnings),
        **({} if change.standing is None else {"client": _standing(change.standing)}),
        **({"forget": True} if isinstance(change.record, ForgetClient) else {}),
        **_moved_from(change),
    }


def _standing(standing: Standing) -> dict[str, Json]:
    used = {} if standing.last_used is None else {"lastUsed": standing.last_used or None}
    return {
        "name": standing.name or None,
        **used,
        "origin": standing.origin,
        **({} if standing.in_git else {"inGit": False}),
    }


def _moved_from(change: Change) -> dict[str, Json]:
    if not isinstance(change.record, RecordMove):
        return {}
    return {"movedFrom": {"target": change.record.target, "key": change.record.key}}


def _refusal(refusal: Refusal) -> dict[str, Json]:
    alone = {"holdsBack": "client"} if refusal.holds_back == "client" else {}
    return {"rule": refusal.rule, "message": refusal.message, **alone}


def _field(field: FieldChange, sources: Sequence[str] = ()) -> dict[str, Json]:
    return {
        "field": field.field,
        "pointer": f"/{escape(field.field)}",
        **_sides(field),
        "origin": None if field.origin is None else field.origin.value,
        "added": [json_ready(member) for member in field.added],
        "removed": [json_ready(member) for member in field.removed],
        "nested": [{"pointer": inner.pointer, **_sides(inner)} for inner in field.nested],
        **({"from": list(sources)} if sources else {}),
    }


def _sides(change: FieldChange | NestedChange) -> dict[str, Json]:
    """The members `before` and `after`."""
    sides = {"before": change.before, "after": change.after}
    # A side that holds nothing is left out: null is a value that a field may have.
    return {side: json_ready(value) for side, value in sides.items() if value is not MISSING}


def _delivery(delivery: SecretDelivery) -> dict[str, Json]:
    return {
        "target": delivery.target,
        "key": delivery.key,
        "id": delivery.remote_id,
        "status": delivery.status.value,
        "file": delivery.path,
        "secretLocation": delivery.location,
        "message": delivery.message,
    }


def _outcome_members(outcome: Outcome) -> dict[str, Json]:
    """The members that a report and a receipt share: how a change ended."""
    return {
        "target": outcome.target,
        "key": outcome.key,
        "action": outcome.action.value,
        "status": outcome.status.value,
        "id": outcome.remote_id,
        **({"clientId": outcome.client_id} if outcome.client_id else {}),
        "message": outcome.message,
    }


def _outcome(outcome: Outcome) -> dict[str, Json]:
    return {
        **_outcome_members(outcome),
        "serverChanged": [_field(field) for field in outcome.server_changed],
        "secretLocation": outcome.secret_location,
        "requestsSent": outcome.requests_sent,
    }


def _receipt_entry(outcome: Outcome) -> dict[str, Json]:
    return {
        **_outcome_members(outcome),
        "requestsSent": outcome.requests_sent,
        # With these, the vendor's support finds a request in its own logs.
        "requestIds": list(outcome.tracking),
        # Fingerprints, so that a receipt proves a change without telling what a client holds.
        "before": outcome.before or None,
        "after": outcome.after or None,
    }
