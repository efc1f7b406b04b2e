"""Measures the commands against `yaml.load` over the same files, and writes the ratios to RESULTS.md.

The candidates take turns within a round, so that what disturbs the machine disturbs all of them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import fleet
from processes import Cost, measure, middle, python

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE: Final = Path(__file__).parent
# This tree is measured, whatever else is installed.
ENVIRONMENT: Final = {**os.environ, "PYTHONPATH": str(HERE.parent)}
# As it is once installed. Without its bytecode a start would be a third longer, and not the others'.
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
RESULTS: Final = HERE / "RESULTS.md"
PER_FILE: Final = (1, 100)
ROUNDS: Final = {1_000: 5, 10_000: 3}
START_ROUNDS: Final = 15
DIFFERING: Final = 5
GOALS: Final = {"validate": 0.5, "plan": 0.8}
LIBRARIES: Final = "import click, yaml, jsonschema_rs"
START_GOAL: Final = 1.4  # `validate` of one client, against loading what it cannot do without
START: Final = {
    "python -c pass": python("-c", "pass"),
    "python -c 'import click'": python("-c", "import click"),
    f"python -c '{LIBRARIES}'": python("-c", LIBRARIES),
    "reconciler --help": python("-m", "reconciler", "--help"),
    "reconciler validate, one client": python("-m", "reconciler", "validate"),
}
COMMANDS: Final = {
    "yaml.load": python(str(HERE / "baseline.py"), "clients"),
    "validate": python("-m", "reconciler", "validate"),
    "plan": python("-m", "reconciler", "plan", "--detailed-exitcode"),
}
EXPECTED: Final = {"plan": 2}  # the few that differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The medians of one candidate over one fleet."""

    clients: int
    per_file: int
    name: str
    cost: Cost
    ratio: Cost


