from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result


def test_the_demo_ends_well_and_leaves_its_files_where_it_is_told(
    invoke: Callable[..., Result], tmp_path: Path
):
    folder = tmp_path / "demo"

    done = invoke("demo", "--keep", str(folder))

    assert done.exit_code == 0
    assert (folder / "reconciler.yaml").is_file()


def test_the_demo_takes_no_folder_that_is_there(invoke: Callable[..., Result], tmp_path: Path):
    done = invoke("demo", "--keep", str(tmp_path))

    assert done.exit_code == 1
    assert "is already there" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_the_sandboxs_packages_the_demo_says_what_to_install():
    code = (
        "import sys\n"
        "sys.modules['uvicorn'] = None\n"
        "from reconciler.cli.root import root\n"
        "root(['demo'])\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "pip install 'oauth-client-reconciler[sandbox]'" in done.stderr
    assert "Traceback" not in done.stderr
