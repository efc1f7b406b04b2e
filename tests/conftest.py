"""What holds for every test: no deadline decides one, and each run tries the same examples."""

import os
from unittest.mock import patch

import pytest
from hypothesis import settings

RUNNERS = (
    "CI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "TF_BUILD",
    "JENKINS_URL",
    "TEAMCITY_VERSION",
    "BUILDKITE",
)

# RECONCILER_RANDOM=1 tries other examples in each run, to find what these do not.
settings.register_profile(
    "ours", deadline=None, derandomize="RECONCILER_RANDOM" not in os.environ, database=None
)
settings.load_profile("ours")


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
