"""The steps of the example workflow, taken out of it and run: what is applied is never forgotten."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOW = Path(__file__).parents[2] / "examples/.github/workflows/clients.yaml"
PUSH = "Keep the inventory"


def jobs() -> dict[str, Any]:
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]


def steps() -> list[dict[str, Any]]:
    return jobs()["apply"]["steps"]


def script(name: str) -> str:
    (found,) = [step["run"] for step in steps() if step.get("name") == name]
    return found


def run(folder: Path, text: str, path: Path | None = None, **env: str) -> tuple[int, str]:
    """Run a step as GitHub does."""
    first = [] if path is None else [str(path)]
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
        cwd=folder,
        env={
            **os.environ,
            "PATH": os.pathsep.join([*first, os.environ["PATH"]]),
            "BRANCH": "main",
            "PUSH_PAUSE": "0",
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def record(clone: Path, key: str, text: str = "{}\n") -> None:
    folder = clone / ".reconciler/inventory/shop"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{key}.json").write_text(text)


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A repo on a server, and two clones of it."""
    origin, one, two = tmp_path / "origin.git", tmp_path / "one", tmp_path / "two"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(origin))
    git(tmp_path, "clone", "-q", str(origin), str(one))
    (one / "reconciler.yaml").write_text("")
    git(one, "checkout", "-q", "-B", "main")
    git(one, "add", "-A")
    git(one, "commit", "-q", "-m", "base")
    git(one, "push", "-q", "origin", "main")
    git(tmp_path, "clone", "-q", str(origin), str(two))
    return origin, one, two


def kept(origin: Path) -> set[str]:
    listed = git(origin, "ls-tree", "-r", "--name-only", "main", "--", ".reconciler").split()
    return {Path(name).name for name in listed}


def test_a_push_that_lost_a_race_is_rebased_and_pushed_again(clones: tuple[Path, Path, Path]):
    origin, one, two = clones
    (two / "notes").write_text("another merge")
    git(two, "add", "-A")
    git(two, "commit", "-q", "-m", "another merge")
    record(one, "web")
    git(two, "push", "-q", "origin", "main")

    assert run(one, script(PUSH))[0] == 0
    assert kept(origin) == {"web.json"}
    assert "notes" in git(origin, "ls-tree", "--name-only", "main")


def test_two_runners_that_applied_other_clients_both_push(clones: tuple[Path, Path, Path]):
    origin, one, two = clones
    record(one, "web")
    record(two, "job")

    assert [run(clone, script(PUSH))[0] for clone in (one, two)] == [0, 0]
    assert kept(origin) == {"web.json", "job.json"}


def test_a_race_that_is_lost_between_pull_and_push_is_run_again(clones: tuple[Path, Path, Path]):
    origin, one, two = clones
    record(one, "web")
    hook = one / ".git/hooks/pre-push"
    hook.write_text(
        f"#!/bin/sh\nrm {hook}\nunset GIT_DIR\ncd {two} && git -c user.name=a -c user.email=a@b "
        "commit -q --allow-empty -m meanwhile && git push -q origin HEAD:main\n"
    )
    hook.chmod(0o755)

    code, printed = run(one, script(PUSH))

    assert code == 0, printed
    assert "rejected" in printed
    assert kept(origin) == {"web.json"}


def test_a_push_that_is_always_refused_ends_and_says_so(clones: tuple[Path, Path, Path]):
    origin, one, _ = clones
    record(one, "web")
    hook = origin / "hooks/pre-receive"
    hook.write_text(f"#!/bin/sh\necho tried >> {origin}/tried\nexit 1\n")
    hook.chmod(0o755)

    code, printed = run(one, script(PUSH))

    assert code == 1
    assert (origin / "tried").read_text().count("tried") == 5
    assert "take it from the artifact before anything else is applied" in printed


def test_a_conflict_ends_it_and_leaves_what_this_run_recorded(clones: tuple[Path, Path, Path]):
    _, one, two = clones
    record(one, "web", '{"id": "1"}\n')
    record(two, "web", '{"id": "2"}\n')
    assert run(one, script(PUSH))[0] == 0

    code, printed = run(two, script(PUSH))

    assert code == 1
    assert "conflicts with main" in printed
    assert (two / ".reconciler/inventory/shop/web.json").read_text() == '{"id": "2"}\n'


