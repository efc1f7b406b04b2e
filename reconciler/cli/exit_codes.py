"""Turns what a command ended with, an answer or an exception, into a sentence and an exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import click

from reconciler.cli.output import print_message, print_text
from reconciler.core.errors import InputError, ReconcilerError, SelectionError, StalePlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.cli.options import GlobalOptions


class ExitCode(IntEnum):
    """What a pipeline can tell from the process alone."""

    DONE = 0
    FAILED = 1  # input, network, server
    CHANGES_PENDING = 2  # only `plan --detailed-exitcode`: Terraform's convention
    REFUSED = 3  # by a guard
    STALE = 4  # the world is not the one that was reviewed
    PARTLY_APPLIED = 5  # some changes done, some not
    USAGE = 64  # EX_USAGE of sysexits.h; click's own 2 would read as "changes pending"


def run_command(options: GlobalOptions, command: Callable[[], object]) -> int:
    """Run `command` and return the code to exit with; no exception of it gets past here."""
    try:
        answer = command()
    # Before ClickException, of which it is a kind, with another code.
    except click.UsageError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        error.show()
    except (click.Abort, KeyboardInterrupt):
        print_message("interrupted")
    except InputError as error:
        _print_problems(error)
    except ReconcilerError as error:
        print_message(f"error: {error}")
        return _exit_code(error)
    except OSError as error:
        # The second name is the target of a rename, which is the one that the user knows.
        file = error.filename2 or error.filename
        where = f"{file}: " if file else ""
        print_message(f"error: {where}{error.strerror or type(error).__name__}")
        _print_frames(options, error)
    except Exception as error:  # noqa: BLE001 - the last stop before the user
        print_message(
            f"error: an unexpected {type(error).__name__} stopped the run. {_advice(options)}"
        )
        _print_frames(options, error)
    else:
        return answer if isinstance(answer, int) else ExitCode.DONE
    return ExitCode.FAILED


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
