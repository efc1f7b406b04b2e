"""Whatever went wrong, `--format` and `--out` give whole documents that say it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]
    Break = Callable[[Repo, pytest.MonkeyPatch], object]

SCHEMAS = Path(__file__).parents[2] / "schemas"


def valid(name: str, text: str) -> dict[str, Any]:
    document = json.loads(text)
    jsonschema.validate(document, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))
    return document


def invalid_manifest(repo: Repo, _patch: pytest.MonkeyPatch) -> None:
    repo.state("provident", redirectUri=["https://a.example.com"])


def broken_yaml(repo: Repo, _patch: pytest.MonkeyPatch) -> None:
    (repo.folder / "clients" / "provident-web.yaml").write_text("a: [")


def broken_project(repo: Repo, _patch: pytest.MonkeyPatch) -> None:
    (repo.folder / "reconciler.yaml").write_text("kind: Project\n")


def no_project(repo: Repo, _patch: pytest.MonkeyPatch) -> None:
    (repo.folder / "reconciler.yaml").unlink()


def bad_record(repo: Repo, _patch: pytest.MonkeyPatch) -> None:
    folder = repo.folder / ".reconciler/inventory/provident"
    folder.mkdir(parents=True)
    (folder / "web.json").write_text("{")


def no_credentials(_repo: Repo, patch: pytest.MonkeyPatch) -> None:
    patch.delenv("PROVIDENT_SECRET")


def wrong_credentials(_repo: Repo, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SAILPOINT_SECRET", "wrong")


def dead_server(repo: Repo, _patch: pytest.MonkeyPatch) -> None:
    repo.write_project(boruta={"baseUrl": "http://127.0.0.1:9"})


def broken_server(repo: Repo, _patch: pytest.MonkeyPatch) -> None:
    repo.sandbox.set_faults("500=99:sailpoint,get")


NO_PLAN: list[Break] = [invalid_manifest, broken_yaml, broken_project, no_project]
A_TARGETS_OWN: list[Break] = [
    no_credentials,
    wrong_credentials,
    dead_server,
    broken_server,
]


@pytest.mark.parametrize("ruin", NO_PLAN)
def test_where_there_is_no_plan_every_format_says_why(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, ruin: Break
):
    ruin(repo, monkeypatch)

    as_json = invoke("plan", "--format", "json")
    as_markdown = invoke("plan", "--format", "markdown")
    as_text = invoke("plan")

    document = valid("plan", as_json.stdout)
    assert document["errors"]
    assert document["summary"]["errors"] == len(document["errors"])
    assert document["targets"] == []
    assert as_markdown.stdout.startswith("<!-- reconciler plan -->\n### Plan: failed\n")
    assert as_markdown.stdout.count("```") == 2
    assert as_text.stdout == ""
    assert {as_json.exit_code, as_markdown.exit_code, as_text.exit_code} == {1}


@pytest.mark.parametrize("ruin", NO_PLAN)
def test_a_saved_plan_of_a_run_without_a_plan_says_so_and_is_never_applied(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, ruin: Break
):
    invoke("plan", "--out", "p.json")
    ruin(repo, monkeypatch)

    done = invoke("plan", "--out", "p.json")

    document = valid("plan", Path("p.json").read_text())
    assert document["errors"]
    assert "p.json says that there is no plan, and why; apply refuses it." in done.stderr
    repo.write_project()
    repo.state("provident")
    refused = invoke("apply", "p.json")
    assert refused.exit_code == 4
    assert "it holds errors" in refused.stderr
    assert repo.writes() == []


@pytest.mark.parametrize("ruin", A_TARGETS_OWN)
def test_the_failure_of_one_target_is_its_own_in_every_format(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, ruin: Break
):
    ruin(repo, monkeypatch)

    done = invoke("plan", "--format", "json", "--out", "p.json")

    for document in (valid("plan", done.stdout), valid("plan", Path("p.json").read_text())):
        assert "errors" not in document
        failed = [each["target"] for each in document["targets"] if each["errors"]]
        planned = [each["target"] for each in document["targets"] if each["changes"]]
        assert len(failed) == 1
        assert sorted([*failed, *planned]) == ["boruta", "provident", "sailpoint"]
    assert done.exit_code == 1
    assert failed[0] in invoke("plan", "--format", "markdown").stdout
    assert invoke("apply", "p.json").exit_code == 4


# A record that cannot be read is an error of every target: nobody knows what that one owns.
@pytest.mark.parametrize("ruin", [*NO_PLAN, *A_TARGETS_OWN, bad_record])
def test_an_apply_that_sent_nothing_has_a_report_that_says_why(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, ruin: Break
):
    ruin(repo, monkeypatch)

    done = invoke("apply", "--auto-approve", "--format", "json")

    report = valid("report", done.stdout)
    assert report["errors"]
    assert report["outcomes"] == []
    assert done.exit_code == 1
    assert repo.writes() == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("plan", "--target", "nowhere"), 64),
        (("plan", "--lock-timeout", "soon"), 64),
        (("apply",), 64),
        (("apply", "nowhere.json"), 1),
        (("rotate", "nobody", "--auto-approve"), 64),
        (("forget", "nobody", "--auto-approve"), 64),
        (("import", "provident"), 64),
        (("secrets", "sync", "--target", "nowhere"), 64),
        (("adopt", "web", "--id", "x", "--target", "nowhere"), 64),
        (("move", "nobody", "somebody"), 64),
    ],
)
def test_every_command_has_a_document_for_its_failure(
    repo: Repo, invoke: Invoke, arguments: tuple[str, ...], code: int
):
    done = invoke(*arguments, "--format", "json")

    assert done.exit_code == code
    assert json.loads(done.stdout)["errors"]
    assert done.stderr
    assert repo.writes() == []


def test_a_client_that_fails_in_the_middle_leaves_a_report_of_all_that_was_done(
    repo: Repo, invoke: Invoke
):
    repo.sandbox.set_faults("500=9:boruta,post")

    done = invoke("apply", "--auto-approve", "--format", "json")

    report = valid("report", done.stdout)
    assert {one["status"] for one in report["outcomes"]} == {"done", "failed"}
    assert done.exit_code == 5
