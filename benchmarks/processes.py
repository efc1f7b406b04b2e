"""Turns a command line into what a whole process of it costs: seconds on the wall and of the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds from start to exit, and seconds of CPU over all threads."""

    wall: float
    cpu: float

    def __truediv__(self, other: Cost) -> Cost:
        return Cost(wall=self.wall / other.wall, cpu=self.cpu / other.cpu)


def middle(costs: Iterable[Cost]) -> Cost:
    """Give the medians."""
    found = list(costs)
    return Cost(wall=median(cost.wall for cost in found), cpu=median(cost.cpu for cost in found))


def python(*arguments: str) -> list[str]:
    """Give a command line of this interpreter."""
    return [sys.executable, *arguments]


def measure(
    command: Sequence[str], *, folder: Path, env: Mapping[str, str], expect: int = 0
) -> Cost:
    """Run a command to its end; RuntimeError where it exits with another code than `expect`."""
    errors = folder / "stderr.txt"
    with errors.open("wb") as stderr:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=dict(env), stdout=subprocess.DEVNULL, stderr=stderr
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != expect:
        said = errors.read_text(encoding="utf-8")[-2000:]
        raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}: {said}")
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime)
