"""`reconciler provider check`: what a folder says of a server, held against the server."""

from __future__ import annotations

import json

import pytest
from support.shapes import WEB, Said, Shape, living

AUTH = "{token: {env: SHAPE_TOKEN}}"


def checked(life, *options, code=0):
    """What a check of the provider's folder on its server prints."""
    folder = str(life.root / "provider")
    done = life.run(
        "provider", "check", folder, "--base-url", life.shape.address, "--auth", AUTH, *options
    )
    assert done.exit_code == code, done.output
    return done.output


def test_the_files_alone_are_checked_without_a_server(tmp_path):
    with living(tmp_path, Shape()) as life:
        done = life.run("provider", "check", str(tmp_path / "provider"))

        assert done.exit_code == 0
        assert "the files are in order: Shape server" in done.output
        assert life.shape.requests == []


def test_what_is_wrong_in_the_files_is_told_with_its_place(tmp_path):
    with living(tmp_path, Shape(), identity={"match": "nmae"}) as life:
        done = life.run("provider", "check", str(tmp_path / "provider"))

        assert done.exit_code == 1
        assert "there is no field `nmae`" in done.output
        assert "provider.yaml:" in done.output


def test_reading_changes_nothing_and_finds_a_server_as_described(tmp_path):
    with living(tmp_path, Shape()) as life:
        for number in range(3):
            life.shape.add({**WEB, "name": f"c{number}"})
        output = checked(life)

        assert "the list holds 3 clients" in output
        assert "the list ends where its pagination says" in output
        assert "3 of them are there by their ids too" in output
        assert life.shape.writes() == []
        assert not list(tmp_path.glob(".reconciler"))


def test_what_no_schema_describes_and_what_is_never_shown_is_told(tmp_path):
    with living(tmp_path, Shape()) as life:
        life.shape.add({"name": "a", "colour": "red", "ttl": "60"})
        output = checked(life)

        assert "does not describe: colour" in output
        assert "described and shown of no client: redirect_uris, secret" in output
        assert "a: ttl:" in output


def test_a_list_that_says_nothing_of_pages_is_wrong(tmp_path):
    with living(tmp_path, Shape(), endpoints={"list": {"pagination": None}}) as life:
        life.shape.add(WEB)

        assert "nothing says whether the list comes in pages" in checked(life, code=1)


def test_a_client_that_is_not_there_by_its_id_is_wrong(tmp_path):
    class Unreadable(Shape):
        def read(self, _asked, _remote_id):
            return Said(status=404, body={"error": "no"})

    with living(tmp_path, Unreadable()) as life:
        life.shape.add(WEB)

        assert "a read by that id is answered with 404" in checked(life, code=1)


def test_a_list_that_shows_less_is_told(tmp_path):
    class Brief(Shape):
        def list(self, _asked):
            return Said(
                status=200, body={"items": [{"id": one, "name": "a"} for one in self.clients]}
            )

    with living(tmp_path, Brief()) as life:
        life.shape.add(WEB)

        assert "the list leaves out what a read by id shows" in checked(life)


def test_a_secret_that_reads_show_is_told_and_never_printed(tmp_path):
    class Telling(Shape):
        def shown(self, remote_id):
            return self.clients[remote_id]

    with living(tmp_path, Telling()) as life:
        life.shape.add(WEB)
        output = checked(life)

        assert "1 of 1 clients show their secret at /secret" in output
        assert not [secret for secret in life.shape.issued if secret in output]


def test_pointers_that_lead_nowhere_are_wrong(tmp_path):
    identity = {"clientId": "/elsewhere", "match": "ttl"}
    with living(tmp_path, Shape(), identity=identity) as life:
        life.shape.add({"name": "a"})
        output = checked(life, code=1)

        assert "identity.clientId points to /elsewhere" in output
        assert "identity.match is ttl, which no client shows" in output


def test_a_server_that_cannot_be_reached_or_lets_nobody_in_is_told(tmp_path):
    with living(tmp_path, Shape()) as life:
        life.env["SHAPE_TOKEN"] = "another"
        assert "401" in checked(life, code=1)
    (tmp_path / "again").mkdir()
    with living(tmp_path / "again", Shape()) as life:
        life.shape.address = "http://127.0.0.1:9"
        assert "cannot be reached" in checked(life, code=1)


def test_the_life_of_one_client_is_lived_and_leaves_nothing(tmp_path):
    class Rotating(Shape):
        def answer(self, asked):
            if asked.path.endswith("/rotate"):
                return Said(status=200, body={"secret": f"n3w-{len(self.requests)}"})
            return super().answer(asked)

    rotate = {"style": "call", "method": "POST", "path": "/{id}/rotate", "expect": [200]}
    with living(tmp_path, Rotating(), rotate=rotate) as life:
        spec = {"name": "check", "ttl": 60, "redirect_uris": ["https://a.example.com/cb"]}
        output = checked(life, "--write", "--spec", json.dumps(spec))

        assert "a client was created, and the next plan is empty" in output
        assert "ttl was changed" in output
        assert "name was changed" in output
        assert "the client has another secret" in output
        assert "the client was deleted" in output
        assert life.shape.clients == {}


def test_what_the_descriptor_got_wrong_is_told_and_the_client_taken_away(tmp_path):
    class Stubborn(Shape):
        def update(self, _asked, remote_id):
            return Said(status=200, body=self.shown(remote_id))

    with living(tmp_path, Stubborn()) as life:
        output = checked(life, "--write", "--format", "json", code=1)
        found = json.loads(output[: output.rindex("}") + 1])["findings"]

        (fault,) = [each["message"] for each in found if each["level"] == "wrong"]
        assert fault.startswith("a change of name: the server accepted the request")
        assert life.shape.clients == {}


def test_a_server_without_a_list_is_told_so(tmp_path):
    with living(tmp_path, Shape(), endpoints={"list": None, "delete": None}) as life:
        output = checked(life, "--write")

        assert "it has no list" in output
        assert "has no delete: take the client away by hand" in output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--write"], "--write needs a server"),
        (["--base-url", "https://x.example.com", "--auth", "{"], "no YAML"),
        (["--base-url", "https://x.example.com", "--target", "[]"], "take a mapping"),
    ],
)
def test_wrong_usage_is_told(tmp_path, options, said):
    with living(tmp_path, Shape()) as life:
        done = life.run("provider", "check", str(tmp_path / "provider"), *options)

        assert done.exit_code != 0
        assert said in done.output or said in str(done.exception)
