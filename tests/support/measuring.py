"""Keeps the measurement of coverage out of processes that a test ends early."""

from __future__ import annotations

import os


def unmeasured(**more: str) -> dict[str, str]:
    """Give this environment with `more`, for a process whose coverage is not measured.

    One that is killed, or has no disk to write to, would leave half a measurement behind.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return {**kept, **more}
