"""A rotation that loses its lock sends nothing after that, and the secret that it had changed by then is kept apart."""

import json
import os
import re
from pathlib import Path
from unittest.mock import patch

import pytest
from support.gate import gate
from support.workspace import MINIMAL

from reconciler.app.context import Call
from reconciler.app.rotation import rotate as rotation
from reconciler.core.changes import Status
from reconciler.core.errors import InventoryError


@pytest.fixture
def gated(workspace, vendor):
    """A workspace with one client, whose server is reached through a gate; and what sweeps its lock."""
    with gate(workspace.sandbox.port) as (opened, port):
        base = getattr(workspace.sandbox, vendor)
        workspace.write_project(baseUrl=base.replace(str(workspace.sandbox.port), str(port)))
        workspace.write("web", MINIMAL[vendor])
        (outcome,) = workspace.apply().outcomes
        assert outcome.status is Status.DONE
        lock = workspace.root / f".reconciler/inventory/.locks/{vendor}.lock"
        yield workspace, opened, lambda: lock.unlink(missing_ok=True)


def rotate(workspace, sweep=lambda: None):
    call = Call(project_file=workspace.project, target=None, lock_timeout=5, log=lambda _line: None)
    with (
        patch.dict(os.environ, workspace.env),
        rotation.open_for_rotation(call, "web") as found,
    ):
        sweep()
        return found.rotate()


def live_secret(workspace):
    client = workspace.sandbox.client(workspace.vendor, workspace.server_id("web"))
    return client.get("clientSecret") or client.get("secret")


@pytest.mark.parametrize("vendor", ["provident", "boruta"])
def test_a_rotation_without_its_lock_changes_nothing(gated):
    workspace, _, sweep = gated
    old = live_secret(workspace)
    recorded = workspace.inventory()

    with pytest.raises(InventoryError, match="lost its lock"):
        rotate(workspace, sweep)

    assert live_secret(workspace) == old == workspace.secret("web")["client_secret"]
    assert workspace.inventory() == recorded


@pytest.mark.parametrize("vendor", ["provident", "boruta"])
def test_a_secret_that_was_changed_when_the_lock_was_lost_is_kept_apart_and_its_file_told(gated):
    workspace, opened, sweep = gated
    old = live_secret(workspace)
    writes = ("POST", "PUT", "PATCH")
    opened.set(
        after=lambda call, _: sweep() if call.method in writes and not call.is_token else None
    )

    with pytest.raises(InventoryError, match="lost its lock") as caught:
        rotate(workspace)
    opened.set_aside()

    new = live_secret(workspace)
    assert new != old
    (kept,) = re.findall(r"the new one is in (\S+\.json)", str(caught.value))
    assert json.loads(Path(kept).read_text())["client_secret"] == new
    assert new not in str(caught.value)
    assert workspace.secret("web")["client_secret"] == old
    # The next run brings it to its sink.
    workspace.apply()
    assert workspace.secret("web")["client_secret"] == new
