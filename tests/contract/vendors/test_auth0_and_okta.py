"""The life of a client on servers that answer as the references of Auth0 and Okta say, by the folders that the tool ships."""

from __future__ import annotations

import copy
from typing import ClassVar

import pytest
from support.shapes import Said, Shape, living, merged

REDIRECTS = ["https://shop.example.com/cb", "https://app.example.com/cb"]


class Auth0(Shape):
    """Management API v2: https://auth0.com/docs/api/management/v2/clients."""

    audience = "https://shop.eu.auth0.com/api/v2/"
    page = 100
    defaults: ClassVar = {
        "is_first_party": True,
        "oidc_conformant": False,
        "global": False,
        "tenant": "shop",
        "grant_types": ["authorization_code", "implicit", "refresh_token", "client_credentials"],
        "jwt_configuration": {
            "secret_encoded": False,
            "lifetime_in_seconds": 36000,
            "alg": "RS256",
        },
        "signing_keys": [{"cert": "-----BEGIN CERTIFICATE-----", "subject": "/CN=shop"}],
    }

    def answer(self, asked):
        if asked.path == "/oauth/token":
            # Without the audience Auth0 gives a token for another API, or none.
            known = (
                asked.body["audience"] == self.audience
                and asked.body["client_secret"] == "s3cret-of-the-tool"
            )
            body = {"access_token": "management-t0ken", "token_type": "Bearer", "expires_in": 86400}
            return (
                Said(status=200, body=body)
                if known
                else Said(status=401, body={"error": "access_denied"})
            )
        if asked.headers.get("authorization") != "Bearer management-t0ken":
            return _auth0_error(401, "Unauthorized", "Invalid token")
        rest = asked.path.removeprefix("/api/v2/clients").removeprefix("/")
        remote_id, _, call = rest.partition("/")
        if not remote_id:
            return self.create(asked) if asked.method == "POST" else self.list(asked)
        if remote_id not in self.clients:
            return _auth0_error(404, "Not Found", "The client does not exist")
        if call == "rotate-secret":
            self.clients[remote_id]["client_secret"] = f"another-s3cret-{len(self.requests)}"
            return self.read(asked, remote_id)
        return self.about_one(asked, remote_id)

    def shown(self, remote_id):
        return self.clients[remote_id]

    def list(self, asked):
        size, page = int(asked.query["per_page"]), int(asked.query["page"])
        assert size <= self.page
        assert asked.query["include_totals"] == "true"
        every = [one for one in self.clients.values() if not one["global"]]
        body = {
            "clients": every[page * size : (page + 1) * size],
            "total": len(every),
            "start": page * size,
            "limit": size,
        }
        return Said(status=200, body=body)

    def add(self, body):
        self.made += 1
        made_id, secret = f"AbC{self.made}xyz", f"s3cret-of-client-{self.made}"
        self.issued.add(secret)
        own = {"client_id": made_id, "client_secret": secret}
        self.clients[made_id] = {**copy.deepcopy(self.defaults), **copy.deepcopy(body), **own}
        return made_id

    def update(self, asked, remote_id):
        if unknown := asked.body.keys() & {"client_id", "tenant", "global", "signing_keys"}:
            return _auth0_error(
                400, "Bad Request", f"Additional properties not allowed: {sorted(unknown)}"
            )
        live = {**self.clients[remote_id], **asked.body}
        # A member of client_metadata that is set to null is taken away.
        metadata = live.get("client_metadata")
        if isinstance(metadata, dict):
            live["client_metadata"] = {
                name: one for name, one in metadata.items() if one is not None
            }
        self.clients[remote_id] = live
        return Said(status=200, body=live)


def _auth0_error(status, error, message):
    return Said(
        status=status,
        body={"statusCode": status, "error": error, "message": message, "errorCode": "x"},
    )


