"""A team's git repo with two targets of one server, and what the server, the record and the sink hold."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from reconciler.cli.root import root
from support.gate import DROPPED
from support.records import record_folder, recorded
from support.workspace import KINDS, MINIMAL, Workspace, ids

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.sandbox.handle import Sandbox
    from support.gate import Call, Gate, Reply

IGNORED = ".reconciler/secrets/\n.reconciler/inventory/.locks/\n.reconciler/inventory/.spool/\n"
# A field of each vendor that changes in place, with the least value that it is given here.
CHANGED = {
    "provident": ("rateLimitCount", 1),
    "sailpoint": ("accessTokenValiditySeconds", 100),
    "boruta": ("access_token_ttl", 1),
}


@dataclass(slots=True)
class Stated:
    """A client as a manifest of the folder `side` states it; `ending` is that of its file."""

    side: int
    key: str
    value: int = 1
    metadata: dict[str, Any] = field(default_factory=dict)
    ending: str = "json"


@dataclass(slots=True)
class TargetOfTeam:
    """A target by its name, how it spells the server, and what else it states."""

    name: str
    spelling: int = 0
    settings: dict[str, Any] = field(default_factory=dict)


class TeamRepo:
    """A repo below `folder` whose clients are named `Client NUMBER`, one of each wanted at most."""

    def __init__(self, folder: Path, sandbox: Sandbox, vendor: str, gate: Gate, port: int) -> None:
        self.home, self.sandbox, self.vendor, self.gate = folder, sandbox, vendor, gate
        self.port, self.prune = port, False
        self.first = ids(sandbox, vendor)
        self.base = Workspace(folder, sandbox, vendor, self.first)
        for name in (vendor.upper() + "_URL", "BORUTA_TOKEN_URL"):
            self.base.env.pop(name, None)
        self.targets = [TargetOfTeam("one"), TargetOfTeam("two", spelling=1)]
        self.clients: dict[int, Stated] = {}
        self.told_secrets: dict[str, str] = {}
        self.unheard: set[str] = set()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "team@example.com")
        self.git("config", "user.name", "team")
        self.home.joinpath(".gitignore").write_text(IGNORED)
        self.disturb()
        self.write()

    def git(self, *arguments: str) -> str:
        """Run git in the repo. Raises CalledProcessError."""
        return subprocess.run(
            ("git", *arguments), cwd=self.home, check=True, capture_output=True, text=True
        ).stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "work")

    def write(self) -> None:
        """Write the project file and every manifest as they are stated now."""
        targets = {each.name: self._target(side) for side, each in enumerate(self.targets)}
        document = {"apiVersion": "reconciler/v1", "kind": "Project", "targets": targets}
        (self.home / "reconciler.yaml").write_text(json.dumps(document))
        for side in range(2):
            folder = self.home / "clients" / str(side)
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.iterdir():
                path.unlink()
        for number, stated in self.clients.items():
            name = f"{stated.key}.{stated.ending}"
            path = self.home / "clients" / str(stated.side) / name
            path.write_text(json.dumps(self._manifest(number, stated), indent=1))

    def _target(self, side: int) -> dict[str, Any]:
        target, before = self.targets[side], str(self.sandbox.port)
        base = getattr(self.sandbox, self.vendor).replace(before, str(self.port))
        auth = dict(self.base.auth)
        if self.vendor == "boruta":
            auth["tokenUrl"] = self.sandbox.boruta_token_url.replace(before, str(self.port))
        limits = {"maxDeletes": 5, "maxChangePercent": 100, "keepUsedDays": 0}
        return {
            "provider": self.vendor,
            "baseUrl": spellings(base)[target.spelling],
            "auth": auth,
            "manifests": [f"clients/{side}/*.json"],
            "rateLimit": {"requests": 10000, "per": "1s", "share": 1},
            "policy": {"prune": self.prune, "onRemoval": "keep", **limits},
            **target.settings,
        }

    def _manifest(self, number: int, stated: Stated) -> dict[str, Any]:
        word, least = CHANGED[self.vendor]
        metadata = {"name": stated.key, "target": self.targets[stated.side].name}
        spec = {**MINIMAL[self.vendor], "name": f"Client {number}", word: least + stated.value}
        return {
            "apiVersion": "reconciler/v1",
            "kind": KINDS[self.vendor],
            "metadata": {**metadata, **stated.metadata},
            "spec": spec,
        }

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run the command line, give its code and what it printed, and hold code 1 to its promise."""
        before = (self._ours(), self.records())
        given = (*arguments, "--project", str(self.home))
        done = CliRunner().invoke(root, given, env=self.base.env)
        assert done.exit_code in (0, 1, 2, 3, 5, 64), done.output
        assert "bug in reconciler" not in done.output, done.output
        if done.exit_code in (1, 64):
            assert (self._ours(), self.records()) == before, (done.exit_code, done.output)
        return done.exit_code, done.output

    def apply(self, *arguments: str) -> tuple[int, str]:
        return self.run("apply", "--auto-approve", *arguments)

    def disturb(
        self, before: Callable[[Call], Any] | None = None, after: Callable[..., Any] | None = None
    ) -> None:
        """Let these break exchanges from now on, or nothing; the secrets that are told are noted."""

        def note(call: Call, reply: Reply) -> Any:
            broken = after(call, reply) if after else None
            if call.method == "POST" and not call.is_token and reply.status in (200, 201):
                self._note(json.loads(reply.content), heard=broken is not DROPPED)
            return broken

        self.gate.set(before or (lambda _call: None), note)

    def _note(self, body: dict[str, Any], *, heard: bool) -> None:
        body = body.get("data", body)
        secret = body.get("clientSecret") or body.get("secret")
        self.told_secrets[body[self.identifier]] = secret
        self.unheard |= set() if heard else {body[self.identifier]}

    @property
    def identifier(self) -> str:
        return "clientId" if self.vendor == "provident" else "id"

    def on_server(self) -> dict[str, dict[str, Any]]:
        """Every client of the server, by id."""
        return {one[self.identifier]: one for one in self.sandbox.clients(self.vendor)}

    def _ours(self) -> list[dict[str, Any]]:
        """The clients that somebody stated here, whatever others do meanwhile."""
        return [one for one in self.on_server().values() if one["name"].startswith("Client ")]

    def record(self, side: int) -> dict[str, Any]:
        return recorded(record_folder(self.home, self.targets[side].name))

    def records(self) -> dict[str, dict[str, Any]]:
        """What every folder of the inventory holds, also of a target that is no more."""
        found = self.home.glob(".reconciler/inventory/[!.]*/")
        kept = {each.name: recorded(each) for each in found if each.is_dir()}
        return {name: each for name, each in kept.items() if each}

    def recorded_id(self, number: int) -> str | None:
        """The id that the record has under the key and target that a client is stated with now."""
        stated = self.clients[number]
        entry = self.record(stated.side).get(stated.key)
        return entry and entry["id"]

    def kept_secrets(self) -> set[tuple[str, str]]:
        """Id and secret of all that the sink or the spool holds, also under a former key."""
        folder = self.home / ".reconciler"
        files = [*folder.glob("secrets/*/*.json"), *folder.glob("inventory/.spool/**/*.json")]
        found = [json.loads(path.read_text()) for path in files]
        return {(each["client_id"], each["client_secret"]) for each in found}


def spellings(base: str) -> list[str]:
    """One address, as different people write it."""
    plain = base.rstrip("/")
    scheme, _, rest = plain.partition("://")
    host, _, path = rest.partition("/")
    return [
        plain,
        plain + "/",
        f"{scheme}://{host}//{path}",
        plain.replace("127.0.0.1", "localhost"),
        plain.replace("127.0.0.1", "localhost") + "//",
        f"{scheme}://{host}/./{path}",
        f"{scheme}://{host}/" + "".join(f"%{ord(one):02x}" for one in path[:1]) + path[1:],
    ]
