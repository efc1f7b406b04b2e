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
    options = [
        spelling
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for spelling in parameter.opts
    ]

    assert "--verbose" in options
    assert [spelling for spelling in options if spelling not in section] == []
    assert all(
        parameter.help for parameter in command.params if isinstance(parameter, click.Option)
    )
