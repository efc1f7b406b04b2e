"""Servers of RFC 7591 and RFC 7592: each client is read and changed by a token of its own, which may change with each answer."""

from __future__ import annotations

import json

import pytest
from support.shapes import WEB, Said, Shape, living

INITIAL = "initial-access-token-17"


class Registering(Shape):
    """Takes a client's own token alone, at the client's own address, and has no list."""

    rotates = False
    tells_address = True
    initial: str | None = INITIAL

    def __init__(self):
        super().__init__()
        self.tokens: dict[str, str] = {}
        self.spent: set[str] = set()

    def answer(self, asked):
        well_known = self.metadata().get(asked.path)
        if well_known is not None:
            return Said(status=200, body=well_known)
        given = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if asked.path == "/clients" and asked.method == "POST":
            return self.create(asked) if given == (self.initial or "") else _unauthorized()
        remote_id = asked.query.get("client") or asked.path.removeprefix("/clients/")
        if not given or self.tokens.get(remote_id) != given:
            return _unauthorized()
        return self.about_one(asked, remote_id)

    def metadata(self):
        """What is published, by path."""
        return {}

    def told(self, remote_id, body):
        """An answer about a client, with its token and its address."""
        if self.rotates or remote_id not in self.tokens:
            self.spent.add(self.tokens.get(remote_id, ""))
            self.tokens[remote_id] = f"t0ken-{remote_id}-{len(self.requests)}"
        address = {"registration_client_uri": self.address_of(remote_id)}
        return {
            **body,
            "registration_access_token": self.tokens[remote_id],
            **(address if self.tells_address else {}),
        }

    def address_of(self, remote_id):
        return f"{self.address}/manage?client={remote_id}"

    def create(self, asked):
        said = super().create(asked)
        return Said(status=201, body=self.told(said.body["id"], said.body))

    def read(self, _asked, remote_id):
        return Said(status=200, body=self.told(remote_id, self.shown(remote_id)))

    def update(self, asked, remote_id):
        said = super().update(asked, remote_id)
        return Said(status=200, body=self.told(remote_id, said.body))

    def delete(self, asked, remote_id):
        del self.tokens[remote_id]
        return super().delete(asked, remote_id)


class Rotating(Registering):
    """Gives another token with every answer, and the old one is worth nothing any more."""

    rotates = True


class Published(Registering):
    """Says where it registers clients."""

    def metadata(self):
        told = {
            "issuer": f"{self.address}/tenant",
            "registration_endpoint": f"{self.address}/clients",
        }
        return {"/.well-known/oauth-authorization-server/tenant": told}


def _unauthorized():
    return Said(status=401, body={"error": "invalid_token"})


WORDS = {"token": "/registration_access_token", "uri": "/registration_client_uri"}
PARTS = {
    "endpoints": {"list": None, "update": {"carriesId": True}},
    "registration": WORDS,
    "identity": {"match": None},
}


def registering(tmp_path, shape, **parts):
    return living(tmp_path, shape, **{**PARTS, **parts})


@pytest.fixture(params=[Registering, Rotating])
def shape(request):
    return request.param()


def started(life):
    life.env["SHAPE_TOKEN"] = INITIAL
    life.state("web", WEB)
    life.apply()


def kept(life):
    """What the sink holds of registrations."""
    found = (life.root / ".reconciler/secrets/mine").glob("*registration-*.json")
    return [json.loads(json.loads(path.read_text())["client_secret"]) for path in sorted(found)]


def test_a_client_lives_by_its_own_token(tmp_path, shape):
    with registering(tmp_path, shape) as life:
        started(life)
        assert life.is_settled()
        life.state("web", {**WEB, "ttl": 61})
        life.apply()
        assert life.is_settled()
        shape.clients["c1"]["ttl"] = 5
        assert not life.is_settled()
        life.apply()
        assert shape.clients["c1"]["ttl"] == 61
        # A replace, whose predecessor is deleted by its own token.
        life.state("web", {**WEB, "confidential": False}, lifecycle={"allowReplace": True})
        life.apply()
        assert list(shape.clients) == ["c2"]
        assert life.is_settled()

        assert life.secret("web")["client_secret"] in shape.issued
        assert shape.tokens["c2"] in [one["registration_access_token"] for one in kept(life)]


def test_no_token_is_anywhere_but_in_the_sink(tmp_path, shape):
    with registering(tmp_path, shape) as life:
        started(life)
        life.state("web", {**WEB, "ttl": 61})
        life.run("plan", "--show-requests", "--out", str(tmp_path / "plan.bin"))
        life.apply()
        life.run("plan", "--format", "json", "--verbose")
        tokens = {*shape.tokens.values(), *shape.spent} - {""}

        sink = tmp_path / ".reconciler/secrets"
        elsewhere = [
            path for path in tmp_path.rglob("*") if path.is_file() and sink not in path.parents
        ]
        texts = [
            life.printed,
            *(path.read_bytes().decode("utf-8", "replace") for path in elsewhere),
        ]
        assert tokens
        assert not [token for token in tokens for text in texts if token in text]
        assert not [text for text in texts[1:] if "/manage?client" in text]


