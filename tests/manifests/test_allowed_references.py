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
OTHER = {
    "baseUrl": "https://other.example.com",
    "manifests": ["others/*.yaml"],
    "auth": {"clientId": "tool", "clientSecret": {"file": "keys/login.txt"}},
}


def load(reference: dict[str, str], **lists: list[str]) -> tuple[Any, list[str]]:
    """The resolved secret of the one manifest, and what is wrong."""
    target = {
        "provider": "boruta",
        "baseUrl": "https://id.example.com",
        "auth": {"token": {"env": "TOKEN"}},
        "manifests": ["clients/*.yaml"],
        **lists,
    }
    project = {
        "apiVersion": "reconciler/v1",
        "kind": "Project",
        "targets": {"shop": target, "other": {**target, **OTHER}},
        "fingerprintKey": {"env": "PRINTS"},
        "planKey": {"file": "keys/plan.txt"},
    }
    (HOME / "reconciler.yaml").write_text(json.dumps(project))
    manifest = {
        "apiVersion": "reconciler/v1",
        "kind": "BorutaClient",
        "metadata": {"name": "web", "target": "shop"},
        "spec": {"name": "Web", "secret": reference, "identity_provider": {"id": "9"}},
    }
    (HOME / "clients/web.yaml").write_text(json.dumps(manifest))
    loaded = load_project(str(HOME / "reconciler.yaml"))
    own = dict.fromkeys(("TOKEN", "PRINTS", "prints"), "not-for-manifests")
    environ = {
        **own,
        "SHOP_KEY": "the-key-of-the-shop",
        "AWS_SECRET_ACCESS_KEY": "not-for-manifests",
    }
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
    for name in ("plan", "login"):
        (HOME / f"keys/{name}.txt").write_text("not-for-manifests")
    (HOME / "keys/alias.txt").symlink_to("login.txt")
    (HOME / "keys/hard.txt").hardlink_to(HOME / "keys/plan.txt")
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


OWN = [
    ({"env": "TOKEN"}, "targets.shop.auth.token"),
    ({"env": "PRINTS"}, "fingerprintKey"),
    ({"env": "prints"}, "fingerprintKey"),
    ({"file": "../keys/plan.txt"}, "planKey"),
    ({"file": "../keys/hard.txt"}, "planKey"),
    ({"file": "../keys/login.txt"}, "targets.other.auth.clientSecret"),
    ({"file": "../clients/../keys/login.txt"}, "targets.other.auth.clientSecret"),
    ({"file": "../keys/alias.txt"}, "targets.other.auth.clientSecret"),
]


@pytest.mark.parametrize("lists", [{}, {"allowedEnv": ["*"], "allowedFiles": ["*", "keys/*"]}])
@pytest.mark.parametrize(("reference", "place"), OWN)
def test_what_the_tool_itself_logs_in_or_signs_with_is_not_for_manifests(reference, place, lists):
    found, (problem,) = load(reference, **lists)

    assert f"is what the project logs in or signs with ({place})" in problem
    assert found.references == {}
    assert "not-for-manifests" not in problem


def test_a_file_of_the_tools_own_that_is_not_there_is_told_as_that():
    (HOME / "keys/plan.txt").unlink()

    _, (problem,) = load({"file": "../keys/plan.txt"})

    assert "(planKey)" in problem


@pytest.mark.parametrize(
    ("reference", "lists"),
    [
        ({"env": "TOKEN"}, {"allowedEnv": ["TOKEN"]}),
        ({"file": "../keys/login.txt"}, {"allowedFiles": ["keys/login.txt"]}),
    ],
)
def test_unless_the_project_file_lists_that_very_one(reference, lists):
    found, problems = load(reference, **lists)

    assert problems == []
    assert reveal(found.spec["secret"]) == "not-for-manifests"
