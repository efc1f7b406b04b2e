"""Turns what a command ended with, an answer or an exception, into a sentence and an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.output import result, say
from reconciler.core.errors import InputError, ReconcilerError, SelectionError, StalePlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.cli.session import Session


def run(session: Session, command: Callable[[], object]) -> int:
    """Run `command` and give the code to exit with; nothing that it raises gets past here."""
    try:
        answer = command()
    except click.UsageError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        error.show()
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
    except InputError as error:
        _show_problems(error)
    except ReconcilerError as error:
        say(f"error: {error}")
        return _code(error)
    except OSError as error:
        file = error.filename2 or error.filename
        where = f"{file}: " if file else ""
        say(f"error: {where}{error.strerror or type(error).__name__}")
        _show_frames(session, error)
    except Exception as error:  # noqa: BLE001 - the last stop before the user
        say(f"error: an unexpected {type(error).__name__} stopped the run. {_advice(session)}")
        _show_frames(session, error)
    else:
        return answer if isinstance(answer, int) else ExitCode.DONE
    return ExitCode.FAILED


def _code(error: ReconcilerError) -> ExitCode:
    if isinstance(error, SelectionError):
        return ExitCode.USAGE
    return ExitCode.STALE if isinstance(error, StalePlan) else ExitCode.FAILED


def _advice(session: Session) -> str:
    if session.verbose:
        return "This is a bug in reconciler: please report it with the lines below."
    return "This is a bug in reconciler: --verbose shows where it happened."


def _show_problems(error: InputError) -> None:
    from reconciler.render import problems  # noqa: PLC0415 - only where something is wrong

    result(problems.to_text(error.problems), err=True)


def _show_frames(session: Session, error: BaseException | None) -> None:
    """Show where it happened, cause first: code and types, no message and no value of ours.

    A message may quote what was being worked on, and that may be a secret.
    """
    if not session.verbose or error is None:
        return
    import traceback  # noqa: PLC0415 - 1 ms that a run which goes well does not need

    _show_frames(session, error.__cause__ or error.__context__)
    say(f"{type(error).__name__} at")
    for frame in traceback.extract_tb(error.__traceback__):
        say(f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}")
