import json
from pathlib import Path

import pytest

from reconciler import atomic_files
from reconciler.core.errors import InventoryError
from reconciler.core.model import Secret
from reconciler.inventory import spool

SECRET = Secret("hunter2-hunter2")


def test_what_was_saved_waits_with_all_that_it_takes_to_deliver_it(tmp_path):
    path = spool.save_secret(tmp_path, "shop", "web/1", "id 1", SECRET)

    (waiting,) = spool.read_secrets(tmp_path, "shop")

    assert str(waiting.path) == path
    assert (waiting.key, waiting.remote_id, waiting.secret) == ("web/1", "id 1", SECRET)
    assert "hunter2" not in repr(waiting)


def test_each_target_has_its_own(tmp_path):
    spool.save_secret(tmp_path, "shop", "web", "1", SECRET)
    spool.save_secret(tmp_path, "hr", "web", "1", SECRET)

    assert [each.path.name for each in spool.read_secrets(tmp_path, "hr")] == ["hr@web@1.json"]
    assert spool.read_secrets(tmp_path, "other") == ()


def test_without_a_folder_nothing_waits(tmp_path):
    assert spool.read_secrets(tmp_path / "not-there", "shop") == ()


def test_a_later_secret_of_the_same_client_takes_the_place_of_the_earlier(tmp_path):
    spool.save_secret(tmp_path, "shop", "web", "1", Secret("old"))
    spool.save_secret(tmp_path, "shop", "web", "1", SECRET)

    assert [each.secret for each in spool.read_secrets(tmp_path, "shop")] == [SECRET]


def test_a_delivered_secret_is_deleted_and_deleting_it_twice_is_well(tmp_path):
    spool.save_secret(tmp_path, "shop", "web", "1", SECRET)
    (waiting,) = spool.read_secrets(tmp_path, "shop")

    spool.delete_secret(waiting)
    spool.delete_secret(waiting)

    assert spool.read_secrets(tmp_path, "shop") == ()


@pytest.mark.parametrize(
    "content", ["", "hunter2", "[]", '"hunter2"', '{"target": "shop", "client_secret": "hunter2"}']
)
def test_a_file_that_is_none_of_ours_is_named_and_not_quoted(tmp_path, content):
    path = tmp_path / ".spool" / "shop@web@1.json"
    path.parent.mkdir()
    path.write_text(content)

    with pytest.raises(InventoryError, match="it does not hold a client's secret") as caught:
        spool.read_secrets(tmp_path, "shop")

    assert str(path) in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / ".spool" / "shop@web@1.json").mkdir(parents=True)

    with pytest.raises(InventoryError, match="Is a directory"):
        spool.read_secrets(tmp_path, "shop")


def test_a_file_that_cannot_be_deleted_is_named(tmp_path, monkeypatch):
    spool.save_secret(tmp_path, "shop", "web", "1", SECRET)
    (waiting,) = spool.read_secrets(tmp_path, "shop")

    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(atomic_files, "sync_folder", refuse)

    with pytest.raises(InventoryError, match="cannot be deleted: Permission denied"):
        spool.delete_secret(waiting)


def test_the_file_says_whose_secret_it_is_so_that_a_person_can_deliver_it(tmp_path):
    path = spool.save_secret(tmp_path, "shop", "web", "1", SECRET)

    assert json.loads(Path(path).read_text()) == {
        "target": "shop",
        "key": "web",
        "client_id": "1",
        "client_secret": "hunter2-hunter2",
    }
