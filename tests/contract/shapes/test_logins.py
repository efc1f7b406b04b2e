"""Servers that want to know otherwise who sends a request: other schemes, other proofs at the token endpoint, nobody."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import ClassVar

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from support.shapes import WEB, Said, Shape, living

PASSWORD = "pass: w\u00f6rd-92"
SECRET = "login+secret/of=the:tool"
STATED = {"clientId": "tool:1", "clientSecret": {"env": "LOGIN"}}
KEYED = {"clientId": "tool", "privateKey": {"env": "KEY"}}


class Schemed(Shape):
    """Takes one kind of header."""

    header = "SSWS 00abc_-token"

    def lets_in(self, asked):
        return asked.headers.get("authorization") == self.header


class Open(Shape):
    """Asks nobody, and takes nobody who says more than it wants to know."""

    def lets_in(self, asked):
        return "authorization" not in asked.headers


class Granting(Shape):
    """Has a token endpoint; `proof` says who asks. A token is good for so many requests."""

    good_for = 1000
    extra: ClassVar = {}
    token_type = "Bearer"

    def __init__(self):
        super().__init__()
        self.given = 0
        self.left = 0

    def answer(self, asked):
        if asked.path == "/token":
            problem = self.refused(asked)
            if problem:
                return Said(status=401, body={"error": "invalid_client"})
            if any(asked.body.get(name) != value for name, value in self.extra.items()):
                return Said(status=400, body={"error": "invalid_request"})
            self.given, self.left = self.given + 1, self.good_for
            body = {"access_token": f"given-{self.given}", "expires_in": 3600}
            return Said(status=200, body={**body, "token_type": self.token_type})
        return super().answer(asked)

    def lets_in(self, asked):
        self.left -= 1
        return self.left >= 0 and asked.headers.get("authorization") == f"Bearer given-{self.given}"

    def refused(self, asked):
        return asked.body.get("client_secret") != SECRET or "authorization" in asked.headers


class ByHeader(Granting):
    """RFC 6749 section 2.3.1: the header, both parts form-encoded; nothing of them in the body."""

    def refused(self, asked):
        value = base64.b64encode(b"tool%3A1:login%2Bsecret%2Fof%3Dthe%3Atool").decode()
        both = {"client_id", "client_secret"} & asked.body.keys()
        return asked.headers.get("authorization") != f"Basic {value}" or both


class BySignature(Granting):
    """RFC 7523 section 3: signed by the one key, for this endpoint, short-lived, and used once."""

    public = None
    kid = None

    def __init__(self):
        super().__init__()
        self.seen = set()

    def refused(self, asked):
        assertion = asked.body["client_assertion"]
        try:
            claims = jwt.decode(
                assertion,
                self.public,
                algorithms=["RS256", "PS256", "ES256", "ES384", "EdDSA"],
                audience=f"{self.address}/token",
                options={"require": ["iss", "sub", "jti", "exp", "iat"]},
            )
        except jwt.PyJWTError:
            return True
        self.issued.add(assertion)
        again = claims["jti"] in self.seen
        self.seen.add(claims["jti"])
        kind = asked.body["client_assertion_type"]
        return (
            again
            or (claims["iss"], claims["sub"]) != ("tool", "tool")
            or claims["exp"] > time.time() + 300
            or kind != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            or "client_secret" in asked.body
            or jwt.get_unverified_header(assertion).get("kid") != self.kid
        )


def live(life, shape):
    """Make a client, settle, change it, and settle."""
    life.state("web", WEB)
    life.apply()
    assert life.is_settled()
    life.state("web", {**WEB, "ttl": 90})
    life.apply()
    (client,) = shape.clients.values()
    assert client["ttl"] == 90


def known(life, shape):
    """Everything that the tool logs in with and must not show."""
    values = [value for value in life.env.values() if len(value) > 8]
    headers = {one.headers.get("authorization", " ").split(" ")[1] for one in shape.requests}
    return {*values, *filter(None, headers), *shape.issued}


@pytest.mark.parametrize(
    ("scheme", "header"), [("SSWS", "SSWS 00abc_-token"), ("token", "token 00abc_-token")]
)
def test_a_token_goes_in_the_scheme_of_its_server(tmp_path, scheme, header):
    shape = Schemed()
    shape.header = header
    with living(tmp_path, shape, token={"scheme": scheme}) as life:
        life.env["SHAPE_TOKEN"] = "00abc_-token"
        live(life, shape)
        shape.header = "another"
        refused = life.run("plan")
        assert refused.exit_code == 1
        assert "401" in refused.output
        assert not [secret for secret in known(life, shape) if secret in life.printed]


def test_left_out_a_token_goes_as_bearer_and_is_refused(tmp_path):
    with living(tmp_path, Schemed()) as life:
        life.env["SHAPE_TOKEN"] = "00abc_-token"
        life.state("web", WEB)
        assert "401" in life.run("plan").output


def test_a_user_and_a_password_go_with_every_request(tmp_path):
    shape = Schemed()
    shape.header = f"Basic {base64.b64encode(f'admin:{PASSWORD}'.encode()).decode()}"
    target = {"auth": {"username": "admin", "password": {"env": "PASSWORD"}}}
    with living(tmp_path, shape, target=target, token={"path": None, "scheme": "Basic"}) as life:
        # What no client id, secret or token has, such as this letter, a password may not have either.
        life.env["PASSWORD"] = PASSWORD.replace("\u00f6", "o")
        shape.header = (
            f"Basic {base64.b64encode(('admin:' + life.env['PASSWORD']).encode()).decode()}"
        )
        live(life, shape)
        assert not [secret for secret in known(life, shape) if secret in life.printed]


def test_a_server_that_asks_nobody_gets_no_header(tmp_path):
    shape = Open()
    with living(tmp_path, shape, target={"auth": "none"}, token={"scheme": "none"}) as life:
        project = json.loads((tmp_path / "reconciler.yaml").read_text())
        project["fingerprintKey"] = {"env": "SHAPE_KEY"}
        life.env["SHAPE_KEY"] = "k" * 40
        (tmp_path / "reconciler.yaml").write_text(json.dumps(project))
        live(life, shape)


@pytest.mark.parametrize("good_for", [1000, 3])
def test_a_client_proves_itself_in_a_header(tmp_path, good_for):
    shape = ByHeader()
    shape.good_for = good_for
    token = {"clientAuthentication": "client_secret_basic"}
    with living(tmp_path, shape, target={"auth": STATED}, token=token) as life:
        life.env["LOGIN"] = SECRET
        live(life, shape)
        assert not [secret for secret in known(life, shape) if secret in life.printed]


def test_left_out_the_secret_goes_in_the_body_and_is_refused(tmp_path):
    with living(tmp_path, ByHeader(), target={"auth": STATED}) as life:
        life.env["LOGIN"] = SECRET
        life.state("web", WEB)
        assert "refused the credentials with 401" in life.run("plan").output


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def jwk(key, **words):
    kind = jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else None
    kind = kind or jwt.algorithms.RSAAlgorithm
    return json.dumps({**json.loads(kind.to_jwk(key)), **words})


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
EC384 = ec.generate_private_key(ec.SECP384R1())
ED = ed25519.Ed25519PrivateKey.generate()


@pytest.mark.parametrize(
    ("key", "text", "words", "kid"),
    [
        (RSA, pem(RSA), {}, None),
        (RSA, pem(RSA), {"keyId": "k1", "algorithm": "PS256"}, "k1"),
        (EC, pem(EC), {"keyId": "k2"}, "k2"),
        (EC384, pem(EC384), {}, None),
        (ED, pem(ED), {}, None),
        (RSA, jwk(RSA, kid="own"), {}, "own"),
        (EC, jwk(EC, kid="own", alg="ES256"), {"keyId": "k3"}, "k3"),
    ],
)
@pytest.mark.parametrize("good_for", [1000, 3])
def test_a_client_proves_itself_by_its_key(tmp_path, key, text, words, kid, good_for):
    shape = BySignature()
    shape.public, shape.kid, shape.good_for = key.public_key(), kid, good_for
    token = {"clientAuthentication": "private_key_jwt"}
    with living(tmp_path, shape, target={"auth": {**KEYED, **words}}, token=token) as life:
        life.env["KEY"] = text
        live(life, shape)
        assert len(shape.seen) > 1
        assert not [secret for secret in known(life, shape) if secret in life.printed]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-----BEGIN PRIVATE KEY-----\nnope\n-----END PRIVATE KEY-----", {}),
        ("hunter2-is-no-key", {}),
        ('{"kty": "RSA"}', {}),
        ('{"kty": "oct", "k": "aGVsbG8gaGVsbG8"}', {}),
        ("{", {}),
        (pem(EC), {"algorithm": "RS256"}),
        (
            RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            {},
        ),
    ],
)
def test_a_key_that_cannot_sign_is_told_and_not_shown(tmp_path, text, words):
    token = {"clientAuthentication": "private_key_jwt"}
    target = {"auth": {**KEYED, **words}}
    with living(tmp_path, BySignature(), target=target, token=token) as life:
        life.env["KEY"] = text
        life.state("web", WEB)
        done = life.run("plan")
        assert done.exit_code == 1
        assert "auth.privateKey is no private key that can sign" in done.output
        assert not [line for line in text.splitlines() if len(line) > 3 and line in done.output]


def test_more_parameters_go_into_the_token_request(tmp_path):
    shape = Granting()
    shape.extra = {"audience": "https://api.example.com/", "resource": "urn:mine"}
    target = {"auth": {**STATED, "parameters": {"resource": "urn:mine"}}}
    words = {"parameters": {"audience": "https://api.example.com/", "resource": "urn:theirs"}}
    with living(tmp_path, shape, target=target, token=words) as life:
        life.env["LOGIN"] = SECRET
        live(life, shape)


@pytest.mark.parametrize(
    ("auth", "token", "problem"),
    [
        ("none", {}, "asks who sends a request"),
        ("None", {}, "by reference"),
        ({"username": "u", "password": {"env": "P"}}, {}, "takes no user and password"),
        ({"username": "a:b", "password": {"env": "P"}}, {"scheme": "Basic"}, "has no colon"),
        ({"username": "u"}, {"scheme": "Basic"}, "`password` is missing"),
        ({**STATED, "username": "u", "password": {"env": "P"}}, {}, "stand alone"),
        ({**STATED, **KEYED}, {}, "and not by both"),
        ({**STATED, "keyId": "k"}, {}, "belongs to `privateKey`"),
        ({**STATED, "parameters": {"scope": "x"}}, {}, "`scope` cannot stand here"),
        ({"clientId": "a", "privateKey": "-----BEGIN"}, {}, "must be a reference"),
        (STATED, {"clientAuthentication": "private_key_jwt"}, "takes no client secret"),
    ],
)
def test_a_login_that_cannot_be_is_refused_at_its_place(tmp_path, auth, token, problem):
    with living(tmp_path, Shape(), target={"auth": auth}, token=token) as life:
        done = life.run("validate")
        assert done.exit_code != 0
        line = next(one for one in done.output.splitlines() if problem in one)
        assert re.match(r"\S*reconciler\.yaml:\d+:\d+: error", line)


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ({"scheme": "Digest"}, "Digest"),
        ({"clientAuthentication": "tls_client_auth"}, "tls_client_auth"),
        ({"parameters": {"grant_type": "password"}}, "`grant_type` cannot stand here"),
    ],
)
def test_a_word_that_no_login_has_is_refused_at_its_place(tmp_path, token, problem):
    with living(tmp_path, Shape(), token=token) as life:
        done = life.run("validate")
        line = next(one for one in done.output.splitlines() if problem in one)
        assert re.match(r"\S*provider/provider\.yaml:\d+:\d+: error", line)