class Okta(Shape):
    """https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/Client/."""

    secret_field = "client_secret"
    page = 2
    defaults: ClassVar = {
        "application_type": "web",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "redirect_uris": [],
        "post_logout_redirect_uris": [],
        "logo_uri": None,
        "client_id_issued_at": 1795785711,
        "client_secret_expires_at": 0,
    }

    def answer(self, asked):
        if asked.headers.get("authorization") != "SSWS shape-login-token-81":
            return _okta_error(401, "Invalid token provided")
        rest = asked.path.removeprefix("/oauth2/v1/clients").removeprefix("/")
        remote_id, _, call = rest.partition("/")
        if not remote_id:
            return self.create(asked) if asked.method == "POST" else self.list(asked)
        if remote_id not in self.clients:
            return _okta_error(404, f"Not found: Resource not found: {remote_id} (PublicClientApp)")
        if call == "lifecycle/newSecret":
            self.clients[remote_id]["client_secret"] = f"another-s3cret-{len(self.requests)}"
            return Said(status=200, body=self.clients[remote_id])
        return self.about_one(asked, remote_id)

    def list(self, asked):
        ids, start = sorted(self.clients), asked.query.get("after", "")
        after = [one for one in ids if one > start]
        page = after[: self.page]
        links = f'<{self.address}/oauth2/v1/clients?limit=200>; rel="self"'
        if len(after) > self.page:
            links += f', <{self.address}/oauth2/v1/clients?after={page[-1]}&limit=200>; rel="next"'
        return Said(status=200, body=[self.shown(one) for one in page], headers={"link": links})

    def add(self, body):
        self.made += 1
        made_id, secret = f"0oa{self.made}", f"s3cret-of-client-{self.made}"
        self.issued.add(secret)
        own = {"client_id": made_id, "client_secret": secret}
        self.clients[made_id] = {**copy.deepcopy(self.defaults), **copy.deepcopy(body), **own}
        return made_id

    def update(self, asked, remote_id):
        sent, live = asked.body, self.clients[remote_id]
        settings = self.shown(remote_id).keys() - {
            "client_id_issued_at",
            "client_secret_expires_at",
        }
        if lacking := settings - sent.keys():
            return _okta_error(400, f"Api validation failed: {sorted(lacking)}")
        if (
            sent.keys() & {"client_id_issued_at", "client_secret_expires_at"}
            or sent["client_id"] != remote_id
        ):
            return _okta_error(400, "Api validation failed: client_id")
        if sent["application_type"] != live["application_type"]:
            return _okta_error(400, "Api validation failed: application_type")
        self.clients[remote_id] = {**live, **sent}
        return Said(status=200, body=self.shown(remote_id))


def _okta_error(status, summary):
    return Said(
        status=status,
        body={
            "errorCode": "E0000001",
            "errorSummary": summary,
            "errorId": "oae123",
            "errorCauses": [],
        },
    )


AUTH0 = {
    "provider": "auth0",
    "auth": {
        "clientId": "tool",
        "clientSecret": {"env": "LOGIN"},
        "parameters": {"audience": Auth0.audience},
    },
}
OKTA = {"provider": "okta", "auth": {"token": {"env": "SHAPE_TOKEN"}}}
AUTH0_WEB = {
    "name": "Web",
    "callbacks": REDIRECTS,
    "client_metadata": {"team": "shop", "tier": "1"},
    "jwt_configuration": {"lifetime_in_seconds": 600},
}
OKTA_WEB = {
    "client_name": "Web",
    "redirect_uris": REDIRECTS,
    "grant_types": ["authorization_code", "refresh_token"],
}
LIVES = {
    "auth0": (
        Auth0,
        AUTH0,
        "Auth0Client",
        AUTH0_WEB,
        [
            {"name": "Web 2"},
            {"callbacks": REDIRECTS[:1]},
            {"client_metadata": {"team": "web"}},
            {"client_metadata": {"tier": None}},
            {"jwt_configuration": {"lifetime_in_seconds": 900}},
        ],
        {"description": "by hand"},
    ),
    "okta": (
        Okta,
        OKTA,
        "OktaClient",
        OKTA_WEB,
        [
            {"client_name": "Web 2"},
            {"redirect_uris": REDIRECTS[:1]},
            {"grant_types": ["authorization_code"]},
            {"policy_uri": "https://shop.example.com/policy"},
        ],
        {"client_name": "by hand"},
    ),
}


