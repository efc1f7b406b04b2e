"""The lock of the development tools is whole: nothing that is released later can change what is installed."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ENTRY = re.compile(
    r"^(?P<pin>[A-Za-z0-9][^\\\n]*?) \\\n(?P<hashes>(?:    --hash=[^\n]+\n)+)", re.MULTILINE
)


def locked() -> dict[str, Requirement]:
    """What the lock pins, by canonical name."""
    text = (ROOT / "requirements-dev.lock").read_text()
    pins = [Requirement(match["pin"]) for match in ENTRY.finditer(text)]
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pins) == len(lines), "a line of the lock has no hash"
    return {canonicalize_name(pin.name): pin for pin in pins}


LOCKED = locked()


def asked(requirements: list[str], extras: set[str]) -> list[Requirement]:
    """The requirements that count on this machine, for a distribution with these extras."""
    parsed = map(Requirement, requirements)
    return [
        each
        for each in parsed
        if each.marker is None
        or any(each.marker.evaluate({"extra": extra}) for extra in extras | {""})
    ]


def roots() -> list[Requirement]:
    """What `make` installs: the package with its sandbox, the development tools, and what builds it."""
    project = PROJECT["project"]
    return asked(
        [
            *project["dependencies"],
            *project["optional-dependencies"]["sandbox"],
            *PROJECT["dependency-groups"]["dev"],
            *PROJECT["build-system"]["requires"],
        ],
        set(),
    )


def needed() -> dict[str, list[tuple[str, Requirement]]]:
    """Every requirement that installed distributions state for their locked extras, by who states it."""
    found = {"pyproject.toml": [("pyproject.toml", each) for each in roots()]}
    for name, pin in LOCKED.items():
        if pin.marker is not None and not pin.marker.evaluate():
            continue
        stated = metadata.distribution(name).requires or []
        found[name] = [(name, each) for each in asked(stated, set(pin.extras))]
    return found


NEEDED = [pair for pairs in needed().values() for pair in pairs]


def test_every_line_pins_one_version_with_its_hashes():
    loose = [
        str(pin)
        for pin in LOCKED.values()
        if [spec.operator for spec in pin.specifier] != ["=="] or "*" in str(pin.specifier)
    ]

    assert loose == []


@pytest.mark.parametrize(
    ("who", "requirement"), NEEDED, ids=[f"{who}:{each.name}" for who, each in NEEDED]
)
def test_what_is_asked_for_is_in_the_lock_with_its_extras_and_in_its_range(who, requirement):
    pin = LOCKED.get(canonicalize_name(requirement.name))

    assert pin is not None, f"{who} needs {requirement}, and the lock does not have it"
    (version,) = (spec.version for spec in pin.specifier)
    assert requirement.specifier.contains(version, prereleases=True)
    # pip before 24 looks for a newest release of its own where an extra is asked for and not pinned.
    assert requirement.extras <= pin.extras


def test_the_environment_is_installed_from_the_lock_alone():
    makefile = (ROOT / "Makefile").read_text()

    installs = [line for line in makefile.splitlines() if "$(BIN)/python -m pip install" in line]
    assert installs
    for line in installs:
        assert "--no-deps" in line
        assert "--require-hashes" in line or "--no-build-isolation" in line
