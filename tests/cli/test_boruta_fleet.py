"""What only a Boruta does: keys from before, a client of its own, and a fleet that overruns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support.workspace import MINIMAL, Workspace

from reconciler.cli.root import root
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADMIN_UI = "6a2f41a3-c54c-fce8-32d2-0324e1c32e20"
OLD_KEY = {"type": "rsa", "modulus_size": "1024", "exponent_size": "65537"}


@pytest.fixture
def boruta(tmp_path: Path) -> Iterator[Workspace]:
    with running(rate_limit=None, seed=1) as sandbox:
        opened = Workspace(tmp_path, sandbox, "boruta")
        opened.write_project()
        yield opened


def invoke(workspace: Workspace, *arguments: str) -> Result:
    command = [*arguments, "--project", str(workspace.root)]
    return CliRunner().invoke(root, command, env=workspace.env)


def test_a_client_with_a_key_from_before_can_be_changed(boruta: Workspace):
    boruta.write("web", MINIMAL["boruta"])
    boruta.apply()
    remote_id = boruta.server_id("web")
    boruta.sandbox.edit("boruta", remote_id, key_pair_type=OLD_KEY)
    before = boruta.sandbox.client("boruta", remote_id)
    boruta.write("web", {**MINIMAL["boruta"], "pkce": True})

    planned = invoke(boruta, "plan")
    applied = invoke(boruta, "apply", "--auto-approve")
    after = boruta.sandbox.client("boruta", remote_id)

    assert "is sent along" in planned.stdout
    assert applied.exit_code == 0, applied.output
    assert after["pkce"] is True
    assert after["key_pair_type"]["modulus_size"] == "2048"
    assert (after["secret"], after["public_key"]) == (before["secret"], before["public_key"])
    assert invoke(boruta, "plan", "--detailed-exitcode").exit_code == 0


def test_import_leaves_the_client_of_the_admin_ui_alone(boruta: Workspace):
    boruta.write_project(manifests=["clients/*.json", "clients/*.yaml"])
    boruta.write("web", MINIMAL["boruta"])
    boruta.sandbox.seed("boruta", [{**MINIMAL["boruta"], "name": "Strange"}])

    done = invoke(boruta, "import", "boruta", "--all", "--into", str(boruta.root / "clients"))

    assert ADMIN_UI in done.output
    assert "belongs to the server itself" in done.output
    written = "".join(path.read_text() for path in boruta.root.glob("clients/*.yaml"))
    assert "Strange" in written
    assert "administration panel" not in written
    assert ADMIN_UI not in written


@pytest.mark.parametrize(
    "fault",
    [
        "500=4@3:boruta,post",
        "503=3@5:boruta,post",
        "drop-after-write=4@2:boruta,post",
        "drop=3@2:boruta,post",
    ],
)
def test_a_first_apply_of_a_fleet_is_done_in_one_run_though_it_overruns_the_server(
    boruta: Workspace, fault: str
):
    for number in range(24):
        boruta.write(f"client-{number}", {**MINIMAL["boruta"], "name": f"Client {number}"})
    boruta.sandbox.set_faults(fault)

    applied = invoke(boruta, "apply", "--auto-approve")
    boruta.sandbox.set_faults()

    assert applied.exit_code == 0, applied.output
    names = [client["name"] for client in boruta.sandbox.clients("boruta")]
    assert sorted(name for name in names if name.startswith("Client ")) == sorted(
        f"Client {number}" for number in range(24)
    )
    assert all(boruta.secret(f"client-{number}")["client_secret"] for number in range(24))
    assert invoke(boruta, "plan", "--detailed-exitcode").exit_code == 0
