import json
import shutil
from dataclasses import replace

import pytest

from reconciler.core.errors import InputError
from reconciler.manifests import catalog, load
from reconciler.manifests import project as project_file

CLIENT = """\
apiVersion: reconciler/v1
kind: MineClient
metadata: {name: web, target: shop}
spec: {name: Web, redirectUris: [], allowedScopes: [], isActiv: true}
"""


@pytest.fixture
def mine(write, tmp_path):
    """A folder of the user's own that describes a provider, and a project that uses it."""
    folder = tmp_path / "providers" / "mine"
    shutil.copytree(f"{catalog.schemas_folder()}/provident", folder)
    descriptor = folder / "provider.yaml"
    text = descriptor.read_text(encoding="utf-8").replace("ProvidentClient", "MineClient")
    descriptor.write_text(text, encoding="utf-8")
    path = tmp_path / "reconciler.yaml"
    project = path.read_text(encoding="utf-8").replace("provident", "./providers/mine")
    write("reconciler.yaml", project)
    catalog._entry.cache_clear()  # noqa: SLF001 - the folder is another one in every test
    return folder


def problems():
    return [
        (p.source.path, p.position.line if p.position else None, p.message)
        for p in load("reconciler.yaml").problems
        if p.severity == "error"
    ]


def test_the_bundled_providers_are_known_by_name():
    names, kinds = catalog.names(), {catalog.entry(name, ".").kind for name in catalog.names()}

    assert names == sorted(names)
    assert {"boruta", "provident", "sailpoint", "keycloak", "hydra", "okta"} <= {*names}
    # A manifest names its provider by its kind.
    assert len(kinds) == len(names)
    assert {"BorutaClient", "ProvidentClient", "SailPointClient", "KeycloakClient"} <= kinds


def test_one_of_the_bundled_providers_is_the_one_to_start_with():
    examples = {name: catalog.entry(name, ".").descriptor["example"] for name in catalog.names()}

    chosen = [name for name, example in examples.items() if example.get("default")]

    assert chosen == ["provident"] == [catalog.default_name()]


def test_where_none_says_so_the_first_is_the_one_to_start_with(tmp_path, monkeypatch):
    for name in ("sailpoint", "boruta"):
        shutil.copytree(f"{catalog.schemas_folder()}/{name}", tmp_path / name)
    monkeypatch.setattr(catalog, "schemas_folder", lambda: str(tmp_path))

    assert catalog.default_name() == "boruta"


def test_a_name_that_is_not_known_is_an_error():
    with pytest.raises(KeyError):
        catalog.entry("acme", ".")


def test_a_provider_is_read_once():
    assert catalog.entry("boruta", ".") is catalog.entry("boruta", "elsewhere")


@pytest.mark.usefixtures("write")
def test_a_target_lays_its_own_over_its_provider():
    target = project_file.load("reconciler.yaml").targets["shop"]
    own = replace(target, collection="/other", endpoints={"delete": {}})

    entry = catalog.entry("provident", ".")

    assert entry.provider(target).collection == "/oauth2/clients"
    assert entry.provider(target).delete is None
    assert entry.provider(own).collection == "/other"
    assert entry.provider(own).delete is not None


@pytest.mark.usefixtures("mine")
def test_a_provider_of_the_users_own_has_clients_of_its_own_kind(write):
    write("clients/shop/web.yaml", CLIENT)

    assert problems() == [("clients/shop/web.yaml", 4, "unknown field `isActiv`")]


def test_a_folder_that_is_not_there_is_said_to_be(mine):
    shutil.rmtree(mine)

    assert problems() == [("providers/mine/provider.yaml", None, "there is no such file")]


def test_a_descriptor_that_is_wrong_is_shown_where(mine):
    path = mine / "provider.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("collection:", "colection:"), encoding="utf-8")

    found = problems()

    line = text.splitlines().index(next(x for x in text.splitlines() if "collection" in x)) + 1
    assert ("providers/mine/provider.yaml", line, "unknown field `colection`") in found


@pytest.mark.parametrize("content", ["a: [", "a: 1\n---\nb: 2\n", "", "- a\n", "~\n"])
def test_a_descriptor_that_is_none_is_refused(mine, content):
    (mine / "provider.yaml").write_text(content, encoding="utf-8")

    assert {path for path, *_ in problems()} == {"providers/mine/provider.yaml"}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "1", "{}", "[" * 100_000, '{"properties": 1}', '{"properties": {"a": 1}}',
     json.dumps({"$id": "a", "$comment": "", "title": "A", "type": "object",
                 "properties": {"a": {"type": "nonsense", "description": ""}}})],
)  # fmt: skip
def test_a_client_schema_that_is_none_is_refused(mine, content):
    (mine / "client.schema.json").write_text(content, encoding="utf-8")

    assert {path for path, *_ in problems()} == {"providers/mine/client.schema.json"}


def test_any_folder_but_a_good_one_raises_problems_only(mine):
    (mine / "update.schema.json").unlink()

    with pytest.raises(InputError):
        catalog.entry("./providers/mine", ".")
