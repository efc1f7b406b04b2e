"""Whole runs in a repository whose links and `.gitignore` files somebody else wrote: no secret gets into git."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]

GIT = ("git", "-c", "user.name=x", "-c", "user.email=x@x.example")
FAILS = {"sink": "exec", "command": ["false"]}
SECRETS = ".reconciler/secrets"
INVENTORY = ".reconciler/inventory"


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*GIT, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def leaked(folder: Path) -> list[str]:
    """The files that `git add` takes and that hold a secret of a client."""
    git(folder, "add", "-A")
    names = [folder / name for name in git(folder, "ls-files").splitlines()]
    files = [path for path in names if path.is_file() and not path.is_symlink()]
    return [str(path) for path in files if "client_secret" in path.read_text("utf-8", "replace")]


def link(path: str, to: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(to)

    return make


def text(path: str, content: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)

    return make


# What stands in the repository, and what the project says of secrets.
HOSTILE: dict[str, tuple[Callable[[Path], None], dict[str, object]]] = {
    "a link beside the record": (link(f"{SECRETS}/sailpoint", "../inventory"), {}),
    "a link into the record": (link(f"{SECRETS}/sailpoint", "../inventory/sailpoint"), {}),
    "a link to the manifests": (link(f"{SECRETS}/sailpoint", "../../clients"), {}),
    "a link for all secrets": (link(SECRETS, "../clients"), {}),
    "a link out of the project": (link(SECRETS, "../../outside"), {}),
    "all taken back": (text(f"{SECRETS}/.gitignore", "!*\n"), {}),
    "nothing ignored": (text(f"{SECRETS}/.gitignore", ""), {}),
    "one client taken back": (text(f"{SECRETS}/.gitignore", "*\n!*/\n!web.json\n"), {}),
    "a spool that ignores nothing": (text(f"{INVENTORY}/.spool/.gitignore", ""), FAILS),
    "a spool that takes one back": (
        text(f"{INVENTORY}/.spool/.gitignore", "*\n!sailpoint@*\n"), FAILS,
    ),
    "a link for the spool": (link(f"{INVENTORY}/.spool", "../../clients"), FAILS),
    "a link for the locks": (link(f"{INVENTORY}/.locks", "../../clients"), {}),
    "a link for the journal": (link(f"{INVENTORY}/sailpoint.journal", "../../README.md"), {}),
    "a link for the record": (link(f"{INVENTORY}/sailpoint", "../../clients"), {}),
    "secrets among manifests": (text("README.md", ""), {"sink": "file", "directory": "clients"}),
    "secrets in the record": (text("README.md", ""), {"sink": "file", "directory": INVENTORY}),
}  # fmt: skip


@pytest.mark.parametrize(("arrange", "secrets"), HOSTILE.values(), ids=HOSTILE)
def test_no_secret_is_made_that_git_would_take_or_a_link_would_lead_away(
    repo: Repo, invoke: Invoke, arrange: Callable[[Path], None], secrets: dict[str, object]
) -> None:
    if secrets:
        repo.write_project(sailpoint={"secrets": secrets})
    git(repo.folder, "init", "-q")
    arrange(repo.folder)
    repo.sandbox.forget_requests()

    done = invoke("apply", "--auto-approve", "--target", "sailpoint")

    assert done.exit_code == 1
    assert repo.writes() == []
    assert leaked(repo.folder) == []
    assert [path for path in (repo.folder / "clients").iterdir() if path.suffix == ".json"] == []


def test_a_secret_that_only_git_refuses_waits_in_the_spool(repo: Repo, invoke: Invoke) -> None:
    git(repo.folder, "init", "-q")
    (repo.folder / SECRETS / "sailpoint").mkdir(parents=True)
    (repo.folder / SECRETS / ".gitignore").write_text("sailpoint/b.json\n[a-c]/\n")

    done = invoke("apply", "--auto-approve", "--target", "sailpoint")

    assert done.exit_code == 5
    assert leaked(repo.folder) == []
    (waiting,) = (repo.folder / INVENTORY / ".spool").glob("*.json")
    assert json.loads(waiting.read_text())["key"] == "web"
    assert "no .gitignore keeps it out" in done.output


def test_no_secret_is_changed_while_git_would_take_the_file_that_it_may_wait_in(
    repo: Repo, invoke: Invoke
) -> None:
    git(repo.folder, "init", "-q")
    assert invoke("apply", "--auto-approve", "--target", "boruta").exit_code == 0
    text(f"{INVENTORY}/.spool/.gitignore", "")(repo.folder)
    repo.sandbox.forget_requests()

    done = invoke("rotate", "web", "--target", "boruta", "--auto-approve")

    assert done.exit_code == 1
    assert repo.writes() == []
    assert "git would take" in done.output


@pytest.mark.parametrize("into", ["clients/linked", "clients/linked/deeper"])
def test_nothing_is_imported_through_a_link(repo: Repo, invoke: Invoke, into: str) -> None:
    outside = repo.folder.parent / f"{repo.folder.name}-outside"
    (outside / "deeper").mkdir(parents=True)
    repo.write_project(sailpoint={"manifests": ["clients/**/*.yaml", "!clients/linked"]})
    repo.sandbox.seed("sailpoint", [{"name": "Theirs"}])
    (repo.folder / "clients/linked").symlink_to(outside)

    done = invoke("import", "sailpoint", "--all", "--into", into)

    assert done.exit_code == 1
    assert [path.name for path in outside.iterdir()] == ["deeper"]
    assert list((outside / "deeper").iterdir()) == []


@pytest.mark.parametrize(
    "named", ["clients", "{here}/clients", SECRETS, INVENTORY, ".", "kept/../clients"]
)
def test_the_variable_for_private_files_names_no_folder_of_another_purpose(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("RECONCILER_SPOOL", named.replace("{here}", str(repo.folder)))

    done = invoke("apply", "--auto-approve", "--target", "sailpoint")

    assert done.exit_code == 1
    assert "RECONCILER_SPOOL: " in done.output
    assert repo.writes() == []
    assert not (repo.folder / "clients/.gitignore").exists()


@pytest.mark.parametrize(
    "command", [["forget", "web", "--auto-approve"], ["move", "web", "shop"], ["resolve", "web", "--absent"]]
)  # fmt: skip
def test_no_record_is_written_where_a_link_leads_out(
    repo: Repo, invoke: Invoke, command: list[str]
) -> None:
    outside = repo.folder.parent / f"{repo.folder.name}-outside"
    outside.mkdir()
    (repo.folder / ".reconciler").symlink_to(outside)

    done = invoke(*command, "--target", "sailpoint")

    assert done.exit_code == 1
    assert ".reconciler/inventory is a link that leads out of the project's folder" in done.output
    assert list(outside.iterdir()) == []
