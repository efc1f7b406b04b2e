"""What was changed on the server alone is called drift, in every format of a plan and in none of another kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from support.vendors import NAMES
from support.vendors import vendor as provider_of
from support.workspace import MINIMAL, Workspace

from reconciler.cli.root import root
from reconciler.provider.spelling import first_name
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A field that each vendor changes in place, with the values of the first apply, of git and of a hand.
FIELDS: dict[str, tuple[str, Any, Any, Any]] = {
    "provident": ("name", "Web", "Web of git", "Web of a hand"),
    "sailpoint": ("description", "A client", "A client of git", "A client of a hand"),
    "boruta": ("redirect_uris", *([f"https://{host}.example.com"] for host in "abc")),
}
FORMATS = ("text", "markdown", "json")


@pytest.fixture(params=NAMES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    with running(rate_limit=None, seed=1) as sandbox:
        opened = Workspace(tmp_path, sandbox, request.param)
        opened.write_project()
        yield opened


@pytest.mark.parametrize(
    ("in_git", "by_hand", "word"),
    [(False, True, "drift"), (True, False, "config"), (True, True, "both")],
)
def test_every_format_says_who_changed_a_field(
    workspace: Workspace, in_git: bool, by_hand: bool, word: str
):
    vendor = workspace.vendor
    field, first, git, hand = FIELDS[vendor]
    spec = MINIMAL[vendor] | {field: first}
    workspace.write("web", spec)
    workspace.apply()
    if in_git:
        workspace.write("web", spec | {field: git})
    if by_hand:
        shown = first_name(provider_of(vendor).fields[field].read_as)
        workspace.sandbox.edit(vendor, workspace.server_id("web"), **{shown: hand})

    said = {name: plan(workspace, name) for name in FORMATS}

    for name in ("text", "markdown"):
        assert f"  # {word}: changed" in said[name]
        assert ("drift" in said[name]) is (word == "drift")
    (target,) = json.loads(said["json"])["targets"]
    assert [one["origin"] for one in target["changes"][0]["fields"]] == [word]


def plan(workspace: Workspace, output_format: str) -> str:
    command = ["plan", "--format", output_format, "--project", str(workspace.root)]
    result = CliRunner().invoke(root, command, env=workspace.env)
    assert result.exit_code == 0, result.output
    return result.stdout
