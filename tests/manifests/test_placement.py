from __future__ import annotations

import pytest

from reconciler.core.errors import ReconcilerError
from reconciler.core.project import Project, Reference, StaticToken, Target
from reconciler.manifests import patterns
from reconciler.manifests.placement import keys_of_existing_files, new_paths

TOKEN = StaticToken(token=Reference(kind="env", name="TOKEN"))


def placed(root, patterns, *keys, into=None, path="reconciler.yaml"):
    target = Target(
        name="shop",
        provider="boruta",
        base_url="https://id.example.com",
        auth=TOKEN,
        manifests=tuple(patterns),
    )
    project = Project(path=path, root=str(root), targets={"shop": target})
    return dict(new_paths(project, target, keys, into))


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("clients/shop/**/*.yaml", "clients/shop"),
        ("clients/*.yaml", "clients"),
        ("*.yaml", ""),
        ("./clients/web.yaml", "clients"),
        ("web.yaml", ""),
        ("clients/*/a.yaml", "clients"),
    ],
)
def test_a_pattern_begins_where_its_fixed_folders_end(pattern, folder):
    assert patterns.base_folder(pattern) == folder


def test_files_lie_where_the_first_pattern_begins(tmp_path):
    found = placed(tmp_path, ["clients/shop/**/*.yaml", "other/*.yaml"], "web", "orders")

    assert found == {"web": "clients/shop/web.yaml", "orders": "clients/shop/orders.yaml"}


def test_a_path_is_as_the_user_would_type_it(tmp_path):
    found = placed(tmp_path, ["*.yaml"], "web", path="repo/reconciler.yaml")

    assert found == {"web": "repo/web.yaml"}


def test_a_pattern_that_would_not_list_the_files_is_passed_over(tmp_path):
    patterns = ["clients/*.json", "/abs/*.yaml", "more/*/*.yaml", "other/w*.yaml", "any/*.yaml"]

    assert placed(tmp_path, patterns, "web") == {"web": "other/web.yaml"}
    assert placed(tmp_path, patterns, "web", "orders")["web"] == "any/web.yaml"


def test_a_folder_can_be_named_from_where_the_user_stands(tmp_path, monkeypatch):
    (tmp_path / "clients").mkdir()
    monkeypatch.chdir(tmp_path / "clients")

    found = placed("..", ["clients/**/*.yaml"], "web", into="new", path="../reconciler.yaml")

    assert found == {"web": "../clients/new/web.yaml"}


def test_what_the_target_would_not_list_is_written_nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ReconcilerError, match=r"^clients/web\.yaml would not be among"):
        placed(tmp_path, ["clients/shop-*.yaml"], "web")
    with pytest.raises(ReconcilerError, match=r"^else/web\.yaml \(and 1 more\) would not"):
        placed(tmp_path, ["clients/*.yaml"], "web", "orders", into=str(tmp_path / "else"))


@pytest.mark.parametrize("link", ["clients", "clients/new"])
def test_nothing_is_written_where_a_link_leads_out_of_the_project(tmp_path, monkeypatch, link):
    (tmp_path / "repo").mkdir()
    (tmp_path / "outside/new").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repo")
    path = tmp_path / "repo" / link
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(tmp_path / "outside")

    with pytest.raises(ReconcilerError, match="clients/new is a link that leads out"):
        placed(".", ["clients/**/*.yaml"], "web", into="clients/new")


def test_nothing_is_written_into_a_folder_of_the_tool(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ReconcilerError, match=r"^\.reconciler/inventory lies in the folder for"):
        placed(".", [".reconciler/inventory/*.yaml"], "web")


def test_a_path_where_anything_is_already_is_occupied(tmp_path):
    (tmp_path / "web.yaml").symlink_to("nowhere")

    found = keys_of_existing_files(
        {"web": f"{tmp_path}/web.yaml", "orders": f"{tmp_path}/orders.yaml"}
    )

    assert found == {"web"}


@pytest.mark.parametrize(
    "there", ["Web.yaml", "WEB.YAML", "web.Yaml", "weB.yaml", "\u017fhop.yaml"]
)
def test_a_path_that_another_system_takes_for_one_that_is_there_is_occupied(tmp_path, there):
    (tmp_path / there).touch()
    paths = {key: f"{tmp_path}/{key}.yaml" for key in ("web", "shop", "orders")}

    found = keys_of_existing_files(paths)

    assert found == {"shop" if there.endswith("hop.yaml") else "web"}


def test_in_a_folder_that_is_not_there_nothing_is_occupied(tmp_path):
    assert keys_of_existing_files({"web": f"{tmp_path}/new/web.yaml"}) == set()
