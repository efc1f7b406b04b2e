"""The life of a client on servers that answer as a real Keycloak and a real Hydra were seen to, by the shipped folders."""

from __future__ import annotations

import copy
import uuid
from typing import ClassVar

import pytest
from support.shapes import Said, Shape, living, merged

REDIRECTS = ["https://shop.example.com/cb", "https://app.example.com/cb"]
MAPPER = {
    "name": "aud",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-audience-mapper",
    "config": {"included.custom.audience": "api"},
}


class Keycloak(Shape):
    """Keycloak 26.7.3: no body after a write, an update that merges, a clientId of one client alone."""

    defaults: ClassVar = {
        "enabled": True,
        "publicClient": False,
        "standardFlowEnabled": True,
        "protocol": "openid-connect",
        "notBefore": 0,
        "redirectUris": [],
        "attributes": {"realm_client": "false"},
        "defaultClientScopes": ["web-origins", "profile", "email"],
        "optionalClientScopes": ["phone"],
        "access": {"manage": True},
    }

    def answer(self, asked):
        if not self.lets_in(asked):
            return Said(status=401, body={"error": "HTTP 401 Unauthorized"})
        remote_id, _, call = asked.path.removeprefix("/clients").removeprefix("/").partition("/")
        if not remote_id:
            return self.create(asked) if asked.method == "POST" else self.list(asked)
        if remote_id not in self.clients:
            return Said(status=404, body={"error": "Could not find client"})
        if call == "client-secret":
            secret = f"another-s3cret-{len(self.requests)}"
            self.clients[remote_id]["secret"] = secret
            return Said(status=200, body={"type": "secret", "value": secret})
        return self.about_one(asked, remote_id)

    def shown(self, remote_id):
        return self.clients[remote_id]

    def list(self, asked):
        first, most = int(asked.query["first"]), int(asked.query["max"])
        every = sorted(self.clients.values(), key=lambda one: one["clientId"])
        return Said(status=200, body=every[first : first + most])

    def taken(self, client_id, own=""):
        return any(one["clientId"] == client_id and key != own for key, one in self.clients.items())

    def create(self, asked):
        if self.taken(asked.body["clientId"]):
            return Said(
                status=409, body={"errorMessage": f"Client {asked.body['clientId']} already exists"}
            )
        made = self.add(asked.body)
        return Said(status=201, headers={"location": f"{self.address}/clients/{made}"})

    def add(self, body):
        self.made += 1
        made_id, secret = (
            body.get("id", str(uuid.UUID(int=self.made))),
            f"s3cret-of-client-{self.made}",
        )
        self.issued.add(secret)
        client = merged(copy.deepcopy(self.defaults), copy.deepcopy(body))
        self.clients[made_id] = {**client, "id": made_id, "secret": secret}
        return made_id

    def update(self, asked, remote_id):
        live = self.clients[remote_id]
        if self.taken(asked.body.get("clientId", live["clientId"]), remote_id):
            return Said(
                status=409,
                body={"error": "conflict", "error_description": "Duplicate resource error"},
            )
        ignored = ("defaultClientScopes", "optionalClientScopes", "id")
        sent = {
            name: one for name, one in asked.body.items() if name not in ignored and one is not None
        }
        after = {**live, **sent}
        attributes = {**live["attributes"], **sent.get("attributes", {})}
        after["attributes"] = {
            name: one for name, one in attributes.items() if one not in (None, "")
        }
        for mapper in after.get("protocolMappers", []):
            mapper.setdefault("id", str(uuid.uuid4()))
            mapper.setdefault("consentRequired", False)
        self.clients[remote_id] = after
        return Said(status=204)


class Hydra(Shape):
    """Hydra 2.3.0: a PUT that resets, null for an empty list, a next page for ever behind an empty one."""

    secret_field = "client_secret"
    defaults: ClassVar = {
        "client_name": "",
        "redirect_uris": None,
        "grant_types": None,
        "response_types": None,
        "scope": "offline_access offline openid",
        "audience": [],
        "jwks": {},
        "token_endpoint_auth_method": "client_secret_basic",
        "subject_type": "public",
        "metadata": {},
        "skip_consent": False,
        "skip_logout_consent": None,
        "client_secret_expires_at": 0,
        "authorization_code_grant_access_token_lifespan": None,
        "created_at": "2026-11-27T13:28:00Z",
    }

    def lets_in(self, asked):
        return "authorization" not in asked.headers

    def answer(self, asked):
        remote_id = asked.path.removeprefix("/admin/clients").removeprefix("/")
        if not self.lets_in(asked):
            return Said(status=400)
        if not remote_id:
            return self.create(asked) if asked.method == "POST" else self.list(asked)
        if remote_id not in self.clients:
            return Said(
                status=404, body={"error": "Unable to locate the resource", "error_description": ""}
            )
        return self.about_one(asked, remote_id)

    def list(self, asked):
        start, size = int(asked.query.get("page_token", "0")), int(asked.query["page_size"])
        page = sorted(self.clients)[start : start + size]
        is_last = page and start + size >= len(self.clients)
        link = (
            ""
            if is_last
            else f'</admin/clients?page_size={size}&page_token={start + size}>; rel="next",'
        )
        headers = {"link": f'{link}</admin/clients?page_size={size}&page_token=0>; rel="last"'}
        return Said(status=200, body=[self.shown(one) for one in page], headers=headers)

    def create(self, asked):
        if asked.body.get("client_id") in self.clients:
            return Said(status=409, body={"error": "a resource with that value exists already"})
        made = self.add(asked.body)
        told = {
            "registration_access_token": f"ory_at_{self.made}",
            "registration_client_uri": "https://x/",
        }
        return Said(status=201, body={**self.clients[made], **told})

    def add(self, body):
        self.made += 1
        secret = body.get("client_secret", f"s3cret-of-client-{self.made}")
        self.issued.add(secret)
        made_id = body.get("client_id", f"generated-{self.made}")
        client = {**copy.deepcopy(self.defaults), **copy.deepcopy(body)}
        self.clients[made_id] = {**client, "client_id": made_id, "client_secret": secret}
        return made_id

    def update(self, asked, remote_id):
        assert asked.body["client_id"] == remote_id
        secret = asked.body.get("client_secret", self.clients[remote_id]["client_secret"])
        client = {**copy.deepcopy(self.defaults), **asked.body}
        self.clients[remote_id] = {**client, "client_secret": secret}
        told = {"client_secret": secret} if "client_secret" in asked.body else {}
        return Said(status=200, body={**self.shown(remote_id), **told})


