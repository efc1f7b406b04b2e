"""What a sink has can be loaded where it gives it back, and nothing else passes for that."""

from __future__ import annotations

import pyrage
import pytest
from support.sink_places import IDENTITY, make

from reconciler.core.errors import SinkError
from reconciler.core.model import Secret

TOKEN = Secret("t0ken-of-one-client \u00fc")


@pytest.fixture
def age(tmp_path):
    (tmp_path / "key.txt").write_text(f"# created by hand\n{IDENTITY}\n")
    return make("age", tmp_path, recipients=[str(IDENTITY.to_public())], identity="key.txt")


@pytest.fixture
def command(tmp_path):
    return make(
        "exec",
        tmp_path,
        command=["sh", "-c", 'cat > "$RECONCILER_CLIENT_KEY"'],
        load=["sh", "-c", 'cat "$RECONCILER_CLIENT_KEY" 2>/dev/null || true'],
    )


@pytest.fixture
def file(tmp_path):
    return make("file", tmp_path)


@pytest.fixture(params=["age", "command", "file"])
def sink(request):
    return request.getfixturevalue(request.param)


def test_what_was_stored_is_given_back_and_nothing_for_what_was_not(sink):
    sink.store("shop", "web", "1", TOKEN)

    assert sink.gives_back
    assert sink.load("shop", "web") == TOKEN
    assert sink.load("shop", "other") is None


@pytest.mark.parametrize(
    ("kind", "options"),
    [("age", {"recipients": [str(IDENTITY.to_public())]}), ("exec", {"command": ["true"]})],
)
def test_a_sink_that_gives_nothing_back_says_so(tmp_path, kind, options):
    sink = make(kind, tmp_path, **options)

    assert not sink.gives_back
    assert sink.load("shop", "web") is None


def test_a_file_that_holds_something_else_is_a_failure_and_is_not_quoted(file, tmp_path):
    path = file.store("shop", "web", "1", TOKEN)
    for content in ("[]", "{", '{"client_id": "1"}'):
        (tmp_path / path).write_text(content)

        with pytest.raises(SinkError, match="holds no secret of a client"):
            file.load("shop", "web")


def test_a_file_that_cannot_be_read_is_a_failure(file, tmp_path):
    path = tmp_path / file.store("shop", "web", "1", TOKEN)
    path.unlink()
    path.mkdir()

    with pytest.raises(SinkError, match="cannot be read"):
        file.load("shop", "web")


def test_a_key_that_does_not_open_a_file_is_told_with_both(age, tmp_path):
    age.store("shop", "web", "1", TOKEN)
    (tmp_path / "key.txt").write_text(f"{pyrage.x25519.Identity.generate()}\n")

    with pytest.raises(SinkError, match=r"web\.age cannot be decrypted with .*key\.txt"):
        age.load("shop", "web")


def test_a_key_that_is_not_there_is_no_absence_of_the_secret(age, tmp_path):
    age.store("shop", "web", "1", TOKEN)
    (tmp_path / "key.txt").unlink()

    with pytest.raises(SinkError, match=r"there is no .*key\.txt"):
        age.load("shop", "web")


def test_an_encrypted_file_that_cannot_be_read_is_a_failure(age, tmp_path):
    path = tmp_path / age.store("shop", "web", "1", TOKEN)
    path.unlink()
    path.mkdir()

    with pytest.raises(SinkError, match="cannot be read"):
        age.load("shop", "web")


def test_a_command_that_fails_says_nothing_of_the_secret(tmp_path):
    sink = make("exec", tmp_path, command=["true"], load=["sh", "-c", "echo no >&2; exit 3"])

    with pytest.raises(SinkError, match="exited with 3: no"):
        sink.load("shop", "web")
