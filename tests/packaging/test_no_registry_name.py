"""As long as the package is on no registry, nothing that users copy asks one for its name."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = (tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"], "reconciler")
# What users read, copy or run: pages, templates, hooks and workflows.
COPIED = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(path for path in (ROOT / "examples").rglob("*") if path.is_file()),
    *ROOT.glob(".pre-commit*.yaml"),
    ROOT / "reconciler" / "cli" / "starter.py",
]
# An installer's command, or a hook's dependency, up to the end of what it is given.
ASKING = re.compile(
    r"(?:pip3? install|pipx (?:install|run)|uvx|uv (?:tool install|add|pip install)|poetry add|"
    r"additional_dependencies:)([^\n`|&;#]*)"
)


def asked_names(text: str) -> list[str]:
    """What the commands in a text would ask a registry for: neither an option, a path nor an address."""
    words = [word.strip("'\"[],") for found in ASKING.findall(text) for word in found.split()]
    return [re.split(r"[\[=<>!~]", word)[0] for word in words if word and word[0] not in "-./$"]


def test_nothing_that_users_copy_asks_a_registry_for_our_name():
    found = {
        str(path.relative_to(ROOT)): names
        for path in COPIED
        if (names := set(asked_names(path.read_text(encoding="utf-8"))) & set(NAMES))
    }

    assert found == {}


def test_such_a_command_would_be_seen():
    assert asked_names("`pip install 'oauth-client-reconciler[age]==0.1.0'`") == [NAMES[0]]
    assert asked_names("additional_dependencies: [oauth-client-reconciler==0.1.0]") == [NAMES[0]]
    assert asked_names("pip install '.[sandbox]'\nuvx reconciler plan") == ["reconciler", "plan"]
    assert asked_names('pip install "git+https://git.example.com/reconciler@v1"') == [
        "git+https://git.example.com/reconciler@v1"
    ]
