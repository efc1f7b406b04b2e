"""Servers whose clients log in with another id than the one that the server knows them by."""

from __future__ import annotations

import json
import shutil

from support.shapes import PROPERTIES, WEB, Shape, living

LOGINS = {
    **PROPERTIES,
    "client_id": {"type": "string", "description": "What it logs in with."},
}
IDENTITY = {"clientId": "/client_id"}
OWN = {**WEB, "client_id": "shop-web"}


class Rotating(Shape):
    """Gives a client a new secret when asked to."""

    def answer(self, asked):
        if asked.path.endswith("/rotate"):
            remote_id = asked.path.split("/")[2]
            self.issued.add("another-secret-1")
            self.clients[remote_id]["secret"] = "another-secret-1"
            asked = type(asked)(
                method="GET",
                path=f"/clients/{remote_id}",
                query={},
                headers=asked.headers,
                body=None,
            )
            said = super().answer(asked)
            return type(said)(status=200, body={**said.body, "secret": "another-secret-1"})
        return super().answer(asked)


ROTATE = {"style": "call", "method": "POST", "path": "/{id}/rotate", "expect": [200]}


def log_ins(root, shape, **target):
    parts = {"identity": IDENTITY, "rotate": ROTATE}
    return living(root, shape, properties=LOGINS, target=target, **parts)


def test_a_sink_gets_the_id_that_the_client_logs_in_with(tmp_path):
    shape = Rotating()
    with log_ins(tmp_path, shape) as life:
        life.state("web", OWN)
        planned = life.run("plan").output
        assert "web (client id shop-web) to be created" in planned
        done = life.apply()
        assert "web (client id shop-web, id c1) created" in done.output
        assert life.secret("web")["client_id"] == "shop-web"
        assert (life.recorded("web")["id"], life.recorded("web")["clientId"]) == ("c1", "shop-web")
        assert life.is_settled()

        assert life.run("rotate", "web", "--auto-approve").exit_code == 0
        assert life.secret("web") == {
            "client_id": "shop-web",
            "client_secret": "another-secret-1",
        }

        life.state("web", {**OWN, "ttl": 90})
        plan = json.loads(life.run("plan", "--format", "json").output)
        (change,) = plan["targets"][0]["changes"]
        assert (change["id"], change["clientId"]) == ("c1", "shop-web")
        life.apply()
        assert life.is_settled()


def test_a_secret_that_waited_is_delivered_with_the_id_that_the_client_logs_in_with(tmp_path):
    shape = Shape()
    blocked = tmp_path / ".reconciler/secrets"
    with log_ins(tmp_path, shape) as life:
        life.state("web", OWN)
        blocked.mkdir(parents=True)
        create = shape.create

        def break_the_sink(asked):
            shutil.rmtree(blocked / "mine", ignore_errors=True)
            (blocked / "mine").write_text("in the way")
            return create(asked)

        shape.create = break_the_sink
        done = life.run("apply", "--auto-approve")
        assert done.exit_code == 5, done.output
        (waiting,) = (path for path in tmp_path.rglob("*.json") if "@web@" in path.name)
        assert json.loads(waiting.read_text())["client_id"] == "shop-web"
        (blocked / "mine").unlink()
        life.apply()
        assert life.secret("web")["client_id"] == "shop-web"
        assert not waiting.exists()
        assert life.is_settled()


def test_left_out_the_word_leaves_a_sink_with_an_id_that_nobody_logs_in_with(tmp_path):
    with living(tmp_path, Shape(), properties=LOGINS) as life:
        life.state("web", OWN)
        life.apply()
        assert life.secret("web")["client_id"] == "c1"
