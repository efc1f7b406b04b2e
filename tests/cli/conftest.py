from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support.repo import Repo
from support.vendors import make_provider

from reconciler.cli.root import root
from reconciler.manifests import catalog
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

COMMAND = (sys.executable, "-m", "reconciler")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTerminal:
    """What a run on a terminal came to: its exit code, stdout as a pipe, stderr as it was seen."""

    code: int
    stdout: str
    screen: str


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let subprocesses find the package from any folder, installed or not."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)


@pytest.fixture
def invoke() -> Callable[..., Result]:
    """Run a command line in this process, without a terminal."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(root, list(arguments))

    return run


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repo]:
    with running(seed=1, rate_limit=None) as sandbox:
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        yield Repo(tmp_path, sandbox)


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder `vendors/acme` below the working folder, with a provider that came with no tool."""
    folder = tmp_path / "vendors" / "acme"
    make_provider(folder, name="acme-cloud", kind="AcmeClient")
    monkeypatch.chdir(tmp_path)
    yield folder
    catalog._entry.cache_clear()  # noqa: SLF001 - what is in the folder is another in every test


@pytest.fixture
def on_terminal(tmp_path: Path) -> Callable[..., OnTerminal]:
    """Run a command line with a terminal for stdin and stderr, on which `typed` is typed."""

    def run(
        *arguments: str, typed: str = "", env: Mapping[str, str] | None = None, cwd: Path = tmp_path
    ) -> OnTerminal:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            cwd=cwd,
            env={**os.environ, "TERM": "xterm", **(env or {})},
            text=True,
        ) as process:
            os.close(theirs)
            seen: list[bytes] = []
            reader = threading.Thread(target=_read_all, args=(ours, seen))
            reader.start()
            os.write(ours, typed.encode())
            assert process.stdout is not None
            stdout = process.stdout.read()
            code = process.wait()
            reader.join()
        os.close(ours)
        return OnTerminal(code=code, stdout=stdout, screen=b"".join(seen).decode())

    return run


def _read_all(descriptor: int, seen: list[bytes]) -> None:
    """Read until the other side is closed, which Linux reports as an error."""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:
            return
        if not chunk:
            return
        seen.append(chunk)