LIVES = {
    "keycloak": (
        Keycloak,
        {"provider": "keycloak"},
        "KeycloakClient",
        {
            "clientId": "web",
            "name": "Web",
            "redirectUris": REDIRECTS,
            "attributes": {"access.token.lifespan": "300", "login_theme": "shop"},
            "protocolMappers": [MAPPER],
        },
        [
            {"name": "Web 2"},
            {"redirectUris": []},
            {"attributes": {"access.token.lifespan": "600"}},
            {"attributes": {"login_theme": None}},
            {"protocolMappers": [{**MAPPER, "config": {"included.custom.audience": "other"}}]},
            {"enabled": False},
        ],
        {"name": "by hand"},
        {"clientId": "web-new", "defaultClientScopes": ["email"]},
    ),
    "hydra": (
        Hydra,
        {"provider": "hydra", "auth": "none"},
        "HydraClient",
        {
            "client_id": "web",
            "client_name": "Web",
            "redirect_uris": REDIRECTS,
            "scope": "openid",
            "authorization_code_grant_access_token_lifespan": "1h30m0s",
            "metadata": {"team": "shop"},
        },
        [
            {"client_name": "Web 2"},
            {"redirect_uris": []},
            {"authorization_code_grant_access_token_lifespan": None},
            {"metadata": {"team": "web"}},
            {"skip_consent": True},
        ],
        {"client_name": "by hand"},
        {"client_id": "web-new"},
    ),
}


@pytest.fixture(params=sorted(LIVES))
def vendor(request, tmp_path):
    make, target, kind, spec, changes, edit, successor = LIVES[request.param]
    shape = make()
    with living(tmp_path, shape, target=target) as life:
        text = (tmp_path / "reconciler.yaml").read_text()
        key = '{"fingerprintKey": {"env": "SHAPE_TOKEN"}, '
        (tmp_path / "reconciler.yaml").write_text(key + text.removeprefix("{"))
        life.descriptor["clientKind"] = kind
        yield life, shape, spec, changes, edit, successor


def test_a_client_lives_by_the_folder_that_the_tool_ships(vendor):
    life, shape, spec, changes, edit, successor = vendor
    assert life.is_settled()
    life.state("web", spec)
    life.apply()
    (remote_id,) = shape.clients
    assert life.secret("web")["client_id"] == "web"
    assert life.secret("web")["client_secret"] in shape.issued
    for change in changes:
        spec = merged(spec, change)
        life.state("web", spec)
        life.apply()
        assert life.is_settled()
    shape.clients[remote_id].update(edit)
    assert not life.is_settled()
    life.apply()
    old = life.secret("web")["client_secret"]
    done = life.run("rotate", "web", "--auto-approve")
    assert done.exit_code == 0, done.output
    live = shape.clients[remote_id]
    assert (
        life.secret("web")["client_secret"] == live.get("secret", live.get("client_secret")) != old
    )
    assert life.is_settled()
    life.state("web", {**spec, **successor}, lifecycle={"allowReplace": True})
    life.apply()
    assert len(shape.clients) == 1
    assert life.is_settled()
    assert life.secret("web")["client_id"] == "web-new"

    assert not [secret for secret in shape.issued if secret in life.printed]


def test_a_successor_that_could_not_be_made_is_refused_beforehand(vendor):
    life, shape, spec, *_, successor = vendor
    life.state("web", spec)
    life.apply()
    taken = {"clientId": "theirs"} if "clientId" in spec else {"client_id": "theirs"}
    shape.add({**taken, "name": "T", "client_name": "T"})
    sent = len(shape.writes())
    life.state("web", {**spec, **successor, **taken}, lifecycle={"allowReplace": True})
    done = life.run("apply", "--auto-approve")

    assert done.exit_code == 3
    assert "taken-value" in done.output
    assert len(shape.writes()) == sent


def test_what_is_there_is_imported(vendor):
    life, shape, spec, *_ = vendor
    shape.add(spec)
    done = life.run("import", "mine", "--all")

    assert done.exit_code == 0, done.output
    assert life.is_settled()
