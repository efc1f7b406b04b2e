from __future__ import annotations

import pytest

from reconciler.manifests.writer import Unwritable, create_file, replace_file, to_yaml

DOCUMENT = {
    "apiVersion": "reconciler/v1",
    "kind": "BorutaClient",
    "metadata": {"name": "web", "target": "shop"},
    "spec": {
        "name": "Web: the shop",
        "redirect_uris": ["https://shop.example.com/callback", "https://b.example.com"],
        "authorized_scopes": [{"name": "openid"}, {"id": "1", "public": True}],
        "supported_grant_types": [],
        "access_token_ttl": 300,
        "public_client_id": None,
        "jwt_public_key": "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
    },
}


def deep(levels):
    return {"a": deep(levels - 1)} if levels else 1


TEXT = """\
apiVersion: reconciler/v1
kind: BorutaClient
metadata:
  name: web
  target: shop
spec:
  name: "Web: the shop"
  redirect_uris:
    - https://shop.example.com/callback
    - https://b.example.com
  authorized_scopes:
    - name: openid
    - id: "1"
      public: true
  supported_grant_types: []
  access_token_ttl: 300
  public_client_id: null
  jwt_public_key: |
    -----BEGIN PUBLIC KEY-----
    MIIB
    -----END PUBLIC KEY-----
"""


def test_a_manifest_looks_as_a_person_would_write_it():
    assert to_yaml(DOCUMENT) == TEXT


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"a": 2**64}, "64 bits"),
        ({"a": "\ud800"}, "not YAML"),
        (deep(70), "levels deep"),
        ({"a": float("inf")}, "read as something else"),
    ],
)
def test_what_would_not_be_read_back_is_not_written(document, why):
    with pytest.raises(Unwritable, match=why):
        to_yaml(document)


def test_a_new_file_has_its_folders_made(tmp_path):
    path = tmp_path / "clients" / "shop" / "web.yaml"

    create_file(path, TEXT)

    assert path.read_text() == TEXT


def test_a_file_that_is_there_is_never_overwritten(tmp_path):
    path = tmp_path / "web.yaml"
    path.write_text("mine")

    with pytest.raises(FileExistsError):
        create_file(path, TEXT)

    assert path.read_text() == "mine"


def test_a_file_is_rewritten_as_long_as_nobody_else_has_touched_it(tmp_path):
    path = tmp_path / "web.yaml"
    path.write_text("a")

    assert replace_file(path, "a", "b")
    assert not replace_file(path, "a", "c")

    assert path.read_text() == "b"
    assert list(tmp_path.iterdir()) == [path]
