"""The folders that a project writes into are in the project, are not each other, and hold no manifests."""

import json
from pathlib import Path

import pytest
import yaml

from reconciler.core.errors import InputError
from reconciler.manifests.clients import load
from reconciler.validation import folders

AGE = {
    "sink": "age",
    "recipients": ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"],
}


@pytest.fixture
def told(write, shop, tmp_path):
    """What is said of the folders of a project whose targets and inventory state these, with the pointers."""

    def _told(inventory=None, links=None, **targets):
        write("clients/shop/web.yaml", shop())
        write("clients/isc/.keep", "")
        for path, to in (links or {}).items():
            link = tmp_path / path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(to)
        document = yaml.safe_load(Path("reconciler.yaml").read_text())
        for name, stated in targets.items():
            document["targets"][name].update(stated)
        if inventory:
            document["inventory"] = inventory
        write("reconciler.yaml", json.dumps(document))
        problems = load("reconciler.yaml").problems
        return {each.pointer: each.message for each in problems if each.severity == "error"}

    return _told


def secrets(directory, sink="file"):
    more = AGE if sink == "age" else {"sink": sink}
    return {"secrets": {**more, "directory": directory}}


SHOP = "/targets/shop/secrets/directory"
INVENTORY = ".reconciler/inventory"

APART = {
    "nothing stated": {},
    "sinks of two targets in one folder": {"shop": secrets("kept"), "isc": secrets("kept")},
    "sinks of one kind in one another": {"shop": secrets("kept"), "isc": secrets("kept/isc")},
    "a hidden folder of the inventory's for the spool": {"inventory": {"spool": f"{INVENTORY}/.spool"}},
    "places outside": {"shop": secrets("../kept"), "inventory": {"directory": "../record", "spool": "/var/kept"}},
    "the home folder": {"inventory": {"spool": "~/kept"}},
    "names that begin alike": {"shop": secrets(f"{INVENTORY}-secrets")},
    "age files beside manifests": {"shop": secrets("clients-secrets", "age")},
    "a folder below the one that manifests begin in": {"shop": secrets("clients/shop-secrets", "age")},
    "a link within the project": {"shop": secrets("kept"), "links": {"kept": "really"}},
}  # fmt: skip


@pytest.mark.parametrize("stated", APART.values(), ids=APART)
def test_folders_apart_are_fine(told, stated):
    assert told(**stated) == {}


