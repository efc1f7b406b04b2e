from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.core.changes import (
    Action,
    ApplyReport,
    Change,
    FieldChange,
    NestedChange,
    Origin,
    Outcome,
    Plan,
    Refusal,
    Request,
    Status,
    TargetPlan,
)
from reconciler.core.model import MISSING, Manifest, Redacted, Secret, Source
from reconciler.render.json import render_plan, render_report

SCHEMAS = Path(__file__).parents[2] / "schemas"

MANIFEST = Manifest(
    source=Source(path="clients/web.yaml", document=2),
    kind="BorutaClient",
    name="web",
    target="shop",
    spec={},
)
UPDATE = Change(
    target="shop",
    key="web",
    action=Action.UPDATE,
    reason="1 changed in git",
    remote_id="c-1",
    manifest=MANIFEST,
    fields=(
        FieldChange(field="a/b~c", before=MISSING, after=None, origin=Origin.BOTH),
        FieldChange(field="set", before=["a"], after=["b"], added=("b",), removed=("a",)),
        FieldChange(
            field="deep",
            before={"z": 1, "a": 1},
            after={"a": 2, "z": 1},
            nested=(
                NestedChange(pointer="/a", before=1, after=2),
                NestedChange(pointer="/b", before=MISSING, after=MISSING),
            ),
        ),
        FieldChange(field="secret", before=Redacted("hmac:1"), after=Redacted("hmac:2")),
    ),
    requests=(
        Request(
            operation="update",
            method="PUT",
            path="/clients/{id}",
            content_type="application/json",
            body={"client": {"secret": Secret("s3cret"), "ttl": float("inf"), "list": (1,)}},
        ),
    ),
    warnings=("odd",),
)
PLAN = Plan(
    targets=(
        TargetPlan(
            target="shop",
            provider="boruta",
            base_url="https://boruta.example.com/api",
            changes=(
                UPDATE,
                Change(
                    target="shop",
                    key="zoo",
                    action=Action.REPLACE,
                    reason="",
                    refusal=Refusal(rule="no-delete", message="cannot"),
                ),
                Change(target="shop", key="zzz", action=Action.NOOP, reason="as wanted"),
            ),
            warnings=("left alone: x",),
            refusals=(Refusal(rule="max-deletes", message="too many"),),
            errors=("the list broke off",),
        ),
    )
)
REPORT = ApplyReport(
    outcomes=(
        Outcome(
            target="shop",
            key="web",
            action=Action.CREATE,
            status=Status.DONE,
            remote_id="c-1",
            server_changed=(FieldChange(field="uri", before="a/", after="a"),),
            secret_location="secrets/web.json",
            requests_sent=2,
        ),
        Outcome(
            target="shop", key="bad", action=Action.UPDATE, status=Status.FAILED, message="422"
        ),
    )
)


def parsed(text: str) -> Any:
    return json.loads(text)


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        (render_plan(PLAN, version="1.2"), "plan"),
        (render_plan(Plan(targets=()), version="1.2"), "plan"),
        (render_report(REPORT, version="1.2"), "report"),
        (render_report(ApplyReport(outcomes=()), version="1.2"), "report"),
    ],
)
def test_the_output_is_valid_against_its_published_schema(text: str, schema: str):
    published = json.loads((SCHEMAS / f"{schema}.schema.json").read_text())

    jsonschema.Draft202012Validator(published).validate(parsed(text))


def test_a_plan_opens_with_its_format_its_tool_and_its_counts():
    document = parsed(render_plan(PLAN, version="1.2"))

    assert document["formatVersion"] == 1
    assert document["tool"] == {"name": "reconciler", "version": "1.2"}
    assert document["summary"] == {
        "create": 0,
        "update": 1,
        "replace": 0,
        "delete": 0,
        "adopt": 0,
        "move": 0,
        "noop": 1,
        "refused": 2,
        "errors": 1,
    }


def test_a_change_carries_all_that_is_known_of_it():
    (target,) = parsed(render_plan(PLAN, version="1"))["targets"]
    update, replace, _ = target["changes"]

    assert update["source"] == {"path": "clients/web.yaml", "document": 2}
    assert update["requests"] == [
        {
            "operation": "update",
            "method": "PUT",
            "path": "/clients/c-1",
            "contentType": "application/json",
            "body": {"client": {"list": [1], "secret": "(secret)", "ttl": "inf"}},
        }
    ]
    assert update["refusal"] is None
    assert replace["source"] is None
    assert replace["refusal"] == {"rule": "no-delete", "message": "cannot"}
    assert target["errors"] == ["the list broke off"]
    assert target["refusals"] == [{"rule": "max-deletes", "message": "too many"}]
    assert target["warnings"] == ["left alone: x"]


def test_a_missing_side_of_a_field_is_left_out_and_null_is_not():
    fields = parsed(render_plan(PLAN, version="1"))["targets"][0]["changes"][0]["fields"]

    assert fields[0] == {
        "field": "a/b~c",
        "pointer": "/a~1b~0c",
        "after": None,
        "origin": "both",
        "added": [],
        "removed": [],
        "nested": [],
    }
    assert fields[2]["nested"] == [{"pointer": "/a", "before": 1, "after": 2}, {"pointer": "/b"}]


def test_a_secret_is_its_fingerprint_and_never_its_value():
    text = render_plan(PLAN, version="1")

    fields = parsed(text)["targets"][0]["changes"][0]["fields"]
    assert fields[3]["before"] == {"$secret": "hmac:1"}
    assert fields[3]["after"] == {"$secret": "hmac:2"}
    assert "s3cret" not in text


def test_the_order_of_a_servers_members_changes_no_byte():
    def text(live: dict[str, object]) -> str:
        moved = FieldChange(field="deep", before=live, after=None)
        change = Change(target="shop", key="web", action=Action.UPDATE, reason="", fields=(moved,))
        target = TargetPlan(target="shop", provider="b", base_url="", changes=(change,))
        return render_plan(Plan(targets=(target,)), version="1")

    assert text({"a": 1, "b": {"c": 1, "d": 2}}) == text({"b": {"d": 2, "c": 1}, "a": 1})


def test_the_text_is_ascii_so_that_no_encoding_can_break_it():
    change = Change(target="shop", key="wéb\ud800\x1b", action=Action.CREATE, reason="")
    target = TargetPlan(target="shop", provider="b", base_url="", changes=(change,))

    text = render_plan(Plan(targets=(target,)), version="1")

    assert text.isascii()
    assert text.endswith("}\n")
    assert parsed(text)["targets"][0]["changes"][0]["key"] == "wéb\ud800\x1b"


def test_a_report_carries_every_outcome():
    document = parsed(render_report(REPORT, version="1.2"))

    assert document["summary"] == {"done": 1, "failed": 1, "skipped": 0, "unknown": 0}
    done, failed = document["outcomes"]
    assert done["serverChanged"][0]["before"] == "a/"
    assert done["id"] == "c-1"
    assert done["secretLocation"] == "secrets/web.json"
    assert done["requestsSent"] == 2
    assert failed["status"] == "failed"
    assert failed["message"] == "422"
    assert failed["id"] is None
