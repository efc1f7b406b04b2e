"""The program killed at every request and at every change to a file: the next apply sets all right."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.gate import DROPPED
from support.measuring import unmeasured
from support.trial import LOST, SETTLED, told, trial
from support.vendors import NAMES

if TYPE_CHECKING:
    from support.trial import Trial

KILLED = -signal.SIGKILL
# A run of this fleet has fewer points than that: one that never ends must not be waited for.
MOST = 400


@pytest.fixture(scope="module", params=NAMES)
def fleet(request, tmp_path_factory):
    with trial(tmp_path_factory.mktemp(request.param), request.param) as made:
        yield made


def recover(trial: Trial, apply) -> str:
    """One plain apply, and where the server cannot tell what a create came to, the user's word for it."""
    excused = set()
    if trial.vendor == "sailpoint":
        excused = trial.created().keys() - trial.kept_secrets().keys()
    code, printed = apply("apply", "--auto-approve")
    settled = code == 3 and trial.vendor == "provident"
    if settled:
        trial.settle(printed)
        code, printed = apply("apply", "--auto-approve")
    assert code == 0, printed
    lost = trial.check(trial.created(), excused)
    if lost:
        return LOST
    return SETTLED if settled else "converged"


def sweep(trial: Trial, run_killed) -> Counter[str]:
    """Kill a run at point 1, 2, 3 ... until there is none left, and see to each that all is well."""
    outcomes: Counter[str] = Counter()
    for point in range(1, MOST):
        trial.reset()
        code, printed = run_killed(point)
        trial.gate.set_aside()
        if code != KILLED:
            assert code == 0, printed
            assert trial.check(trial.created(), set()) == set()
            return outcomes
        outcomes[recover(trial, trial.command)] += 1
    pytest.fail(f"no end after {MOST} points")


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_run_killed_at_any_request_is_set_right_by_the_next(fleet, side, record_property):
    fleet, runner = fleet

    def killed(point):
        def strike(call, *_reply):
            if call.number != point:
                return None
            runner.kill()
            return DROPPED

        fleet.gate.set(**{side: strike})
        return runner("apply", "--auto-approve")

    outcomes = sweep(fleet, killed)

    what = f"{fleet.vendor}, killed {side} the server handled each request"
    told(record_property, what, outcomes)
    assert outcomes.total() >= 6


@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
def test_a_run_killed_at_any_change_to_a_file_is_set_right_by_the_next(
    fleet, torn, record_property
):
    fleet, runner = fleet

    outcomes = sweep(
        fleet,
        lambda point: runner("apply", "--auto-approve", kill={"at": point, "torn": torn}),
    )

    how = "with half of each write on disk" if torn else "on both sides of each change to a file"
    told(record_property, f"{fleet.vendor}, killed {how}", outcomes)
    assert outcomes.total() >= (3 if torn else 40)


def test_the_program_as_it_is_installed_recovers_too(fleet):
    fleet, runner = fleet
    fleet.reset()
    dead = threading.Event()

    def strike(call, _reply):
        if call.method == "POST" and not call.is_token and not dead.is_set():
            process.kill()
            dead.wait()
            return DROPPED
        return None

    fleet.gate.set(after=strike)
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--auto-approve"],
        cwd=fleet.home,
        env=unmeasured(**fleet.workspace.env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        code = process.wait()
        dead.set()
    fleet.gate.drain()

    assert code == KILLED
    assert recover(fleet, runner)
