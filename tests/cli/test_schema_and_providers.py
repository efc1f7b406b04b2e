from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from support.vendors import make_provider, vendor

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

SCHEMAS = Path(__file__).parents[2] / "schemas"
SHIPPED = sorted(path.parent.name for path in SCHEMAS.glob("*/provider.yaml"))
KINDS = sorted(vendor(name).kind for name in SHIPPED)
NAMES = [*KINDS, "project", "provider", "plan", "report", "receipt", "inventory"]


def test_without_a_name_the_schemas_are_listed(invoke: Callable[..., Result]):
    assert invoke("schema").stdout.split() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_listed_schema_is_printed_and_is_one(name: str, invoke: Callable[..., Result]):
    done = invoke("schema", name)

    assert done.exit_code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


def test_a_schema_of_a_kind_takes_a_manifest_of_that_kind(invoke: Callable[..., Result]):
    schema = json.loads(invoke("schema", "ProvidentClient").stdout)
    manifest = {
        "apiVersion": "reconciler/v1",
        "kind": "ProvidentClient",
        "metadata": {"name": "web", "target": "shop"},
        "spec": {"name": "Web", "redirectUris": [], "allowedScopes": []},
    }

    jsonschema.Draft202012Validator(schema).validate(manifest)


def test_a_folder_with_a_provider_of_ones_own_has_a_schema_too(invoke: Callable[..., Result]):
    done = invoke("schema", str(SCHEMAS / "boruta"))

    assert json.loads(done.stdout)["title"] == "BorutaClient"


def test_an_unknown_schema_is_wrong_usage_and_the_known_ones_are_named(
    invoke: Callable[..., Result],
):
    done = invoke("schema", "AcornClient")

    assert done.exit_code == 64
    assert f"'AcornClient' is none of {', '.join(KINDS)}" in done.stderr


def test_the_providers_are_a_table(invoke: Callable[..., Result]):
    rows = [line.split() for line in invoke("providers").stdout.splitlines()]

    assert [row[0] for row in rows[1:]] == SHIPPED
    assert [row for row in rows[1:] if row[0] in ("boruta", "provident", "sailpoint")] == [
        ["boruta", "BorutaClient", "yes", "yes", "put-partial", "key_pair_type"],
        ["provident", "ProvidentClient", "no", "no", "put-full", "-"],
        ["sailpoint", "SailPointClient", "yes", "yes", "json-patch", "internal,", "scope,", "type"],
    ]


def test_the_providers_are_told_to_machines_in_full(invoke: Callable[..., Result]):
    told = {
        each["name"]: each for each in json.loads(invoke("providers", "--format", "json").stdout)
    }
    boruta, provident, sailpoint = (told[name] for name in ("boruta", "provident", "sailpoint"))

    assert boruta["idChosen"] is True
    assert "public client" in boruta["protected"]
    assert "jwk" in boruta["neverShown"]
    assert boruta["rateLimit"] is None
    assert provident["list"] is provident["delete"] is False
    assert provident["setAfterCreate"] == ["isActive"]
    assert (provident["rotate"], boruta["rotate"], sailpoint["rotate"]) == (True, True, False)
    assert sailpoint["rateLimit"] == {"requests": 100, "seconds": 10}
    assert sailpoint["replacedBy"] == ["internal", "scope", "type"]
    assert sailpoint["docs"].startswith("https://")


def project(folder: Path, *providers: str) -> None:
    """Write a project with a target for each of these providers."""
    targets = {
        f"t{index}": {
            "provider": provider,
            "baseUrl": "https://id.example.com",
            "auth": {"token": {"env": "TOKEN"}},
            "manifests": ["clients/*.yaml"],
        }
        for index, provider in enumerate(providers)
    }
    document = {"apiVersion": "reconciler/v1", "kind": "Project", "targets": targets}
    (folder / "reconciler.yaml").write_text(json.dumps(document))


def names(done: Result) -> list[str]:
    """The names of a table of providers."""
    return [line.split()[0] for line in done.stdout.splitlines()[1:]]


@pytest.mark.usefixtures("acme")
def test_the_providers_of_the_project_are_listed_as_its_targets_name_them(
    invoke: Callable[..., Result], tmp_path: Path
):
    project(tmp_path, "provident", "./vendors/acme", "vendors/./acme/")

    table = invoke("providers")
    told = json.loads(invoke("providers", "--format", "json").stdout)

    assert (table.exit_code, table.stderr) == (0, "")
    assert names(table) == [*SHIPPED, "./vendors/acme"]
    assert [(each["name"], each["folder"]) for each in told[SHIPPED.index("sailpoint") :]] == [
        ("sailpoint", None),
        ("acme-cloud", "./vendors/acme"),
    ]


@pytest.mark.parametrize("here", ["clients/shop", "../elsewhere"])
@pytest.mark.usefixtures("acme")
def test_the_project_is_found_from_below_and_by_its_option(
    here: str, invoke: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    project(tmp_path, "./vendors/acme")
    (tmp_path / here).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / here)
    option = ["--project", str(tmp_path)] if here.startswith("..") else []

    assert names(invoke("providers", *option)) == [*SHIPPED, "./vendors/acme"]
    assert "AcmeClient" in invoke("schema", *option).stdout.split()
    assert json.loads(invoke("schema", "AcmeClient", *option).stdout)["title"] == "AcmeClient"


