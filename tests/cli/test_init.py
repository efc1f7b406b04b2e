from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from reconciler.cli import starter
from reconciler.manifests import catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from reconciler.core.model import JsonObject

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
    assert f"'acorn' is none of {', '.join(PROVIDERS)}" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_provider_that_is_a_folder_is_told_how_to_write_one(
    invoke: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acorn").mkdir()

    done = invoke("init", "--provider", "acorn")

    assert done.exit_code == 64
    assert f"'acorn' is none of {', '.join(PROVIDERS)}; write ./acorn for the folder" in (
        " ".join(done.stderr.split())
    )


def test_the_help_says_which_provider_is_taken_where_none_is_named(invoke: Callable[..., Result]):
    assert f"[default: {catalog.default_name()}]" in invoke("init", "--help").stdout


@pytest.mark.parametrize(
    ("directory", "typed", "written"),
    [
        (".", "./vendors/acme", "./vendors/acme"),
        (".", "vendors/acme/", "./vendors/acme"),
        ("repo", "./vendors/acme", "../vendors/acme"),
        ("vendors", "./vendors/acme", "./acme"),
        ("vendors/acme", "vendors/../vendors/acme", "./."),
    ],
)
def test_a_provider_of_ones_own_is_named_by_its_folder(
    directory: str, typed: str, written: str, invoke: Callable[..., Result], acme: Path
):
    made = invoke("init", directory, "--provider", typed)
    checked = invoke("validate", "--strict", "--project", directory)

    project = yaml.safe_load((Path(directory) / "reconciler.yaml").read_text())
    client = yaml.safe_load((Path(directory) / "clients" / "storefront-web.yaml").read_text())
    assert made.exit_code == 0
    assert project["targets"].keys() == {"acme-cloud"}
    assert project["targets"]["acme-cloud"]["provider"] == written
    assert (client["kind"], client["metadata"]["target"]) == ("AcmeClient", "acme-cloud")
    assert "export ACME_CLOUD_ID=... ACME_CLOUD_SECRET=...\n" in made.stdout
    assert checked.stderr == "1 client in 1 file: valid.\n"
    assert acme.is_dir()


@pytest.mark.usefixtures("acme")
def test_an_absolute_folder_is_named_from_the_project_too(
    invoke: Callable[..., Result], tmp_path: Path
):
    invoke("init", "repo", "--provider", f"{tmp_path}/vendors/acme")

    project = yaml.safe_load((tmp_path / "repo" / "reconciler.yaml").read_text())
    assert project["targets"]["acme-cloud"]["provider"] == "../vendors/acme"


@pytest.mark.parametrize(
    ("find", "put", "said"),
    [
        ("kind: Provider", "kind: Provder", "vendors/acme/provider.yaml:2:7: error: "),
        ("kind: Provider", "kind: [", "vendors/acme/provider.yaml:2:7: error: this bracket "),
        ("kind: Provider\n", "", "vendors/acme/provider.yaml:1:1: error: `kind` is missing"),
    ],
)
def test_a_broken_descriptor_is_shown_where_and_nothing_is_written(
    find: str, put: str, said: str, invoke: Callable[..., Result], acme: Path
):
    descriptor = acme / "provider.yaml"
    descriptor.write_text(descriptor.read_text().replace(find, put))

    done = invoke("init", "repo", "--provider", "./vendors/acme")

    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert not Path("repo").exists()


def test_a_folder_without_a_descriptor_is_no_provider(
    invoke: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)

    done = invoke("init", "--provider", "./nowhere")

    assert done.exit_code == 1
    assert done.stderr == "nowhere/provider.yaml: error: there is no such file\n"
    assert list(tmp_path.iterdir()) == []


def start(descriptor: JsonObject, *bodies: JsonObject) -> starter.Start:
    """What a project starts with whose provider is Provident with these members and bodies."""
    entry = catalog.entry("provident", ".")
    return starter.Start(
        provider="acorn",
        entry=replace(
            entry,
            descriptor={**entry.descriptor, "name": "acorn", **descriptor},
            read_bodies=lambda: (*bodies, *entry.bodies[len(bodies) :]),
        ),
    )


def test_a_provider_that_nobody_foresaw_gets_a_project_too():
    text = starter.project_text(start({"name": "acorn-two", "example": {}}))

    target = yaml.safe_load(text)["targets"]["acorn-two"]
    assert target["baseUrl"] == "https://acorn-two.example.com"
    assert target["auth"]["clientId"] == {"env": "ACORN_TWO_ID"}


@pytest.mark.parametrize("address", ["https://id.example.com:8443/api", "https://id.example.com:"])
def test_an_example_address_is_written_as_it_is(address: str):
    begun = start({"example": {"baseUrl": address, "tokenUrl": address}, "token": {}})

    target = yaml.safe_load(starter.project_text(begun))["targets"]["acorn"]

    assert target["baseUrl"] == target["auth"]["tokenUrl"] == address


def test_a_token_server_that_no_example_names_is_left_to_fill_in():
    begun = start({"example": {}, "token": {}})

    target = yaml.safe_load(starter.project_text(begun))["targets"]["acorn"]

    assert target["auth"]["tokenUrl"] == "https://login.example.com/oauth/token"


def test_every_field_that_a_provider_could_ask_for_gets_a_value_that_fits():
    client = {
        "properties": {
            "ttl": {"type": "integer", "maximum": 300},
            "kept": {"default": "as it is"},
            "thing": {"type": "string"},
        },
        "required": ["ttl", "kept", "thing"],
    }

    text = starter.client_text(start({}, client))

    spec = yaml.safe_load(text)["spec"]
    assert spec == {"ttl": 300, "kept": "as it is", "thing": "example"}


SECRET = {"type": "string", "x-reconciler": {"secret": True}}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"type": "integer", "examples": [7, 8], "default": 9}, 7),
        ({"type": "string", "examples": [], "default": "d"}, "d"),
        ({"type": ["null", "string"]}, "example"),
        ({"type": "string", "format": "uri"}, "https://shop.example.com"),
        ({"type": "array"}, []),
        ({"type": "array", "items": {"type": "string", "examples": ["é"]}}, ["é"]),
        ({"type": "object"}, {}),
        ({"type": "object", "properties": {"a": {"type": "boolean"}}}, {"a": True}),
        ({"type": "object", "properties": {"a": {"type": "string", "readOnly": True}}}, {}),
        (
            {
                "type": "object",
                "properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "string"}},
                "required": ["a", "c"],
            },
            {"a": "x"},
        ),
        ({**SECRET, "examples": ["hunter2"]}, {"env": "ACORN_CLIENT_THE_FIELD"}),
        (
            {"type": "object", "properties": {"key": SECRET}},
            {"key": {"env": "ACORN_CLIENT_KEY"}},
        ),
    ],
)
def test_a_value_is_the_first_example_or_else_one_of_its_type(field: JsonObject, value: object):
    client = {"properties": {"the-field": field}, "required": ["the-field", "not-there"]}

    spec = yaml.safe_load(starter.client_text(start({}, client)))["spec"]

    assert spec == {"the-field": value}


