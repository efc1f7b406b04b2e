"""`reconciler validate`: every problem of every file, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.app.validate import Validation, validate
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import format_option, global_options
from reconciler.cli.output import print_document, print_message, print_text, version
from reconciler.cli.project_file import find_project_file
from reconciler.core.errors import InputError
from reconciler.core.problems.many import count_of
from reconciler.render.terminal import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.options import GlobalOptions
    from reconciler.core.model import Problem


@click.command("validate")
@click.argument("files", nargs=-1)
@format_option("text", "json")
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
@global_options
@click.pass_obj
def command(
    options: GlobalOptions, *, files: tuple[str, ...], output_format: str, strict: bool
) -> ExitCode:
    """Check the project file and every client in it, without a network.

    Needs no credentials and no environment variables. With FILES only the problems of those are
    reported, as a pre-commit hook wants it. Problems go to stdout, the summary to stderr.

    Exit codes: 0 valid; 1 something is wrong.
    """
    found = _validate(find_project_file(options.project), files)
    errors, warnings = (count_of(found.problems, severity) for severity in ("error", "warning"))
    if output_format == "json":
        print_document(_document(found, errors, warnings))
    else:
        _print_problems(found.problems)
    print_message(_summary(found, errors, warnings))
    return ExitCode.FAILED if errors or (strict and warnings) else ExitCode.DONE


def _validate(path: str, files: tuple[str, ...]) -> Validation:
    """What validation finds; a project file that cannot be used at all is one file with problems."""
    # Caught here, so that with --format json this one is JSON as well.
    try:
        return validate(path, files=files)
    except InputError as error:
        return Validation(problems=error.problems, clients=0, files=1)


def _print_problems(found: Sequence[Problem]) -> None:
    if found:
        from reconciler.render import problems  # noqa: PLC0415 - a valid project has none

        print_text(problems.to_text(found))


def _document(found: Validation, errors: int, warnings: int) -> str:
    # Only here: with the plan's renderings it would cost every run as text some milliseconds.
    from reconciler.render import problems  # noqa: PLC0415 - as above
    from reconciler.render.json import document_header, json_text  # noqa: PLC0415

    document = {
        **document_header(version()),
        "summary": {
            "clients": found.clients,
            "files": found.files,
            "errors": errors,
            "warnings": warnings,
        },
        "problems": problems.to_json(found.problems),
    }
    return json_text(document)


def _summary(found: Validation, errors: int, warnings: int) -> str:
    """The sentence that counts clients and files, or files alone where one of them is invalid."""
    counts = {"error": errors, "warning": warnings}
    verdict = ", ".join(plural(count, noun) for noun, count in counts.items() if count)
    clients = "" if errors else f"{plural(found.clients, 'client')} in "
    return f"{clients}{plural(found.files, 'file')}: {verdict or 'valid'}."
