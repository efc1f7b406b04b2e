"""What holds for every test: no deadline decides one, and each run tries the same examples."""

import os
import random
from unittest.mock import patch

import pytest
from hypothesis import settings

from reconciler.cli.run_state import current

RUNNERS = (
    "CI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "TF_BUILD",
    "JENKINS_URL",
    "TEAMCITY_VERSION",
    "BUILDKITE",
)

# RECONCILER_RANDOM=1 tries other examples in each run, to find what these do not, and the tests in
# another order: each number has its own, since the workers of a run must agree on one.
RANDOM = os.environ.get("RECONCILER_RANDOM")
settings.register_profile("ours", deadline=None, derandomize=RANDOM is None, database=None)
settings.load_profile("ours")


@pytest.fixture(autouse=True)
def no_run_before():
    """Let no test know what a command line before it, run in this process, was given."""
    current.begin()


@pytest.fixture(autouse=True)
def environment():
    """Give each test the environment that the one before it found: what it sets ends with it.

    Two runs side by side, each with variables of its own, could put back each other's.
    """
    with patch.dict(os.environ):
        # On a runner of a CI system a plan has a warning more, of which only its own tests are.
        for variable in RUNNERS:
            os.environ.pop(variable, None)
        yield


def pytest_collection_modifyitems(items):
    """Let no test rest on one that ran before it."""
    if RANDOM is not None:
        random.Random(RANDOM).shuffle(items)


def pytest_terminal_summary(terminalreporter):
    """Print how many points were tried to break a run at, and what came of each."""
    reports = [
        report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)
    ]
    lines = sorted(
        value for each in reports for name, value in each.user_properties if name == "faults"
    )
    if lines:
        terminalreporter.section("faults")
    for line in lines:
        terminalreporter.write_line(line)
