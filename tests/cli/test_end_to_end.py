from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from support.repo import VENDORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

SCHEMAS = Path(__file__).parents[2] / "schemas"


def test_validate_finds_nothing_wrong_with_a_good_repo(repo: Repo, invoke: Callable[..., Result]):
    done = invoke("validate", "--strict")

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "3 clients in 3 files: valid.\n"
    assert repo.sandbox.requests == []


def test_validate_exits_with_1_for_an_error_and_shows_the_place(
    repo: Repo, invoke: Callable[..., Result]
):
    repo.state("provident", redirectUri=["https://shop.example.com"])

    done = invoke("validate")

    assert done.exit_code == 1
    assert done.stdout.startswith("clients/provident-web.yaml:1:")
    assert "redirectUris" in done.stdout
    assert done.stderr == "3 files: 1 error.\n"


def test_validate_tells_machines_the_same(repo: Repo, invoke: Callable[..., Result]):
    repo.state("provident", redirectUri=["https://shop.example.com"])

    document = json.loads(invoke("validate", "--format", "json").stdout)

    assert document["summary"]["errors"] == 1
    assert document["problems"][0]["pointer"].startswith("/spec")


def test_warnings_fail_validation_only_when_they_are_asked_to(
    repo: Repo, invoke: Callable[..., Result]
):
    (repo.folder / "clients" / "boruta-empty.yaml").touch()

    assert invoke("validate").exit_code == 0
    assert invoke("validate", "--strict").exit_code == 1
    assert "warning" in invoke("plan").stderr


def test_a_project_file_that_cannot_be_used_is_a_result_of_validate(
    repo: Repo, invoke: Callable[..., Result]
):
    (repo.folder / "reconciler.yaml").write_text("kind: Nonsense\n")

    validated, planned = invoke("validate"), invoke("plan")

    assert validated.exit_code == planned.exit_code == 1
    assert "reconciler.yaml:1:" in validated.stdout
    assert "reconciler.yaml:1:" in planned.stderr
    assert planned.stdout == ""


@pytest.mark.parametrize("vendor", VENDORS)
def test_apply_makes_plan_empty_and_mends_drift_on_every_vendor(
    vendor: str, repo: Repo, invoke: Callable[..., Result]
):
    first = invoke("plan", "--target", vendor, "--detailed-exitcode")
    applied = invoke("apply", "--target", vendor, "--auto-approve")
    (client,) = [one for one in repo.sandbox.clients(vendor) if one["name"] == "Web"]
    identity = client["clientId"] if vendor == "provident" else client["id"]
    converged = invoke("plan", "--target", vendor, "--detailed-exitcode")
    repo.sandbox.edit(vendor, identity, name="Changed by hand")
    drifted = invoke("plan", "--target", vendor, "--detailed-exitcode")
    repo.sandbox.forget_requests()
    mended = invoke("apply", "--target", vendor, "--auto-approve")

    assert (first.exit_code, applied.exit_code, converged.exit_code) == (2, 0, 0)
    assert re.search("  [+] web (.*)?to be created: not on the server yet\n", first.stdout)
    assert '      + name: "Web"\n' in first.stdout
    assert f"  ✓ web (id {identity}) created\n" in applied.stdout
    assert "its secret is in" in applied.stdout
    assert converged.stdout.endswith("Plan: no changes, 1 unchanged.\n")
    assert drifted.exit_code == 2
    assert (
        '      ~ name: "Changed by hand" -> "Web"  # drift: changed on the server since the last apply\n'
        in drifted.stdout
    )
    assert mended.exit_code == 0
    assert mended.stdout.endswith("Apply: 1 done; 1 request sent.\n")
    assert len(repo.writes()) == 1


def test_apply_without_changes_says_so_and_sends_nothing(repo: Repo, invoke: Callable[..., Result]):
    invoke("apply", "--auto-approve")
    repo.sandbox.forget_requests()

    done = invoke("apply", "--auto-approve")

    assert done.exit_code == 0
    assert done.stdout.endswith("Plan: no changes, 3 unchanged.\n")
    assert repo.writes() == []


