import contextlib
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.unprivileged import closed, shared_folder

from reconciler.core.errors import SinkError
from reconciler.core.model import Secret
from reconciler.sinks.file import FileSink

SECRET = Secret("hunter2")


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def mode(path):
    return path.stat().st_mode & 0o777


def test_a_secret_is_stored_with_its_client_id_for_its_owner_alone(tmp_path):
    location = FileSink(tmp_path / "a" / "secrets").store("shop", "web", "1", SECRET)

    path = tmp_path / "a" / "secrets" / "shop" / "web.json"
    assert location == str(path)
    assert json.loads(path.read_text()) == {"client_id": "1", "client_secret": "hunter2"}
    assert mode(path) == 0o600
    assert [mode(each) for each in (path.parent, path.parent.parent)] == [0o700, 0o700]


def test_the_folder_of_secrets_keeps_itself_out_of_git(tmp_path):
    FileSink(tmp_path / "secrets").store("shop", "web", "1", SECRET)

    assert tree(tmp_path / "secrets") == [".gitignore", "shop", "shop/web.json"]
    assert (tmp_path / "secrets" / ".gitignore").read_text() == "*\n"


def test_a_targets_folder_that_others_could_read_is_closed(tmp_path):
    (tmp_path / "shop").mkdir(mode=0o755)

    FileSink(tmp_path).store("shop", "web", "1", SECRET)

    assert mode(tmp_path / "shop") == 0o700


def test_the_secret_of_a_successor_takes_the_place_of_the_old_one(tmp_path):
    sink = FileSink(tmp_path)
    sink.store("shop", "web", "1", Secret("old"))

    sink.store("shop", "web", "2", SECRET)

    assert json.loads((tmp_path / "shop" / "web.json").read_text())["client_id"] == "2"


def test_the_folder_tells_whose_secret_it_has_and_of_none_that_cannot_be_read(tmp_path):
    sink = FileSink(tmp_path)
    sink.store("shop", "web", "1", SECRET)
    (tmp_path / "shop" / "api.json").write_text("[]")

    assert [sink.holder("shop", key) for key in ("web", "api", "other")] == ["1", None, None]


@pytest.mark.parametrize(
    "key", ["../../up", "/etc/passwd", "..", ".", "", "a/b", "CON\x00", "a%2Fb"]
)
def test_a_key_cannot_lead_out_of_the_folder(tmp_path, key):
    FileSink(tmp_path / "secrets").store("..", key, "1", SECRET)

    (path,) = (tmp_path / "secrets" / "%2E.").iterdir()
    assert path.name.endswith(".json")
    assert tree(tmp_path)[0] == "secrets"


def test_no_two_keys_share_a_file(tmp_path):
    keys = ["a/b", "a%2Fb", ".", "%2E", "", "%"]

    locations = {FileSink(tmp_path).store("shop", key, "1", SECRET) for key in keys}

    assert len(locations) == len(keys)


def test_a_link_in_the_place_of_the_file_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "shop" / "web.json").symlink_to(tmp_path / "victim")
    (tmp_path / "shop" / ".web.json.tmp").symlink_to(tmp_path / "victim")

    FileSink(tmp_path).store("shop", "web", "1", SECRET)

    assert (tmp_path / "victim").read_text() == "untouched"
    assert not (tmp_path / "shop" / "web.json").is_symlink()


def test_threads_may_store_at_once(tmp_path):
    sink = FileSink(tmp_path / "secrets")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: sink.store("shop", f"c{number}", "1", SECRET), range(64)))

    assert len(list((tmp_path / "secrets" / "shop").glob("*.json"))) == 64


@pytest.mark.parametrize("there", [True, False])
def test_a_probe_leaves_nothing_behind(tmp_path, there):
    if there:
        (tmp_path / "secrets").mkdir()
    before = tree(tmp_path)

    FileSink(tmp_path / "secrets").probe()

    assert tree(tmp_path) == before


def test_a_probe_of_a_folder_next_to_where_one_stands_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    FileSink(".reconciler/secrets").probe()

    assert tree(tmp_path) == []


@pytest.mark.parametrize("place", ["secrets", "secrets/deeper/still"])
def test_a_folder_that_is_a_file_is_found_by_the_probe_and_by_the_store(tmp_path, place):
    (tmp_path / "secrets").write_text("in the way")
    sink = FileSink(tmp_path / place)

    with pytest.raises(SinkError, match="no secret can be written to"):
        sink.probe()
    with pytest.raises(SinkError, match="no secret can be written to") as caught:
        sink.store("shop", "web", "1", SECRET)

    assert "hunter2" not in str(caught.value)


def test_a_folder_without_permission_is_found_by_the_probe():
    with (
        shared_folder() as folder,
        closed(folder),
        pytest.raises(SinkError, match="Permission denied"),
    ):
        FileSink(folder / "secrets").probe()


def test_a_full_disk_is_found_by_the_store(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(SinkError, match="No space left on device"):
        FileSink(tmp_path).store("shop", "web", "1", SECRET)

    assert not list(tmp_path.rglob("*.json"))
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_disk_that_keeps_something_else_is_found_by_reading_it_back(tmp_path, monkeypatch):
    def forgetful(descriptor):
        with contextlib.suppress(OSError):  # a folder cannot be cut short
            os.ftruncate(descriptor, 3)

    monkeypatch.setattr(os, "fsync", forgetful)

    with pytest.raises(SinkError, match="does not hold what was written to it"):
        FileSink(tmp_path).store("shop", "web", "1", SECRET)
