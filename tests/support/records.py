"""The files of a target's record, as a user finds them in the folder of the inventory."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from reconciler.plan.record.digests import applied_digest

if TYPE_CHECKING:
    from pathlib import Path

DIRECTORY = ".reconciler/inventory"


def record_folder(root: Path, target: str) -> Path:
    """The folder of a target's record in the project at `root`."""
    return root / DIRECTORY / target


def record_file(root: Path, target: str, key: str) -> Path:
    """The file of a client."""
    return record_folder(root, target) / f"{key}.json"


def edit_entry(path: Path, **members: Any) -> None:
    """Have a client's file say this of it, None for nothing, as if a run had recorded it so."""
    document = json.loads(path.read_bytes())
    client = {**document["client"], **members}
    client = {name: value for name, value in client.items() if value is not None}
    client["digest"] = applied_digest(client["applied"], client["fingerprints"])
    path.write_text(json.dumps({**document, "client": client}, indent=2, sort_keys=True) + "\n")


def recorded(folder: Path) -> dict[str, Any]:
    """What the files in a folder say of each client, by key."""
    documents = [json.loads(path.read_bytes()) for path in sorted(folder.glob("[!_]*.json"))]
    return {one["key"]: one["client"] for one in documents if "client" in one}


def lose_record(root: Path, target: str) -> None:
    """Take the record of a target away."""
    shutil.rmtree(record_folder(root, target))
