"""Runs the tests on every Python that the classifiers claim, in an environment each from the lock.

python tools/every_python.py [--environments PREFIX] [PYTEST ARGUMENTS]

Says at the end which versions were run and which were not there. Fails where a run failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from interpreters import ROOT, claimed, find, project

_INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
_SOURCES = ("requirements-dev.lock", "pyproject.toml")


def main() -> int:
    """Run them all, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--environments", default=".venv", metavar="PREFIX")
    stated, arguments = parser.parse_known_args()
    results = {
        version: tested(version, ROOT / f"{stated.environments}-{version}", arguments)
        for version in claimed(project()["classifiers"])
    }
    print("\n".join(f"Python {version}: {result}" for version, result in results.items()))
    if all(result.startswith("skipped") for result in results.values()):
        print("No Python that the classifiers claim is here.")
        return 1
    return int(any(result.startswith("failed") for result in results.values()))


def tested(version: str, environment: Path, arguments: list[str]) -> str:
    """What came of the tests on one version, in words."""
    interpreter = find(version)
    if interpreter is None:
        return "skipped: there is no interpreter of this version with venv and ensurepip"
    print(f"== Python {version}, {interpreter}", flush=True)
    if not prepared(interpreter, environment):
        return "failed: the lock could not be installed"
    pytest = [environment / "bin" / "python", "-m", "pytest", "--numprocesses=2", "--quiet"]
    done = subprocess.run([*map(str, pytest), *arguments], cwd=ROOT, check=False)
    return "passed" if done.returncode == 0 else f"failed: pytest ended with {done.returncode}"


def prepared(interpreter: str, environment: Path) -> bool:
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
    for command in commands:
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            return False
    ready.touch()
    return True


if __name__ == "__main__":
    sys.exit(main())
