"""Each folder below is a case: manifests and a live server in, a plan and its requests out.

`<provider>/<case>/manifests/*.yaml` are the files, `live.json` the clients as the server answers
them, `inventory.json` (by key, where there is one) what was recorded, `pending.json` the creates
of which nobody recorded what came. `policy.json` is the target's policy as the project file has
it, `context.json` what else is so: `own_id`, `is_partial`, `listed`. It is noon of 2026-11-23, UTC.
`plan.json` and `requests.json` are what has to come out: run with REWRITE_CASES=1 to write them
anew, and read the difference before you commit it.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from support.given import KEY
from support.sailpoint_spec import hold_request
from support.vendors import schema

from reconciler.core.changes import Plan
from reconciler.core.model import Intent, Inventory, InventoryEntry, LiveClient, LiveState
from reconciler.core.pointer import resolve
from reconciler.manifests import references
from reconciler.manifests.clients import load
from reconciler.plan.context import TargetContext
from reconciler.plan.planner import plan_target
from reconciler.plan.record.intents import sealed_intent
from reconciler.provider.secrets import seal
from reconciler.render.json import plan_document
from reconciler.sandbox.world import RecordedRequest

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/*/manifests"))
PROJECT = """
apiVersion: reconciler/v1
kind: Project
targets:
  shop:
    provider: {provider}
    baseUrl: https://id.example.com
    auth: {{clientId: reconciler, clientSecret: {{env: LOGIN_SECRET}}, tokenUrl: https://login.example.com}}
    manifests: [manifests/*.yaml]
    policy: {policy}
"""


def planned(case: Path, folder: Path) -> dict[str, Any]:
    """The plan of a case as JSON, its requests apart."""
    shutil.copytree(case / "manifests", folder / "manifests")
    project = folder / "reconciler.yaml"
    policy = json.dumps(_stated(case, "policy"))
    project.write_text(PROJECT.format(provider=case.parent.name, policy=policy))
    loaded = load(str(project))
    assert loaded.problems == ()
    resolved, problems = references.resolve(
        loaded.manifests, loaded.providers, loaded.project, {"SECRET": "from-the-environment"}
    )
    assert problems == []
    provider = loaded.providers["shop"]
    bodies = [seal(provider, body) for body in json.loads((case / "live.json").read_text())]
    ids = [str(resolve(body, provider.identity.pointer)) for body in bodies]
    clients = {
        remote_id: LiveClient(remote_id=remote_id, body=body)
        for remote_id, body in zip(ids, bodies, strict=True)
    }
    facts = {"own_id": "reconciler", "listed": True, **_stated(case, "situation")}
    context = TargetContext(
        target=loaded.project.targets["shop"],
        provider=provider,
        inventory=Inventory(target="shop", entries=_entries(case), pending=_pending(case)),
        live=LiveState(
            clients=clients,
            gone=frozenset(facts.pop("gone", ())),
            listed=facts.pop("listed"),
        ),
        key=KEY,
        now="2026-11-23T12:00:00Z",
        **facts,
    )
    plan = Plan(targets=(plan_target(context, resolved),))
    return plan_document(plan, version="0")["targets"][0]


def _entries(case: Path) -> dict[str, InventoryEntry]:
    return {
        key: InventoryEntry(**{"applied_at": "2026-01-01T00:00:00Z", "digest": "", **entry})
        for key, entry in _stated(case, "inventory").items()
    }


def _pending(case: Path) -> dict[str, Intent]:
    return {
        key: sealed_intent(KEY, Intent(**{"key": key, "remote_id": None, "digest": "", **intent}))
        for key, intent in _stated(case, "pending").items()
    }


def _stated(case: Path, name: str) -> dict[str, Any]:
    path = case / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_case_comes_out_as_its_folder_says(case, tmp_path):
    plan = planned(case, tmp_path)
    for change in plan["changes"]:
        source = change["source"]
        if source is not None:
            source["path"] = Path(source["path"]).name
    requests = [
        {"key": change["key"], **request}
        for change in plan["changes"]
        for request in change.pop("requests")
    ]

    if "REWRITE_CASES" in os.environ:
        (case / "plan.json").write_text(json.dumps(plan, indent=2) + "\n")
        (case / "requests.json").write_text(json.dumps(requests, indent=2) + "\n")

    assert plan == json.loads((case / "plan.json").read_text())
    assert requests == json.loads((case / "requests.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_requests_of_a_case_are_what_the_vendor_documents(case):
    for request in json.loads((case / "requests.json").read_text()):
        vendor, body = case.parent.name, request["body"]
        if vendor == "sailpoint":
            hold_request(_exchange(request))
        elif body is not None:
            sent = body["client"] if vendor == "boruta" else body
            Draft202012Validator(schema(vendor, request["operation"])).validate(sent)


def _exchange(request: dict[str, Any]) -> RecordedRequest:
    return RecordedRequest(
        vendor="sailpoint",
        method=request["method"],
        path=request["path"],
        query="",
        content_type=request["contentType"] or "",
        body=b"" if request["body"] is None else json.dumps(request["body"]).encode(),
        status=None,
    )


def test_every_vendor_has_cases():
    assert {case.parent.name for case in CASES} == {"boruta", "provident", "sailpoint"}
