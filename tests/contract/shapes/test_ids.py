"""Servers whose ids are numbers: such an id is kept as its decimal text."""

from __future__ import annotations

import pytest
from support.shapes import PROPERTIES, WEB, Shape, living

NUMBERED = {**PROPERTIES, "id": {"type": "integer", "description": "The id.", "readOnly": True}}


class Numbered(Shape):
    """Ids are whole numbers."""

    def new_id(self, _body):
        return 9_007_199_254_740_993 + self.made


class Odd(Shape):
    """Ids are neither texts nor whole numbers."""

    def __init__(self, odd):
        super().__init__()
        self.odd = odd

    def new_id(self, _body):
        return self.odd


def test_a_client_with_a_number_for_its_id_lives_its_whole_life(tmp_path):
    shape = Numbered()
    policy = {"prune": True, "adopt": "unowned"}
    with living(tmp_path, shape, properties=NUMBERED, target={"policy": policy}) as life:
        life.state("web", WEB)
        life.apply()
        assert life.recorded("web")["id"] == "9007199254740994"
        assert life.secret("web")["client_id"] == "9007199254740994"
        assert life.is_settled()

        shape.clients["9007199254740994"]["ttl"] = 5
        life.apply()
        assert shape.clients["9007199254740994"]["ttl"] == WEB["ttl"]

        shape.add({"name": "Theirs", "redirect_uris": []})
        assert life.run("import", "mine", "--all").exit_code == 0
        assert life.recorded("theirs")["id"] == "9007199254740995"
        assert life.is_settled()

        life.unstate("web")
        assert life.run("apply", "--auto-approve", "--max-deletes", "1").exit_code == 0
        assert list(shape.clients) == ["9007199254740995"]


def test_a_number_is_adopted_by_the_id_that_a_person_writes(tmp_path):
    shape = Numbered()
    with living(tmp_path, shape, properties=NUMBERED) as life:
        remote_id = shape.add({"name": "Theirs", "redirect_uris": []})
        life.state("theirs", {"name": "Theirs", "ttl": 30}, id=remote_id)
        life.apply()
        assert shape.clients[remote_id]["ttl"] == 30


@pytest.mark.parametrize("odd", [True, 1.5, None, "", {"a": 1}])
def test_what_is_no_id_is_none(tmp_path, odd):
    shape = Odd(odd)
    with living(tmp_path, shape) as life:
        shape.add({"name": "Theirs", "redirect_uris": []})
        life.state("web", WEB)
        done = life.run("plan")
        assert done.exit_code != 0
        assert "holds a client without an id" in done.output
