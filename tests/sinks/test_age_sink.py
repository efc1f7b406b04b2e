import json
import sys
from pathlib import Path

import pyrage
import pytest
from support.sink_places import IDENTITY, make

from reconciler.core.errors import SinkError
from reconciler.core.model import Secret

# Public keys that ssh-keygen made for this test; nobody has the private halves.
SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN alice@rust"
SECRET = Secret("hunter2-hunter2")


def recipient(identity=IDENTITY):
    return str(identity.to_public())


def test_every_recipient_can_read_a_secret_alone(tmp_path):
    others = [IDENTITY, pyrage.x25519.Identity.generate()]
    sink = make("age", tmp_path, recipients=[*map(recipient, others), SSH])

    path = sink.store("shop", "web", "1", SECRET)

    content = Path(path).read_bytes()
    for identity in others:
        document = json.loads(pyrage.decrypt(content, [identity]))
        assert document == {"client_id": "1", "client_secret": "hunter2-hunter2"}


def test_the_files_are_text_that_git_may_hold_and_lie_in_the_project(tmp_path):
    path = make("age", tmp_path, recipients=[recipient()]).store("shop", "web", "1", SECRET)

    assert path == f"{tmp_path}/secrets/shop/web.age"
    text = (tmp_path / "secrets/shop/web.age").read_text("ascii")
    assert text.startswith("-----BEGIN AGE ENCRYPTED FILE-----\n")
    assert "hunter2" not in text
    assert not list(tmp_path.rglob(".gitignore"))
    assert [each.name for each in tmp_path.rglob("*") if each.is_file()] == ["web.age"]


def test_a_recipient_that_is_none_is_found_by_the_probe_and_not_quoted_whole(tmp_path):
    private = str(IDENTITY)
    sink = make("age", tmp_path, recipients=[recipient(), private])

    with pytest.raises(SinkError, match="is no age recipient") as caught:
        sink.probe()

    assert private[24:] not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_without_pyrage_the_probe_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyrage", None)

    with pytest.raises(SinkError, match=r"oauth-client-reconciler\[age\]"):
        make("age", tmp_path, recipients=[recipient()]).probe()


def test_its_place_says_for_how_many_it_is_readable(tmp_path):
    one = make("age", tmp_path, recipients=[recipient()], directory="/kept")

    assert one.place == "/kept, encrypted to 1 recipient"
    assert make("age", tmp_path, recipients=[recipient(), SSH]).place.endswith("2 recipients")
