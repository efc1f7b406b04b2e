"""An id that only the working tree's record has is marked in a plan that acts on it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.repo import SPECS

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]

MARK = "git's last revision of the record does not have this id"
KEY = "sailpoint"
PRUNE = {"prune": True, "keepUsedDays": 0, "maxChangePercent": 100}


def git(*words: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@x.example")
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


@pytest.fixture
def committed(repo: Repo, invoke: Invoke) -> Repo:
    """A repo whose clients are applied and whose record is in git, and of which one is to be deleted."""
    repo.write_project(sailpoint={"policy": PRUNE})
    repo.state(KEY, "stays", name="Stays")
    assert invoke("apply", "--auto-approve").exit_code == 0
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "as it is")
    Path("clients/sailpoint-web.yaml").unlink()
    return repo


def plan(invoke: Invoke) -> str:
    return invoke("plan", "--target", KEY).stdout


@pytest.mark.usefixtures("committed")
def test_what_git_has_is_not_marked(invoke: Invoke):
    told = plan(invoke)

    assert "to be deleted" in told
    assert "ours since a run recorded it" in told
    assert MARK not in told


def test_an_id_that_was_put_into_the_record_since_is_marked(committed: Repo, invoke: Invoke):
    (path,) = Path(".reconciler/inventory", KEY).glob("web*.json")
    record = json.loads(path.read_text())
    foreign = committed.sandbox.seed(KEY, [{"name": "Theirs"}])[0]
    record["client"] |= {"id": foreign, "digest": ""}
    path.write_text(json.dumps(record))

    told = plan(invoke)
    document = json.loads(invoke("plan", "--target", KEY, "--format", "json").stdout)

    assert MARK in told
    assert "an entry of the record that was edited by hand" in told
    assert 'called "Theirs"' in told
    (change,) = [one for one in document["targets"][0]["changes"] if one["action"] == "delete"]
    assert change["client"] == {
        "name": "Theirs",
        "lastUsed": None,
        "origin": "edited",
        "inGit": False,
    }


def test_so_is_one_that_an_update_would_take_over(committed: Repo, invoke: Invoke):
    (path,) = Path(".reconciler/inventory", KEY).glob("stays*.json")
    record = json.loads(path.read_text())
    foreign = committed.sandbox.seed(KEY, [{**SPECS[KEY], "name": "Theirs"}])[0]
    record["client"] |= {"id": foreign, "digest": ""}
    path.write_text(json.dumps(record))

    told = plan(invoke)
    document = json.loads(invoke("plan", "--target", KEY, "--format", "json").stdout)

    assert MARK in told
    (change,) = [one for one in document["targets"][0]["changes"] if one["key"] == "stays"]
    assert change["action"] == "update"
    assert change["client"]["name"] == "Theirs"
    assert (change["client"]["origin"], change["client"]["inGit"]) == ("edited", False)


@pytest.mark.usefixtures("committed")
def test_a_record_that_is_not_in_git_has_no_marks(invoke: Invoke):
    git("rm", "-rq", "--cached", ".reconciler")
    git("commit", "-qm", "keep the record elsewhere")

    assert MARK not in plan(invoke)


@pytest.mark.usefixtures("committed")
def test_where_git_does_not_answer_that_is_told(invoke: Invoke, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")

    told = plan(invoke)

    assert (
        "whether git's last revision of the record has the ids that this plan acts on is not known"
        in told
    )
    assert MARK not in told


def test_a_record_of_one_file_is_read_as_well(committed: Repo, invoke: Invoke):
    from reconciler.inventory import codec  # noqa: PLC0415
    from reconciler.inventory.file import FileStore  # noqa: PLC0415

    with FileStore(committed.folder / ".reconciler/inventory").open(KEY, lock=False) as session:
        whole = codec.encode(session.inventory)
    git("rm", "-rq", "--cached", f".reconciler/inventory/{KEY}")
    Path(".reconciler/inventory", f"{KEY}.json").write_bytes(whole)
    git("add", "-f", f".reconciler/inventory/{KEY}.json")
    git("commit", "-qm", "as an earlier version had it")
    Path(".reconciler/inventory", f"{KEY}.json").unlink()

    assert MARK not in plan(invoke)


def test_a_repository_without_a_commit_has_no_marks(repo: Repo, invoke: Invoke):
    repo.write_project(sailpoint={"policy": PRUNE})
    repo.state(KEY, "stays", name="Stays")
    assert invoke("apply", "--auto-approve").exit_code == 0
    git("init", "-q")
    Path("clients/sailpoint-web.yaml").unlink()

    told = plan(invoke)

    assert "to be deleted" in told
    assert MARK not in told
