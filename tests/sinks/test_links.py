"""No secret is written, read or looked for through a link below the folder of a sink."""

import pytest

from reconciler.core.errors import SinkError
from reconciler.core.model import Secret
from reconciler.sinks.age import AgeSink
from reconciler.sinks.file import FileSink

SECRET = Secret("hunter2-hunter2")
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
SINKS = {"file": FileSink, "age": lambda folder: AgeSink(folder, [RECIPIENT])}


def names(folder):
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


@pytest.mark.parametrize("to", ["../elsewhere", "../missing", "."])
@pytest.mark.parametrize("make", SINKS.values(), ids=SINKS)
def test_a_link_in_the_place_of_a_targets_folder_takes_no_secret(tmp_path, elsewhere, make, to):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/shop").symlink_to(to)
    sink = make(tmp_path / "secrets")

    for act in (sink.probe, lambda: sink.store("shop", "web", "1", SECRET)):
        with pytest.raises(SinkError, match="it is a link, and none is followed here"):
            act()

    assert names(elsewhere) == []
    assert names(tmp_path / "secrets") == ["shop"]


def test_a_secret_behind_a_link_is_not_the_sinks(tmp_path, elsewhere):
    FileSink(elsewhere).store("shop", "web", "1", SECRET)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/shop").symlink_to(elsewhere / "shop")
    (tmp_path / "secrets/hr").mkdir()
    (tmp_path / "secrets/hr/web.json").symlink_to(elsewhere / "shop/web.json")
    sink = FileSink(tmp_path / "secrets")

    missing = sink.missing({("shop", "web"): "1", ("hr", "web"): "1"})

    assert all("it is a link, and none is followed here" in why for why in missing.values())
    assert len(missing) == 2


@pytest.mark.parametrize("make", SINKS.values(), ids=SINKS)
def test_a_link_to_a_file_beside_the_folders_of_targets_is_in_nobodys_way(tmp_path, make):
    (tmp_path / "README").write_text("")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/README").symlink_to("../README")

    make(tmp_path / "secrets").probe()
