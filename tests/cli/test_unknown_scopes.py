"""What a person reads of scopes that a server does not have, and of drift, in every format of a plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support.workspace import MINIMAL, Workspace

from reconciler.cli.root import root
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMATS = ["text", "json", "markdown"]
WORD = "the server does not have the name 'orders.raed', and makes it without a word"
HINT = "did you mean `orders.read`?"


@pytest.fixture
def boruta(tmp_path: Path) -> Iterator[Workspace]:
    with running(rate_limit=None, seed=1) as sandbox:
        opened = Workspace(tmp_path, sandbox, "boruta")
        opened.write_project()
        yield opened


def invoke(workspace: Workspace, *arguments: str) -> Result:
    command = [*arguments, "--project", str(workspace.root)]
    return CliRunner().invoke(root, command, env=workspace.env)


def write(workspace: Workspace, key: str, *scopes: str) -> None:
    named = [{"name": scope} for scope in scopes]
    workspace.write(key, {**MINIMAL["boruta"], "authorized_scopes": named})


@pytest.mark.parametrize("output_format", FORMATS)
def test_every_format_warns_of_a_scope_before_it_is_made(boruta: Workspace, output_format: str):
    write(boruta, "known", "orders.read")
    assert invoke(boruta, "apply", "--auto-approve").exit_code == 0
    write(boruta, "web", "orders.raed")

    planned = invoke(boruta, "plan", "--format", output_format, "--out", str(boruta.root / "p"))

    assert planned.exit_code == 0
    assert WORD in planned.stdout
    assert HINT in planned.stdout
    assert invoke(boruta, "apply", str(boruta.root / "p")).exit_code == 0
    assert WORD not in invoke(boruta, "plan", "--format", output_format).stdout


@pytest.mark.parametrize("meanwhile", ["the name is made", "the list cannot be read"])
def test_a_saved_plan_does_not_go_stale_by_what_was_told(boruta: Workspace, meanwhile: str):
    write(boruta, "web", "orders.raed")
    assert invoke(boruta, "plan", "--out", str(boruta.root / "p")).exit_code == 0
    if meanwhile == "the name is made":
        named = [{"name": "orders.raed"}]
        boruta.sandbox.seed("boruta", [{"name": "theirs", "authorized_scopes": named}])
    else:
        boruta.sandbox.set_faults("broken-json=1@2:boruta,get")

    applied = invoke(boruta, "apply", str(boruta.root / "p"))

    assert applied.exit_code == 0, applied.output


@pytest.mark.parametrize("output_format", FORMATS)
def test_every_format_says_who_moved_a_field(boruta: Workspace, output_format: str):
    write(boruta, "web", "orders.read")
    assert invoke(boruta, "apply", "--auto-approve").exit_code == 0
    write(boruta, "web", "orders.read", "orders.write")
    assert "drift" not in invoke(boruta, "plan", "--format", output_format).stdout
    write(boruta, "web", "orders.read")

    boruta.sandbox.edit("boruta", boruta.server_id("web"), authorized_scopes=[])

    word = {"json": '"origin": "drift"'}.get(output_format, "drift: changed on the server")
    assert word in invoke(boruta, "plan", "--format", output_format).stdout


@pytest.mark.parametrize("begun", ["create", "update"])
def test_a_scope_that_comes_back_missing_is_exit_5_and_asked_again(boruta: Workspace, begun: str):
    if begun == "update":
        write(boruta, "web")
        assert invoke(boruta, "apply", "--auto-approve").exit_code == 0
    write(boruta, "web", "orders.read", "orders.write")
    boruta.sandbox.set_faults("drop-scopes")

    applied = invoke(boruta, "apply", "--auto-approve", "--format", "json")

    assert applied.exit_code == 5, applied.output
    (outcome,) = json.loads(applied.stdout)["outcomes"]
    assert outcome["status"] == "failed"
    assert "authorized_scopes" in outcome["message"]
    boruta.sandbox.set_faults()
    assert invoke(boruta, "plan", "--detailed-exitcode").exit_code == 2
    assert invoke(boruta, "apply", "--auto-approve").exit_code == 0
    assert invoke(boruta, "plan", "--detailed-exitcode").exit_code == 0
