"""`reconciler validate`: every problem of every file, without a network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from reconciler.app.validate import Validation, validate
from reconciler.cli import project_file
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import format_option, global_options
from reconciler.cli.output import result, say
from reconciler.cli.version import version
from reconciler.core.errors import InputError
from reconciler.render import problems
from reconciler.render.counts import plural

if TYPE_CHECKING:
    from reconciler.cli.session import Session


@click.command("validate")
@click.argument("files", nargs=-1)
@format_option("text", "json")
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
@global_options
@click.pass_obj
def command(
    session: Session, *, files: tuple[str, ...], output_format: str, strict: bool
) -> ExitCode:
    """Check the project file and every client in it, without a network.

    Needs no credentials and no environment variables. With FILES only the problems of those are
    reported, as a pre-commit hook wants it. Problems go to stdout, the summary to stderr.

    Exit codes: 0 valid; 1 something is wrong.
    """
    found = _found(project_file.find(session.project), files)
    errors = sum(problem.severity == "error" for problem in found.problems)
    warnings = len(found.problems) - errors
    if output_format == "json":
        result(_document(found, errors, warnings))
    else:
        result(problems.to_text(found.problems))
    say(_summary(found, errors, warnings))
    return ExitCode.FAILED if errors or (strict and warnings) else ExitCode.DONE


def _found(path: str, files: tuple[str, ...]) -> Validation:
    """Validate; a project file that cannot be used at all is one file with problems."""
    try:
        return validate(path, files=files)
    except InputError as error:
        return Validation(problems=error.problems, clients=0, files=1)


def _document(found: Validation, errors: int, warnings: int) -> str:
    document = {
        "formatVersion": 1,
        "tool": {"name": "reconciler", "version": version()},
        "summary": {
            "clients": found.clients,
            "files": found.files,
            "errors": errors,
            "warnings": warnings,
        },
        "problems": problems.to_json(found.problems),
    }
    return json.dumps(document, indent=2) + "\n"


def _summary(found: Validation, errors: int, warnings: int) -> str:
    """Sum up; what an invalid file holds is not counted as clients, so then only files are named."""
    counts = {"error": errors, "warning": warnings}
    verdict = ", ".join(plural(count, noun) for noun, count in counts.items() if count)
    clients = "" if errors else f"{plural(found.clients, 'client')} in "
    return f"{clients}{plural(found.files, 'file')}: {verdict or 'valid'}."
