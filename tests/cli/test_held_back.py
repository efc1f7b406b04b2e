"""One client that a guard holds back does not keep the others from being repaired."""

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

GOOD = ["https://shop.example.com/callback"]
BAD = ["https://evil.example.net/callback"]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Workspace]:
    """Two clients that were applied, then one with a lower lifetime and one with a hijacked address."""
    with running(rate_limit=None, seed=1) as sandbox:
        opened = Workspace(tmp_path, sandbox, "boruta")
        opened.write("lifetime", {**MINIMAL["boruta"], "access_token_ttl": 3600})
        opened.write("hijacked", {**MINIMAL["boruta"], "redirect_uris": GOOD})
        opened.apply()
        sandbox.edit("boruta", opened.server_id("lifetime"), access_token_ttl=60)
        sandbox.edit("boruta", opened.server_id("hijacked"), redirect_uris=BAD)
        sandbox.forget_requests()
        yield opened


def invoke(fleet: Workspace, *arguments: str) -> Result:
    return CliRunner().invoke(root, [*arguments, "--project", str(fleet.root)], env=fleet.env)


def addresses(fleet: Workspace) -> list[str]:
    found: list[str] = fleet.sandbox.client("boruta", fleet.server_id("hijacked"))["redirect_uris"]
    return found


def test_a_lifetime_that_was_lowered_by_hand_does_not_keep_a_hijacked_address(fleet: Workspace):
    planned = invoke(fleet, "plan")
    applied = invoke(fleet, "apply", "--auto-approve")
    again = invoke(fleet, "apply", "--auto-approve")

    assert "refused (replace-not-allowed), this client alone: " in planned.stdout
    assert "# drift: changed on the server since the last apply" in planned.stdout
    assert "lifecycle.ignoreChanges" in planned.stdout
    assert [each.exit_code for each in (planned, applied, again)] == [3, 3, 3]
    assert addresses(fleet) == GOOD
    assert len(fleet.writes()) == 1


def test_the_plan_as_json_and_as_markdown_says_so_too(fleet: Workspace):
    document = json.loads(invoke(fleet, "plan", "--format", "json").stdout)
    markdown = invoke(fleet, "plan", "--format", "markdown").stdout

    (refused,) = [each["refusal"] for each in document["targets"][0]["changes"] if each["refusal"]]
    assert refused["holdsBack"] == "client"
    assert ", this client alone: " in markdown
    assert "drift: changed on the server" in markdown


def test_a_saved_plan_holds_back_the_same_client(fleet: Workspace):
    saved = str(fleet.root / "plan.out")

    assert invoke(fleet, "plan", "--out", saved).exit_code == 3
    assert invoke(fleet, "apply", saved).exit_code == 3
    assert addresses(fleet) == GOOD


def test_a_failure_of_another_client_outweighs_the_refusal(fleet: Workspace):
    fleet.write(
        "new",
        {**MINIMAL["boruta"], "identity_provider": {"id": "0" * 8 + "-0000-4000-8000-" + "0" * 12}},
    )

    assert invoke(fleet, "apply", "--auto-approve").exit_code == 5
    assert addresses(fleet) == GOOD


def test_policy_refused_stop_holds_everything_back(fleet: Workspace):
    fleet.write_project(policy={"refused": "stop"})

    applied = invoke(fleet, "apply", "--auto-approve")

    assert applied.exit_code == 3
    assert "Nothing was sent: a guard refused part of the plan." in applied.stderr
    assert addresses(fleet) == BAD


@pytest.mark.parametrize(("policy", "expected"), [({}, BAD), ({"refused": "skip"}, GOOD)])
def test_a_refusal_that_git_brought_about_stops_unless_the_policy_says_skip(
    fleet: Workspace, policy: dict[str, str], expected: list[str]
):
    fleet.write_project(policy=policy)
    fleet.write("lifetime", {**MINIMAL["boruta"], "access_token_ttl": 7200})

    assert invoke(fleet, "apply", "--auto-approve").exit_code == 3
    assert addresses(fleet) == expected


def test_a_limit_stops_everything_also_where_refused_says_skip(fleet: Workspace):
    fleet.write_project(policy={"refused": "skip", "maxDeletes": 0})
    fleet.write(
        "lifetime",
        {**MINIMAL["boruta"], "access_token_ttl": 7200},
        lifecycle={"allowReplace": True},
    )

    assert invoke(fleet, "apply", "--auto-approve").exit_code == 3
    assert addresses(fleet) == BAD
