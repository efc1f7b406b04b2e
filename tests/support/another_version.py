"""Another version of the tool, run by its command line on a project whose server stands behind a gate."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support import s3
from support.gate import DROPPED, Reply, gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.gate import Call, Dropped, Gate

VENDORS = {"provident": "ProvidentClient", "sailpoint": "SailPointClient", "boruta": "BorutaClient"}
SPECS: dict[str, dict[str, Any]] = {
    "provident": {"redirectUris": ["https://shop.example.com/callback"], "allowedScopes": ["read"]},
    "sailpoint": {
        "description": "A client",
        "accessTokenValiditySeconds": 600,
        "grantTypes": ["CLIENT_CREDENTIALS"],
        "accessType": "ONLINE",
        "enabled": True,
        "scope": ["sp:read"],
    },
    "boruta": {
        "redirect_uris": ["https://shop.example.com/callback"],
        "identity_provider": {"id": "44444444-4444-4444-8444-444444444444"},
    },
}
# For each vendor a field that changes in place, and one that takes a replace, none without a delete.
MOVED: dict[str, dict[str, Any]] = {
    "provident": {"rateLimitCount": 20},
    "sailpoint": {"accessTokenValiditySeconds": 900},
    "boruta": {"access_token_ttl": 250},
}
RENEWED: dict[str, dict[str, Any]] = {
    "sailpoint": {"scope": ["sp:write"]},
    "boruta": {"access_token_ttl": 7200},
}
INVENTED = {"CHOSEN": "invented-by-a-user", "KEY": "invented-key-of-fingerprints"}
LEFT_OUT = (".locks", ".gitignore", "receipt.json", "plan.json")
# The sandbox draws its secrets; these say of themselves that they open nothing.
SANDBOX = """
import itertools, runpy
from reconciler.sandbox.world import Mint
numbers = itertools.count(1)
Mint.secret = lambda self, size: self.note(f"invented-{next(numbers)}-".ljust(size, "x")[:size])
runpy.run_module("reconciler", run_name="__main__", alter_sys=True)
"""


class Writer:
    """One vendor's project in a folder, its server behind a gate, and the version that runs on both."""

    def __init__(self, checkout: Path, home: Path, vendor: str, opened: Gate, port: int) -> None:
        self.vendor, self.home, self.gate = vendor, home, opened
        self.state = home.parent / "state.sqlite"
        self.ready = json.loads((home.parent / "ready.json").read_text())
        self.base = self.ready["addresses"][vendor].replace(str(self.ready["port"]), str(port))
        self.token_url = self.ready["addresses"]["borutaToken"]
        self.env = environment(checkout) | self.ready["env"]

    def project(self, inventory: dict[str, Any] | None = None, **target: Any) -> None:
        """Write the project file; `target` are settings of its one target."""
        login = {
            "clientId": {"env": f"{self.vendor.upper()}_ID"},
            "clientSecret": {"env": f"{self.vendor.upper()}_SECRET"},
        }
        if self.vendor == "boruta":
            login["tokenUrl"] = self.token_url
        limits = {"maxDeletes": 5, "maxChangePercent": 100}
        write_json(
            self.home / "reconciler.yaml",
            {
                "apiVersion": "reconciler/v1",
                "kind": "Project",
                "fingerprintKey": {"env": "KEY"},
                "targets": {
                    self.vendor: {
                        "provider": self.vendor,
                        "baseUrl": self.base,
                        "auth": login,
                        "manifests": ["clients/*.yaml"],
                        "policy": {"prune": True, **limits, **target.pop("policy", {})},
                        "secrets": {"sink": "file", "directory": "secrets"},
                        "rateLimit": {"requests": 10000, "per": "1s", "share": 1},
                        **target,
                    }
                },
                "inventory": inventory or {"store": "file", "directory": "inventory"},
            },
        )

    def client(self, name: str, lifecycle: dict[str, Any] | None = None, **fields: Any) -> None:
        """Write a manifest."""
        (self.home / "clients").mkdir(exist_ok=True)
        write_json(
            self.home / "clients" / f"{name}.yaml",
            {
                "apiVersion": "reconciler/v1",
                "kind": VENDORS[self.vendor],
                "metadata": {"name": name, "target": self.vendor},
                **({"lifecycle": lifecycle} if lifecycle else {}),
                "spec": {"name": f"Client {name}", **SPECS[self.vendor], **fields},
            },
        )

    def without(self, name: str) -> None:
        """Take a manifest away."""
        (self.home / "clients" / f"{name}.yaml").unlink()

    def renewed(self, name: str) -> None:
        """State of a client what only a new one can have."""
        self.client(name, {"allowReplace": True}, **RENEWED[self.vendor])

    def run(self, *arguments: str, code: int) -> str:
        """Run a command line to its end, which must be `code`, and give what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=self.home,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, (done.returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def run_killed(self, *arguments: str, when: Callable[[Call], bool], only_if: Any) -> None:
        """Run until a request for which `when` holds, wait for `only_if`, and kill the run there."""
        process: list[subprocess.Popen[bytes]] = []
        before = self.gate.before

        def strike(call: Call) -> Reply | Dropped | None:
            if not when(call):
                return before(call)
            wait_for(only_if)
            process[0].send_signal(signal.SIGKILL)
            process[0].wait()
            return DROPPED

        self.gate.set(before=strike, after=self.gate.after)
        with subprocess.Popen(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=self.home,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as started:
            process.append(started)
        assert started.returncode == -signal.SIGKILL
        self.gate.set()

    def remove(self, name: str) -> None:
        """Delete a client behind the tool's back."""
        for remote_id, body in self.rows():
            if body["name"] == f"Client {name}":
                with contextlib.closing(sqlite3.connect(self.state)) as connection, connection:
                    connection.execute("delete from rows where id = ?", (remote_id,))

    def respell(self) -> None:
        """Let the server keep the name of one client as its answer spelled it."""
        with contextlib.closing(sqlite3.connect(self.state)) as connection, connection:
            connection.execute(
                "update rows set body = replace(body, 'Client respelt', 'CLIENT RESPELT')"
            )

    def rows(self) -> list[tuple[str, dict[str, Any]]]:
        with contextlib.closing(sqlite3.connect(self.state)) as connection:
            found = connection.execute(
                "select id, body from rows where collection = ? order by position", (self.vendor,)
            ).fetchall()
        return [(remote_id, json.loads(body)) for remote_id, body in found]

    def servers(self) -> dict[str, list[dict[str, Any]]]:
        """What the sandbox holds: by collection, in order."""
        with contextlib.closing(sqlite3.connect(self.state)) as connection:
            found = connection.execute(
                "select collection, id, body, hidden from rows order by position"
            ).fetchall()
        rows: dict[str, list[dict[str, Any]]] = {}
        for collection, remote_id, body, hidden in found:
            row = {"id": remote_id, "body": json.loads(body), "hidden": json.loads(hidden)}
            rows.setdefault(collection, []).append(row)
        return {name: rows[name] for name in sorted(rows) if name.startswith(self.vendor)}

    def keep(self, folder: Path) -> None:
        """Copy the project as it is, and what its server holds."""
        shutil.copytree(self.home, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        write_json(folder / "servers.json", self.servers())

    def fold(self) -> None:
        """Have the version read what a killed run left, and write the record anew; no server answers."""
        self.gate.set(before=lambda _call: DROPPED)
        printed = self.run("apply", "--auto-approve", code=1)
        assert "locked" not in printed, printed
        self.gate.set()


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def environment(checkout: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return {
        **kept,
        **INVENTED,
        **s3.CREDENTIALS,
        "GITHUB_ACTOR": "a-maintainer",
        "NO_COLOR": "1",
        "PYTHONPATH": str(checkout),
    }


@contextlib.contextmanager
def writer(checkout: Path, vendor: str) -> Iterator[Writer]:
    """A project and a server that nobody has used yet."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "home").mkdir()
        command = [sys.executable, "-c", SANDBOX, "sandbox", "--port", "0"]
        command += ["--ready-file", "ready.json", "--state", "state.sqlite"]
        with subprocess.Popen(
            command, cwd=folder, env=environment(checkout), stdout=subprocess.DEVNULL
        ) as server:
            try:
                wait_for((folder / "ready.json").exists)
                port = json.loads((folder / "ready.json").read_text())["port"]
                with gate(port) as (opened, through):
                    yield Writer(checkout, folder / "home", vendor, opened, through)
            finally:
                server.send_signal(signal.SIGINT)
