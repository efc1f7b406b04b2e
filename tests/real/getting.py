"""Gets servers from the package registries into a folder, once, by the tools that are configured on the machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

KEYCLOAK = "26.7.3"
HYDRA = "v2.3.0"
OIDC_PROVIDER = "9"
# The fork of pop that Hydra is built with: a `replace` of its own go.mod, which does not come along.
_POP = "github.com/gobuffalo/pop/v6=github.com/ory/pop/v6@v6.2.1-0.20241121111754-e5dfc0f3344b"
# Seconds: a JVM on a busy machine.
_LONGEST_START = 240


class MissingTool(Exception):
    """A tool of the machine that a server needs; the message says which."""


def keycloak(cache: Path) -> Path:
    """The folder of Keycloak's distribution."""
    need("java", "mvn", "unzip")
    artifact = f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:zip"

    def make(folder: Path) -> None:
        copy = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}"]
        run([*copy, f"-DoutputDirectory={folder}"], folder)
        run(["unzip", "-q", str(next(folder.glob("*.zip")))], folder)

    return once(cache / f"keycloak-{KEYCLOAK}", make) / f"keycloak-{KEYCLOAK}"


def hydra(cache: Path) -> Path:
    """The program."""
    need("go")

    def make(folder: Path) -> None:
        (folder / "go.mod").write_text("module scratch\n\ngo 1.24\n")
        run(["go", "mod", "edit", f"-replace={_POP}"], folder)
        run(["go", "get", "-tool", f"github.com/ory/hydra/v2@{HYDRA}"], folder)
        build = ["go", "build", "-mod=mod", "-p", "1", "-tags", "sqlite,json1", "-o", "hydra"]
        run([*build, "github.com/ory/hydra/v2"], folder)

    return once(cache / f"hydra-{HYDRA}", make) / "hydra"


def oidc_provider(cache: Path) -> Path:
    """The folder in which node finds it."""
    need("node", "npm")

    def make(folder: Path) -> None:
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
        run(["npm", "install", "--no-audit", "--no-fund", f"oidc-provider@{OIDC_PROVIDER}"], folder)

    return once(cache / f"oidc-provider-{OIDC_PROVIDER}", make)


def need(*tools: str) -> None:
    """Raise MissingTool where a program is not there."""
    for tool in tools:
        if shutil.which(tool) is None:
            raise MissingTool(f"{tool} is not here")


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """`folder`, made by `make` where it is not there; one that was broken off is made anew."""
    if not folder.is_dir():
        half = folder.with_name(f"{folder.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        make(half)
        half.rename(folder)
    return folder


def run(command: Sequence[str], folder: Path) -> None:
    """Run a command to its end; what it printed is in the error."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])}: {done.stderr[-2000:] or done.stdout[-2000:]}")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str], folder: Path, ready: str, *, env: Mapping[str, str], log: Path
) -> Iterator[None]:
    """The server that `command` is, from when `ready` answers until the block ends."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(env), stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait(process, ready, log)
            yield
        finally:
            # Its whole group: a script that starts a server does not end it.
            subprocess.run(["kill", "--", f"-{process.pid}"], check=False)
            process.wait()


def _wait(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    for _ in range(_LONGEST_START * 2):
        if process.poll() is not None:
            raise RuntimeError(f"it ended at once: {log.read_text()[-2000:]}")
        try:
            if httpx.get(ready).status_code < 500:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise RuntimeError(f"it does not answer: {log.read_text()[-2000:]}")
