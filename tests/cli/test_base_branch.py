"""A plan in CI warns of a project file that differs from the base branch, unless a revision is trusted."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.vendors import make_provider

from reconciler.app.trust.base_branch import warn_of_changes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]

NAMED = {
    "GITHUB_BASE_REF": "main",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
    "BITBUCKET_PR_DESTINATION_BRANCH": "main",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main",
    "CHANGE_TARGET": "main",
}


def git(*words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *words], check=True, capture_output=True)


def commit() -> None:
    git("add", "-A")
    git("commit", "-q", "--allow-empty", "-m", "more")


@pytest.fixture(autouse=True)
def _no_pull_request() -> None:
    for variable in NAMED:
        os.environ.pop(variable, None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repo on a branch beside `main`, with a provider folder, a certificate and a key."""
    monkeypatch.chdir(tmp_path)
    make_provider(tmp_path / "vendors/acme", name="acme-cloud", kind="AcmeClient")
    (tmp_path / "ca.pem").write_text("certificate")
    (tmp_path / "key.txt").write_text("key")
    (tmp_path / "reconciler.yaml").write_text(
        "apiVersion: reconciler/v1\n"
        "kind: Project\n"
        "fingerprintKey: {file: key.txt}\n"
        "targets:\n"
        "  one:\n"
        "    provider: ./vendors/acme\n"
        "    baseUrl: https://one.example.com\n"
        "    caBundle: ca.pem\n"
        "    auth: {token: {env: TOKEN}}\n"
        "    manifests: [clients/*.yaml]\n"
    )
    git("init", "-q", "-b", "main")
    commit()
    git("switch", "-q", "-c", "work")
    return tmp_path


def edit_project(folder: Path) -> str:
    path = folder / "reconciler.yaml"
    path.write_text(path.read_text().replace("one.example.com", "two.example.com"))
    return "reconciler.yaml"


def break_project(folder: Path) -> str:
    (folder / "reconciler.yaml").write_text("broken: [")
    return "reconciler.yaml"


def add_schema_file(folder: Path) -> str:
    (folder / "vendors/acme/more.json").write_text("{}")
    return "./vendors/acme"


def edit_descriptor(folder: Path) -> str:
    with (folder / "vendors/acme/provider.yaml").open("a") as file:
        file.write("\n# more\n")
    return "./vendors/acme"


def take_descriptor_away(folder: Path) -> str:
    shutil.rmtree(folder / "vendors/acme")
    return "./vendors/acme"


def edit_certificate(folder: Path) -> str:
    (folder / "ca.pem").write_text("another")
    return "ca.pem"


def edit_key(folder: Path) -> str:
    (folder / "key.txt").write_text("chosen")
    return "key.txt"


EDITS = [
    edit_project,
    break_project,
    add_schema_file,
    edit_descriptor,
    take_descriptor_away,
    edit_certificate,
    edit_key,
]


@pytest.mark.parametrize("edit", EDITS)
def test_what_differs_from_the_base_branch_is_warned_of(
    folder: Path, edit: Callable[[Path], str]
) -> None:
    os.environ["GITHUB_BASE_REF"] = "main"
    assert warn_of_changes("reconciler.yaml") == ()
    name = edit(folder)
    commit()

    (warning,) = warn_of_changes("reconciler.yaml")

    assert warning.startswith(f"{name} is not as in main: ")
    assert "--trust main" in warning


@pytest.mark.parametrize("variable", NAMED)
def test_base_branch_is_the_one_that_the_runner_names(folder: Path, variable: str) -> None:
    edit_project(folder)
    assert warn_of_changes("reconciler.yaml") == ()
    os.environ[variable] = NAMED[variable]

    assert len(warn_of_changes("reconciler.yaml")) == 1


def test_fetched_branch_comes_before_the_local_one(folder: Path) -> None:
    os.environ["GITHUB_BASE_REF"] = "main"
    edit_project(folder)
    commit()
    git("update-ref", "refs/remotes/origin/main", "main")
    git("branch", "-f", "main", "work")

    (warning,) = warn_of_changes("reconciler.yaml")

    assert "--trust origin/main" in warning


def test_main_branch_of_the_server_is_asked_where_the_runner_names_none(folder: Path) -> None:
    os.environ["CI"] = "true"
    edit_project(folder)
    assert warn_of_changes("reconciler.yaml") == ()
    git("update-ref", "refs/remotes/origin/main", "main")
    git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")

    assert len(warn_of_changes("reconciler.yaml")) == 1


def test_line_ends_of_the_checkout_are_no_change(folder: Path) -> None:
    os.environ["GITHUB_BASE_REF"] = "main"
    path = folder / "reconciler.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert warn_of_changes("reconciler.yaml") == ()


def test_manifests_are_what_a_pull_request_is_for(folder: Path) -> None:
    os.environ["GITHUB_BASE_REF"] = "main"
    (folder / "clients").mkdir()
    (folder / "clients/a.yaml").write_text("a: 1")

    assert warn_of_changes("reconciler.yaml") == ()


def test_base_branch_that_is_not_here_is_warned_of(folder: Path) -> None:
    os.environ["GITHUB_BASE_REF"] = "release"
    edit_project(folder)

    (warning,) = warn_of_changes("reconciler.yaml")

    assert "the branch release is not here" in warning


def test_what_git_does_not_tell_is_warned_of(folder: Path) -> None:
    os.environ["GITHUB_BASE_REF"] = "main"
    shutil.rmtree(folder / ".git")

    (warning,) = warn_of_changes("reconciler.yaml")

    assert "is not known" in warning
    os.environ.pop("GITHUB_BASE_REF")
    os.environ["CI"] = "true"
    assert warn_of_changes("reconciler.yaml") == (), "no pull request is planned"


def test_plan_says_it_on_stderr(repo: Repo, invoke: Invoke) -> None:
    git("init", "-q", "-b", "main")
    commit()
    os.environ["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = "main"
    repo.write_project(inventory={"directory": "elsewhere"})

    done = invoke("plan", "--format", "json")

    assert "warning: reconciler.yaml is not as in main" in done.stderr
    assert "is not as in" not in done.stdout
    assert "is not as in" not in invoke("plan", "--trust", "main").stderr