@pytest.mark.parametrize("name", ["@type", "a: b", "name#"])
def test_a_field_of_any_name_and_any_description_is_yaml(name: str):
    field = {"type": "string", "description": "One line\nand another: more. Then some."}
    client = {"properties": {name: field}, "required": [name]}

    text = starter.client_text(start({}, client))

    assert yaml.safe_load(text)["spec"] == {name: "example"}
    assert text.endswith(" # One line and another: more\n")


@pytest.mark.parametrize("link", ["reconciler.yaml", "clients", ".gitignore"])
def test_init_writes_through_no_link(link: str, invoke: Callable[..., Result], tmp_path: Path):
    (tmp_path / "repo").mkdir()
    (tmp_path / "outside").mkdir()
    to = tmp_path / "outside" if link == "clients" else tmp_path / "outside/none"
    (tmp_path / "repo" / link).symlink_to(to)

    done = invoke("init", str(tmp_path / "repo"))

    assert done.exit_code == 1
    assert "is a link, or behind one; nothing was written" in done.stderr
    assert list((tmp_path / "outside").iterdir()) == []


def test_where_nothing_is_required_what_has_an_example_is_written(
    invoke: Callable[..., Result], tmp_path: Path
):
    invoke("init", str(tmp_path / "repo"), "--provider", "dynamic-registration")
    spec = yaml.safe_load((tmp_path / "repo/clients/storefront-web.yaml").read_text())["spec"]

    assert spec["redirect_uris"] == ["https://shop.example.com/callback"]
    assert "client_name" in spec
