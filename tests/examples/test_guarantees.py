from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guarantees.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@pytest.mark.parametrize(("page", "least"), [("guarantees.md", 100), ("threat-model.md", 20)])
def test_every_test_that_a_promise_names_exists(page: str, least: int) -> None:
    named = NAMED.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))

    missing = [f"{path}::{name}" for path, name in named if name not in _tests(ROOT / path)]

    assert len(named) >= least
    assert missing == []


def test_every_promise_names_a_test() -> None:
    rows = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and line.count("|") == 3 and not line.startswith("| promise")
    ]

    assert [row for row in rows if not NAMED.search(row)] == []


def test_every_test_of_faults_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    files = (ROOT / "tests" / "faults").glob("test_*.py")
    unnamed = [name for path in files for name in _tests(path) if name not in text]

    assert unnamed == ["test_the_program_as_it_is_installed_recovers_too"]


def _tests(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [name for name in defined if name.startswith("test_")]
