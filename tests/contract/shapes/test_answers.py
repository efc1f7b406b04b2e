"""Servers whose answers to a write are not the client: its address in Location, or nothing at all."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from support.shapes import WEB, Said, Shape, living

LOCATED = {
    "create": {"answers": "location"},
    "update": {"expect": [204], "answers": "nothing"},
}


class Located(Shape):
    """201 with the address of the client, 204 for every change."""

    location = "/clients/{id}"

    def create(self, asked):
        remote_id = self.add(asked.body)
        where = self.location.format(id=remote_id, address=self.address)
        return Said(status=201, headers={"location": where} if where else {})

    def update(self, asked, remote_id):
        super().update(asked, remote_id)
        return Said(status=204)

    def shown(self, remote_id):
        return dict(self.clients[remote_id])


class Chatty(Located):
    """Tells the secret in the answer to a create and in no other, and no id beside it."""

    def create(self, asked):
        said = super().create(asked)
        secret = self.clients[f"c{self.made}"]["secret"]
        return Said(status=201, headers=said.headers, body={"secret": secret})

    def shown(self, remote_id):
        return Shape.shown(self, remote_id)


class Silent(Shape):
    """Takes the id that the caller chooses, and answers every write with 204."""

    def new_id(self, body):
        return body["id"]

    def create(self, asked):
        self.add(asked.body)
        return Said(status=204)

    def update(self, asked, remote_id):
        super().update(asked, remote_id)
        return Said(status=204)

    def shown(self, remote_id):
        return dict(self.clients[remote_id])


def live(shape, life):
    """The life of one client, to its end."""
    life.state("web", WEB)
    life.apply()
    assert life.secret("web")["client_secret"] in shape.issued
    assert life.is_settled()
    (remote_id,) = shape.clients
    assert life.recorded("web")["id"] == remote_id
    life.state("web", {**WEB, "ttl": 90})
    life.apply()
    shape.clients[remote_id]["ttl"] = 5
    life.apply()
    assert shape.clients[remote_id]["ttl"] == 90
    life.state("api", {**WEB, "name": "Api"})
    life.apply()
    life.unstate("web")
    assert life.run("apply", "--auto-approve", "--max-deletes", "1").exit_code == 0
    assert remote_id not in shape.clients


@pytest.mark.parametrize("location", ["/clients/{id}", "{address}/clients/{id}/", "clients/{id}"])
@pytest.mark.parametrize("make", [Located, Chatty])
def test_a_client_is_found_by_the_location_of_its_create(tmp_path, make, location):
    shape = make()
    shape.location = location
    with living(tmp_path, shape, target={"policy": {"prune": True}}, endpoints=LOCATED) as life:
        live(shape, life)


def test_a_client_whose_id_was_chosen_is_read_where_nothing_is_answered(tmp_path):
    shape = Silent()
    endpoints = {
        "create": {"expect": [204], "answers": "nothing"},
        "update": {"expect": [204], "answers": "nothing"},
    }
    with living(
        tmp_path,
        shape,
        target={"policy": {"prune": True}},
        endpoints=endpoints,
        identity={"chosen": "uuid"},
    ) as life:
        live(shape, life)
        assert uuid.UUID(life.recorded("api")["id"])


@pytest.mark.parametrize("location", ["", "https://elsewhere.example.com/clients/c1", "//[", "/"])
def test_a_create_whose_location_says_nothing_is_unknown_and_its_secret_is_kept(tmp_path, location):
    shape = Chatty()
    shape.location = location
    with living(tmp_path, shape, endpoints=LOCATED) as life:
        life.state("web", WEB)
        done = life.run("apply", "--auto-approve")
        assert done.exit_code == 5
        assert "no Location that names a client of this server" in done.output
        (kept,) = (tmp_path / ".reconciler").rglob("*@web@*.json")
        (secret,) = shape.issued
        assert json.loads(kept.read_text())["client_secret"] == secret
        assert str(kept.relative_to(tmp_path)) in done.output
        assert len(shape.writes()) == 1

        again = life.run("plan")
        assert "in an answer that does not say of which client" in again.output
        assert secret not in life.printed


def test_left_out_the_word_leaves_the_client_unknown(tmp_path):
    with living(tmp_path, Located()) as life:
        life.state("web", WEB)
        done = life.run("apply", "--auto-approve")
        assert done.exit_code == 5
        assert "was answered with 201 and no body" in done.output


def test_a_create_that_answers_nothing_needs_an_id_that_is_chosen(tmp_path):
    endpoints = {"create": {"answers": "nothing"}}
    with living(tmp_path, Shape(), endpoints=endpoints) as life:
        done = life.run("validate")
        assert done.exit_code != 0
        assert re.search(
            r"provider/provider\.yaml:\d+:\d+: error: `chosen` is missing", done.output
        )


def test_what_an_endpoint_cannot_answer_is_refused_at_its_place(tmp_path):
    with living(tmp_path, Shape(), endpoints={"create": {"answers": "uri"}}) as life:
        done = life.run("validate")
        assert done.exit_code != 0
        assert "provider/provider.yaml:" in done.output
        assert "answers" in done.output
