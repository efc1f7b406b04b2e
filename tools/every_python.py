"""Runs the tests on every Python that the classifiers claim, in an environment each from the lock.

python tools/every_python.py [--environments PREFIX] [--lowest] [PYTEST ARGUMENTS]

Says at the end which versions were run and which were not there. Fails where a run failed. With
--lowest, only the oldest Python that is there is run, with the lowest version of each dependency.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from interpreters import ROOT, asked, claimed, find, project

if TYPE_CHECKING:
    from pathlib import Path

_INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
_SOURCES = ("requirements-dev.lock", "pyproject.toml")


def main() -> int:
    """Run them all, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], allow_abbrev=False)
    parser.add_argument("--environments", default=".venv", metavar="PREFIX")
    parser.add_argument("--lowest", action="store_true")
    stated, arguments = parser.parse_known_args()
    prefix = f"{stated.environments}-lowest" if stated.lowest else stated.environments
    pins = lowest(asked()) if stated.lowest else []
    results: dict[str, str] = {}
    for version in claimed(project()["classifiers"]):
        interpreter = find(version)
        if interpreter is None:
            results[version] = "skipped: no interpreter of it is here that has venv and ensurepip"
            continue
        results[version] = tested(interpreter, ROOT / f"{prefix}-{version}", pins, arguments)
        if stated.lowest:
            break
    print("\n".join(f"Python {version}: {result}" for version, result in results.items()))
    return exit_code(list(results.values()))


def exit_code(results: list[str]) -> int:
    """1 where a run failed, or where no claimed Python was there to run."""
    return int("passed" not in results or any(each.startswith("failed") for each in results))


def lowest(requirements: list[str]) -> list[str]:
    """The first version that each requirement allows, as a pin."""
    found = [re.match(r"([\w.-]+)(?:\[[^]]*\])?>=([\w.]+)", each) for each in requirements]
    # A set, for a distribution is asked for by itself and for an extra of it.
    pins = sorted({(match[1], match[2]) for match in found if match is not None})
    # The servers that play AWS in the tests are of another boto3; the release check installs this one.
    return [f"{name}=={version}" for name, version in pins if name != "boto3"]


def tested(interpreter: str, environment: Path, pins: list[str], arguments: list[str]) -> str:
    """What came of the tests by one interpreter, in words."""
    print(f"== {environment.name}, {interpreter}", flush=True)
    if not prepared(interpreter, environment, pins):
        return "failed: its environment could not be installed"
    pytest = [environment / "bin" / "python", "-m", "pytest", "--numprocesses=2", "--quiet"]
    done = subprocess.run([*map(str, pytest), *arguments], cwd=ROOT, check=False)
    return "passed" if done.returncode == 0 else f"failed: pytest ended with {done.returncode}"


def prepared(interpreter: str, environment: Path, pins: list[str]) -> bool:
    """Whether the environment holds what the lock says now; it is made anew where it does not."""
    ready, python = environment / ".ready", environment / "bin" / "python"
    newest = max((ROOT / name).stat().st_mtime for name in _SOURCES)
    if ready.exists() and ready.stat().st_mtime >= newest:
        return True
    commands: list[list[str | Path]] = [
        [interpreter, "-m", "venv", "--clear", environment],
        [python, *_INSTALL, "--require-hashes", "--requirement", "requirements-dev.lock"],
        [python, *_INSTALL, "--no-build-isolation", "--editable", "."],
    ]
    if pins:
        commands.append([python, *_INSTALL, *pins])
    for command in commands:
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            return False
    ready.touch()
    return True


if __name__ == "__main__":
    sys.exit(main())
