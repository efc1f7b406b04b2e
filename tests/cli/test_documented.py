from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from reconciler.cli.root import COMMANDS, root

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_the_commands_is_what_their_help_says():
    done = subprocess.run(
        [sys.executable, str(DOCS / "generate_cli.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str):
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## reconciler {name}\n")[2].partition("\n## ")[0]
    command = root.get_command(click.Context(root), name)
    assert command is not None
    commands = [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
    for each in commands:
        stated = [parameter for parameter in each.params if isinstance(parameter, click.Option)]
        options = [spelling for option in stated for spelling in option.opts]
        assert "--verbose" in options
        assert [spelling for spelling in options if spelling not in section] == []
        assert all(option.help for option in stated)
