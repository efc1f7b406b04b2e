"""Servers that show something else in the place of a secret, tell a new one elsewhere, or keep the old one."""

from __future__ import annotations

import pytest
from support.shapes import PROPERTIES, WEB, Said, Shape, living

HASH = "$2b$12$9kPqKx4hash-of-a-secret"


class Hashing(Shape):
    """Tells the secret once, and shows its hash from then on."""

    def shown(self, remote_id):
        return {**self.clients[remote_id], "secret": HASH}

    def update(self, asked, remote_id):
        said = super().update(asked, remote_id)
        if "secret" in asked.body:
            self.clients[remote_id]["secret"] = asked.body["secret"]
        return said


class Rotating(Shape):
    """Has a call for a new secret, whose answer has it under another name; the old one holds for a while."""

    lasts = True

    def __init__(self):
        super().__init__()
        self.old = {}

    def answer(self, asked):
        remote_id, _, call = asked.path.removeprefix("/clients/").partition("/")
        if call != "new-secret":
            return super().answer(asked)
        if asked.method == "DELETE":
            self.old.pop(remote_id, None)
            return Said(status=204)
        self.old[remote_id] = self.clients[remote_id]["secret"]
        secret = f"n3w-secret-of-{remote_id}"
        self.clients[remote_id]["secret"] = secret
        return Said(status=200, body={"kind": "secret", "token": "not-the-s3cret", "value": secret})


CALL = {"style": "call", "method": "POST", "path": "/{id}/new-secret", "expect": [200]}
FINISH = {"method": "DELETE", "path": "/{id}/new-secret", "expect": [204]}


@pytest.fixture
def shape():
    return Hashing()


def test_a_hash_in_the_place_of_a_secret_goes_into_no_sink(tmp_path, shape):
    with living(tmp_path, shape, secret={"believed": "create"}) as life:
        life.state("web", WEB)
        life.apply()
        told = life.secret("web")["client_secret"]
        synced = life.run("secrets", "sync")

        assert told in shape.issued
        assert life.secret("web")["client_secret"] == told
        assert "does not tell its secret any more; the sink has it" in synced.output
        assert life.is_settled()


def test_without_the_word_the_hash_takes_the_secrets_place(tmp_path, shape):
    with living(tmp_path, shape) as life:
        life.state("web", WEB)
        life.apply()
        life.run("secrets", "sync")

        assert life.secret("web")["client_secret"] == HASH


def test_a_hash_is_sent_back_by_no_update(tmp_path, shape):
    writable = {"type": "string", "description": "The secret.", "x-reconciler": {"secret": True}}
    properties = {**PROPERTIES, "secret": writable}
    with living(tmp_path, shape, properties=properties, secret={"believed": "create"}) as life:
        life.state("web", WEB)
        life.apply()
        life.state("web", {**WEB, "ttl": 61})
        refused = life.run("apply", "--auto-approve")

        assert refused.exit_code == 3, refused.output
        assert "secret" in refused.output
        assert all(body.get("secret") != HASH for method, _, body in shape.writes() if body)


def test_where_no_answer_tells_a_secret_the_plan_says_how_to_get_one(tmp_path):
    shape = Rotating()
    rotate = {**CALL, "secret": "/value"}
    with living(tmp_path, shape, secret={"believed": "never"}, rotate=rotate) as life:
        life.state("web", WEB)
        created = life.apply()
        assert "reconciler rotate web" in created.output
        done = life.run("rotate", "web", "--auto-approve")

        assert done.exit_code == 0, done.output
        assert life.secret("web")["client_secret"] == "n3w-secret-of-c1"


def test_a_new_secret_is_found_where_the_descriptor_says(tmp_path):
    shape = Rotating()
    with living(tmp_path, shape, rotate={**CALL, "secret": "/value"}) as life:
        life.state("web", WEB)
        life.apply()
        done = life.run("rotate", "web", "--auto-approve")

        assert done.exit_code == 0, done.output
        assert life.secret("web")["client_secret"] == "n3w-secret-of-c1"
        assert "ceases to work at once" in done.output
        assert life.is_settled()


def test_without_the_pointer_a_new_secret_of_another_name_is_not_found(tmp_path):
    with living(tmp_path, Rotating(), rotate=CALL) as life:
        life.state("web", WEB)
        life.apply()
        done = life.run("rotate", "web", "--auto-approve")

        assert done.exit_code == 5
        assert "no new secret" in done.output
        assert life.recorded("web")["secret"] == "lost"


def test_an_old_secret_works_until_the_rotation_is_finished(tmp_path):
    shape = Rotating()
    with living(tmp_path, shape, rotate={**CALL, "secret": "/value", "finish": FINISH}) as life:
        life.state("web", WEB)
        life.apply()
        done = life.run("rotate", "web", "--auto-approve")
        assert "`reconciler rotate web --finish" in done.output
        assert shape.old.keys() == {"c1"}
        finished = life.run("rotate", "web", "--finish", "--auto-approve")
        again = life.run("rotate", "web", "--finish", "--auto-approve", "--format", "json")

        assert finished.exit_code == again.exit_code == 0, finished.output
        assert shape.old == {}
        assert life.secret("web")["client_secret"] == shape.clients["c1"]["secret"]
        assert life.is_settled()


def test_an_old_secret_stays_while_the_new_one_is_not_in_its_sink(tmp_path):
    shape = Rotating()
    with living(tmp_path, shape, rotate={**CALL, "finish": FINISH}) as life:
        life.state("web", WEB)
        life.apply()
        assert life.run("rotate", "web", "--auto-approve").exit_code == 5
        refused = life.run("rotate", "web", "--finish", "--auto-approve")

        assert refused.exit_code == 3
        assert "unstored-secret" in refused.output
        assert shape.old.keys() == {"c1"}


def test_where_no_old_secret_holds_on_there_is_nothing_to_finish(tmp_path):
    with living(tmp_path, Rotating(), rotate={**CALL, "secret": "/value"}) as life:
        life.state("web", WEB)
        life.apply()
        refused = life.run("rotate", "web", "--finish", "--auto-approve")

        assert refused.exit_code == 3
        assert "no-old-secret" in refused.output


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"secret": {"believed": "sometimes"}}, "always, create, never"),
        ({"secret": {"pointer": "secret"}}, "a JSON Pointer to a field is wanted"),
        ({"secret": {"pointer": "/name"}}, "points to no secret"),
        ({"secret": {"beleived": "create"}}, "believed"),
        ({"rotate": {**CALL, "secret": "value"}}, "a JSON Pointer into the answer is wanted"),
        ({"rotate": {"style": "set", "field": "secret", "finish": FINISH}}, "style set takes"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(tmp_path, parts, said):
    with living(tmp_path, Shape(), **parts) as life:
        life.state("web", WEB)
        refused = life.run("validate")

        assert refused.exit_code == 1
        assert said in refused.output
        assert "provider.yaml:" in refused.output


def test_nothing_can_be_believed_where_nothing_is_secret(tmp_path):
    properties = {name: one for name, one in PROPERTIES.items() if name != "secret"}
    with living(tmp_path, Shape(), properties=properties, secret={"believed": "create"}) as life:
        life.state("web", WEB)
        refused = life.run("validate")

        assert "no field of client.schema.json is secret" in refused.output