def test_a_token_that_an_answer_tells_is_kept_before_the_next_request(tmp_path):
    class Dying(Rotating):
        """Answers with another token, and then no more."""

        dead = False

        def answer(self, asked):
            return Said(status=503) if self.dead else super().answer(asked)

        def told(self, remote_id, body):
            self.dead = len(self.requests) > 1
            return super().told(remote_id, body)

    shape = Dying()
    with registering(tmp_path, shape) as life:
        started(life)
        life.run("plan")
        shape.dead = False

        assert kept(life)[0]["registration_access_token"] == shape.tokens["c1"]


def test_without_the_words_no_client_is_ever_read_again(tmp_path):
    shape = Registering()
    with registering(tmp_path, shape, registration=None) as life:
        life.env["SHAPE_TOKEN"] = INITIAL
        life.state("web", WEB)

        assert life.run("plan").exit_code == 1


def test_where_no_address_is_told_the_endpoints_are_used(tmp_path, shape):
    shape.tells_address = False
    with registering(tmp_path, shape) as life:
        started(life)
        life.state("web", {**WEB, "ttl": 61})
        life.apply()

        assert life.is_settled()
        assert {one.path for one in shape.requests if one.method != "POST"} == {"/clients/c1"}


def test_open_registration_takes_no_login(tmp_path, shape):
    shape.initial = None
    target = {"auth": "none"}
    with registering(
        tmp_path, shape, target=target, token={"path": None, "scheme": "none"}
    ) as life:
        document = json.loads((tmp_path / "reconciler.yaml").read_text())
        document["fingerprintKey"] = {"env": "SHAPE_TOKEN"}
        (tmp_path / "reconciler.yaml").write_text(json.dumps(document))
        life.state("web", WEB)
        life.apply()

        assert life.is_settled()


def test_a_client_whose_token_is_refused_is_told_for_itself_and_the_others_go_on(tmp_path):
    shape = Registering()
    with registering(tmp_path, shape) as life:
        started(life)
        life.state("app", {**WEB, "name": "App"})
        life.apply()
        shape.tokens["c1"] = "another"
        life.state("web", {**WEB, "ttl": 61})
        life.state("app", {**WEB, "name": "App", "ttl": 61})
        planned = life.run("plan")
        life.run("apply", "--auto-approve")

        assert planned.exit_code == 3
        assert "refused (barred)" in planned.output
        assert "reconciler forget web" in planned.output
        assert "reconciler import mine --id c1" in planned.output
        assert shape.clients["c1"]["ttl"] == 60
        assert len(shape.clients) == 2


def test_a_client_that_is_gone_is_forgotten_by_hand_and_registered_anew(tmp_path):
    shape = Registering()
    with registering(tmp_path, shape) as life:
        started(life)
        del shape.clients["c1"], shape.tokens["c1"]
        assert life.run("plan").exit_code == 3
        forgotten = life.run("forget", "web", "--auto-approve")
        assert forgotten.exit_code == 0, forgotten.output
        life.apply()

        assert list(shape.clients) == ["c2"]
        assert life.is_settled()


def test_a_client_is_imported_by_its_id_and_its_token(tmp_path, shape):
    with registering(tmp_path, shape) as life:
        life.env |= {"SHAPE_TOKEN": INITIAL, "OWN": "first-t0ken-of-a-client"}
        shape.tokens[shape.add(WEB)] = "first-t0ken-of-a-client"
        done = life.run(
            "import", "mine", "--id", "c1", "--registration-token", "env:OWN",
            "--registration-uri", shape.address_of("c1"),
        )  # fmt: skip

        assert done.exit_code == 0, done.output
        assert life.is_settled()
        assert "first-t0ken" not in life.printed


def test_a_lost_token_of_a_client_of_ours_is_given_by_an_import(tmp_path):
    shape = Registering()
    with registering(tmp_path, shape) as life:
        started(life)
        shape.tokens["c1"] = "given-by-the-server's-people"
        (tmp_path / "token").write_text("given-by-the-server's-people\n")
        life.run("import", "mine", "--id", "c1", "--registration-token", f"file:{tmp_path}/token")

        assert life.is_settled()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--all", "--registration-token", "env:OWN"], "name it by one --id"),
        (["--id", "c1", "--registration-uri", "https://x.example.com"], "for one client"),
        (["--id", "c1", "--registration-token", "t0ken-itself"], "by reference"),
        (["--id", "c1", "--registration-token", "env:NOT_SET"], "NOT_SET is not set"),
    ],
)
def test_a_token_that_cannot_be_meant_is_told_and_not_quoted(tmp_path, arguments, said):
    with registering(tmp_path, Registering()) as life:
        life.env["SHAPE_TOKEN"] = INITIAL
        done = life.run("import", "mine", *arguments)

        assert done.exit_code != 0
        assert said in done.output
        assert "t0ken-itself" not in done.output


