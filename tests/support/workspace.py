"""A project folder whose targets are a sandbox, and the whole tool to run on it in this process."""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from reconciler.app.apply import apply_plan
from reconciler.app.plan import Selection, plan_targets
from reconciler.core.changes import Action
from support.records import record_folder, recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.changes import ApplyReport, Change, Plan
    from reconciler.sandbox.handle import Sandbox

KINDS = {"provident": "ProvidentClient", "sailpoint": "SailPointClient", "boruta": "BorutaClient"}
IDP = {"id": "44444444-4444-4444-8444-444444444444"}
# The least that a new client of each vendor needs.
MINIMAL: dict[str, dict[str, Any]] = {
    "provident": {
        "name": "Web",
        "redirectUris": ["https://a.example.com"],
        "allowedScopes": ["read"],
    },
    "sailpoint": {
        "name": "Web",
        "description": "A client",
        "accessTokenValiditySeconds": 600,
        "grantTypes": ["CLIENT_CREDENTIALS"],
        "accessType": "ONLINE",
        "enabled": True,
        "scope": ["sp:read"],
    },
    "boruta": {"name": "Web", "identity_provider": IDP},
}


class Workspace:
    """A project with one target, named like its vendor. Files are JSON, which YAML 1.2 takes."""

    def __init__(
        self, root: Path, sandbox: Sandbox, vendor: str, first: frozenset[str] = frozenset()
    ) -> None:
        self.first = first
        self.root, self.sandbox, self.vendor = root, sandbox, vendor
        self.auth: dict[str, Any] = {"clientId": {"env": "ID"}, "clientSecret": {"env": "SECRET"}}
        self.env = dict(sandbox.env)
        self.env["ID"] = self.env[f"{vendor.upper()}_ID"]
        self.env["SECRET"] = self.env[f"{vendor.upper()}_SECRET"]
        self.settings: dict[str, Any] = {}

    @property
    def project(self) -> str:
        return str(self.root / "reconciler.yaml")

    def write_project(self, **settings: Any) -> None:
        """Write the project file; `settings` go into its target, for good."""
        self.settings |= settings
        token_url = {"tokenUrl": self.sandbox.boruta_token_url} if self.vendor == "boruta" else {}
        target = {
            "provider": self.vendor,
            "baseUrl": getattr(self.sandbox, self.vendor),
            "auth": {**self.auth, **token_url},
            "manifests": ["clients/*.json"],
            "rateLimit": {"requests": 10000, "per": "1s", "share": 1},
            **self.settings,
        }
        document = {
            "apiVersion": "reconciler/v1",
            "kind": "Project",
            "targets": {self.vendor: target},
        }
        Path(self.project).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")

    def write(self, name: str, spec: dict[str, Any], **parts: Any) -> None:
        """Write a manifest; `id`, `labels` go into its metadata, the rest beside it."""
        metadata = {"name": name, "target": self.vendor}
        metadata |= {word: parts.pop(word) for word in ("id", "labels") if word in parts}
        document = {
            "apiVersion": "reconciler/v1",
            "kind": KINDS[self.vendor],
            "metadata": metadata,
            "spec": spec,
            **parts,
        }
        folder = self.root / "clients"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.json").write_text(
            json.dumps(document, ensure_ascii=False), encoding="utf-8"
        )

    def plan(self, **selection: tuple[str, ...]) -> Plan:
        with self._planning(selection, lock=False) as planned:
            return planned.plan

    def changes(self, **selection: tuple[str, ...]) -> dict[str, Change]:
        """The changes of the one target, by key; what could not be planned is an error here."""
        (target,) = self.plan(**selection).targets
        assert target.errors == ()
        return {change.key: change for change in target.changes}

    def actions(self) -> dict[str, Action]:
        return {key: change.action for key, change in self.changes().items()}

    def apply(self, **selection: tuple[str, ...]) -> ApplyReport:
        with self._planning(selection, lock=True) as planned:
            assert not [target.errors for target in planned.plan.targets if target.errors]
            return apply_plan(planned)

    def apply_after(self, meanwhile: Callable[[], object], *, seconds: float = 0.0) -> ApplyReport:
        """Plan, let `meanwhile` happen, which takes so many seconds, and apply what was planned."""
        now = [0.0]
        with self._planning({}, lock=True, monotonic=lambda: now[0]) as planned:
            meanwhile()
            now[0] += seconds
            return apply_plan(planned)

    @contextmanager
    def _planning(
        self,
        selection: dict[str, tuple[str, ...]],
        *,
        lock: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ):
        if not Path(self.project).exists():
            self.write_project()
        with (
            patch.dict(os.environ, self.env),
            plan_targets(
                self.project,
                Selection(**selection),
                lock=lock,
                lock_timeout=5,
                monotonic=monotonic,
            ) as planned,
        ):
            yield planned

    def inventory(self) -> dict[str, Any]:
        return recorded(record_folder(self.root, self.vendor))

    def secret(self, name: str) -> dict[str, str]:
        path = self.root / ".reconciler/secrets" / self.vendor / f"{name}.json"
        return json.loads(path.read_text())

    def writes(self) -> list[tuple[str, Any]]:
        """Method and body of every request so far that could change a client."""
        return [
            (request.method, json.loads(request.body) if request.body else None)
            for request in self.sandbox.requests
            if request.method != "GET" and not request.path.endswith("/token")
        ]

    def server_id(self, name: str) -> str:
        return self.inventory()[name]["id"]

    def twin(self) -> Workspace:
        """The same project in another folder, with an inventory of its own: another machine."""
        folder = self.root / "twin"
        folder.mkdir()
        shutil.copytree(self.root / "clients", folder / "clients")
        return Workspace(folder, self.sandbox, self.vendor, self.first)

    def clear(self) -> None:
        """Take every client off the server that it did not start with."""
        for remote_id in ids(self.sandbox, self.vendor) - self.first:
            self.sandbox.remove(self.vendor, remote_id)


def ids(sandbox: Sandbox, vendor: str) -> frozenset[str]:
    """The remote ids of all clients on a server."""
    identifier = "clientId" if vendor == "provident" else "id"
    return frozenset(client[identifier] for client in sandbox.clients(vendor))