TOGETHER = {
    "secrets in the inventory": ({"shop": secrets(INVENTORY)}, SHOP, "is the same folder as"),
    "the same in other words": ({"shop": secrets("x/../.reconciler//inventory/")}, SHOP, "is the same folder as"),
    "secrets below the inventory": ({"shop": secrets(f"{INVENTORY}/kept")}, SHOP, "lies in"),
    "secrets around the inventory": ({"shop": secrets(".reconciler")}, SHOP, "holds"),
    "encrypted ones around the inventory": ({"shop": secrets(".reconciler", "age")}, SHOP, "holds"),
    "secrets in the spool": ({"shop": secrets(f"{INVENTORY}/.spool")}, SHOP, "lies in"),
    "the spool in the inventory": ({"inventory": {"spool": INVENTORY}}, "/inventory/spool", "is the same folder as"),
    "the spool as a target's record": ({"inventory": {"spool": f"{INVENTORY}/shop"}}, "/inventory/spool", "lies in"),
    "the inventory in the spool": ({"inventory": {"spool": ".reconciler"}}, "/inventory/spool", "holds"),
    "the spool among secrets": ({"inventory": {"spool": "kept/x"}, "shop": secrets("kept")}, SHOP, "holds"),
    "plain beside encrypted": ({"shop": secrets("kept"), "isc": secrets("kept", "age")}, SHOP, "is the same folder as"),
    "encrypted in plain": ({"shop": secrets("kept"), "isc": secrets("kept/x", "age")}, SHOP, "holds"),
    "the project's folder": ({"shop": secrets(".")}, SHOP, "the project file lies in"),
    "one above": ({"shop": secrets("..")}, SHOP, "the project file lies in"),
    "the root": ({"inventory": {"spool": "/"}}, "/inventory/spool", "the project file lies in"),
    "the inventory in the project's folder": ({"inventory": {"directory": "./"}}, "/inventory/directory", "the project file lies in"),
    "a link to the inventory": (
        {"shop": secrets("kept"), "links": {"kept": ".reconciler/inventory"}}, SHOP, "is the same folder as"
    ),
    "a link out": ({"shop": secrets("kept"), "links": {"kept": "/var/elsewhere"}}, SHOP, "is a link that leads out"),
    "a link further up": ({"shop": secrets("a/b/c"), "links": {"a": "/var/elsewhere"}}, SHOP, "is a link that leads out"),
    "a link into git's own folder": ({"shop": secrets("kept"), "links": {"kept": ".git/kept"}}, SHOP, "is a link into a folder of git's own"),
    "an inventory in git's own folder": (
        {"links": {".reconciler": ".git"}}, "/inventory/directory", "is a link into a folder of git's own"
    ),
    "an inventory behind a link": ({"links": {".reconciler": "/var/elsewhere"}}, "/inventory/directory", "is a link that leads out"),
    "a spool behind a link": (
        {"inventory": {"spool": "kept"}, "links": {"kept": "../elsewhere"}}, "/inventory/spool", "is a link that leads out"
    ),
    "certificates behind a link": (
        {"shop": {"caBundle": "ca.pem"}, "links": {"ca.pem": "/etc/hostname"}}, "/targets/shop/caBundle", "is a link that leads out"
    ),
    "manifests among secrets": ({"shop": secrets("clients/shop")}, "/targets/shop/manifests/0", "manifests do not lie in"),
    "manifests below secrets": ({"shop": secrets("clients")}, "/targets/isc/manifests/0", "manifests do not lie in"),
    "a provider among secrets": (
        {"shop": {"provider": "./vendors/acme", **secrets("vendors")}}, "/targets/shop/provider", "the files of a provider do not lie in"
    ),
    "manifests in the inventory": (
        {"shop": {"manifests": [".reconciler/inventory/shop/*.json"]}}, "/targets/shop/manifests/0", "manifests do not lie in"
    ),
    "manifests in a spool, by braces": (
        {"shop": {"manifests": ["{x,.reconciler/inventory/.spool}/*.json"]}}, "/targets/shop/manifests/0", "manifests do not lie in"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("stated", "pointer", "message"), TOGETHER.values(), ids=TOGETHER)
def test_folders_that_get_into_each_others_way_are_refused(told, stated, pointer, message):
    found = told(**stated)

    assert message in found.get(pointer, str(found))


def test_a_manifest_in_a_folder_of_the_tool_is_not_read(told, write, shop):
    write("clients/shop/kept/a.yaml", shop("in-the-way"))

    found = told(shop=secrets("clients/shop/kept", "age"))

    assert "this file lies in the folder for the secrets of target `shop`" in found[""]


def test_the_folder_of_a_sink_of_another_package_counts_where_it_is_stated(told):
    found = told(shop=secrets(INVENTORY, "vault-of-ours"))

    assert "is the same folder as" in found[SHOP]


@pytest.mark.parametrize(
    ("path", "out"),
    [("a", False), (".", False), ("a/../b", False), ("..", True), ("a/../../b", True), ("/a", True), ("..a", False)],
)  # fmt: skip
def test_a_path_leads_out_by_its_text(path, out):
    assert folders.leads_out(path) is out


MISPLACED = {
    "a sink in git's own folder": ({"shop": secrets(".git/hooks")}, SHOP, "lies in a folder of git's own"),
    "encrypted ones there": ({"shop": secrets("deep/.git", "age")}, SHOP, "lies in a folder of git's own"),
    "a sink there, in capitals": ({"shop": secrets(".GIT/x")}, SHOP, "lies in a folder of git's own"),
    "the record there": ({"inventory": {"directory": ".git/record"}}, "/inventory/directory", "lies in a folder of git's own"),
    "the spool there": ({"inventory": {"spool": "../other/.git/x"}}, "/inventory/spool", "lies in a folder of git's own"),
    "a sink at home": ({"shop": secrets("~/kept")}, SHOP, "would be a folder called `~` in the project"),
    "a sink at somebody's home": ({"shop": secrets("~root/kept")}, SHOP, "would be a folder called `~root` in the project"),
    "the record at home": ({"inventory": {"directory": "~/kept"}}, "/inventory/directory", "would be a folder called `~` in the project"),
}  # fmt: skip


@pytest.mark.parametrize(("stated", "pointer", "words"), MISPLACED.values(), ids=MISPLACED)
def test_a_folder_where_nobody_would_look_for_it_is_refused(told, stated, pointer, words):
    assert words in told(**stated)[pointer]


NUL = {
    "/inventory/directory": {"inventory": {"directory": "a\0b"}},
    "/inventory/spool": {"inventory": {"spool": "a\0b"}},
    SHOP: {"shop": secrets("a\0b")},
    "/targets/shop/provider": {"shop": {"provider": "./a\0b"}},
    "/targets/shop/caBundle": {"shop": {"caBundle": "a\0b"}},
    "/targets/shop/manifests/0": {"shop": {"manifests": ["a\0b/*.yaml"]}},
    "/targets/shop/auth/token/file": {"shop": {"auth": {"token": {"file": "a\0b"}}}},
    "/targets/shop/allowedFiles/0": {"shop": {"allowedFiles": ["a\0b"]}},
}


@pytest.mark.parametrize(("pointer", "stated"), NUL.items())
def test_no_path_or_address_of_the_project_file_holds_a_nul(told, pointer, stated):
    with pytest.raises(InputError) as refused:
        told(**stated)

    found = {each.pointer: each for each in refused.value.problems}
    assert "NUL character stands in it" in found[pointer].message
    assert found[pointer].position is not None
