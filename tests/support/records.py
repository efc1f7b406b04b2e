"""The files of a target's record, as a user finds them in the folder of the inventory."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

DIRECTORY = ".reconciler/inventory"


def record_folder(root: Path, target: str) -> Path:
    """The folder of a target's record in the project at `root`."""
    return root / DIRECTORY / target


def record_file(root: Path, target: str, key: str) -> Path:
    """The file of a client."""
    return record_folder(root, target) / f"{key}.json"


def recorded(folder: Path) -> dict[str, Any]:
    """What the files in a folder say of each client, by key."""
    documents = [json.loads(path.read_bytes()) for path in sorted(folder.glob("[!_]*.json"))]
    return {one["key"]: one["client"] for one in documents if "client" in one}


def lose_record(root: Path, target: str) -> None:
    """Take the record of a target away."""
    shutil.rmtree(record_folder(root, target))
