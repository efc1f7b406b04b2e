"""Runs on several machines, which share nothing but an object store."""

import contextlib
import json

import pytest
from support.workspace import MINIMAL, Workspace

from reconciler.core.changes import Action, Status
from reconciler.inventory import lease
from reconciler.sandbox.server import running


@pytest.fixture
def machines(tmp_path, bucket):
    """Two checkouts of one repo on machines that see the same bucket and the same server."""
    with running(seed=1, rate_limit=None) as sandbox:
        yield [checkout(tmp_path / name, sandbox, bucket) for name in ("one", "two")]


def checkout(root, sandbox, bucket):
    root.mkdir()
    workspace = Workspace(root, sandbox, "sailpoint")
    workspace.write_project()
    document = json.loads((root / "reconciler.yaml").read_text())
    document["inventory"] = {"store": "object", "url": bucket.url, **bucket.options}
    (root / "reconciler.yaml").write_text(json.dumps(document))
    workspace.write("web", MINIMAL["sailpoint"])
    return workspace


def test_what_one_machine_applied_the_other_knows(machines):
    one, two = machines

    (outcome,) = one.apply().outcomes

    assert outcome.status is Status.DONE
    assert two.actions() == {"web": Action.NOOP}
    assert not (one.root / ".reconciler" / "inventory").exists()


def test_a_second_machine_does_not_apply_while_the_first_does(machines):
    one, two = machines

    def meanwhile():
        with two._planning({}, lock=True) as planned:  # noqa: SLF001 - apply would not do
            told.extend(planned.plan.targets[0].errors)

    told = []
    (outcome,) = one.apply_after(meanwhile).outcomes

    assert outcome.status is Status.DONE
    assert len(told) == 1
    assert "shop" not in told[0]
    assert "sailpoint.lock is locked: process" in told[0]
    assert two.actions() == {"web": Action.NOOP}


def test_a_run_whose_lock_another_took_sends_nothing_more(machines, bucket, monkeypatch):
    one, _two = machines
    monkeypatch.setattr(lease, "FRESH_SECONDS", 0.0)

    def meanwhile():
        bucket.clock.seconds = 4e9
        stack.enter_context(bucket.store().open("sailpoint", lock=True))

    with contextlib.ExitStack() as stack:
        (outcome,) = one.apply_after(meanwhile).outcomes

    assert (outcome.status, outcome.requests_sent) == (Status.FAILED, 0)
    assert "another run took it" in outcome.message
