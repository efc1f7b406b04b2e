"""Servers whose answers are not to be believed: another client's id, what is secret in an ordinary field."""

from __future__ import annotations

import copy
import json

import pytest
from support.shapes import WEB, Said, Shape, living

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