def test_a_run_that_recorded_nothing_pushes_nothing(clones: tuple[Path, Path, Path]):
    origin, one, _ = clones
    before = git(origin, "rev-parse", "main")

    assert run(one, script(PUSH))[0] == 0
    assert git(origin, "rev-parse", "main") == before


@pytest.mark.parametrize("code", [0, 1, 3, 4, 5])
def test_the_code_of_an_apply_is_that_of_its_step_and_known_to_the_next(tmp_path: Path, code: int):
    (tmp_path / "reconciler").write_text(f"#!/bin/sh\nexit {code}\n")
    (tmp_path / "reconciler").chmod(0o755)
    output = tmp_path / "output"

    ended, _ = run(tmp_path, script("Apply"), tmp_path, GITHUB_OUTPUT=str(output))

    assert (ended, output.read_text()) == (code, f"code={code}\n")


def test_after_a_stale_plan_there_is_a_new_one_with_the_command_that_applies_it(tmp_path: Path):
    (tmp_path / "reconciler").write_text("#!/bin/sh\necho '1 to update'\necho '{}' > plan.json\n")
    (tmp_path / "reconciler").chmod(0o755)
    facts = {"GITHUB_WORKFLOW": "OAuth clients", "GITHUB_RUN_ID": "7"}
    summary = tmp_path / "summary"

    code, printed = run(
        tmp_path, script("Plan again"), tmp_path, GITHUB_STEP_SUMMARY=str(summary), **facts
    )

    assert code == 0, printed
    assert 'gh workflow run "OAuth clients" --ref main -f run=7' in summary.read_text()


@pytest.mark.parametrize(
    ("inputs", "wanted"),
    [("7", "run download 7 --name new-plan"), ("", "run download --name plan-abc")],
)
def test_the_plan_that_was_reviewed_is_fetched(tmp_path: Path, inputs: str, wanted: str):
    (tmp_path / "gh").write_text('#!/bin/sh\necho "$*" >> asked\ntest "$1" = run || echo abc\n')
    (tmp_path / "gh").chmod(0o755)
    facts = {"GITHUB_REPOSITORY": "a/b", "GITHUB_SHA": "c", "RUN": inputs}

    code, printed = run(tmp_path, script("Fetch the reviewed plan"), tmp_path, **facts)

    assert code == 0, printed
    assert (tmp_path / "asked").read_text().splitlines()[-1] == wanted


SPOOL = "Encrypt the secrets that wait for their sink"


@pytest.mark.parametrize(
    ("waits", "recipient", "code", "is_kept"),
    [
        (False, "", 0, False),
        (False, "age1x", 0, False),
        (True, "", 1, False),
        (True, "age1x", 0, True),
    ],
)
def test_secrets_leave_the_runner_only_encrypted(
    tmp_path: Path, *, waits: bool, recipient: str, code: int, is_kept: bool
):
    (tmp_path / "age").write_text('#!/bin/sh\ncat > /dev/null\necho sealed > "$4"\n')
    (tmp_path / "age").chmod(0o755)
    if waits:
        spool = tmp_path / ".reconciler/inventory/.spool"
        spool.mkdir(parents=True)
        (spool / "a.json").write_text("invented")

    ended, printed = run(tmp_path, script(SPOOL), tmp_path, RECIPIENT=recipient)

    assert ended == code, printed
    assert "invented" not in printed
    assert (tmp_path / "spool.tar.age").exists() is is_kept


def test_what_was_done_is_kept_whatever_happened():
    after = steps()[next(at for at, step in enumerate(steps()) if step.get("id") == "apply") + 1 :]

    assert after
    assert all(step["if"].startswith("always()") for step in after)
    uploads = {
        step["with"]["name"]: step["with"] for step in after if "upload" in step.get("uses", "")
    }
    assert uploads.keys() == {"receipt", "inventory", "spool", "new-plan"}
    assert uploads["inventory"]["include-hidden-files"] is True
    assert "!.reconciler/inventory/.*/**" in uploads["inventory"]["path"]


def test_only_applies_wait_for_each_other_and_none_is_dropped():
    whole = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    groups = {name: job["concurrency"] for name, job in jobs().items() if "concurrency" in job}

    assert "concurrency" not in whole
    assert groups.keys() == {"apply"}
    assert groups["apply"]["cancel-in-progress"] is False
    assert groups["apply"]["queue"] == "max"
