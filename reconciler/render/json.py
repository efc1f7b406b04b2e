"""Turns a Plan and an ApplyReport into JSON: the same input gives the same bytes.

The shapes are those of `schemas/plan.schema.json` and `schemas/report.schema.json`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.core.model import MISSING, ForgetClient
from reconciler.core.pointer import escape
from reconciler.render.counts import plan_counts, report_counts
from reconciler.render.requests import known_path
from reconciler.render.values import plain

if TYPE_CHECKING:
    from reconciler.core.model import (
        ApplyReport,
        Change,
        FieldChange,
        Json,
        JsonObject,
        NestedChange,
        Outcome,
        Plan,
        Refusal,
        SecretDelivery,
        TargetPlan,
    )

FORMAT_VERSION: Final = 1


def render_plan(plan: Plan, *, version: str) -> str:
    """Give a plan as JSON text, whole and never clipped; `version` is the tool's own."""
    return dumped(plan_document(plan, version=version))


def render_report(report: ApplyReport, *, version: str) -> str:
    """Give a report as JSON text; `version` is the tool's own."""
    return dumped(
        {
            **opening(version),
            "summary": report_counts(report),
            "outcomes": [_outcome(outcome) for outcome in report.outcomes],
            "deliveries": [_delivery(delivery) for delivery in report.deliveries],
        }
    )


def plan_document(plan: Plan, *, version: str) -> dict[str, Json]:
    """Give a plan as the value that its JSON text states."""
    return {
        **opening(version),
        "summary": plan_counts(plan.targets),
        "targets": [_target(target) for target in plan.targets],
    }


def dumped(document: JsonObject) -> str:
    """Give a document as JSON text."""
    # ASCII only: no terminal, encoding or lone surrogate can get in the way of a machine.
    return json.dumps(document, ensure_ascii=True, indent=2, allow_nan=False) + "\n"


def opening(version: str) -> dict[str, Json]:
    """Give what every document begins with; `version` is the tool's own."""
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
        "source": None if source is None else {"path": source.path, "document": source.document},
        "fields": [_field(field) for field in change.fields],
        "requests": [
            {
                "operation": request.operation,
                "method": request.method,
                "path": known_path(change, request),
                "contentType": request.content_type,
                "body": plain(request.body),
            }
            for request in change.requests
        ],
        "refusal": None if change.refusal is None else _refusal(change.refusal),
        "warnings": list(change.warnings),
        **({"forget": True} if isinstance(change.record, ForgetClient) else {}),
    }


def _refusal(refusal: Refusal) -> dict[str, Json]:
    return {"rule": refusal.rule, "message": refusal.message}


def _field(field: FieldChange) -> dict[str, Json]:
    return {
        "field": field.field,
        "pointer": f"/{escape(field.field)}",
        **_sides(field),
        "origin": None if field.origin is None else field.origin.value,
        "added": [plain(member) for member in field.added],
        "removed": [plain(member) for member in field.removed],
        "nested": [{"pointer": inner.pointer, **_sides(inner)} for inner in field.nested],
    }


def _sides(change: FieldChange | NestedChange) -> dict[str, Json]:
    """Give `before` and `after`; a side that holds nothing is left out, as null is a value."""
    sides = {"before": change.before, "after": change.after}
    return {side: plain(value) for side, value in sides.items() if value is not MISSING}


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


def outcome_members(outcome: Outcome) -> dict[str, Json]:
    """What every account of a change says of how it ended."""
    return {
        "target": outcome.target,
        "key": outcome.key,
        "action": outcome.action.value,
        "status": outcome.status.value,
        "id": outcome.remote_id,
        "message": outcome.message,
    }


def _outcome(outcome: Outcome) -> dict[str, Json]:
    return {
        **outcome_members(outcome),
        "serverChanged": [_field(field) for field in outcome.server_changed],
        "secretLocation": outcome.secret_location,
        "requestsSent": outcome.requests_sent,
    }
