from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.cli import demo
from reconciler.cli.demo.repo import replace
from reconciler.cli.exit_codes import ExitCode
from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.cli.demo.runner import DemoRun

ESCAPE = "\x1b"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def test_the_demo_runs_as_a_program_without_a_terminal_and_every_step_comes_out(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "demo"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "every step came out as it should" in done.stdout
    assert ESCAPE not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_kept_files_are_a_repo_whose_servers_were_those_of_the_sandbox(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path.cwd()

    code = demo.run(keep=str(tmp_path / "new" / "repo"))

    project = (tmp_path / "new" / "repo" / "reconciler.yaml").read_text(encoding="utf-8")
    assert code is ExitCode.DONE
    assert project.count("http://127.0.0.1:") == 4
    assert (tmp_path / "new" / "repo" / ".reconciler" / "inventory" / "shop").is_dir()
    assert str(tmp_path / "new" / "repo") in capsys.readouterr().out
    assert Path.cwd() == before


def test_a_folder_that_is_already_there_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(ReconcilerError, match="already there"):
        demo.run(keep=str(tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_a_step_that_comes_out_otherwise_fails_the_demo_and_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def steps(demo_run: DemoRun) -> None:
        demo_run.step("A step")
        demo_run.expect_words("what was printed", "what was promised")

    code = demo.run(steps=steps)

    assert code is ExitCode.FAILED
    assert "it was promised that the output says 'what was promised'" in capsys.readouterr().err


def test_a_command_that_ends_with_another_code_fails_the_demo(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def steps(demo_run: DemoRun) -> None:
        demo_run.run("validate", "--no-such-option")

    code = demo.run(steps=steps)

    assert code is ExitCode.FAILED
    assert "exited with 64 instead of 0" in capsys.readouterr().err


def test_a_text_that_is_to_be_replaced_must_be_there_once(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text("a: 1\n", encoding="utf-8")

    with pytest.raises(ValueError, match="0 times, not once"):
        replace(path, "b", "c")

    assert path.read_text(encoding="utf-8") == "a: 1\n"


def test_without_the_sandbox_extra_the_demo_says_what_to_install() -> None:
    without = (
        "import sys; sys.modules['starlette'] = None; sys.argv = ['reconciler', 'demo'];"
        "from reconciler.cli import main; main()"
    )

    done = subprocess.run(
        [sys.executable, "-c", without],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "pip install 'oauth-client-reconciler[sandbox]'" in done.stderr
    assert "Traceback" not in done.stderr
