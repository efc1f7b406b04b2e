"""Reads what pyproject.toml claims, and finds an interpreter for each Python in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).resolve().parents[1]
_CLASSIFIER: Final = "Programming Language :: Python :: "
# Debian takes ensurepip out of its Python: without it an environment has no pip.
_PROBE: Final = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"


def project() -> Mapping[str, object]:
    """The table `project` of pyproject.toml."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: Mapping[str, object] = document["project"]
    return found


def claimed(classifiers: object) -> list[str]:
    """The versions that classifiers name, such as 3.12, in their order."""
    assert isinstance(classifiers, list)
    return [
        one.removeprefix(_CLASSIFIER)
        for one in classifiers
        if one.startswith(_CLASSIFIER) and "." in one.removeprefix(_CLASSIFIER)
    ]


def asked() -> list[str]:
    """What the project and its extras ask for, as pyproject.toml states it."""
    stated = project()
    extras = stated["optional-dependencies"]
    assert isinstance(extras, dict)
    return [each for group in (stated["dependencies"], *extras.values()) for each in group]


def find(version: str) -> str | None:
    """The path of an interpreter of this version that can make environments, None where there is none."""
    return next((path for path in _candidates(version) if _answers(path, version)), None)


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    named = shutil.which(f"python{version}")
    if named is not None:
        yield named
    # pyenv puts a command on PATH that answers only for the version that is chosen at the moment.
    for full in reversed(_said("pyenv", "whence", f"python{version}")):
        for prefix in _said("pyenv", "prefix", full):
            yield str(Path(prefix) / "bin" / f"python{version}")
    yield from _said("uv", "python", "find", "--no-python-downloads", version)


def _answers(path: str, version: str) -> bool:
    return _said(path, "-c", _PROBE) == [version]


def _said(*command: str) -> list[str]:
    """The lines that a command printed, none where it is not there or failed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.split("\n")[:-1]
