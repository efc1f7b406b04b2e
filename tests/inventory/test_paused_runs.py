"""A run that is stopped like a machine that sleeps, while another one works: real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from support.workspace import MINIMAL, Workspace

from reconciler.core.changes import Action, Status
from reconciler.core.errors import InventoryError
from reconciler.inventory.file import FileStore
from reconciler.inventory.lease import FRESH_SECONDS
from reconciler.sandbox.server import running

ROOT = Path(__file__).parents[2]
KEYS = [f"c{number}" for number in range(4)]


@pytest.fixture
def sandbox():
    with running(seed=1, rate_limit=None) as served:
        yield served


def checkout(root, sandbox, inventory=None, **settings):
    root.mkdir()
    workspace = Workspace(root, sandbox, "sailpoint")
    workspace.write_project(**settings)
    if inventory is not None:
        document = json.loads((root / "reconciler.yaml").read_text())
        (root / "reconciler.yaml").write_text(json.dumps({**document, "inventory": inventory}))
    for key in KEYS:
        workspace.write(key, {**MINIMAL["sailpoint"], "name": key})
    return workspace


def stopped_apply(workspace, sandbox):
    """A process that applies, stopped once it has created its first client: it waits for its pace."""
    run = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--auto-approve"],
        cwd=workspace.root,
        env={**os.environ, **workspace.env, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not made(sandbox):
        assert run.poll() is None, run.communicate()
        time.sleep(0.02)
    run.send_signal(signal.SIGSTOP)
    return run


def made(sandbox):
    """How many clients each of our names has."""
    names = Counter(client["name"] for client in sandbox.clients("sailpoint"))
    return {name: times for name, times in names.items() if name in KEYS}


def test_a_run_that_was_paused_while_another_took_its_lock_writes_nothing(
    tmp_path, bucket, sandbox
):
    inventory = {"store": "object", "url": bucket.url, **bucket.options}
    slow = {"rateLimit": {"requests": 1, "per": "1s", "share": 1}}
    paused = stopped_apply(checkout(tmp_path / "one", sandbox, inventory, **slow), sandbox)
    other = checkout(tmp_path / "two", sandbox, inventory)
    try:
        # Its lock is over by this clock, and what the next run finds is free.
        bucket.clock.seconds = 4e9
        with bucket.store().open("sailpoint", lock=True):
            pass
        report = other.apply()
        ids = {key: other_id(other, bucket, key) for key in KEYS}
        secrets = secret_files(other)
        # Else it could rely on what the store said right before it was stopped.
        time.sleep(FRESH_SECONDS)
    finally:
        paused.send_signal(signal.SIGCONT)
    output, _ = paused.communicate(timeout=60)

    assert {outcome.status for outcome in report.outcomes} == {Status.DONE}
    assert made(sandbox) == dict.fromkeys(KEYS, 1)
    assert paused.returncode in (1, 5), output
    assert "this run lost its lock" in output
    assert {key: other_id(other, bucket, key) for key in KEYS} == ids
    assert secret_files(other) == secrets
    assert set(other.actions().values()) == {Action.NOOP}


def other_id(workspace, bucket, key):
    with bucket.store().open(workspace.vendor, lock=False) as session:
        return session.inventory.entries[key].remote_id


def secret_files(workspace):
    folder = workspace.root / ".reconciler" / "secrets" / workspace.vendor
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}


def test_a_paused_run_keeps_the_lock_of_its_files(tmp_path, sandbox):
    slow = {"rateLimit": {"requests": 1, "per": "200ms", "share": 1}}
    workspace = checkout(tmp_path / "one", sandbox, **slow)
    paused = stopped_apply(workspace, sandbox)
    store = FileStore(workspace.root / ".reconciler" / "inventory")
    try:
        with (
            pytest.raises(InventoryError, match=f"process {paused.pid} on "),
            store.open("sailpoint", lock=True),
        ):
            pass
    finally:
        paused.send_signal(signal.SIGCONT)
    output, _ = paused.communicate(timeout=60)

    assert paused.returncode == 0, output
    assert made(sandbox) == dict.fromkeys(KEYS, 1)


def test_a_run_whose_lock_file_was_swept_while_it_was_paused_writes_nothing(tmp_path, sandbox):
    slow = {"rateLimit": {"requests": 1, "per": "1s", "share": 1}}
    workspace = checkout(tmp_path / "one", sandbox, **slow)
    paused = stopped_apply(workspace, sandbox)
    try:
        # As `git clean -fdx` does.
        (workspace.root / ".reconciler/inventory/.locks/sailpoint.lock").unlink()
        workspace.write_project(rateLimit={"requests": 1000, "per": "1s", "share": 1})
        report = workspace.apply()
    finally:
        paused.send_signal(signal.SIGCONT)
    output, _ = paused.communicate(timeout=60)

    assert {outcome.status for outcome in report.outcomes} == {Status.DONE}
    assert made(sandbox) == dict.fromkeys(KEYS, 1)
    assert "this run lost its lock" in output
    assert set(workspace.actions().values()) == {Action.NOOP}
