"""What a check of a provider's folder found, and the project of its own in which it looks."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.model import Json, JsonObject

TARGET: Final = "checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: as it should be, worth knowing, or wrong in the descriptor."""

    level: Literal["ok", "note", "wrong"]
    message: str


def ok(message: str) -> Finding:
    """It is as it should be."""
    return Finding(level="ok", message=message)


def note(message: str) -> Finding:
    """It is worth knowing."""
    return Finding(level="note", message=message)


def wrong(message: str) -> Finding:
    """The descriptor, or a schema, does not say what the server does."""
    return Finding(level="wrong", message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """A project in a folder of its own with the one target that is checked."""

    root: Path

    @property
    def project_file(self) -> str:
        """The path of its project file."""
        return str(self.root / "reconciler.yaml")

    def state(self, kind: str, key: str, spec: JsonObject) -> None:
        """Write the manifest of a client."""
        document = {
            "apiVersion": "reconciler/v1",
            "kind": kind,
            "metadata": {"name": key, "target": TARGET},
            "spec": spec,
        }
        (self.root / "clients" / f"{key}.yaml").write_text(json.dumps(document), "utf-8")

    def unstate(self, key: str) -> None:
        """Take the manifest of a client away."""
        (self.root / "clients" / f"{key}.yaml").unlink()


@contextmanager
def workshop(folder: str, base_url: str, auth: Json, also: JsonObject) -> Iterator[Workshop]:
    """A project for the provider in `folder`, gone with all it holds when the block ends.

    `auth` and `also` are as a target states them.
    """
    with TemporaryDirectory(prefix="reconciler-check-") as name:
        root = Path(name)
        (root / "clients").mkdir()
        # Of this check alone: nothing that is fingerprinted with it is kept.
        (root / "key").write_text(secrets.token_hex(32), "utf-8")
        target = {
            **also,
            "provider": str(Path(folder).absolute()),
            "baseUrl": base_url,
            "auth": auth,
            "manifests": ["clients/*.yaml"],
            "secrets": {"sink": "file", "directory": "secrets"},
            "policy": {"prune": True, "maxDeletes": 2, "maxChangePercent": 100},
        }
        project = {
            "apiVersion": "reconciler/v1",
            "kind": "Project",
            "fingerprintKey": {"file": "key"},
            "targets": {TARGET: target},
        }
        (root / "reconciler.yaml").write_text(json.dumps(project), "utf-8")
        yield Workshop(root=root)
