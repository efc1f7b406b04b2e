"""What the manifests of a target may refer to, where the project file lists it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.secrets import reveal
from reconciler.manifests import references
from reconciler.manifests.clients import load as load_project

HOME = Path("project")


def load(reference: dict[str, str], **lists: list[str]) -> tuple[Any, list[str]]:
    """The resolved secret of the one manifest, and what is wrong."""
    target = {
        "provider": "boruta",
        "baseUrl": "https://id.example.com",
        "auth": {"token": {"env": "TOKEN"}},
        "manifests": ["clients/*.yaml"],
        **lists,
    }
    project = {"apiVersion": "reconciler/v1", "kind": "Project", "targets": {"shop": target}}
    (HOME / "reconciler.yaml").write_text(json.dumps(project))
    manifest = {
        "apiVersion": "reconciler/v1",
        "kind": "BorutaClient",
        "metadata": {"name": "web", "target": "shop"},
        "spec": {"name": "Web", "secret": reference, "identity_provider": {"id": "9"}},
    }
    (HOME / "clients/web.yaml").write_text(json.dumps(manifest))
    loaded = load_project(str(HOME / "reconciler.yaml"))
    environ = {"SHOP_KEY": "the-key-of-the-shop", "AWS_SECRET_ACCESS_KEY": "not-for-manifests"}
    (found,), problems = references.resolve(
        loaded.manifests, loaded.providers, loaded.project, environ
    )
    return found, [problem.message for problem in problems]


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (HOME / "clients").mkdir(parents=True)
    (HOME / "keys").mkdir()
    (HOME / "keys/web.txt").write_text("the-key-of-the-shop")
    (HOME / "other.txt").write_text("not-for-manifests")
    Path("run").mkdir()
    Path("run/web.txt").write_text("the-key-of-the-shop")
    (HOME / "keys/link.txt").symlink_to(tmp_path / "run/web.txt")


@pytest.mark.parametrize(
    ("reference", "lists"),
    [
        ({"env": "SHOP_KEY"}, {}),
        ({"env": "SHOP_KEY"}, {"allowedEnv": ["SHOP_KEY"]}),
        ({"env": "SHOP_KEY"}, {"allowedEnv": ["X", "SHOP_*"]}),
        ({"env": "SHOP_KEY"}, {"allowedFiles": []}),
        ({"file": "../keys/web.txt"}, {"allowedEnv": []}),
        ({"file": "../keys/web.txt"}, {"allowedFiles": ["keys/*"]}),
        ({"file": "../keys/../keys/web.txt"}, {"allowedFiles": ["keys/web.txt"]}),
        ({"file": "../../run/web.txt"}, {"allowedFiles": ["../run/web.txt"]}),
    ],
)
def test_what_is_listed_may_be_referred_to(reference, lists):
    found, problems = load(reference, **lists)

    assert problems == []
    assert reveal(found.spec["secret"]) == "the-key-of-the-shop"
    ((pointer, source),) = found.references.items()
    assert (pointer, source.split()[0]) == ("/secret", *reference)


@pytest.mark.parametrize(
    ("reference", "lists"),
    [
        ({"env": "AWS_SECRET_ACCESS_KEY"}, {"allowedEnv": ["SHOP_*"]}),
        ({"env": "SHOP_KEY"}, {"allowedEnv": []}),
        ({"env": "SHOP_KEY"}, {"allowedEnv": ["shop_key", "SHOP", "KEY"]}),
        ({"file": "../other.txt"}, {"allowedFiles": ["keys/*"]}),
        ({"file": "../keys/../other.txt"}, {"allowedFiles": ["keys/*"]}),
        ({"file": "../keys/web.txt"}, {"allowedFiles": []}),
    ],
)
def test_nothing_else_is_read(reference, lists):
    found, (problem,) = load(reference, **lists)

    assert "is not among what manifests may refer to" in problem
    assert "not-for-manifests" not in f"{problem}{found}"
    assert found.references == {}


@pytest.mark.parametrize(
    ("reference", "lists"),
    [
        ({"file": "../../run/web.txt"}, {}),
        ({"file": "../../run/web.txt"}, {"allowedFiles": ["../run/*"]}),
        ({"file": "../../run/web.txt"}, {"allowedFiles": ["*"]}),
        ({"file": "../keys/link.txt"}, {"allowedFiles": ["keys/*"]}),
        ({"file": "../keys/link.txt"}, {"allowedFiles": ["keys/link.txt"]}),
    ],
)
def test_a_pattern_and_a_link_lead_nowhere_outside(reference, lists):
    _, (problem,) = load(reference, **lists)

    assert "so it is not read" in problem
