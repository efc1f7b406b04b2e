"""The three vendors as the shipped folders describe them, read without the manifests layer."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from reconciler.provider.descriptor import parse_provider
from reconciler.provider.model import Provider

SCHEMAS = Path(__file__).parents[2] / "schemas"
NAMES = ("boruta", "provident", "sailpoint")


def schema(name: str, body: str) -> dict[str, Any]:
    return json.loads((SCHEMAS / name / f"{body}.schema.json").read_text())


@cache
def vendor(name: str) -> Provider:
    descriptor = yaml.safe_load((SCHEMAS / name / "provider.yaml").read_text())
    bodies = (schema(name, body) for body in ("client", "create", "update"))
    return parse_provider(descriptor, *bodies)


def make_provider(folder: Path, *, name: str, kind: str) -> None:
    """Make a folder that describes a provider, with a token server elsewhere and no example address."""
    shutil.copytree(SCHEMAS / "boruta", folder)
    descriptor = folder / "provider.yaml"
    text = descriptor.read_text().replace("name: boruta", f"name: {name}")
    text = text.replace("clientKind: BorutaClient", f"clientKind: {kind}")
    descriptor.write_text(text[: text.index("example:")])
