"""What contributors run beside the tests: hooks before a commit, all Pythons, the check before a release."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import every_python
import interpreters
import pytest
import release_check
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements-dev.lock").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
OFFERED = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
# Commands whose distribution has another name.
DISTRIBUTIONS = {"lint-imports": "import-linter"}


def hooks() -> list[dict[str, object]]:
    return [hook for repo in HOOKS for hook in repo["hooks"]]


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
def test_a_hook_runs_a_tool_that_the_lock_pins_and_needs_no_environment_to_be_there(hook):
    script, tool, *arguments = hook["entry"].split()

    assert script == "tools/run.sh"
    assert os.access(ROOT / script, os.X_OK)
    assert hook["language"] == "system"
    if tool == "python":
        assert (ROOT / arguments[0]).is_file()
    else:
        assert re.search(rf"^{DISTRIBUTIONS.get(tool, tool)}==", LOCK, re.MULTILINE)


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
def test_no_two_calls_of_a_hook_set_the_environment_up_at_once(hook):
    assert hook.get("require_serial") is True or hook["pass_filenames"] is False


def test_the_script_of_the_hooks_sets_the_environment_up_first(tmp_path):
    script = tmp_path / "tools" / "run.sh"
    script.parent.mkdir()
    shutil.copy(ROOT / "tools" / "run.sh", script)
    made = "ready:\n\tmkdir -p .venv/bin\n\tprintf '#!/bin/sh\\necho \"$$@\"\\n' > .venv/bin/tool\n"
    (tmp_path / "Makefile").write_text(f"{made}\tchmod +x .venv/bin/tool\n")

    done = subprocess.run(
        [script, "tool", "a b", "c"], cwd="/", capture_output=True, text=True, check=True
    )

    assert done.stdout == "a b c\n"
    assert re.search(r"^ready: \$\(READY\)", MAKEFILE, re.MULTILINE)


def test_the_hook_for_users_takes_their_project_and_client_files_and_no_others():
    (hook,) = OFFERED
    wanted = ["reconciler.yaml", "clients/web.yaml", "iam/clients/shop/web.yml"]
    others = ["docs/reconciler.yaml.md", "values.yaml", "clients.yaml"]

    assert hook["language"] == "python"
    assert hook["entry"].split() == [next(iter(PROJECT["scripts"])), "validate"]
    assert [path for path in [*wanted, *others] if re.search(hook["files"], path)] == wanted


def test_the_pythons_that_are_claimed_begin_with_the_oldest_that_is_taken():
    versions = interpreters.claimed(PROJECT["classifiers"])

    assert PROJECT["requires-python"] == f">={versions[0]}"
    minors = [int(version.removeprefix("3.")) for version in versions]
    assert minors == list(range(minors[0], minors[0] + len(minors)))


def command(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo 3.99", True),
        ("echo 3.98", False),
        ("echo command not found >&2; exit 127", False),
        ("echo 3.99; exit 1", False),
    ],
    ids=["right", "another version", "a name that leads nowhere", "without ensurepip"],
)
def test_only_an_interpreter_that_answers_with_its_version_is_found(
    tmp_path, monkeypatch, script, found
):
    path = command(tmp_path, "python3.99", script)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert interpreters.find("3.99") == (str(path) if found else None)


def test_an_interpreter_that_pyenv_has_and_does_not_show_is_found(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    command(tmp_path, "pyenv", f'[ "$1" = whence ] && echo 3.99.1 || echo {tmp_path}')
    command(tmp_path, "python3.99", "exit 127")
    path = command(tmp_path / "bin", "python3.99", "echo 3.99")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert interpreters.find("3.99") == str(path)


def test_the_interpreter_that_runs_is_one_of_those_that_are_found():
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    assert interpreters.find(version) == sys.executable


def test_the_lowest_versions_are_those_that_the_bounds_name():
    pins = every_python.lowest(["click>=8.2,<9", "boto3>=1.35,<2", "pyyaml>=6.0.2,<7"])

    assert pins == ["click==8.2", "pyyaml==6.0.2"]
    assert every_python.lowest(["pyjwt[crypto]>=2.10,<3"]) == ["pyjwt==2.10"]
    # Every dependency has a lower bound to be held to; an extra of one is the same distribution.
    names = {re.split(r"[\[<>=]", each)[0] for each in interpreters.asked()}
    pinned = {each.split("==")[0] for each in every_python.lowest(interpreters.asked())}
    assert pinned == names - {"boto3"}


@pytest.mark.parametrize(
    ("results", "code"),
    [
        (["passed", "skipped: not here"], 0),
        (["passed", "failed: pytest ended with 1"], 1),
        (["skipped: not here"], 1),
    ],
)
def test_a_run_in_which_no_python_was_there_is_no_success(results, code):
    assert every_python.exit_code(results) == code


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def changed(wheel: Path, folder: Path, name: str, content: bytes | None) -> Path:
    """A copy of a wheel in which one file is another one, or gone."""
    copy = folder / wheel.name
    with zipfile.ZipFile(copy, "w") as archive:
        for each, kept in release_check.contents(wheel).items():
            if not each.endswith(name):
                archive.writestr(each, kept)
            elif content is not None:
                archive.writestr(each, content)
    return copy


def test_the_metadata_of_the_wheel_is_whole(wheel):
    assert release_check.metadata_problems(wheel) == []


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("licenses/LICENSE", b"", "its licence file"),
        ("reconciler/py.typed", None, "its mark for type checkers"),
        ("METADATA", b"Version: 9\n\n# OAuth client reconciler", "its version"),
        ("entry_points.txt", b"", "its command"),
    ],
)
def test_a_wheel_that_lacks_something_is_refused(wheel, tmp_path, name, content, problem):
    lacking = changed(wheel, tmp_path, name, content)

    problems = release_check.metadata_problems(lacking)

    assert any(each.startswith(f"{problem} is not") for each in problems)


def test_two_wheels_differ_by_the_files_that_they_do_not_share(wheel, tmp_path):
    other = changed(wheel, tmp_path, "reconciler/py.typed", b"partial\n")

    assert release_check.differences(wheel, wheel) == []
    assert release_check.differences(wheel, other) == ["reconciler/py.typed"]


def test_a_version_that_the_changelog_does_not_name_is_refused():
    version = PROJECT["version"]

    with pytest.raises(release_check.Failed, match="no heading"):
        release_check.changelog_state("# Changelog\n")
    assert "not dated" in release_check.changelog_state(f"## [{version}] - Unreleased\n")
    assert "is dated" in release_check.changelog_state(f"## [{version}] - 2026-12-01\n")
