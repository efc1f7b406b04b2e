"""`apply --receipt FILE`: who applied what, and what came of it, however the run ended."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from reconciler.cli import receipts
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.run_state import current
from reconciler.core.changes import Action, Outcome, Status
from reconciler.render.json import ReceiptHeader

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/receipt.schema.json").read_text())


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*receipts.ACTORS, *receipts.COMMITS):
        monkeypatch.delenv(name, raising=False)


def read() -> dict[str, Any]:
    found = json.loads(Path("receipt.json").read_text())
    jsonschema.validate(found, SCHEMA, format_checker=jsonschema.FormatChecker())
    return found


def statuses(receipt: dict[str, Any]) -> dict[str, str]:
    return {f"{one['target']}/{one['key']}": one["status"] for one in receipt["changes"]}


def test_a_receipt_says_what_became_of_every_change(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GITHUB_ACTOR", "octo\x1bcat")
    repo.sandbox.set_faults("500=9:boruta,post")

    done = invoke("apply", "--auto-approve", "--receipt", "receipt.json")

    receipt = read()
    assert done.exit_code == receipt["exitCode"] == ExitCode.PARTLY_APPLIED
    assert statuses(receipt) == {
        # It was looked for by the id that was chosen, and is not there.
        "boruta/web": "failed",
        "provident/web": "done",
        "sailpoint/web": "done",
    }
    assert "\x1b" not in receipt["actor"]
    assert receipt["actor"].startswith("octo")
    assert receipt["commit"] is None
    assert receipt["plan"]["file"] is None
    assert receipt["startedAt"] <= receipt["endedAt"]
    created = receipt["changes"][1]
    assert created["before"] is None
    assert created["after"].startswith("hmac:")
    assert created["requestsSent"] == 1


def test_a_receipt_holds_no_secret(repo: Repo, invoke: Invoke):
    invoke("apply", "--auto-approve", "--receipt", "receipt.json")

    text = Path("receipt.json").read_text()
    assert [secret for secret in repo.sandbox.issued_secrets if secret in text] == []


def test_a_receipt_names_the_saved_plan_and_the_commit(repo: Repo, invoke: Invoke):
    for arguments in (
        ("init", "-q"),
        (
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "x",
        ),
    ):
        subprocess.run(["git", *arguments], cwd=repo.folder, check=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repo.folder, check=True, capture_output=True, text=True
    )
    invoke("plan", "--out", "plan.json")

    invoke("apply", "plan.json", "--receipt", "receipt.json")

    receipt = read()
    saved = json.loads(Path("plan.json").read_text())
    assert receipt["plan"] == {"digest": saved["digest"], "file": "plan.json"}
    assert receipt["commit"] == head.stdout.strip()


@pytest.mark.usefixtures("repo")
def test_the_digest_is_the_same_whether_or_not_the_plan_was_saved(invoke: Invoke):
    invoke("plan", "--out", "plan.json")

    invoke("apply", "--auto-approve", "--receipt", "receipt.json")

    assert read()["plan"]["digest"] == json.loads(Path("plan.json").read_text())["digest"]


@pytest.mark.usefixtures("repo")
def test_a_second_run_has_nothing_to_tell(invoke: Invoke):
    invoke("apply", "--auto-approve")

    invoke("apply", "--auto-approve", "--receipt", "receipt.json")

    assert read()["changes"] == []
    assert read()["exitCode"] == 0


def test_an_update_has_fingerprints_of_both_sides_and_what_the_server_called_it(
    repo: Repo, invoke: Invoke
):
    invoke("apply", "--auto-approve")
    repo.state("sailpoint", accessTokenValiditySeconds=900)
    repo.sandbox.set_faults("500=9:sailpoint,patch")

    invoke("apply", "--auto-approve", "--receipt", "receipt.json")
    (failed,) = read()["changes"]
    repo.sandbox.set_faults()
    invoke("apply", "--auto-approve", "--receipt", "receipt.json")
    (done,) = read()["changes"]

    assert failed["status"] == "unknown"
    assert len(failed["requestIds"]) == 1
    assert failed["before"] == failed["after"] == done["before"]
    assert done["after"] != done["before"]


def test_a_run_that_sends_nothing_has_a_receipt_too(repo: Repo, invoke: Invoke):
    repo.write_project(boruta={"policy": {}})
    invoke("apply", "--auto-approve")
    repo.state("sailpoint", scope=["orders.write"])

    done = invoke("apply", "--auto-approve", "--receipt", "receipt.json")

    assert done.exit_code == read()["exitCode"] == ExitCode.REFUSED
    assert read()["changes"] == []


def test_a_stale_plan_has_a_receipt_of_nothing(repo: Repo, invoke: Invoke):
    invoke("plan", "--out", "plan.json")
    repo.state("boruta", name="Another")

    done = invoke("apply", "plan.json", "--receipt", "receipt.json")

    assert done.exit_code == read()["exitCode"] == ExitCode.STALE
    assert read()["changes"] == []


def test_a_receipt_that_cannot_be_written_stops_the_run_before_it_sends(repo: Repo, invoke: Invoke):
    done = invoke("apply", "--auto-approve", "--receipt", "no/such/folder/receipt.json")

    assert done.exit_code == ExitCode.FAILED
    assert "No such file or directory" in done.stderr
    assert repo.writes() == []


HEADING = ReceiptHeader(
    version="1",
    plan_digest="sha256:" + "0" * 64,
    plan_file=None,
    commit=None,
    actor="",
    started_at="2026-11-23T10:00:00Z",
)
DONE = Outcome(target="shop", key="web", action=Action.CREATE, status=Status.DONE)


def test_a_run_that_is_killed_leaves_a_receipt_without_an_end(tmp_path: Path):
    path = tmp_path / "receipt.json"

    with receipts.keep_receipt(str(path), HEADING) as receipt:
        begun = json.loads(path.read_text())
        receipt.exit_code = 0

    assert (begun["endedAt"], begun["exitCode"], begun["changes"]) == (None, None, [])
    assert json.loads(path.read_text())["endedAt"] is not None


def test_a_run_that_breaks_off_leaves_what_it_knew(tmp_path: Path):
    path = tmp_path / "receipt.json"

    def broken() -> None:
        with receipts.keep_receipt(str(path), HEADING) as receipt:
            receipt.add(DONE)
            current.note_change()
            raise RuntimeError

    current.begin()

    with pytest.raises(RuntimeError):
        broken()

    left = json.loads(path.read_text())
    assert [one["key"] for one in left["changes"]] == ["web"]
    assert left["exitCode"] == ExitCode.PARTLY_APPLIED


@pytest.mark.parametrize(("environ", "actor"), [({}, "jo"), ({"GITLAB_USER_LOGIN": "kim"}, "kim")])
def test_the_actor_is_whom_the_ci_system_names_or_else_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], actor: str
):
    for name, value in {"LOGNAME": "jo", **environ}.items():
        monkeypatch.setenv(name, value)

    found = receipts.receipt_header(
        version="1", folder=str(tmp_path), plan_digest="", plan_file=None
    )

    assert (found.actor, found.commit) == (actor, None)


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    found = receipts.receipt_header(version="1", folder=".", plan_digest="", plan_file=None)

    assert found.commit is None


def test_where_nobody_knows_the_user_the_actor_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_294_967_000)

    found = receipts.receipt_header(
        version="1", folder=str(tmp_path), plan_digest="", plan_file=None
    )

    assert found.actor == ""


def header(folder: Path) -> ReceiptHeader:
    return receipts.receipt_header(
        version="1", folder=str(folder), plan_digest="sha256:0", plan_file=None
    )


def refused_by_git(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """A git that says what it says of a folder that belongs to another user, as in a container."""
    program = folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        "echo \"fatal: detected dubious ownership in repository at '/repo'\" >&2\n"
        "exit 128\n"
    )
    program.chmod(0o755)
    patch.setenv("PATH", str(program.parent), prepend=os.pathsep)


@pytest.mark.parametrize("name", receipts.COMMITS)
def test_where_git_refuses_the_commit_is_what_the_ci_system_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    refused_by_git(tmp_path, monkeypatch)
    monkeypatch.setenv(name, "0123456789ABCDEF0123456789abcdef01234567")

    assert header(tmp_path).commit == "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "stated", ["", "main", "0123456", "0123456789abcdef" * 3, "g" * 40, "::add-mask::x"]
)
def test_where_nobody_states_a_commit_it_is_said_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stated: str
):
    refused_by_git(tmp_path, monkeypatch)
    monkeypatch.setenv("GITHUB_SHA", stated)

    assert header(tmp_path).commit is None
    assert capsys.readouterr().err == (
        "the receipt has no commit: git says: fatal: detected dubious ownership in repository at "
        "'/repo', and no variable of a CI system states it\n"
    )


def test_a_folder_in_no_repo_has_no_commit_and_that_is_no_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert header(tmp_path).commit is None
    assert capsys.readouterr().err == ""
