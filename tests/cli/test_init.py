from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml

from reconciler.cli import starter
from reconciler.manifests import catalog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

PROVIDERS = catalog.names()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_init_writes_is_a_valid_project(
    provider: str, invoke: Callable[..., Result], tmp_path: Path
):
    made = invoke("init", str(tmp_path / "repo"), "--provider", provider)
    checked = invoke("validate", "--strict", "--project", str(tmp_path / "repo"))

    assert made.exit_code == 0
    assert (checked.exit_code, checked.stdout) == (0, "")
    assert checked.stderr == "1 client in 1 file: valid.\n"


def test_init_says_what_to_do_next(
    invoke: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)

    here, there = invoke("init"), invoke("init", "there")

    assert here.stdout.startswith("Wrote reconciler.yaml and clients/storefront-web.yaml.\n")
    assert "export PROVIDENT_ID=... PROVIDENT_SECRET=...\n" in here.stdout
    assert "cd " not in here.stdout
    assert "   cd there\n" in there.stdout


@pytest.mark.parametrize("existing", ["reconciler.yaml", "clients/storefront-web.yaml"])
def test_init_overwrites_nothing(existing: str, invoke: Callable[..., Result], tmp_path: Path):
    (tmp_path / "clients").mkdir()
    (tmp_path / existing).write_text("mine")

    done = invoke("init", str(tmp_path))

    assert done.exit_code == 1
    assert f"{existing} is already there; nothing was written" in done.stderr
    assert (tmp_path / existing).read_text() == "mine"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [
        (tmp_path / existing).name
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, ".reconciler/secrets/\n"),
        ("*.pyc\n", "*.pyc\n.reconciler/secrets/\n"),
        ("*.pyc", "*.pyc\n.reconciler/secrets/\n"),
        (".reconciler/secrets/\n*.pyc\n", ".reconciler/secrets/\n*.pyc\n"),
    ],
)
def test_secrets_are_kept_out_of_git(
    before: str | None, after: str, invoke: Callable[..., Result], tmp_path: Path
):
    ignore = tmp_path / ".gitignore"
    if before is not None:
        ignore.write_text(before)

    invoke("init", str(tmp_path))

    assert ignore.read_text() == after


def test_an_unknown_provider_is_wrong_usage(invoke: Callable[..., Result], tmp_path: Path):
    done = invoke("init", str(tmp_path), "--provider", "acorn")

    assert done.exit_code == 64
    assert "'acorn' is none of boruta, provident, sailpoint" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_provider_that_nobody_foresaw_gets_a_project_too():
    text = starter.project_text("acorn-two", catalog.entry("provident", "."))

    target = yaml.safe_load(text)["targets"]["acorn-two"]
    assert target["baseUrl"] == "https://acorn-two.example.com"
    assert target["auth"]["clientId"] == {"env": "ACORN_TWO_ID"}


def test_every_field_that_a_provider_could_ask_for_gets_a_value_that_fits():
    client = {
        "properties": {
            "ttl": {"type": "integer", "maximum": 300},
            "kept": {"default": "as it is"},
            "thing": {"type": "string"},
        },
        "required": ["ttl", "kept", "thing"],
    }
    entry = replace(catalog.entry("provident", "."), bodies=(client, {}, {}))

    text = starter.client_text("acorn", entry)

    spec = yaml.safe_load(text)["spec"]
    assert spec == {"ttl": 300, "kept": "as it is", "thing": "example"}
