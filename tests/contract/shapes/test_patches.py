"""Servers whose JSON Patch (RFC 6902) has no test operation."""

from __future__ import annotations

import jsonpatch
import pytest
from support.shapes import WEB, Said, Shape, living


class Untested(Shape):
    """Stumbles over each patch that tests."""

    def update(self, asked, remote_id):
        if any(one["op"] == "test" for one in asked.body):
            return Said(status=500, body={"error": "unrecognizable"})
        self.clients[remote_id] = jsonpatch.apply_patch(self.clients[remote_id], asked.body)
        return Said(status=200, body=self.shown(remote_id))


UPDATE = {"method": "PATCH", "style": "json-patch", "contentType": "application/json-patch+json"}


def test_a_client_is_read_again_where_nothing_can_be_tested(tmp_path):
    shape = Untested()
    with living(tmp_path, shape, endpoints={"update": {**UPDATE, "tests": False}}) as life:
        life.state("web", WEB)
        life.apply()
        life.state("web", {**WEB, "ttl": 61})
        life.apply()

        assert life.is_settled()
        (patch,) = [body for method, _, body in shape.writes() if method == "PATCH"]
        assert patch == [{"op": "replace", "path": "/ttl", "value": 61}]


def test_without_the_word_nothing_can_be_changed(tmp_path):
    with living(tmp_path, Untested(), endpoints={"update": UPDATE}) as life:
        life.state("web", WEB)
        life.apply()
        life.state("web", {**WEB, "ttl": 61})

        assert life.run("apply", "--auto-approve").exit_code != 0


@pytest.mark.parametrize(
    ("update", "target", "said"),
    [
        ({"tests": False}, {}, "`tests` belongs to style json-patch"),
        ({**UPDATE, "tests": False}, {"guard": "test"}, "takes no test in one"),
        ({}, {"guard": "test"}, "takes no JSON Patch"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(tmp_path, update, target, said):
    with living(tmp_path, Shape(), endpoints={"update": update}, target=target) as life:
        life.state("web", WEB)
        done = life.run("validate")

        assert done.exit_code == 1
        assert said in done.output
        assert ".yaml:" in done.output
