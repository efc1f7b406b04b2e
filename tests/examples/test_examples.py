from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from reconciler.app.validate import validate
from reconciler.cli.root import root

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
CLIENTS = sorted(EXAMPLES.glob("clients/**/*.yaml"))
SCHEMAS = sorted(EXAMPLES.glob("schemas/*.schema.json"))


def test_the_examples_are_a_dozen_valid_clients_of_three_vendors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(EXAMPLES)

    found = validate("reconciler.yaml")

    assert found.problems == ()
    assert found.clients == 12


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_the_schemas_for_editors_are_those_that_the_schema_command_prints(path: Path) -> None:
    kind = path.name.removesuffix(".schema.json")

    printed = CliRunner().invoke(root, ["schema", kind], standalone_mode=False).stdout

    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(printed)


@pytest.mark.parametrize("path", CLIENTS, ids=lambda path: path.name)
def test_every_client_points_its_editor_to_the_schema_of_its_kind(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    stated = re.search(r"yaml-language-server: \$schema=(\S+)", text)

    assert stated is not None
    schema = (path.parent / stated[1]).resolve()
    assert schema in SCHEMAS
    kinds = {document["kind"] for document in yaml.safe_load_all(text)}
    assert kinds == {schema.name.removesuffix(".schema.json")}


def test_the_examples_show_several_documents_in_a_file_and_each_part_of_a_manifest() -> None:
    texts = [path.read_text(encoding="utf-8") for path in CLIENTS]
    everything = "\n".join(texts)

    shown = [
        word
        for word in ("labels:", "preventDestroy:", "allowReplace:", "ignoreChanges:", "{env: ")
        if word in everything
    ]

    assert len(shown) == 5
    assert any("\n---\n" in text for text in texts)
    assert "isActive: false" in everything
    assert "authorized_scopes:" in everything


def test_no_credential_stands_in_the_project_file_and_new_secrets_are_kept_out_of_git() -> None:
    project = yaml.safe_load((EXAMPLES / "reconciler.yaml").read_text(encoding="utf-8"))

    ignored = (EXAMPLES / ".gitignore").read_text(encoding="utf-8").splitlines()

    for target in project["targets"].values():
        assert set(target["auth"]["clientSecret"]) == {"env"}
        sink = target.get("secrets", {"directory": ".reconciler/secrets"})
        assert f"{sink['directory']}/" in ignored


def test_the_workflow_sets_every_variable_that_the_examples_refer_to() -> None:
    sources = [*CLIENTS, EXAMPLES / "reconciler.yaml"]
    referred = {
        name
        for path in sources
        for name in re.findall(
            r"\{env: ([A-Z][A-Z_]+)\}", "\n".join(_without_comments(path.read_text("utf-8")))
        )
    }

    workflow = yaml.safe_load(
        (EXAMPLES / ".github" / "workflows" / "clients.yaml").read_text(encoding="utf-8")
    )

    assert set(workflow["env"]) == referred


def _without_comments(text: str) -> list[str]:
    return [line.partition("#")[0] for line in text.splitlines()]
