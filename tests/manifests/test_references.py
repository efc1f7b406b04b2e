from dataclasses import replace

import pytest

from reconciler.core.model import Manifest, Secret, Source
from reconciler.core.project import ClientCredentials, Project, Reference, StaticToken
from reconciler.manifests import catalog
from reconciler.manifests import project as project_file
from reconciler.manifests.references import credentials, fingerprint_key, resolve

PROJECT = Project(path="reconciler.yaml", root=".", targets={})


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

    (resolved,), problems = resolve([stated], providers, PROJECT, {"NAME": "hunter2\n"})

    assert problems == []
    assert resolved.spec == {
        "name": Secret("hunter2"),
        "redirectUris": ["https://a", Secret("https://web.example.com")],
    }
    assert stated.spec["name"] == {"env": "NAME"}


def test_a_manifest_without_references_is_passed_through(providers):
    plain = manifest({"name": "Web"})

    (resolved,), problems = resolve([plain], providers, PROJECT, {})

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

    (unresolved,), (problem,) = resolve([stated], providers, PROJECT, environ)

    assert unresolved is stated
    assert (problem.pointer, problem.message) == ("/spec/allowedScopes/1", message)


@pytest.mark.parametrize("value", ["a", "a\n", "a\r\n"])
def test_one_line_break_at_the_end_is_not_part_of_a_value(providers, value):
    (resolved,), _ = resolve(
        [manifest({"name": {"env": "NAME"}})], providers, PROJECT, {"NAME": value}
    )

    assert resolved.spec["name"] == Secret("a")


# What is wrong with a value wherever it stands, with the words that say so.
BROKEN = [
    ("hunter2\n\n", "ends with a blank or a line break"),
    (" hunter2", "begins with a blank or a line break"),
    ("\thunter2 ", "begins and ends with a blank"),
    ("hunter2\u00a0", "ends with a blank"),
    ("hunter2\r\n\r\n", "ends with a blank"),
    ("   ", "holds nothing but blanks"),
    ("\ufeffhunter2", "begins with a byte order mark (U+FEFF)"),
    ("hunt\ufeffer2", "holds U+FEFF"),
    ("hunt\u200ber2", "holds U+200B ZERO WIDTH SPACE"),
    ("hunt\u202eer2", "holds U+202E"),
    ("hunt\x1b[31mer2", "holds U+001B"),
    ("hunter2\x7f", "holds U+007F"),
    ("hunt\0er2", "holds a NUL character"),
    ("hunter\udce9", "is not UTF-8 text"),
    ("", "is empty"),
    ("\n", "is empty"),
]
# What no client id, secret or token has, and another text may.
NO_CREDENTIAL = [
    ("hunter2\nmore", "holds a line break or a tab"),
    ("hunt\ter2", "holds a line break or a tab"),
    ("hunt\u00e9r2", "holds a character beyond ASCII"),
    ("\u201chunter2\u201d", "holds a character beyond ASCII"),
]


@pytest.mark.parametrize(("value", "words"), BROKEN)
def test_a_value_that_cannot_be_meant_is_refused_by_its_name_and_not_shown(providers, value, words):
    stated = manifest({"name": {"env": "NAME"}})

    (unresolved,), (problem,) = resolve([stated], providers, PROJECT, {"NAME": value})

    assert unresolved is stated
    assert problem.pointer == "/spec/name"
    assert problem.message.startswith("the value of env NAME ")
    assert words in problem.message
    assert "hunt" not in problem.message + problem.hint


