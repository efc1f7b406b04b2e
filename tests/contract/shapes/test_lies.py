"""Servers whose answers are not to be believed: another client's id, what is secret in an ordinary field."""

from __future__ import annotations

import copy
import json

import pytest
from support.shapes import PROPERTIES, TOKEN, WEB, Said, Shape, living

THEIRS = {"id": "theirs", "name": "Theirs", "redirect_uris": [], "confidential": True}


class Mistaken(Shape):
    """Answers each create with the same client, while it makes another."""

    def __init__(self):
        super().__init__()
        self.clients["theirs"] = copy.deepcopy(THEIRS)

    def create(self, asked):
        remote_id = self.add(asked.body)
        return Said(status=201, body={**self.clients[remote_id], "id": "theirs"})


def test_a_foreign_client_that_a_create_is_answered_with_stays_foreign(tmp_path):
    shape = Mistaken()
    with living(tmp_path, shape, target={"policy": {"prune": True}}) as life:
        life.state("web", WEB)

        first = life.run("apply", "--auto-approve")
        again = life.run("apply", "--auto-approve")
        life.unstate("web")
        life.run("apply", "--auto-approve", "--max-deletes", "5")

    assert first.exit_code == 5, first.output
    assert "answered with the id theirs, which is a client that was there before" in first.output
    assert ".spool" in first.output
    assert again.exit_code == 3, again.output
    assert "resolve web --id" in again.output
    assert shape.clients["theirs"] == THEIRS
    assert [method for method, _, _ in shape.writes()] == ["POST"]


class Boundless(Shape):
    """Writes what is no number of JSON's into its list."""

    number = ""

    def list(self, asked):
        said = super().list(asked)
        text = json.dumps(said.body)
        return Said(status=200, body=text.replace("60", self.number or "60").encode())


@pytest.mark.parametrize("number", ["1e999", "-1e999", "60" * 300 + ".0"])
def test_a_number_beyond_all_bounds_is_the_servers_fault_and_named(tmp_path, number):
    shape = Boundless()
    with living(tmp_path, shape) as life:
        life.state("web", WEB)
        life.apply()
        shape.number = number
        done = life.run("plan", "--format", "json", "--out", str(tmp_path / "plan.json"))

    assert done.exit_code == 1, done.output
    assert "a number beyond all bounds" in done.output


class Repeating(Shape):
    """Puts what it knows of secrets into an ordinary field: of the client's own, and of whoever logs in."""

    def __init__(self, field, words, tells_once):
        super().__init__()
        self.field, self.words, self.tells_once = field, words, tells_once

    def add(self, body):
        remote_id = super().add(body)
        client = self.clients[remote_id]
        said, old = self.words.replace("SECRET", client["secret"]), client.get(self.field)
        client[self.field] = [said] if isinstance(old, list) else said
        return remote_id

    def shown(self, remote_id):
        return super().shown(remote_id) if self.tells_once else self.clients[remote_id]


@pytest.mark.parametrize("tells_once", [True, False])
@pytest.mark.parametrize("words", ["SECRET", "your key: SECRET.", TOKEN, f"Bearer {TOKEN}"])
@pytest.mark.parametrize("field", ["name", "redirect_uris", "note", "undescribed"])
def test_a_secret_that_a_server_repeats_in_another_field_is_not_shown(
    tmp_path, field, words, tells_once
):
    shape = Repeating(field, words, tells_once)
    note = {"note": {"type": "string", "description": "A note."}}
    with living(tmp_path, shape, properties={**PROPERTIES, **note}) as life:
        life.state("web", {**WEB, "note": "mine"} if field == "note" else WEB)
        life.run(
            "apply",
            "--auto-approve",
            "--show-requests",
            "--receipt",
            str(tmp_path / "receipt.json"),
        )
        # Of a secret that was told once, in a run before, the tool knows nothing.
        if TOKEN in words or not tells_once:
            life.run("plan", "--show-requests", "--out", str(tmp_path / "plan.json"))
            life.run("plan", "--format", "json")
            life.run("plan", "--format", "markdown")
            life.state("web", {**WEB, "ttl": 90})
            life.run(
                "apply",
                "--auto-approve",
                "--format",
                "json",
                "--receipt",
                str(tmp_path / "again.json"),
            )
            life.run("list")
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        told = [path for path in files if ".reconciler/secrets" not in str(path)]
        shown = "\n".join([life.printed, *(path.read_text("utf-8") for path in told)])

    assert "unexpected" not in life.printed
    assert life.secret("web")["client_secret"] == "k3y-of-client-1"
    assert "k3y-of-client" not in shown
    assert TOKEN not in shown


class Silent(Shape):
    """Shows something else in the place of a new client's secret."""

    shows = None

    def create(self, asked):
        return Said(status=201, body={**super().create(asked).body, "secret": self.shows})


@pytest.mark.parametrize(
    ("shows", "words"), [(None, "null"), ("", "an empty text"), ("********", "a mask")]
)
def test_a_create_that_tells_something_else_than_a_secret_says_so(tmp_path, shows, words):
    shape = Silent()
    shape.shows = shows
    with living(tmp_path, shape) as life:
        life.state("web", WEB)
        done = life.apply()
        again = life.run("plan", "--detailed-exitcode")

    assert f"the server told {words} in the place of its secret: if it has one, " in done.output
    assert "reconciler rotate web" in done.output
    assert again.exit_code == 0, again.output


def test_a_create_that_shows_no_such_member_is_of_a_client_without_a_secret(tmp_path):
    class Public(Shape):
        def create(self, asked):
            body = super().create(asked).body
            return Said(status=201, body={name: body[name] for name in body if name != "secret"})

    with living(tmp_path, Public()) as life:
        life.state("web", WEB)
        assert "in the place of its secret" not in life.apply().output


class Behind(Shape):
    """Its clock is a day behind, and its first answer to a create is lost."""

    loses = 1

    def add(self, body):
        remote_id = super().add(body)
        self.clients[remote_id]["created"] = f"2020-01-0{self.made}T00:00:00Z"
        return remote_id

    def create(self, asked):
        said = super().create(asked)
        self.loses, lost = 0, self.loses
        return Said(status=503) if lost else said


@pytest.mark.parametrize("allowed", [True, False])
def test_a_lost_create_is_not_doubled_though_the_servers_clock_is_behind(tmp_path, allowed):
    shape = Behind()
    created = {"created": {"type": "string", "description": "When.", "readOnly": True}}
    identity = {"pointer": "/id", "match": "name", "recognize": ["name"], "created": "/created"}
    with living(tmp_path, shape, properties={**PROPERTIES, **created}, identity=identity) as life:
        life.state("web", WEB, lifecycle={"allowNamesake": allowed})
        lost = life.run("apply", "--auto-approve")
        again = life.run("apply", "--auto-approve")
        settled = life.run("resolve", "web", "--id", "c1")

    assert lost.exit_code == 5, lost.output
    assert again.exit_code == 3, again.output
    assert "a run began to create it" in again.output
    assert "reconciler resolve web --id ID" in again.output
    assert settled.exit_code == 0, settled.output
    assert list(shape.clients) == ["c1"]
