"""The whole life of clients on one server, by the command line; each step says what it saw."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from support.records import record_folder, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from real.servers import Server

# Seconds after which a run is killed: from before its first request to after its last.
_KILLS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6)
_FLEET = 6


class Failed(Exception):
    """A step that did not end as it has to; the message is what was printed."""


class Life:
    """A project in a folder whose one target is the server."""

    def __init__(self, home: Path, server: Server) -> None:
        self.home, self.server = home, server
        (home / "clients").mkdir(parents=True)
        target = {
            **server.target,
            "manifests": ["clients/*.yaml"],
            "secrets": {"sink": "file", "directory": ".reconciler/secrets"},
            "policy": {"prune": True, "maxDeletes": 20, "maxChangePercent": 100},
        }
        project = {
            "apiVersion": "reconciler/v1",
            "kind": "Project",
            "fingerprintKey": {"env": "FINGERPRINTS"},
            "targets": {"real": target},
        }
        (home / "reconciler.yaml").write_text(json.dumps(project))
        self.env = {**os.environ, **server.env, "FINGERPRINTS": "a key for this run alone"}

    def command(self, *arguments: str) -> list[str]:
        project = ("--project", str(self.home / "reconciler.yaml"))
        return [sys.executable, "-m", "reconciler", *project, *arguments]

    def run(self, *arguments: str, code: int = 0) -> str:
        """What a command prints; it has to end with `code`."""
        done = subprocess.run(
            self.command(*arguments), env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode != code:
            raise Failed(
                f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout + done.stderr

    def apply(self) -> str:
        return self.run("apply", "--auto-approve")

    def settled(self) -> None:
        self.run("plan", "--detailed-exitcode")

    def state(self, key: str, spec: dict[str, Any], **parts: Any) -> None:
        document = {
            "apiVersion": "reconciler/v1",
            "kind": self.server.kind,
            "metadata": {"name": key, "target": "real"},
            "spec": spec,
            **parts,
        }
        (self.home / "clients" / f"{key}.yaml").write_text(json.dumps(document))

    def recorded(self) -> dict[str, str]:
        """The ids of the clients of ours, by key."""
        entries = recorded(record_folder(self.home, "real"))
        return {key: entry["id"] for key, entry in entries.items()}

    def secret(self, key: str) -> str:
        path = self.home / ".reconciler/secrets/real" / f"{key}.json"
        secret: str = json.loads(path.read_text())["client_secret"]
        return secret


def steps(life: Life) -> Iterator[str]:
    """Each step of the life, by its name, once it has ended well. Raises Failed and the errors of the steps."""
    server, spec = life.server, dict(life.server.spec)
    life.state("web", spec)
    life.apply()
    first = life.secret("web")
    yield "create"
    life.settled()
    yield "empty plan"
    for label, change in server.changes.items():
        spec = {**spec, **change}
        life.state("web", spec)
        life.apply()
        life.settled()
        yield f"change: {label}"
    if server.edit is not None:
        server.edit(life.recorded()["web"], life.home)
        life.run("plan", "--detailed-exitcode", code=2)
        life.apply()
        life.settled()
        yield "drift"
    if server.rotates:
        life.run("rotate", "web", "--auto-approve")
        if life.secret("web") == first:
            raise Failed("the sink has the old secret still")
        life.settled()
        yield "rotate"
    if server.replaced:
        life.state("web", {**spec, **server.replaced}, lifecycle={"allowReplace": True})
        life.apply()
        life.settled()
        yield "replace"
    remote_id, token = server.foreign()
    given = ("--registration-token", "env:TOKEN") if token else ()
    life.env["TOKEN"] = token
    life.run("import", "real", "--id", remote_id, *given)
    life.settled()
    yield "import"
    yield from _killed(life)
    for path in [*(life.home / "clients").iterdir()][1:]:
        path.unlink()
    life.apply()
    life.settled()
    if server.ids is not None and len(server.ids() & {*life.recorded().values()}) != 1:
        raise Failed(f"on the server are {server.ids()}, on record {life.recorded()}")
    yield "prune"


def _killed(life: Life) -> Iterator[str]:
    """A fleet that is created and changed by runs that are killed at any moment."""
    server = life.server
    before = server.ids() if server.ids is not None else set()
    creates = server.ids is not None
    keys = [f"fleet-{index}" for index in range(_FLEET)]
    for key in keys:
        life.state(key, server.named(key))
    if not creates:
        # A create whose answer nobody got is asked about, and not killed here.
        life.apply()
    for round_, seconds in enumerate(_KILLS):
        _kill_after(life, seconds)
        life.apply()
        life.settled()
        for key in keys:
            change = [*server.changes.values()][round_ % 2]
            life.state(key, {**server.named(key), **(change if round_ % 4 < 2 else {})})
    life.apply()
    life.settled()
    if creates:
        made = (server.ids() if server.ids is not None else set()) - before
        if len(made) != _FLEET:
            raise Failed(f"{_FLEET} clients were wanted, and {len(made)} were made")
    yield f"killed {len(_KILLS)} times"


def _kill_after(life: Life, seconds: float) -> None:
    run = subprocess.Popen(
        life.command("apply", "--auto-approve"),
        env=life.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    run.send_signal(signal.SIGKILL)
    run.wait()
