"""The record, its journal, its lock and its spool are written and read through no link."""

from pathlib import Path

import pytest
from support.given import entry

from reconciler.core.errors import InventoryError
from reconciler.core.model import Secret
from reconciler.inventory import spool
from reconciler.inventory.file import FileStore

PRECIOUS = '{"precious": true}\n'


def names(folder):
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def victim(tmp_path):
    """A file beside the inventory, and a folder with one."""
    (tmp_path / "victims").mkdir()
    (tmp_path / "victims/precious.json").write_text(PRECIOUS)
    return tmp_path / "victims/precious.json"


def run(folder):
    """What a run that records one client says, "" where it worked."""
    try:
        with FileStore(folder).open("shop", lock=True) as inventory:
            inventory.record("web", entry("1"))
    except InventoryError as error:
        return str(error)
    return ""


def plan(folder):
    try:
        with FileStore(folder).open("shop", lock=False):
            return ""
    except InventoryError as error:
        return str(error)


FILES = ["shop.journal", "shop.json", "shop/web.json", "shop/_target.json", ".locks/shop.lock"]


@pytest.mark.parametrize("act", [run, plan])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [PRECIOUS, ""])
def test_a_link_in_the_place_of_a_file_is_told_and_not_followed(
    tmp_path, victim, act, name, content
):
    victim.write_text(content)
    link = tmp_path / "inventory" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(victim)

    said = act(tmp_path / "inventory")

    assert victim.read_text() == content
    assert "it is a link, and none is followed here" in said or (act is plan and ".locks" in name)


@pytest.mark.parametrize("name", ["shop", ".locks"])
def test_a_link_in_the_place_of_a_folder_is_told_and_not_followed(tmp_path, victim, name):
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / name).symlink_to(victim.parent)

    said = run(tmp_path / "inventory")

    assert "it is a link, and none is followed here" in said
    assert names(victim.parent) == ["precious.json"]


@pytest.mark.parametrize(
    "name", [".locks/shop.holder.json", ".locks/.gitignore", ".locks/shop.writing"]
)
@pytest.mark.parametrize("dangling", [True, False])
def test_what_a_link_in_a_side_file_leads_to_stays_as_it_is(tmp_path, victim, name, dangling):
    link = tmp_path / "inventory" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(victim.with_name("none.json") if dangling else victim)

    run(tmp_path / "inventory")

    assert victim.read_text() == PRECIOUS
    assert names(victim.parent) == ["precious.json"]


def save(inventory, **more):
    return spool.save_secret(inventory, "shop", "web", "1", Secret("hunter2-hunter2"), **more)


def test_a_secret_goes_through_no_link_in_the_place_of_the_spool(tmp_path, victim):
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/.spool").symlink_to(victim.parent)

    for act in (save, lambda folder: spool.read_secrets(folder, "shop")):
        with pytest.raises(InventoryError, match="it is a link, and none is followed here"):
            act(tmp_path / "inventory")

    assert names(victim.parent) == ["precious.json"]


def test_no_secret_is_read_from_what_a_link_in_the_spool_leads_to(tmp_path):
    path = Path(save(tmp_path / "elsewhere"))
    (tmp_path / "inventory/.spool").mkdir(parents=True)
    (tmp_path / "inventory/.spool" / path.name).symlink_to(path)

    with pytest.raises(InventoryError, match="it is a link, and none is followed here"):
        spool.read_secrets(tmp_path / "inventory", "shop")


def test_a_spool_that_its_user_names_may_be_behind_a_link(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "named").symlink_to("kept")

    save(tmp_path / "inventory", folder=tmp_path / "named")

    (waiting,) = spool.read_secrets(tmp_path / "inventory", "shop", folder=tmp_path / "named")
    assert waiting.key == "web"
