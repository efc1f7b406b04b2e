"""The built wheel works by itself, in an environment that has never seen the source tree."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """A clean environment with the wheel; its dependencies, which need no test, are lent to it."""
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, with_pip=False, symlinks=True)
    scripts = sysconfig.get_path("scripts", "venv", {"base": str(folder)})
    site = sysconfig.get_path("purelib", "venv", {"base": str(folder)})
    lent = Path(site) / "lent.pth"
    # A plain path: .pth files inside of it, an editable install among them, are not followed.
    lent.write_text(sysconfig.get_path("purelib"))
    run(
        *(sys.executable, "-m", "pip", "--python", Path(scripts) / "python", "install", "--quiet"),
        *("--no-index", "--no-deps", "--disable-pip-version-check", wheel),
        cwd=folder,
    )
    return Path(scripts) / "python"


def test_the_wheel_carries_what_the_tool_reads(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())

    for vendor in ("provident", "sailpoint", "boruta"):
        assert f"reconciler/schemas/{vendor}/provider.yaml" in names
        assert f"reconciler/schemas/{vendor}/manifest.schema.json" in names
    assert "reconciler/examples/reconciler.yaml" in names
    assert "reconciler/py.typed" in names
    assert not [name for name in names if name.startswith("tests/")]


def test_the_installed_package_is_the_wheel_and_not_the_tree(python, tmp_path):
    where = run(python, "-c", "import reconciler; print(reconciler.__file__)", cwd=tmp_path)

    assert str(ROOT) not in where.stdout


def test_the_demo_runs_from_the_installed_wheel(python, tmp_path):
    command = python.parent / "reconciler"

    told = run(command, "demo", cwd=tmp_path).stdout

    assert "every step came out as it should" in told
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_that_of_the_wheel(python, tmp_path, wheel):
    told = run(python.parent / "reconciler", "--version", cwd=tmp_path).stdout

    assert wheel.name.split("-")[1] in told


def test_the_sinks_are_found_as_entry_points_of_the_wheel(python, tmp_path):
    names = "from importlib.metadata import entry_points as e; "
    names += "print(sorted(x.name for x in e(group='reconciler.sinks') if x.load()))"

    done = run(python, "-c", names, cwd=tmp_path)

    assert done.stdout == "['age', 'aws-secretsmanager', 'exec', 'file']\n"
