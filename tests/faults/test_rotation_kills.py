"""A rotation killed at every request and at every change to a file: the secret that holds is never lost."""

from __future__ import annotations

import json
import signal

import pytest
from support.gate import DROPPED
from support.trial import trial

KILLED = -signal.SIGKILL
MOST = 100
# Where the tool makes the secret, and where the server does.
VENDORS = ["boruta", "provident"]


@pytest.fixture(scope="module", params=VENDORS)
def fleet(request, tmp_path_factory):
    with trial(tmp_path_factory.mktemp(request.param), request.param) as made:
        yield made


def held(trial):
    """The secret that the server takes now of the client that is rotated."""
    remote_id = trial.workspace.server_id("stays")
    client = trial.sandbox.client(trial.vendor, remote_id)
    return client["clientSecret" if trial.vendor == "provident" else "secret"]


def kept_anywhere(trial):
    """Every secret that a file of this machine keeps of that client."""
    folder, remote_id = trial.home / ".reconciler", trial.workspace.server_id("stays")
    files = [*folder.glob("secrets/*/*.json"), *folder.glob("inventory/.spool/*.json")]
    documents = [json.loads(path.read_text()) for path in files]
    return {each["client_secret"] for each in documents if each["client_id"] == remote_id}


def sweep(trial, run_killed):
    """Kill a rotation at point 1, 2, 3 ... until there is none left; how many there were."""
    for point in range(1, MOST):
        trial.reset()
        code, printed = run_killed(point)
        trial.gate.set_aside()
        if code != KILLED:
            assert code == 0, printed
            assert trial.workspace.secret("stays")["client_secret"] == held(trial)
            assert not list((trial.home / ".reconciler/inventory/.spool").glob("*.json"))
            return point
        if trial.vendor == "boruta":
            assert held(trial) in kept_anywhere(trial)
        code, printed = trial.command("secrets", "sync")
        assert code == 0, printed
        assert trial.workspace.secret("stays")["client_secret"] == held(trial)
        assert kept_anywhere(trial) == {held(trial)}
        assert trial.workspace.inventory()["stays"]["secret"] == "stored"
    pytest.fail(f"no end after {MOST} points")


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_rotation_killed_at_any_request_leaves_a_secret_that_holds(fleet, side):
    trial, runner = fleet

    def killed(point):
        def strike(call, *_reply):
            if call.number != point:
                return None
            runner.kill()
            return DROPPED

        trial.gate.set(**{side: strike})
        return runner("rotate", "stays", "--auto-approve")

    assert sweep(trial, killed) > 2


@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
def test_a_rotation_killed_at_any_change_to_a_file_leaves_a_secret_that_holds(fleet, torn):
    trial, runner = fleet

    def killed(point):
        return runner("rotate", "stays", "--auto-approve", kill={"at": point, "torn": torn})

    assert sweep(trial, killed) > 3
