"""The example manifests of `tests/schemas/manifests`, and the validators of the three kinds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from reconciler.provider.manifest_schema import derive
from reconciler.validation.validator import Validator
from support.vendors import NAMES, schema, vendor

FOLDER = Path(__file__).parents[1] / "schemas" / "manifests"
KINDS = {vendor(name).kind: name for name in NAMES}


def accepted() -> list[Path]:
    return sorted((FOLDER / "accepted").glob("*.yaml"))


def refused() -> list[Path]:
    return sorted((FOLDER / "refused").glob("*.yaml"))


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


@cache
def validator(kind: str) -> Validator:
    return Validator(derive(schema(KINDS[kind], "client"), kind))


def validator_of(path: Path) -> Validator:
    """By the file's name, since the kind that a manifest states may be the mistake."""
    stated = documents(path)[0]["kind"]
    return validator(stated if stated in KINDS else "ProvidentClient")
