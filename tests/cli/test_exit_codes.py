from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from reconciler.cli import exit_codes
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import GlobalOptions
from reconciler.core.errors import InputError, ReconcilerError, Rejected
from reconciler.core.model import Problem, Source

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "s3cret-value"


def raising(error: BaseException) -> Callable[[], object]:
    def command() -> object:
        raise error

    return command


def loud() -> GlobalOptions:
    options = GlobalOptions()
    options.verbose = True
    return options


@pytest.mark.parametrize(
    ("answer", "code"), [(ExitCode.REFUSED, 3), (ExitCode.PARTLY_APPLIED, 5), (0, 0), (None, 0)]
)
def test_what_a_command_answers_is_the_exit_code(answer: object, code: int):
    assert exit_codes.run_command(GlobalOptions(), lambda: answer) == code


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ReconcilerError("the lock is held"), "error: the lock is held\n"),
        (Rejected("422 \x1b[2J", status=422), "error: 422 \\u001b[2J\n"),
        (click.FileError("x.yaml", "gone"), "Error: Could not open file 'x.yaml': gone\n"),
        (PermissionError(13, "Permission denied", "out.md"), "error: out.md: Permission denied\n"),
        (OSError(), "error: OSError\n"),
        (KeyboardInterrupt(), "interrupted\n"),
        (click.Abort(), "interrupted\n"),
    ],
)
def test_an_expected_error_is_one_sentence(
    error: BaseException, sentence: str, capsys: pytest.CaptureFixture[str]
):
    code = exit_codes.run_command(GlobalOptions(), raising(error))

    assert code == ExitCode.FAILED
    assert capsys.readouterr().err == sentence


def test_problems_of_the_input_are_shown_with_their_place(capsys: pytest.CaptureFixture[str]):
    problem = Problem(source=Source(path="web.yaml"), pointer="/spec", message="is wrong")

    code = exit_codes.run_command(GlobalOptions(), raising(InputError([problem])))

    assert code == ExitCode.FAILED
    shown = capsys.readouterr().err
    assert "web.yaml" in shown
    assert "is wrong" in shown


def test_an_unexpected_error_is_a_sentence_with_its_type_only(capsys: pytest.CaptureFixture[str]):
    code = exit_codes.run_command(GlobalOptions(), raising(ValueError(SECRET)))

    assert code == ExitCode.FAILED
    shown = capsys.readouterr().err
    assert shown.startswith("error: an unexpected ValueError stopped the run.")
    assert shown.count("\n") == 1
    assert SECRET not in shown


def test_verbose_adds_where_it_happened_and_no_value(capsys: pytest.CaptureFixture[str]):
    def command() -> object:
        try:
            raising(KeyError(SECRET))()
        except KeyError as error:
            raise RuntimeError(SECRET) from error

    exit_codes.run_command(loud(), command)

    shown = capsys.readouterr().err
    assert shown.index("KeyError at") < shown.index("RuntimeError at")
    assert "test_exit_codes.py:" in shown
    assert "in command: raise RuntimeError(SECRET) from error" in shown
    assert SECRET not in shown


def test_the_log_is_shown_to_who_asked_for_it(capsys: pytest.CaptureFixture[str]):
    GlobalOptions().log("quiet")
    loud().log("loud \x07")

    assert capsys.readouterr().err == "loud \\u0007\n"