@pytest.mark.parametrize(("value", "words"), BROKEN + NO_CREDENTIAL)
def test_so_is_a_credential_of_the_target(write, value, words):
    write("secrets/login", value.encode("utf-8", "surrogateescape"))
    project = project_file.load("reconciler.yaml")
    secret = Reference(kind="file", name="secrets/login")
    target = replace(
        project.targets["shop"], auth=ClientCredentials(client_id=ENV, client_secret=secret)
    )
    token = replace(project.targets["shop"], auth=StaticToken(token=ENV))

    _, problems = credentials(project, target, {"VALUE": value})
    _, (of_token,) = credentials(project, token, {"VALUE": value})

    assert [(p.source.path, p.pointer) for p in [*problems, of_token]] == [
        ("reconciler.yaml", "/targets/shop/auth/clientId"),
        ("reconciler.yaml", "/targets/shop/auth/clientSecret"),
        ("reconciler.yaml", "/targets/shop/auth/token"),
    ]
    assert all(words in p.message or "not UTF-8 text" in p.message for p in problems)
    assert "secrets/login" in problems[1].message
    assert not [p for p in [*problems, of_token] if "hunt" in p.message + p.hint]


def test_a_token_is_stated_without_the_word_that_goes_before_it(write):
    assert write
    project = project_file.load("reconciler.yaml")
    target = replace(project.targets["shop"], auth=StaticToken(token=ENV))

    _, (problem,) = credentials(project, target, {"VALUE": "Bearer hunter2"})

    assert problem.message == "the value of env VALUE holds a blank, which no bearer token has"
    assert "Bearer" in problem.hint


@pytest.mark.parametrize(
    "value",
    [
        "a b",
        "-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n",
        "caf\u00e9",
        "a\u200db",
        '"a"',
        "a\tb",
    ],
)
def test_what_a_text_of_a_client_may_hold_is_taken(providers, value):
    (resolved,), problems = resolve(
        [manifest({"name": {"env": "NAME"}})], providers, PROJECT, {"NAME": value}
    )

    assert problems == []
    assert resolved.spec["name"] == Secret(value.removesuffix("\n"))


@pytest.mark.parametrize("value", ["a b", "~!@#$%^&*()_+-={}[]|:;'<>,.?/", 'a"b\\c', "x" * 500])
def test_every_visible_ascii_character_may_stand_in_a_credential(write, value):
    assert write
    project = project_file.load("reconciler.yaml")
    target = replace(
        project.targets["shop"], auth=ClientCredentials(client_id=ENV, client_secret=ENV)
    )

    found, problems = credentials(project, target, {"VALUE": value})

    assert (problems, found.client_secret) == ([], Secret(value))


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
def test_a_file_in_another_encoding_is_named_with_what_to_do(write, providers, codec):
    bom = b"\xfe\xff" if codec == "utf-16-be" else b""
    write("secrets/uri", bom + "hunter2".encode(codec))

    _, (problem,) = resolve(
        [manifest({"name": {"file": "../../secrets/uri"}})], providers, PROJECT, {}
    )

    assert "secrets/uri" in problem.message
    assert "UTF-8" in problem.hint
    assert "hunt" not in problem.message


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        ("https://web.example.com/cb", None),
        ("com.example.app:/cb", None),
        ("https://web.example.com/cb#x", "error"),
        ("htps://web.example.com/cb", "error"),
        ("https://${HOST}/cb", "error"),
        ("https://a.example.com,https://b.example.com", "error"),
        ("https://web.example.com/*", "warning"),
    ],
)
def test_an_address_by_reference_is_looked_at_and_not_shown(providers, value, severity):
    stated = manifest({"redirectUris": ["https://<not-this-one>/", {"env": "URI"}]})

    _, problems = resolve([stated], providers, PROJECT, {"URI": value})

    assert [(p.pointer, p.severity) for p in problems] == (
        [("/spec/redirectUris/1", severity)] if severity else []
    )
    for problem in problems:
        assert problem.message.startswith("the value of env URI: ")
        assert "example.com" not in problem.message + problem.hint


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

    assert (found.name, found.client_secret) == ("a", Secret("https://web.example.com"))
    assert token.token == Secret("hunter2")
    assert (token.name, token.client_secret, problems, more) == (None, None, [], [])


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
