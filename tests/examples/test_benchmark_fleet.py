from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.validate import validate

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def fleet() -> Any:
    spec = importlib.util.spec_from_file_location("fleet", ROOT / "benchmarks" / "fleet.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("per_file", [1, 7])
def test_a_generated_fleet_is_valid_however_many_clients_share_a_file(
    fleet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, per_file: int
) -> None:
    ids = [f"{number:032d}" for number in range(20)]
    fleet.write(tmp_path / "clients", fleet.clients(20), ids, per_file)
    project = fleet.project("https://example.api.identitynow.com")
    (tmp_path / "reconciler.yaml").write_text(project, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    found = validate("reconciler.yaml")

    assert found.problems == ()
    assert found.clients == 20
    assert found.files == -(-20 // per_file)


def test_the_same_seed_makes_the_same_fleet_and_another_one_another(fleet: Any) -> None:
    once, again, other = fleet.clients(50), fleet.clients(50), fleet.clients(50, seed=1)

    assert once == again
    assert once != other
