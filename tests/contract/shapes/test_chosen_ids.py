"""Servers that take the id of a new client from whoever creates it: from the manifest, or made by the tool."""

from __future__ import annotations

import pytest
from support.shapes import PROPERTIES, WEB, Said, Shape, living

FIELD = {"pointer": "/id", "chosen": "field"}
STATED = {
    **PROPERTIES,
    "id": {"type": "string", "description": "The id.", "x-reconciler": {"immutable": True}},
}
OWN = {**WEB, "id": "web-app"}


class Named(Shape):
    """Ids are chosen by people; one that is taken is a conflict."""

    def __init__(self):
        super().__init__()
        self.loses = 0
        self.makes_lost = False

    def new_id(self, body):
        return body.get("id") or f"made-{self.made}"

    def create(self, asked):
        if asked.body.get("id") in self.clients:
            return Said(status=409, body={"error": "a client of this id exists"})
        if self.loses:
            self.loses -= 1
            if self.makes_lost:
                self.add(asked.body)
            return Said(status=503)
        return super().create(asked)


def chosen(root, shape, **target):
    return living(root, shape, properties=STATED, identity=FIELD, target=target)


def test_the_id_that_a_manifest_states_is_the_id_of_its_client(tmp_path):
    shape = Named()
    with chosen(tmp_path, shape, policy={"prune": True}) as life:
        life.state("web", OWN)
        life.apply()
        assert list(shape.clients) == ["web-app"]
        assert life.recorded("web")["id"] == "web-app"
        assert life.is_settled()
        life.state("web", {**OWN, "ttl": 90})
        life.apply()
        assert shape.clients["web-app"]["ttl"] == 90
        del shape.clients["web-app"]
        life.apply()
        assert shape.clients["web-app"]["ttl"] == 90
        life.state("api", {"name": "Api", "redirect_uris": []})
        life.apply()
        assert life.recorded("api")["id"] == "made-3"
        life.unstate("web")
        assert life.run("apply", "--auto-approve", "--max-deletes", "1").exit_code == 0
        assert list(shape.clients) == ["made-3"]


@pytest.mark.parametrize("makes", [True, False])
def test_a_create_that_got_no_answer_is_settled_by_the_stated_id(tmp_path, makes):
    shape = Named()
    shape.loses, shape.makes_lost = 1, makes
    with chosen(tmp_path, shape) as life:
        life.state("web", OWN)
        done = life.run("apply", "--auto-approve")
        assert done.exit_code == 0, done.output
        assert list(shape.clients) == ["web-app"]
        assert life.is_settled()


def test_another_id_is_another_client_and_allowed_as_such(tmp_path):
    shape = Named()
    with chosen(tmp_path, shape) as life:
        life.state("web", OWN)
        life.apply()
        life.state("web", {**OWN, "id": "web-2"}, lifecycle={"allowReplace": True})
        life.apply()
        assert list(shape.clients) == ["web-2"]
        assert life.secret("web")["client_id"] == "web-2"


def test_a_client_of_that_id_that_is_not_ours_is_taken_over_only_when_asked(tmp_path):
    shape = Named()
    with chosen(tmp_path, shape) as life:
        shape.add({"name": "Theirs", "redirect_uris": [], "id": "web-app"})
        life.state("web", OWN)
        done = life.run("apply", "--auto-approve")
        assert done.exit_code == 3
        assert "already has a client web-app that is not ours" in done.output
        assert shape.writes() == []
        life.state("web", OWN, id="web-app")
        life.apply()
        assert shape.clients["web-app"]["name"] == "Web"


def test_a_client_of_that_id_that_was_made_since_the_plan_is_not_taken_over(tmp_path):
    shape = Named()
    with chosen(tmp_path, shape) as life:
        life.state("web", OWN)
        life.run("plan", "--out", str(tmp_path / "plan.json"))
        create = shape.create

        def other_first(asked):
            shape.clients.setdefault("web-app", {**asked.body, "secret": "theirs", "name": "Web"})
            return create(asked)

        shape.create = other_first
        done = life.run("apply", "--auto-approve")
        assert done.exit_code == 1
        assert "409" in done.output
        assert life.run("plan").exit_code == 3


def test_an_id_that_metadata_states_and_the_server_has_not_is_a_mistake(tmp_path):
    with chosen(tmp_path, Named()) as life:
        life.state("web", WEB, id="gone")
        assert "gone, which is not on the server" in life.run("plan").output
        life.state("web", OWN, id="web-app")
        life.apply()


@pytest.mark.parametrize(
    ("schema", "identity", "message"),
    [
        (PROPERTIES, FIELD, "needs a field at `/id`"),
        (
            {**STATED, "id": {"type": "string", "description": "The id."}},
            FIELD,
            "needs a field at `/id`",
        ),
        (STATED, {**FIELD, "pointer": "/uid"}, "needs a field at `/uid`"),
        (STATED, {"chosen": True}, "`uuid` or `field` is wanted: `true` is `uuid` now"),
        (STATED, {"chosen": "feild"}, "`uuid` or `field` is wanted"),
    ],
)
def test_a_wrong_use_is_told(tmp_path, schema, identity, message):
    with living(tmp_path, Named(), properties=schema, identity=identity) as life:
        done = life.run("validate")
        assert done.exit_code != 0
        assert message in done.output