def test_without_detailed_exitcode_pending_changes_are_no_failure(
    repo: Repo, invoke: Callable[..., Result]
):
    assert invoke("plan").exit_code == 0
    assert repo.writes() == []


def test_only_the_selected_clients_are_planned(repo: Repo, invoke: Callable[..., Result]):
    repo.state("boruta", "kiosk")

    by_name = invoke("plan", "--select", "kiosk", "--format", "json")
    by_label = invoke("plan", "--select", "team=kiosk", "--format", "json")

    assert json.loads(by_name.stdout)["summary"]["create"] == 1
    assert by_label.stdout == by_name.stdout


def test_a_target_that_does_not_exist_is_an_error(repo: Repo, invoke: Callable[..., Result]):
    done = invoke("plan", "--target", "nowhere")

    assert done.exit_code == 64
    assert "nowhere" in done.stderr
    assert repo.sandbox.requests == []


@pytest.mark.usefixtures("repo")
def test_the_json_of_a_plan_is_whole_when_one_target_fails(
    invoke: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SAILPOINT_SECRET", "wrong")

    done = invoke("plan", "--format", "json", "--detailed-exitcode")

    assert done.exit_code == 1
    document = json.loads(done.stdout)
    schema = json.loads((SCHEMAS / "plan.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    errors = {target["target"]: len(target["errors"]) for target in document["targets"]}
    assert errors == {"boruta": 0, "provident": 0, "sailpoint": 1}
    assert document["summary"]["create"] == 2


def test_an_error_in_the_plan_keeps_apply_from_sending_anything(
    repo: Repo, invoke: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SAILPOINT_SECRET", "wrong")

    done = invoke("apply", "--auto-approve")

    assert done.exit_code == 1
    assert "Nothing was sent: the plan has errors." in done.stderr
    assert repo.writes() == []


def test_a_refused_change_exits_with_3_and_keeps_apply_from_sending_anything(
    repo: Repo, invoke: Callable[..., Result]
):
    invoke("apply", "--auto-approve", "--target", "sailpoint")
    repo.sandbox.forget_requests()
    repo.state("sailpoint", type="PUBLIC")

    planned = invoke("plan", "--detailed-exitcode")
    applied = invoke("apply", "--auto-approve")

    assert planned.exit_code == applied.exit_code == 3
    assert "! refused (replace-not-allowed): " in planned.stdout
    assert "Nothing was sent: a guard refused part of the plan." in applied.stderr
    assert repo.writes() == []


def test_what_is_partly_applied_exits_with_5_and_what_is_not_at_all_with_1(
    repo: Repo, invoke: Callable[..., Result]
):
    repo.state("boruta", identity_provider={"id": "11111111-2222-4333-8444-555555555555"})

    partly = invoke("apply", "--auto-approve")
    not_at_all = invoke("apply", "--auto-approve", "--format", "json")

    assert partly.exit_code == 5
    assert "  ✗ web " in partly.stdout
    assert "Apply: 2 done, 1 failed" in partly.stdout
    assert not_at_all.exit_code == 1
    report = json.loads(not_at_all.stdout)
    assert report["summary"] == {"done": 0, "failed": 1, "skipped": 0, "unknown": 0}


def test_apply_as_json_prints_the_report_alone_and_the_plan_beside_it(
    repo: Repo, invoke: Callable[..., Result]
):
    done = invoke("apply", "--auto-approve", "--format", "json")

    assert done.exit_code == 0
    report = json.loads(done.stdout)
    schema = json.loads((SCHEMAS / "report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(report)
    assert report["summary"]["done"] == 3
    assert "Plan: 3 to create, 0 unchanged.\n" in done.stderr
    assert len(repo.writes()) == 3


def test_apply_that_nobody_can_approve_contacts_no_server(
    repo: Repo, invoke: Callable[..., Result]
):
    done = invoke("apply")

    assert done.exit_code == 64
    assert "--auto-approve" in done.stderr
    assert repo.sandbox.requests == []


@pytest.mark.parametrize("answer", ["no", "y", "", "YES"])
def test_only_yes_is_taken_as_yes(answer: str, repo: Repo, on_terminal: Callable[..., Any]):
    done = on_terminal("apply", "--target", "boruta", typed=f"{answer}\n")

    assert done.code == 1
    assert "Only 'yes' is taken as yes" in done.screen
    assert "Nothing was sent: the plan was not approved." in done.screen
    assert repo.writes() == []


def test_a_yes_on_the_terminal_applies_under_a_progress_bar(
    repo: Repo, on_terminal: Callable[..., Any]
):
    done = on_terminal("apply", "--target", "boruta", typed="yes\n")

    assert done.code == 0
    assert "Applying" in done.screen
    assert "1/1" in done.screen
    assert "Apply: 1 done" in done.stdout
    assert "\x1b" not in done.stdout
    assert repo.writes() == ["POST /boruta/api/clients"]


def test_a_plan_is_saved_beside_what_is_shown(repo: Repo, invoke: Callable[..., Result]):
    done = invoke("plan", "--format", "markdown", "--out", "plan.json")

    saved = json.loads((repo.folder / "plan.json").read_text())
    assert done.stdout.count("<details>") == 3
    assert done.stderr == (
        "Saved to plan.json; `reconciler apply plan.json` applies this plan and no other.\n"
    )
    assert [target["target"] for target in saved["targets"]] == sorted(VENDORS)
    jsonschema.validate(saved, json.loads((SCHEMAS / "plan.schema.json").read_text()))


def test_a_file_that_cannot_be_written_is_an_error(repo: Repo, invoke: Callable[..., Result]):
    done = invoke("plan", "--out", "no/such/folder/plan.txt")

    assert done.exit_code == 1
    assert "No such file or directory" in done.stderr
    assert repo.writes() == []


def test_plan_waits_for_a_lock_only_when_it_is_asked_to(repo: Repo, invoke: Callable[..., Result]):
    with_lock = invoke("plan", "--lock-timeout", "1s")

    assert with_lock.exit_code == 0
    assert with_lock.stdout == invoke("plan").stdout
    assert repo.writes() == []


def test_verbose_logs_to_stderr_and_shows_no_secret(repo: Repo, invoke: Callable[..., Result]):
    done = invoke("--verbose", "apply", "--auto-approve", "--show-requests")
    also = invoke("plan", "--verbose", "--project", str(repo.folder))

    assert done.exit_code == also.exit_code == 0
    assert "POST" in done.stderr
    assert "GET" in also.stderr
    everything = done.stdout + done.stderr + also.stdout + also.stderr
    assert not [secret for secret in repo.sandbox.issued_secrets if secret in everything]


def test_ctrl_c_ends_what_is_under_way_and_reports_the_rest_as_skipped(repo: Repo):
    for number in range(60):
        repo.state("boruta", f"web-{number}", name=f"Web {number}")
    repo.sandbox.set_faults("latency=500ms:boruta,post")

    arguments = ("apply", "--auto-approve", "--format", "json", "--receipt", "receipt.json")
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    ) as process:
        while not repo.writes():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()

    summary = json.loads(out)["summary"]
    assert process.returncode == 5
    assert "Stopping after the requests under way." in err
    assert summary["failed"] == summary["unknown"] == 0
    assert summary["done"] == len(repo.writes())
    assert summary["done"] + summary["skipped"] == 63
    receipt = json.loads((repo.folder / "receipt.json").read_text())
    assert (receipt["exitCode"], len(receipt["changes"])) == (5, 63)


def test_fail_fast_stops_every_target_at_the_first_failure(
    repo: Repo, invoke: Callable[..., Result]
):
    for number in range(40):
        repo.state("boruta", f"web-{number:02}", name=f"Web {number}")
    repo.sandbox.set_faults("latency=50ms:boruta,post", "503=99:provident,post")

    done = invoke("apply", "--auto-approve", "--fail-fast", "--format", "json")

    outcomes = json.loads(done.stdout)["outcomes"]
    skipped = [one for one in outcomes if one["status"] == "skipped"]
    assert done.exit_code in (1, 5)
    assert skipped
    assert {one["message"] for one in skipped} == {
        "not started: an earlier change failed, and --fail-fast stops there"
    }