def main() -> None:
    """Measure, print the table, and keep it unless it was a quick run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="1,000 clients, 3 rounds; not kept")
    asked = options.parse_args()
    rounds = {1_000: 3} if asked.quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        start_up = _start_up(Path(folder))
        rows = [row for count, often in rounds.items() for row in _fleet(count, often, folder)]
    report = _report(rows, start_up, rounds)
    print(report)
    if not asked.quick:
        RESULTS.write_text(report, encoding="utf-8")


def _start_up(folder: Path) -> list[tuple[str, Cost, Cost]]:
    """What short processes cost, and as a ratio against loading the three libraries."""
    repo = folder / "one"
    measure(python("-m", "reconciler", "init", str(repo)), folder=folder, env=ENVIRONMENT)
    costs: dict[str, list[Cost]] = {name: [] for name in START}
    for turn in range(START_ROUNDS + 1):
        for name, command in START.items():
            cost = measure(command, folder=repo, env=ENVIRONMENT)
            if turn:  # the first fills the caches
                costs[name].append(cost)
    base = costs[f"python -c '{LIBRARIES}'"]
    return [(name, middle(found), _ratio(found, base)) for name, found in costs.items()]


def _fleet(count: int, rounds: int, folder: str) -> Iterator[Row]:
    specs = fleet.clients(count)
    with _served(count) as served:
        env = ENVIRONMENT | served["env"]
        record = _record(Path(folder) / f"{count}", specs, served["ids"], env)
        for per_file in PER_FILE:
            print(f"# {count:,} clients, {per_file} to a file, {rounds} rounds", flush=True)
            repo = Path(folder) / f"{count}-{per_file}"
            _lay_out(repo, _changed(specs), None, per_file, env)
            shutil.copytree(record, repo / record.name)
            yield from _rows(count, per_file, _rounds(repo, env, rounds))


@contextlib.contextmanager
def _served(count: int) -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own, so that its work is not counted as ours."""
    process = subprocess.Popen(
        python(str(HERE / "server.py"), str(count)),
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def _record(
    repo: Path, specs: Sequence[dict[str, Any]], ids: Sequence[str], env: dict[str, str]
) -> Path:
    """Have every client adopted, and give the folder of the inventory that knows them all."""
    _lay_out(repo, specs, ids, PER_FILE[-1], env)
    measure(python("-m", "reconciler", "apply", "--auto-approve"), folder=repo, env=env)
    return repo / ".reconciler"


def _lay_out(
    repo: Path,
    specs: Sequence[dict[str, Any]],
    ids: Sequence[str] | None,
    per_file: int,
    env: dict[str, str],
) -> None:
    fleet.write(repo / "clients", specs, ids, per_file)
    project = fleet.project(env["SAILPOINT_URL"])
    (repo / "reconciler.yaml").write_text(project, encoding="utf-8")


def _changed(specs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let a few clients differ from their server, so that a plan has something to say."""
    changed = [dict(spec) for spec in specs]
    for number in range(0, len(specs), len(specs) // DIFFERING):
        changed[number]["accessTokenValiditySeconds"] = 900
    return changed


def _rounds(repo: Path, env: dict[str, str], rounds: int) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {name: [] for name in COMMANDS}
    for turn in range(rounds + 1):
        for name, command in COMMANDS.items():
            cost = measure(command, folder=repo, env=env, expect=EXPECTED.get(name, 0))
            if turn:  # the first fills the caches
                costs[name].append(cost)
    return costs


def _rows(count: int, per_file: int, costs: dict[str, list[Cost]]) -> Iterator[Row]:
    base = costs["yaml.load"]
    for name, found in costs.items():
        cost, ratio = middle(found), _ratio(found, base)
        yield Row(clients=count, per_file=per_file, name=name, cost=cost, ratio=ratio)


def _ratio(found: Sequence[Cost], base: Sequence[Cost]) -> Cost:
    """The median of each round's own ratio: what slowed a whole round down does not show."""
    return middle(one / other for one, other in zip(found, base, strict=True))


def _report(
    rows: Sequence[Row], start_up: Sequence[tuple[str, Cost, Cost]], rounds: dict[int, int]
) -> str:
    lines = [
        "# Results",
        "",
        "Written by `make bench`. Whole processes, start-up included; medians; ratios against",
        "`yaml.load(..., Loader=CSafeLoader)` over the same files, taking turns in one run. Below 1 is faster.",
        "`plan` reads its live state from the sandbox in another process, 20 ms of latency a request.",
        "",
        _machine(),
        f"Rounds: {', '.join(f'{often} for {count:,} clients' for count, often in rounds.items())}.",
        "",
        "| clients | to a file | command | wall s | cpu s | wall ratio | cpu ratio | goal |",
        "|--:|--:|---|--:|--:|--:|--:|---|",
        *map(_line, rows),
        "",
        f"Start-up, {START_ROUNDS} rounds; ratios against loading click, yaml and jsonschema-rs.",
        "",
        "| process | wall ms | cpu ms | wall ratio | cpu ratio | goal |",
        "|---|--:|--:|--:|--:|---|",
        *(_start_line(*each) for each in start_up),
    ]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    return (
        f"Machine: {os.cpu_count()} cores, {platform.machine()}, {platform.system()}; "
        f"Python {platform.python_version()}."
    )


def _line(row: Row) -> str:
    verdict = _verdict(GOALS.get(row.name), row.ratio.wall)
    return (
        f"| {row.clients:,} | {row.per_file} | `{row.name}` | {row.cost.wall:.2f} | {row.cost.cpu:.2f} "
        f"| {row.ratio.wall:.2f} | {row.ratio.cpu:.2f} | {verdict} |"
    )


def _start_line(name: str, cost: Cost, ratio: Cost) -> str:
    # By the CPU: a short process waits for the disk longer than it takes.
    verdict = _verdict(START_GOAL if "validate" in name else None, ratio.cpu)
    return (
        f"| `{name}` | {cost.wall * 1e3:.0f} | {cost.cpu * 1e3:.0f} "
        f"| {ratio.wall:.2f} | {ratio.cpu:.2f} | {verdict} |"
    )


def _verdict(goal: float | None, ratio: float) -> str:
    return "" if goal is None else f"{goal:.1f} {'met' if ratio <= goal else 'missed'}"


if __name__ == "__main__":
    main()
