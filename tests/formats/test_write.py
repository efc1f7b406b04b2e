"""The script that writes the files of a version works with this one, so that the next can be held to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def shape(folder: Path) -> set[str]:
    """The files below a folder, those that are named for an id, a key or an offset by their folder alone.

    A record is one file or a folder of files, which is the same here.
    """
    named = {".spool", "provident.journal", "provident"}
    return {
        (path.parent if path.parent.name in named else path)
        .relative_to(folder)
        .as_posix()
        .replace("inventory/provident.json", "inventory/provident")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_this_version_leaves_the_files_that_an_earlier_one_left(tmp_path: Path):
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])

    done = subprocess.run(
        [sys.executable, HERE / "write.py", ROOT, tmp_path, "--vendor", "provident"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert shape(tmp_path / "provident") >= shape(HERE / "v0.1" / "provident")
