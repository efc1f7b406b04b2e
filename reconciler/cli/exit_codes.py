"""Turns what a command ended with, an answer or an exception, into a sentence and an exit code."""

from __future__ import annotations

import io
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.output import print_document, print_message, print_text
from reconciler.cli.run_state import current
from reconciler.core.errors import InputError, ReconcilerError, SelectionError, StalePlan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.cli.options import GlobalOptions
    from reconciler.core.model import Problem


class ExitCode(IntEnum):
    """What a pipeline can tell from the process alone."""

    DONE = 0
    FAILED = 1  # input, network, server: and nothing was changed
    CHANGES_PENDING = 2  # only `plan --detailed-exitcode`: Terraform's convention
    REFUSED = 3  # by a guard
    STALE = 4  # the world is not the one that was reviewed
    PARTLY_APPLIED = 5  # something was changed, or may have been, and something failed
    USAGE = 64  # EX_USAGE of sysexits.h; click's own 2 would read as "changes pending"


_CHANGED: Final = (
    "Something was changed before that, or may have been: plan again, it shows what is left."
)


def run_command(options: GlobalOptions, command: Callable[[], object]) -> int:
    """Run `command` and return the code to exit with; no exception of it gets past here.

    Where there was to be a document for machines, there is one, whatever went wrong.
    """
    current.begin()
    try:
        answer = command()
    # Before ClickException, of which it is a kind, with another code.
    except click.UsageError as error:
        _print_shown(error)
        code = _failed([error.format_message()], ExitCode.USAGE)
    except click.ClickException as error:
        _print_shown(error)
        code = _failed([error.format_message()])
    except (click.Abort, KeyboardInterrupt):
        print_message("interrupted")
        code = _failed(["interrupted"])
    except InputError as error:
        _print_problems(error)
        code = _failed([], problems=error.problems)
    except ReconcilerError as error:
        print_message(f"error: {error}")
        code = _failed([str(error)], _exit_code(error))
    except OSError as error:
        sentence = system_error(error)
        print_message(f"error: {sentence}")
        _print_frames(options, error)
        code = _failed([sentence])
    except Exception as error:  # noqa: BLE001 - the last stop before the user
        sentence = f"an unexpected {type(error).__name__} stopped the run"
        print_message(f"error: {sentence}. {_advice(options)}")
        _print_frames(options, error)
        code = _failed([sentence])
    else:
        code = ExitCode(answer) if isinstance(answer, int) else ExitCode.DONE
    return _with_output(code)


def _print_shown(error: click.ClickException) -> None:
    """Print what click would, which may quote what was typed."""
    shown = io.StringIO()
    error.show(shown)
    print_message(shown.getvalue().rstrip("\n"))


def _failed(
    sentences: Sequence[str],
    code: ExitCode = ExitCode.FAILED,
    *,
    problems: Sequence[Problem] = (),
) -> ExitCode:
    """The code of a run that ended early; prints the document that says why, where one is wanted."""
    if current.failed_document is not None and not current.printed:
        print_document(current.failed_document(sentences, problems))
    return worse_if_changed(code)


def worse_if_changed(code: ExitCode) -> ExitCode:
    """`code`, or that of a run that did a part, which is told, where it would say that nothing was changed."""
    if code is not ExitCode.FAILED or not current.changed:
        return code
    print_message(_CHANGED)
    return ExitCode.PARTLY_APPLIED


def _with_output(code: ExitCode) -> ExitCode:
    """`code`, or that of a failure, which is told, where the result could not be printed."""
    if current.output_error is None:
        return code
    print_message(f"error: the output could not be written: {system_error(current.output_error)}")
    if code in (ExitCode.DONE, ExitCode.CHANGES_PENDING):
        return worse_if_changed(ExitCode.FAILED)
    return code


def system_error(error: OSError) -> str:
    """What the system refused, and of which file, in words."""
    # The second name is the target of a rename, which is the one that the user knows.
    file = error.filename2 or error.filename
    where = f"{file}: " if file else ""
    return f"{where}{error.strerror or type(error).__name__}"


def _exit_code(error: ReconcilerError) -> ExitCode:
    if isinstance(error, SelectionError):
        return ExitCode.USAGE
    return ExitCode.STALE if isinstance(error, StalePlan) else ExitCode.FAILED


def _advice(options: GlobalOptions) -> str:
    if options.verbose:
        return "This is a bug in reconciler: please report it with the lines below."
    return "This is a bug in reconciler: --verbose shows where it happened."


def _print_problems(error: InputError) -> None:
    from reconciler.render import problems  # noqa: PLC0415 - only where something is wrong

    print_text(problems.to_text(error.problems), err=True)


def _print_frames(options: GlobalOptions, error: BaseException | None) -> None:
    """Print where an error happened, its cause first, by code and types alone."""
    # Not `traceback.print_exc`: it prints messages, which may quote a secret that was worked on.
    if not options.verbose or error is None:
        return
    import traceback  # noqa: PLC0415 - 1 ms that a run which goes well does not need

    _print_frames(options, error.__cause__ or error.__context__)
    print_message(f"{type(error).__name__} at")
    for frame in traceback.extract_tb(error.__traceback__):
        print_message(f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}")
