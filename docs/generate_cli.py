# ruff: noqa: INP001 - a script beside the pages that it writes
"""Turns the help texts of the commands into docs/cli.md; `--check` only says whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from reconciler.cli.root import COMMANDS, root

PAGE: Final = Path(__file__).with_name("cli.md")
_WIDTH: Final = 100
_OPENING: Final = """\
# Commands

Written by `docs/generate_cli.py` from the help texts: change those, then run it again.

Results go to stdout, progress and logs to stderr. Colour is for terminals, and `NO_COLOR` turns it off. Nothing asks a
question without a terminal.

"""


def page() -> str:
    """Give the text of the page: the help of `reconciler` and of each of its commands."""
    context = _context(root, "reconciler", None)
    sections = [_section("reconciler", root, context)]
    for name in COMMANDS:
        command = root.get_command(context, name)
        if command is None:
            raise LookupError(name)
        below = _context(command, name, context)
        sections.append(_section(f"reconciler {name}", command, below))
        sections.extend(_subcommands(f"reconciler {name}", command, below))
    return _OPENING + "\n".join(sections)


def _subcommands(title: str, command: click.Command, context: click.Context) -> list[str]:
    """Give the sections of the commands of a group, one level below its own."""
    if not isinstance(command, click.Group):
        return []
    return [
        "#" + _section(f"{title} {name}", each, _context(each, name, context))
        for name, each in command.commands.items()
    ]


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, terminal_width=_WIDTH)


def _section(title: str, command: click.Command, context: click.Context) -> str:
    return f"## {title}\n\n```text\n{command.get_help(context)}\n```\n"


def main() -> int:
    """Write the page, or with `--check` compare it; the exit code is 1 where it differs."""
    wanted = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted
    if not same:
        sys.stderr.write(f"{PAGE.name} is not what docs/generate_cli.py writes: run it\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