@pytest.fixture(params=sorted(LIVES))
def vendor(request, tmp_path):
    make, target, kind, spec, changes, edit = LIVES[request.param]
    shape = make()
    with living(
        tmp_path, shape, target={"rateLimit": {"requests": 10000, "per": "1s"}, **target}
    ) as life:
        life.descriptor["clientKind"] = kind
        life.env["LOGIN"] = "s3cret-of-the-tool"
        yield life, shape, spec, changes, edit


def test_a_client_lives_by_the_folder_that_the_tool_ships(vendor):
    life, shape, spec, changes, edit = vendor
    life.state("web", spec)
    life.apply()
    (remote_id,) = shape.clients
    assert life.secret("web") == {
        "client_id": remote_id,
        "client_secret": shape.clients[remote_id]["client_secret"],
    }
    assert life.is_settled()
    for change in changes:
        spec = merged(spec, change)
        life.state("web", spec)
        life.apply()
        assert life.is_settled()
    shape.clients[remote_id].update(edit)
    if edit.keys() & spec.keys():
        assert not life.is_settled()
        life.apply()
    assert life.is_settled()
    old = life.secret("web")["client_secret"]
    done = life.run("rotate", "web", "--auto-approve")
    assert done.exit_code == 0, done.output
    assert life.secret("web")["client_secret"] not in (old, "")
    assert life.secret("web")["client_secret"] == shape.clients[remote_id]["client_secret"]
    assert life.is_settled()

    assert not [secret for secret in shape.issued if secret in life.printed]


def test_a_fleet_is_imported_pruned_and_never_doubled(vendor, tmp_path):
    life, shape, spec, *_ = vendor
    name = next(iter(spec))
    for number in range(5):
        shape.add({**spec, name: f"Client {number}"})
    done = life.run("import", "mine", "--all")
    assert done.exit_code == 0, done.output
    assert life.is_settled()
    assert len(life.run("plan", "--format", "json").output) > 0
    life.write_project(
        **{
            **LIVES[shape.__class__.__name__.lower()][1],
            "policy": {"prune": True, "maxChangePercent": 100},
        }
    )
    next((tmp_path / "clients").iterdir()).unlink()
    life.apply()

    assert len(shape.clients) == 4
    assert life.is_settled()


def test_what_an_update_cannot_change_is_a_replace_with_its_own_leave(tmp_path):
    with living(tmp_path, Okta(), target=OKTA) as life:
        life.descriptor["clientKind"] = "OktaClient"
        life.state("web", OKTA_WEB)
        life.apply()
        life.state("web", {**OKTA_WEB, "application_type": "native"})
        assert life.run("plan").exit_code == 3
        life.state(
            "web", {**OKTA_WEB, "application_type": "native"}, lifecycle={"allowReplace": True}
        )
        life.apply()

        assert list(life.shape.clients) == ["0oa2"]
        assert life.is_settled()


def test_without_the_audience_the_login_says_what_is_missing(tmp_path):
    target = {
        **AUTH0,
        "auth": {**AUTH0["auth"], "parameters": {"audience": "https://other.example.com"}},
    }
    with living(tmp_path, Auth0(), target=target) as life:
        life.descriptor["clientKind"] = "Auth0Client"
        life.env["LOGIN"] = "s3cret-of-the-tool"
        life.state("web", AUTH0_WEB)
        done = life.run("plan")

        assert done.exit_code == 1
        assert "audience" in done.output


def test_the_tenants_own_client_is_never_touched(tmp_path):
    shape = Auth0()
    with living(tmp_path, shape, target=AUTH0) as life:
        life.descriptor["clientKind"] = "Auth0Client"
        life.env["LOGIN"] = "s3cret-of-the-tool"
        own = shape.add({"name": "All Applications", "global": True})
        life.state("web", {"name": "Mine"}, id=own)
        done = life.run("plan")

        assert done.exit_code == 3
        assert "protected" in done.output
