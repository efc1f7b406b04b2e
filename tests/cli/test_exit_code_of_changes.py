"""Exit code 1 means that nothing was changed: on no server, in no record, in no sink, in no manifest."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.limited import LIMITED
from support.measuring import unmeasured
from support.repo import VENDORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]

COMMANDS = {
    "create": ("apply", "--auto-approve"),
    "update": ("apply", "--auto-approve"),
    "rotate": ("rotate", "web", "--target", "provident", "--auto-approve"),
    "rotate-chosen": ("rotate", "web", "--target", "boruta", "--auto-approve"),
    "replace": ("rotate", "web", "--target", "sailpoint", "--auto-approve"),
    "forget": ("forget", "web", "--target", "provident", "--auto-approve"),
    "move": ("move", "provident/web", "provident/shop"),
    "import": ("import", "sailpoint", "--all", "--into", "imported"),
    "sync": ("secrets", "sync"),
}
FAULTS = ["500=9:write", "drop=9:write", "drop-after-write=9:write", "broken-json=9:write"]


def prepare(name: str, repo: Repo, invoke: Invoke) -> None:
    """What is there before the command: clients that are ours, and something for it to do."""
    if name == "create":
        return
    assert invoke("apply", "--auto-approve").exit_code == 0
    if name == "update":
        for vendor in VENDORS:
            repo.state(vendor, name="Another")
    if name == "move":
        (repo.folder / "clients/provident-web.yaml").unlink()
        repo.state("provident", "shop")
    if name == "import":
        patterns = ["clients/sailpoint-*.yaml", "imported/*.yaml"]
        repo.write_project(sailpoint={"manifests": patterns})
        repo.sandbox.seed("sailpoint", [{"name": "A"}, {"name": "B"}])


def world(repo: Repo) -> dict[str, Any]:
    """All that a run may not have changed where it says that it changed nothing."""
    kept = {
        str(path): path.read_bytes()
        for path in repo.folder.rglob("*")
        if path.suffix in {".json", ".yaml"} and ".lock" not in path.name
    }
    return kept | {vendor: repo.sandbox.clients(vendor) for vendor in VENDORS}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_something_to_change(repo: Repo, invoke: Invoke, name: str):
    prepare(name, repo, invoke)
    before = world(repo)

    assert invoke(*COMMANDS[name]).exit_code == 0
    assert name == "sync" or world(repo) != before


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_server_that_fails_on_writes(repo: Repo, invoke: Invoke, name: str, fault: str):
    prepare(name, repo, invoke)
    before = world(repo)
    repo.sandbox.set_faults(fault)

    done = invoke(*COMMANDS[name])

    repo.sandbox.set_faults()
    assert done.exit_code in {0, 1, 5}
    assert done.exit_code != 1 or world(repo) == before


@pytest.mark.parametrize("limit", [0, 150, 400, 900])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_disk_that_is_full(repo: Repo, invoke: Invoke, name: str, limit: int):
    prepare(name, repo, invoke)
    before = world(repo)

    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *COMMANDS[name]],
        env=unmeasured(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode in {0, 1, 3, 5}
    assert done.returncode not in {1, 3} or world(repo) == before
    assert "bug in reconciler" not in done.stderr
