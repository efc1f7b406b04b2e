import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import atomic_files


def test_a_write_replaces_the_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    atomic_files.write(path, b"new", mode=0o600)

    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_crash_left_is_swept_away(tmp_path):
    (tmp_path / ".file.tmp").write_text("half of an older writ")

    atomic_files.write(tmp_path / "file", b"new", mode=0o600)

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_file_and_folder_are_on_disk_before_a_write_returns(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))

    atomic_files.write(tmp_path / "file", b"new", mode=0o600)

    assert synced == [(tmp_path / "file").stat().st_ino, tmp_path.stat().st_ino]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space"):
        atomic_files.write(path, b"new", mode=0o600)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_with_their_mode_all_the_way_down(tmp_path):
    atomic_files.make_folder(tmp_path / "a" / "b", mode=0o700)
    atomic_files.make_folder(tmp_path / "a" / "b", mode=0o755)

    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path):
    (tmp_path / "a").write_text("in the way")

    with pytest.raises(NotADirectoryError):
        atomic_files.make_folder(tmp_path / "a", mode=0o700)


def test_a_gitignore_of_the_user_is_left_alone(tmp_path):
    (tmp_path / ".gitignore").write_text("mine\n")

    atomic_files.keep_out_of_git(tmp_path)

    assert (tmp_path / ".gitignore").read_text() == "mine\n"


@given(names=st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, max_size=8))
def test_no_two_names_share_a_file_name_and_none_leaves_its_folder(names):
    safe = [atomic_files.file_name(name) for name in names]

    assert len(set(safe)) == len(names)
    assert all(name and "/" not in name and not name.startswith(".") for name in safe)
    assert all(name.isascii() and name.isprintable() for name in safe)


def test_the_reason_of_an_error_is_the_systems_own():
    assert atomic_files.reason(OSError(28, "No space left on device")) == "No space left on device"
    assert atomic_files.reason(OSError("odd")) == "odd"


def test_a_new_file_is_whole_and_on_disk_with_its_name(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))

    atomic_files.create(tmp_path / "file", b"new", mode=0o600)

    assert (tmp_path / "file").read_text() == "new"
    assert synced == [(tmp_path / "file").stat().st_ino, tmp_path.stat().st_ino]


def test_a_new_file_never_takes_the_place_of_another(tmp_path):
    (tmp_path / "file").write_text("old")

    with pytest.raises(FileExistsError):
        atomic_files.create(tmp_path / "file", b"new", mode=0o600)

    assert (tmp_path / "file").read_text() == "old"


def test_a_new_file_that_cannot_be_written_whole_is_not_there(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space"):
        atomic_files.create(tmp_path / "file", b"new", mode=0o600)

    assert list(tmp_path.iterdir()) == []


def dead_process():
    """The number of a process that is over."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


@pytest.mark.parametrize(
    ("name", "swept"),
    [
        (".web.json.reconciler-{dead}.tmp", True),
        (".a b\n.json.reconciler-{dead}.tmp", True),
        ("..gitignore-1.reconciler-{dead}.tmp", True),
        (".web.json.reconciler-9999999999.tmp", True),
        (".web.json.reconciler-{alive}.tmp", False),
        (".web.json.reconciler-1.tmp", False),
        (".web.json.tmp", False),
        ("web.json.reconciler-{dead}.tmp", False),
        (".web.json.reconciler-x.tmp", False),
        ("web.json", False),
    ],
)
def test_what_a_dead_process_left_is_swept_by_the_next_write_and_nothing_else(
    tmp_path, name, swept
):
    left = tmp_path / name.format(dead=dead_process(), alive=os.getpid())
    left.write_bytes(b"half")

    atomic_files.write(tmp_path / "other.json", b"whole", mode=0o600)

    assert left.exists() is not swept
    assert (tmp_path / "other.json").read_bytes() == b"whole"


def test_a_link_that_is_called_so_is_left(tmp_path):
    (tmp_path / "mine").write_bytes(b"mine")
    link = tmp_path / f".x.reconciler-{dead_process()}.tmp"
    link.symlink_to("mine")

    atomic_files.write(tmp_path / "other.json", b"whole", mode=0o600)

    assert link.is_symlink()


def test_a_probe_takes_what_earlier_ones_left(tmp_path):
    (tmp_path / ".probe-reconciler-1-1").write_bytes(b"left")
    (tmp_path / ".probe-other").write_bytes(b"mine")

    atomic_files.probe(tmp_path, b"room")

    assert [path.name for path in tmp_path.iterdir()] == [".probe-other"]
