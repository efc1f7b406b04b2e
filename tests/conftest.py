"""What holds for every test: no deadline decides one, and CI tries the same examples each time."""

import os

from hypothesis import settings

settings.register_profile("ours", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("ours")


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
