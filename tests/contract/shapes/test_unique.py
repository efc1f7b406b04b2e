"""Servers on which no two clients share the value of a field."""

from __future__ import annotations

import pytest
from support.shapes import WEB, Said, Shape, living


class Naming(Shape):
    """Refuses a second client of a name."""

    def create(self, asked):
        return self._taken(asked.body["name"]) or super().create(asked)

    def update(self, asked, remote_id):
        return self._taken(asked.body["name"], remote_id) or super().update(asked, remote_id)

    def _taken(self, name, own=""):
        taken = any(one["name"] == name for key, one in self.clients.items() if key != own)
        return Said(status=409, body={"error": "the name is taken"}) if taken else None


UNIQUE = {"identity": {"unique": ["name"], "match": None}}


@pytest.fixture
def shape():
    return Naming()


def refused(life):
    done = life.run("apply", "--auto-approve")
    assert done.exit_code == 3, done.output
    assert "refused (taken-value)" in done.output
    return done.output


def test_a_replace_that_keeps_the_value_is_refused_and_one_that_does_not_succeeds(tmp_path, shape):
    with living(tmp_path, shape, **UNIQUE) as life:
        life.state("web", WEB)
        life.apply()
        life.state("web", {**WEB, "confidential": False}, lifecycle={"allowReplace": True})
        sent = len(shape.writes())

        assert "delete c1 by hand" in refused(life)
        assert len(shape.writes()) == sent
        life.state(
            "web", {**WEB, "name": "Web 2", "confidential": False}, lifecycle={"allowReplace": True}
        )
        life.apply()
        assert list(shape.clients) == ["c2"]
        assert life.is_settled()


def test_without_the_word_the_server_refuses_it_half_way(tmp_path, shape):
    with living(tmp_path, shape) as life:
        life.state("web", WEB)
        life.apply()
        life.state("web", {**WEB, "confidential": False}, lifecycle={"allowReplace": True})

        assert life.run("apply", "--auto-approve").exit_code == 1


def test_a_create_and_a_change_to_what_another_has_are_refused(tmp_path, shape):
    with living(tmp_path, shape, **UNIQUE) as life:
        shape.add({"name": "Theirs"})
        life.state("web", {**WEB, "name": "Theirs"})
        assert "is that of c1" in refused(life)
        life.state("web", WEB)
        life.apply()
        life.state("web", {**WEB, "name": "Theirs"})
        assert "adopt web --id c1" in refused(life)


def test_two_manifests_that_state_the_same_are_both_refused(tmp_path, shape):
    with living(tmp_path, shape, **UNIQUE) as life:
        life.state("web", WEB)
        life.state("app", WEB)
        output = refused(life)

        assert "is what app states too" in output
        assert "is what web states too" in output
        assert shape.clients == {}


def test_an_id_that_the_manifest_chose_is_not_kept_by_a_replace(tmp_path):
    class Choosing(Shape):
        def new_id(self, body):
            return body["id"]

    properties = {
        "id": {"type": "string", "description": "The id.", "x-reconciler": {"immutable": True}},
        "name": {"type": "string", "description": "The name."},
        "confidential": {
            "type": "boolean",
            "description": "c",
            "x-reconciler": {"immutable": True},
        },
    }
    identity = {"pointer": "/id", "chosen": "field", "match": None}
    with living(tmp_path, Choosing(), properties=properties, identity=identity) as life:
        life.state("web", {"id": "web", "name": "a", "confidential": True})
        life.apply()
        life.state(
            "web",
            {"id": "web", "name": "a", "confidential": False},
            lifecycle={"allowReplace": True},
        )

        assert "share id" in refused(life)


def test_a_field_that_is_none_is_told_with_its_place(tmp_path):
    with living(tmp_path, Shape(), identity={"unique": ["nmae"]}) as life:
        life.state("web", WEB)
        done = life.run("validate")

        assert done.exit_code == 1
        assert "there is no field `nmae`" in done.output
        assert "provider.yaml:" in done.output
