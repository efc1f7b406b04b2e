"""The plainest server that a folder of data can describe, through the whole life of a client."""

from __future__ import annotations

from support.shapes import WEB, Shape, living


def test_a_client_of_the_plainest_server_lives_its_whole_life(tmp_path):
    shape = Shape()
    with living(tmp_path, shape, target={"policy": {"prune": True}}) as life:
        life.state("web", WEB)
        life.apply()
        assert life.is_settled()
        assert life.secret("web")["client_secret"] in shape.issued

        life.state("web", {**WEB, "ttl": 90})
        life.apply()
        assert shape.clients["c1"]["ttl"] == 90

        shape.clients["c1"]["ttl"] = 5
        assert not life.is_settled()
        life.apply()
        assert shape.clients["c1"]["ttl"] == 90

        shape.add({"name": "Theirs", "redirect_uris": []})
        assert life.run("import", "mine", "--all").exit_code == 0
        assert life.is_settled()

        life.unstate("web")
        done = life.run("apply", "--auto-approve", "--max-deletes", "1")
        assert done.exit_code == 0, done.output
        assert set(shape.clients) == {"c2"}
        assert not any(secret in life.printed for secret in shape.issued)
