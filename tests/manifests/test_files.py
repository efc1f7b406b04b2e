import os
from pathlib import Path

import pytest

from reconciler.manifests.files import Unreadable, read_bytes
from reconciler.manifests.yaml.reader import MAX_BYTES


@pytest.mark.parametrize("content", [b"", b"a", b"a" * 100_000])
def test_a_file_gives_its_bytes(tmp_path, content):
    path = tmp_path / "a"
    path.write_bytes(content)

    assert read_bytes(str(path)) == content


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs Linux")
def test_a_file_that_states_no_size_is_read_to_its_end():
    assert read_bytes("/proc/version") == Path("/proc/version").read_bytes()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "there is no such file"),
        (lambda path: path.mkdir(), "this is not a file"),
        (os.mkfifo, "this is not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "this is not a file"),
        (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links"),
    ],
)
def test_anything_else_has_a_sentence(tmp_path, make, message):
    make(tmp_path / "a")

    with pytest.raises(Unreadable, match=message):
        read_bytes(str(tmp_path / "a"))


def test_a_file_beyond_the_limit_is_left_unread(tmp_path):
    with (tmp_path / "a").open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    with pytest.raises(Unreadable, match="larger than 64 MiB"):
        read_bytes(str(tmp_path / "a"))


def test_a_path_that_no_system_has_is_no_crash():
    with pytest.raises(Unreadable, match="embedded null byte"):
        read_bytes("a\0b")
