from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest
from support.measuring import unmeasured

from reconciler.cli.interrupts import run_interruptibly, wait_for

PROGRAM = """
import os, signal, sys
from reconciler.cli.interrupts import stop_on_signal

number = getattr(signal, sys.argv[1])
# Whoever runs the tests may have it ignored, as nohup does.
signal.signal(number, signal.default_int_handler)
before = signal.getsignal(number)
if sys.argv[2:] == ["again"]:
    import threading
    threading.Thread(target=threading.Event().wait).start()  # one that never ends
with stop_on_signal("wait", echo=0 if sys.argv[2:] == ["again"] else 3600) as stop:
    assert not stop.is_set()
    os.kill(os.getpid(), number)
    assert stop.wait(10)
    if sys.argv[2:]:
        os.kill(os.getpid(), number)
    if sys.argv[2:] == ["again"]:
        signal.pause()
assert signal.getsignal(number) is before
"""


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,  # its thread never ends, if nothing ends the process
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks_to_stop_and_says_what_happens(number: signal.Signals):
    done = run(number.name)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "\nwait\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_second_signal_ends_the_process_whatever_its_threads_do(number: signal.Signals):
    done = run(number.name, "again", env=unmeasured())

    assert done.returncode == 5  # what was under way may have been done
    assert done.stderr == (
        "\nwait\n\nAborted. What was under way may have been done: plan again.\n"
    )


def test_the_echo_of_a_signal_is_the_same_wish():
    done = run("SIGINT", "echo")

    assert (done.returncode, done.stderr) == (0, "\nwait\n")


def test_work_that_outlasts_a_nap_gives_its_result():
    begun = threading.Event()

    def work() -> str:
        begun.set()
        time.sleep(0.25)
        return "done"

    assert run_interruptibly(work) == "done"
    assert begun.is_set()


def test_what_work_raises_comes_through():
    with pytest.raises(ZeroDivisionError):
        run_interruptibly(lambda: 1 / 0)


def test_waiting_ends_with_the_wish_to_stop():
    stop = threading.Event()
    threading.Timer(0.25, stop.set).start()

    wait_for(stop)

    assert stop.is_set()
