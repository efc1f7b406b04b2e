"""What a report says of secrets that waited for their sink."""

import json

from jsonschema import Draft202012Validator
from support.vendors import SCHEMAS

from reconciler.core.changes import ApplyReport, SecretDelivery, Status
from reconciler.render.json import render_report as as_json
from reconciler.render.text import render_report as as_text


def delivery(status, **facts):
    return SecretDelivery(
        target="shop",
        key="web",
        remote_id="id-1",
        path=".spool/shop@web@id-1.json",
        status=status,
        **facts,
    )


REPORT = ApplyReport(
    outcomes=(),
    deliveries=(
        delivery(Status.DONE, location="secrets/shop/web.json"),
        delivery(Status.FAILED, message="the sink is \x1b[31mfull"),
        delivery(Status.SKIPPED, message="id-1 is not the client of web any more"),
    ),
)


def test_deliveries_come_before_everything_else():
    lines = as_text(REPORT).splitlines()

    assert lines[0] == "secrets that waited"
    assert lines[1].strip() == "✓ shop/web (id id-1) delivered to secrets/shop/web.json"
    assert "✗ shop/web (id id-1) still in .spool/shop@web@id-1.json: the sink is" in lines[2]
    assert "- shop/web (id id-1) still in" in lines[3]
    assert "\x1b" not in as_text(REPORT)


def test_a_report_without_deliveries_does_not_speak_of_them():
    assert "waited" not in as_text(ApplyReport(outcomes=()))


def test_json_has_all_of_them_by_its_schema():
    document = json.loads(as_json(REPORT, version="1.2"))

    schema = json.loads((SCHEMAS / "report.schema.json").read_text())
    Draft202012Validator(schema).validate(document)
    assert [each["status"] for each in document["deliveries"]] == ["done", "failed", "skipped"]
    assert document["deliveries"][0] == {
        "target": "shop",
        "key": "web",
        "id": "id-1",
        "status": "done",
        "file": ".spool/shop@web@id-1.json",
        "secretLocation": "secrets/shop/web.json",
        "message": "",
    }
