from dataclasses import replace

import pytest

from reconciler.core.model import Manifest, Secret, Source
from reconciler.core.project import ClientCredentials, Reference, StaticToken
from reconciler.manifests import catalog
from reconciler.manifests import project as project_file
from reconciler.manifests.references import credentials, fingerprint_key, resolve


@pytest.fixture
def providers(write):
    write("secrets/uri", "https://web.example.com\r\n")
    write("clients/shop/web.yaml", "")
    target = project_file.load("reconciler.yaml").targets["shop"]
    return {"shop": catalog.entry("provident", ".").provider(target)}


def manifest(spec):
    source = Source(path="clients/shop/web.yaml")
    return Manifest(source=source, kind="ProvidentClient", name="web", target="shop", spec=spec)


def test_a_secret_takes_the_place_of_every_reference(providers):
    stated = manifest(
        {"name": {"env": "NAME"}, "redirectUris": ["https://a", {"file": "../../secrets/uri"}]}
    )

    (resolved,), problems = resolve([stated], providers, {"NAME": "hunter2\n"})

    assert problems == []
    assert resolved.spec == {
        "name": Secret("hunter2"),
        "redirectUris": ["https://a", Secret("https://web.example.com")],
    }
    assert stated.spec["name"] == {"env": "NAME"}


def test_a_manifest_without_references_is_passed_through(providers):
    plain = manifest({"name": "Web"})

    (resolved,), problems = resolve([plain], providers, {})

    assert resolved is plain
    assert problems == []


@pytest.mark.parametrize(
    ("reference", "environ", "message"),
    [
        ({"env": "NAME"}, {}, "the environment variable NAME is not set"),
        ({"env": "NAME"}, {"NAME": ""}, "the value of env NAME is empty"),
        ({"env": "NAME"}, {"NAME": "\n"}, "the value of env NAME is empty"),
        ({"env": "NAME"}, {"NAME": "a\0b"}, "the value of env NAME holds a NUL character"),
        ({"file": "gone"}, {}, "clients/shop/gone: there is no such file"),
        ({"file": "../../latin"}, {}, "clients/shop/../../latin: this is not UTF-8 text"),
        ({"file": "a\0b"}, {}, "clients/shop/a\0b: this cannot be read: embedded null byte"),
    ],
)
def test_a_value_that_is_not_there_is_a_problem_at_its_place(
    write, providers, reference, environ, message
):
    write("latin", b"\xe9")
    stated = manifest({"name": "Web", "allowedScopes": ["a", reference]})

    (unresolved,), (problem,) = resolve([stated], providers, environ)

    assert unresolved is stated
    assert (problem.pointer, problem.message) == ("/spec/allowedScopes/1", message)


def test_one_line_break_at_the_end_is_not_part_of_a_value(providers):
    (resolved,), _ = resolve([manifest({"name": {"env": "NAME"}})], providers, {"NAME": " a\n\n"})

    assert resolved.spec["name"] == Secret(" a\n")


ENV = Reference(kind="env", name="VALUE")
FILE = Reference(kind="file", name="secrets/uri")


@pytest.mark.usefixtures("providers")
def test_the_credentials_of_a_target_are_read_too():
    project = project_file.load("reconciler.yaml")
    target = project.targets["shop"]
    by_secret = replace(target, auth=ClientCredentials(client_id="a", client_secret=FILE))
    by_token = replace(target, auth=StaticToken(token=ENV))

    found, problems = credentials(project, by_secret, {})
    token, more = credentials(project, by_token, {"VALUE": "hunter2"})

    assert (found.client_id, found.client_secret) == ("a", Secret("https://web.example.com"))
    assert token.token == Secret("hunter2")
    assert (token.client_id, token.client_secret, problems, more) == (None, None, [], [])


@pytest.mark.usefixtures("providers")
def test_credentials_that_are_not_there_are_problems_of_the_project_file():
    project = project_file.load("reconciler.yaml")

    _, problems = credentials(project, project.targets["shop"], {})

    assert [(p.source.path, p.pointer) for p in problems] == [
        ("reconciler.yaml", "/targets/shop/auth/clientId"),
        ("reconciler.yaml", "/targets/shop/auth/clientSecret"),
    ]


def test_the_key_of_fingerprints_is_what_the_project_refers_to(write):
    write("key", "a long random text\n")
    project = project_file.load("reconciler.yaml")
    stated = replace(project, fingerprint_key=Reference(kind="file", name="key"))

    assert fingerprint_key(project, {}) == (None, [])
    assert fingerprint_key(stated, {}) == (Secret("a long random text"), [])


@pytest.mark.usefixtures("write")
def test_a_key_of_fingerprints_that_is_not_there_is_a_problem():
    project = project_file.load("reconciler.yaml")
    stated = replace(project, fingerprint_key=Reference(kind="env", name="KEY"))

    key, (problem,) = fingerprint_key(stated, {"KEY": ""})

    assert key is None
    assert (problem.pointer, problem.message) == (
        "/fingerprintKey",
        "the value of env KEY is empty",
    )
