from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.measuring import unmeasured

from reconciler.cli import demo

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def path_with_the_command(tmp_path: Path) -> str:
    """A PATH on which `reconciler` is this tree and `python3` this interpreter."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, arguments in (("reconciler", "-m reconciler"), ("python3", "")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        script.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_the_way_to_a_first_apply_works_as_it_is_written(
    tmp_path: Path, path_with_the_command: str
) -> None:
    blocks = re.findall(r"<!-- tested -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    # A step that fails must fail the whole, and the sandbox must end with it.
    script = f"set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{''.join(blocks)}"

    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=unmeasured(PATH=path_with_the_command, PYTHONPATH=str(ROOT)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 to create" in done.stdout
    assert "no changes, 1 unchanged" in done.stdout
    assert "Plan: 1 to update" in done.stdout
    assert "Apply: 1 done; 1 request sent." in done.stdout
    assert "storefront-web.json" in done.stdout
    committed = re.findall(r"^A  (\S+)$", done.stdout, re.MULTILINE)
    assert ".reconciler/inventory/provident/storefront-web.json" in committed
    assert not [path for path in committed if "secret" in path]


def test_the_plan_in_the_readme_is_one_that_the_demo_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    block = re.search(r"```text\n(.*?)```", README, re.DOTALL)
    assert block is not None

    demo.run()

    assert _without_chance(block[1]) in _without_chance(capsys.readouterr().out)


def _without_chance(text: str) -> str:
    """A text without the ports and ids, which are others in every run."""
    return re.sub(r"127\.0\.0\.1:\d+|\b[0-9a-f]{32}\b", "*", text)
