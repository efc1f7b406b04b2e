"""Builds the distributions, and proves that they can be installed and used where no source tree is.

python tools/release_check.py    run by `make release-check`

Builds sdist and wheel into dist/, builds the wheel again from the sdist and compares, checks the
metadata, then installs the wheel with all its extras on every Python that is found, with the lowest
versions of what it needs and with the newest, and runs the demo and the examples there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from email import message_from_bytes
from pathlib import Path
from typing import Final

from interpreters import ROOT, asked, claimed, find, project
from trove_classifiers import classifiers as known_classifiers

_DIST: Final = ROOT / "dist"
_RESOLUTIONS: Final = {"lowest": "lowest-direct", "newest": "highest"}
_EXTRAS: Final = "age,aws,jwt,object,sandbox"
# What the extras and the sinks bring has to be there to be imported.
_IMPORTS: Final = (
    "import boto3, jwt, obstore, pyrage, reconciler; from importlib.metadata import entry_points; "
    "[one.load() for one in entry_points(group='reconciler.sinks')]; print(reconciler.__file__)"
)


class Failed(Exception):
    """Something that must not be released; the message says what."""


def main() -> int:
    """Check everything, print what was found, and give the exit code."""
    try:
        with tempfile.TemporaryDirectory() as scratch:
            check(Path(scratch))
    except Failed as failure:
        print(f"FAILED: {failure}")
        return 1
    print("All of it is as it has to be. What was checked is in dist/.")
    return 0


def check(scratch: Path) -> None:
    """Build, compare, look into it, install and run. Raises Failed."""
    shutil.rmtree(_DIST, ignore_errors=True)
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", cwd=ROOT)
    (sdist,), (wheel,) = _DIST.glob("*.tar.gz"), _DIST.glob("*.whl")
    source = unpacked(sdist, scratch / "source")
    again = scratch / "again"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", again, cwd=source)
    differ = differences(wheel, next(again.glob("*.whl")))
    if differ:
        raise Failed(f"the wheel of the sdist is another one: {', '.join(differ)}")
    problems = metadata_problems(wheel)
    if problems:
        raise Failed("; ".join(problems))
    print(f"built {sdist.name} and {wheel.name}, alike; the metadata is whole")
    print(changelog_state((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    install_everywhere(wheel, source / "examples", scratch)


def unpacked(sdist: Path, folder: Path) -> Path:
    """The one folder that an sdist holds."""
    with tarfile.open(sdist) as archive:
        # Python 3.11.4 brought filters, and 3.14 wants one; Debian 12 has 3.11.2. The archive is our own.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _path: member)
        archive.extractall(folder)
    (source,) = folder.iterdir()
    return source


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def differences(one: Path, other: Path) -> list[str]:
    """The names of the files that two wheels do not share."""
    first, second = contents(one), contents(other)
    names = sorted(first.keys() | second.keys())
    return [name for name in names if first.get(name) != second.get(name)]


def metadata_problems(wheel: Path) -> list[str]:
    """What is wrong with what a wheel says of itself, a sentence each."""
    stated, files = project(), contents(wheel)
    version = stated["version"]
    folder = f"oauth_client_reconciler-{version}.dist-info"
    if f"{folder}/METADATA" not in files:
        return [f"the wheel is not one of version {version}"]
    metadata = message_from_bytes(files[f"{folder}/METADATA"])
    found = metadata.get_all("Classifier", [])
    wanted = {
        "its version": metadata["Version"] == version,
        "its classifiers": found == stated["classifiers"] and set(found) <= set(known_classifiers),
        "the Pythons that it takes": metadata["Requires-Python"] == stated["requires-python"],
        "its licence": metadata["License-Expression"] == stated["license"],
        "its description": "# OAuth client reconciler" in str(metadata.get_payload()),
        "its licence file": files.get(f"{folder}/licenses/LICENSE")
        == (ROOT / "LICENSE").read_bytes(),
        "its mark for type checkers": "reconciler/py.typed" in files,
        "its command": b"reconciler = reconciler.cli:main" in files[f"{folder}/entry_points.txt"],
    }
    return [
        f"{what} is not as pyproject.toml has it" for what, right in wanted.items() if not right
    ]


def changelog_state(text: str) -> str:
    """What the changelog says of this version. Raises Failed where it says nothing."""
    version = project()["version"]
    heading = next((line for line in text.splitlines() if line.startswith(f"## [{version}]")), None)
    if heading is None:
        raise Failed(f"CHANGELOG.md has no heading for {version}")
    dated = "is not dated yet" if "Unreleased" in heading else "is dated"
    return f"CHANGELOG.md: {version} {dated}"


def install_everywhere(wheel: Path, examples: Path, scratch: Path) -> None:
    """Install and run on each Python that is here. Raises Failed where one fails or none is here."""
    uv = scratch / "uv" / "bin" / "uv"
    run(sys.executable, "-m", "venv", scratch / "uv", cwd=scratch)
    run(uv.with_name("python"), "-m", "pip", "install", "--quiet", "uv", cwd=scratch)
    used = 0
    for version in claimed(project()["classifiers"]):
        interpreter = find(version)
        if interpreter is None:
            print(f"Python {version}: skipped, there is no interpreter of this version")
            continue
        for name, resolution in _RESOLUTIONS.items():
            environment = scratch / f"{version}-{name}"
            run(interpreter, "-m", "venv", "--without-pip", environment, cwd=scratch)
            python = environment / "bin" / "python"
            command = (uv, "pip", "install", "--quiet", "--python", python)
            # Only what is asked for directly is resolved to its lowest: not what a wheel asks for.
            run(*command, "--resolution", resolution, f"{wheel}[{_EXTRAS}]", *asked(), cwd=scratch)
            use(python, examples, scratch)
            versions = run(uv, "pip", "freeze", "--python", python, cwd=scratch)
            print(f"Python {version}, {name}: the demo and the examples work, with")
            print(f"  {direct(versions)}", flush=True)
        used += 1
    if not used:
        raise Failed("no Python that the classifiers claim is here")


def use(python: Path, examples: Path, scratch: Path) -> None:
    """Run the demo and validate the examples with what is installed there. Raises Failed."""
    where = run(python, "-c", _IMPORTS, cwd=scratch)
    if str(python.parents[1]) not in where:
        raise Failed(f"{where.strip()} is imported, and not what was installed")
    command = python.with_name("reconciler")
    printed = run(command, "--version", cwd=scratch)
    if str(project()["version"]) not in printed:
        raise Failed(f"--version says {printed.strip()}")
    if "every step came out as it should" not in run(command, "demo", cwd=scratch):
        raise Failed("the demo did not come out as it should")
    run(command, "validate", "--project", examples, cwd=scratch)


def direct(frozen: str) -> str:
    """Of all versions that are installed, those of what the project itself asks for."""
    names = {each.partition(">")[0] for each in asked()}
    return " ".join(line for line in frozen.splitlines() if line.partition("==")[0] in names)


def run(*command: str | Path, cwd: Path) -> str:
    """What a command printed, run where no source tree is on the path. Raises Failed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=cwd, env=kept, capture_output=True, text=True, check=False, errors="replace"
    )
    if done.returncode != 0:
        words = " ".join(map(str, command))
        raise Failed(f"`{words}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
