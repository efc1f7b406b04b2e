from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from reconciler.cli.output import version
from reconciler.cli.root import COMMANDS, root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

HEAVY = {
    "httpx",
    "jsonschema",
    "jsonschema_rs",
    "deepdiff",
    "rich",
    "starlette",
    "uvicorn",
    "yaml",
}


def python(code: str, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(argument: str):
    code = (
        "import sys\n"
        "from reconciler.cli.root import root\n"
        "try:\n"
        "    root(sys.argv[1:])\n"
        "finally:\n"
        "    print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )

    done = python(code, argument)

    assert done.returncode == 0
    assert "reconciler" in done.stdout
    assert "'click'" in done.stderr
    assert not {name for name in HEAVY if f"'{name}'" in done.stderr}


def test_help_lists_every_command_with_its_first_sentence(invoke: Callable[..., Result]):
    output = " ".join(invoke("--help").output.split())

    for name, sentence in COMMANDS.items():
        assert f"{name} {sentence}" in output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_sentence_in_the_list_is_the_first_one_of_the_commands_help(name: str):
    command = root.get_command(click.Context(root), name)

    assert command is not None
    assert command.name == name
    assert (command.help or "").partition("\n")[0] == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, invoke: Callable[..., Result]):
    done = invoke(name, "--help")

    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: reconciler {name}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["plan", "--frobnicate"],
        ["plan", "--format", "xml"],
        ["plan", "--lock-timeout", "soon"],
        ["plan", "--lock-timeout", "-1s"],
        ["plan", "--lock-timeout", "nans"],
        ["apply", "--lock-timeout", "soon"],
        ["plan", "--format", "markdown", "--show-requests"],
        ["apply", "--format", "markdown", "--auto-approve"],
        ["sandbox", "--port", "99999"],
        ["sandbox", "--fault", "gremlins"],
        [],
    ],
)
def test_wrong_usage_exits_with_64_and_says_so_on_stderr(
    arguments: list[str], invoke: Callable[..., Result]
):
    done = invoke(*arguments)

    assert done.exit_code == 64
    assert done.stdout == ""
    assert "Usage: reconciler" in done.stderr


def test_the_version_is_printed(invoke: Callable[..., Result]):
    assert invoke("--version").stdout == f"reconciler {version()}\n"


def test_the_group_can_be_driven_by_another_program():
    assert root.main(["--version"], standalone_mode=False) == 0


def test_a_shell_can_complete_the_commands():
    done = subprocess.run(
        [sys.executable, "-c", "from reconciler.cli import main; main()"],
        env={
            **os.environ,
            "_RECONCILER_COMPLETE": "bash_complete",
            "COMP_WORDS": "reconciler pr",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "plain,provider\nplain,providers\n")


def test_validate_loads_nothing_that_it_does_not_need(tmp_path: Path):
    code = (
        "import sys\n"
        "from reconciler.cli.root import root\n"
        "try:\n"
        "    root(sys.argv[1:])\n"
        "finally:\n"
        "    print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    python("from reconciler.cli import main; main()", "init", str(tmp_path / "repo"))

    done = python(code, "validate", "--project", str(tmp_path / "repo"))

    assert done.returncode == 0
    needed = {"yaml", "jsonschema_rs"}
    assert {name for name in HEAVY if f"'{name}'" in done.stderr} <= needed


def test_a_name_that_is_no_command_is_none():
    assert root.get_command(click.Context(root), "frobnicate") is None


def test_help_reaches_a_terminal_that_only_knows_ascii():
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "--help"],
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0
    assert b"Usage: reconciler" in done.stdout


def test_a_reader_that_leaves_early_is_no_error():
    pipe = f"{sys.executable} -m reconciler --help | exec 0<&-; exit ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True, check=False)

    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("name", ["validate", "plan"])
def test_without_a_project_file_the_user_is_told_where_one_comes_from(
    name: str,
    invoke: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)

    done = invoke(name)

    assert done.exit_code == 1
    assert done.stdout == ""
    assert "error: there is no reconciler.yaml here or in a parent folder" in done.stderr
    assert "reconciler init" in done.stderr