@pytest.mark.usefixtures("acme")
def test_a_folder_beside_the_project_is_listed_too(
    invoke: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "repo").mkdir()
    project(tmp_path / "repo", "../vendors/acme")
    monkeypatch.chdir(tmp_path / "repo")

    assert names(invoke("providers")) == [*SHIPPED, "../vendors/acme"]


@pytest.mark.usefixtures("acme")
def test_the_kinds_of_the_project_are_among_the_schemas(
    invoke: Callable[..., Result], tmp_path: Path
):
    project(tmp_path, "./vendors/acme")

    assert invoke("schema").stdout.split() == ["AcmeClient", *NAMES]
    assert invoke("schema", "./vendors/acme").stdout == invoke("schema", "AcmeClient").stdout
    assert f"none of AcmeClient, {KINDS[0]}" in invoke("schema", "OtherClient").stderr


@pytest.mark.parametrize(
    "broken", ["targets: [", "kind: Project\n", "targets: {t: {provider: 1}}", ""]
)
@pytest.mark.parametrize("option", [[], ["--project", "."]])
def test_a_broken_project_hides_its_own_providers_and_no_others(
    broken: str, option: list[str], invoke: Callable[..., Result], acme: Path
):
    (acme.parents[1] / "reconciler.yaml").write_text(broken)

    table = invoke("providers", *option)
    listed = invoke("schema", *option)
    shipped = invoke("schema", "ProvidentClient", *option)
    own = invoke("schema", "AcmeClient", *option)

    assert (table.exit_code, names(table)) == (0, SHIPPED)
    assert (listed.exit_code, listed.stdout.split()) == (0, NAMES)
    assert shipped.exit_code == 0
    assert json.loads(shipped.stdout)["title"] == "ProvidentClient"
    for done in (table, listed, shipped):
        assert done.stderr.startswith("these problems hide providers of the project:\n")
        assert "reconciler.yaml:" in done.stderr
    assert (own.exit_code, own.stdout) == (1, "")
    assert own.stderr.startswith("no provider that can be read has the kind 'AcmeClient':\n")
    assert "reconciler.yaml:" in own.stderr


def test_a_broken_provider_of_the_project_hides_no_other(
    invoke: Callable[..., Result], acme: Path, tmp_path: Path
):
    project(tmp_path, "./vendors/acme", "./vendors/gone", "./vendors/bad")
    make_provider(acme.parent / "bad", name="bad", kind="bad kind")

    table, schema = invoke("providers"), invoke("schema", "AcmeClient")

    assert (table.exit_code, names(table)) == (0, [*SHIPPED, "./vendors/acme"])
    assert "vendors/bad/provider.yaml:5:13: error: " in table.stderr
    assert "vendors/gone/provider.yaml: error: there is no such file" in table.stderr
    assert (schema.exit_code, json.loads(schema.stdout)["title"]) == (0, "AcmeClient")
    assert schema.stderr == table.stderr


@pytest.mark.parametrize("command", [["providers"], ["schema"], ["schema", "ProvidentClient"]])
def test_a_project_that_was_named_and_is_not_there_is_an_error(
    command: list[str], invoke: Callable[..., Result], tmp_path: Path
):
    done = invoke(*command, "--project", str(tmp_path / "nowhere.yaml"))

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"{tmp_path}/nowhere.yaml: error: there is no such file\n"


def test_the_kind_of_the_projects_own_provider_is_meant_before_that_of_the_tool(
    invoke: Callable[..., Result], acme: Path, tmp_path: Path
):
    make_provider(acme.parent / "mine", name="boruta", kind="BorutaClient")
    client = acme.parent / "mine" / "client.schema.json"
    client.write_text(
        client.read_text().replace('"title": "Boruta client"', '"title": "my client"')
    )
    project(tmp_path, "./vendors/mine", "boruta")

    printed = json.loads(invoke("schema", "BorutaClient").stdout)

    assert printed["description"] == "A manifest: one my client as it should be."
    assert invoke("schema").stdout.split() == NAMES


def test_a_kind_of_two_folders_has_to_be_asked_for_by_its_folder(
    invoke: Callable[..., Result], acme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make_provider(acme.parent / "twin", name="twin", kind="AcmeClient")
    project(tmp_path, "./vendors/acme", "./vendors/twin")
    (tmp_path / "clients").mkdir()
    monkeypatch.chdir(tmp_path / "clients")

    done = invoke("schema", "AcmeClient")

    assert done.exit_code == 64
    assert (
        "'AcmeClient' is the kind of ../vendors/acme and of ../vendors/twin: name the folder"
        in " ".join(done.stderr.split())
    )
    assert json.loads(invoke("schema", "../vendors/twin").stdout)["title"] == "AcmeClient"