def test_a_token_goes_to_no_other_server(tmp_path):
    class Elsewhere(Registering):
        def address_of(self, remote_id):
            return f"https://collector.example.com/manage?client={remote_id}"

    shape = Elsewhere()
    with registering(tmp_path, shape) as life:
        started(life)
        planned = life.run("plan")

        assert planned.exit_code == 3
        assert "on another server" in planned.output


def test_a_sink_that_gives_nothing_back_is_refused_before_anything_is_sent(tmp_path):
    shape = Registering()
    sink = {"secrets": {"sink": "exec", "command": ["true"]}}
    with registering(tmp_path, shape, target=sink) as life:
        life.env["SHAPE_TOKEN"] = INITIAL
        life.state("web", WEB)
        done = life.run("apply", "--auto-approve")

        assert done.exit_code == 1
        assert "gives back nothing" in done.output
        assert shape.requests == []


@pytest.mark.parametrize(
    "where",
    ["/.well-known/oauth-authorization-server/tenant", "/tenant/.well-known/openid-configuration"],
)
def test_an_issuer_says_where_clients_are_registered(tmp_path, where):
    class At(Published):
        def metadata(self):
            (told,) = super().metadata().values()
            return {where: told}

    shape = At()
    with registering(tmp_path, shape, collection="/somewhere") as life:
        life.write_project(baseUrl=None, issuer=f"{shape.address}/tenant")
        document = json.loads((tmp_path / "reconciler.yaml").read_text())
        del document["targets"]["mine"]["baseUrl"]
        (tmp_path / "reconciler.yaml").write_text(json.dumps(document))
        started(life)

        assert life.is_settled()
        assert list(shape.clients) == ["c1"]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "publishes no metadata"),
        ({"issuer": "https://other.example.com"}, "of another issuer"),
        ({"registration_endpoint": None}, "names no registration_endpoint"),
        ({"registration_endpoint": "http://id.example.com/reg"}, "names no registration_endpoint"),
        (
            {"registration_endpoint": "https://a@id.example.com/reg"},
            "names no registration_endpoint",
        ),
        ({"registration_endpoint": "https://[::1/reg"}, "names no registration_endpoint"),
    ],
)
def test_metadata_that_cannot_be_right_are_refused(tmp_path, told, said):
    class Odd(Published):
        def metadata(self):
            (right,) = super().metadata().values()
            path = "/.well-known/oauth-authorization-server/tenant"
            return {path: {**right, **told}} if told else {}

    shape = Odd()
    with registering(tmp_path, shape) as life:
        document = json.loads((tmp_path / "reconciler.yaml").read_text())
        del document["targets"]["mine"]["baseUrl"]
        document["targets"]["mine"]["issuer"] = f"{shape.address}/tenant"
        (tmp_path / "reconciler.yaml").write_text(json.dumps(document))
        life.env["SHAPE_TOKEN"] = INITIAL
        life.state("web", WEB)
        done = life.run("plan")

        assert done.exit_code == 1
        assert said in done.output


def test_an_issuer_is_for_servers_that_register(tmp_path):
    with living(tmp_path, Shape()) as life:
        document = json.loads((tmp_path / "reconciler.yaml").read_text())
        del document["targets"]["mine"]["baseUrl"]
        document["targets"]["mine"]["issuer"] = "https://id.example.com"
        (tmp_path / "reconciler.yaml").write_text(json.dumps(document))
        done = life.run("validate")

        assert done.exit_code == 1
        assert "`issuer` is for registration" in done.output
        assert "reconciler.yaml:" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"token": "/a"}, "uri"),
        ({**WORDS, "token": "registration_access_token"}, "a JSON Pointer to a member"),
    ],
)
def test_words_that_do_not_go_together_are_told_with_their_place(tmp_path, words, said):
    with living(tmp_path, Shape(), registration=words) as life:
        life.state("web", WEB)
        done = life.run("validate")

        assert done.exit_code == 1
        assert said in done.output
        assert "provider.yaml:" in done.output


def test_issuer_and_base_url_do_not_stand_side_by_side(tmp_path):
    with registering(tmp_path, Registering()) as life:
        life.write_project(issuer="https://id.example.com")
        done = life.run("validate")

        assert "`issuer` stands in the place of `baseUrl`" in done.output
