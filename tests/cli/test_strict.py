"""`--strict` lets warnings fail and changes nothing else: what is an error is one either way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]


def uris(*texts: str) -> Callable[[Repo], None]:
    return lambda repo: repo.state("provident", redirectUris=list(texts))


def text(name: str, content: str) -> Callable[[Repo], None]:
    def write(repo: Repo) -> None:
        repo.state("provident")
        (repo.folder / name).write_text(content)

    return write


def in_project(old: str, new: str) -> Callable[[Repo], None]:
    def write(repo: Repo) -> None:
        path = repo.folder / "reconciler.yaml"
        path.write_text(path.read_text().replace(old, new))

    return write


MANIFEST = (
    "apiVersion: reconciler/v1\nkind: ProvidentClient\nmetadata: {name: yes, target: provident}\n"
    "spec: {name: A, redirectUris: [], allowedScopes: [a]}\n"
)
WARNED = {
    "wildcard": uris("https://*.example.com/cb"),
    "plain http": uris("http://app.example.com/cb"),
    "twice": uris("https://a.example.com/", "https://A.example.com/"),
    "half a template": uris("https://{host}/cb"),
    "a boolean of YAML 1.1": text("clients/provident-b.yaml", MANIFEST),
    "an empty file": text("clients/provident-b.yaml", "# nothing yet\n"),
    "a boolean in the project file": in_project('"PROVIDENT_ID"', "yes"),
    "a file that nothing lists": text(
        "clients/provident-c.yml", MANIFEST.replace("name: yes", "name: c")
    ),
    "a sink that is not here": in_project(
        '"provider": "provident"', '"provider": "provident", "secrets": {"sink": "vault-of-ours"}'
    ),
}
WRONG = {
    "a blank": uris("https://app.example.com/cb "),
    "a fragment": uris("https://app.example.com/cb#x"),
    "no list": lambda repo: repo.state("provident", redirectUris="https://a.example.com"),
    "no YAML": text("clients/provident-b.yaml", "a: [\n"),
    "a merge": text("clients/provident-b.yaml", "<<<<<<< a\n=======\n>>>>>>> b\n"),
    "a warning beside it": uris("https://app.example.com/cb ", "https://*.example.com/cb"),
}


def told(invoke: Invoke, *arguments: str) -> tuple[int, str, str]:
    done = invoke("validate", *arguments)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("change", WARNED.values(), ids=WARNED)
def test_a_warning_fails_with_strict_and_is_the_same_warning(
    repo: Repo, invoke: Invoke, change: Callable[[Repo], None]
) -> None:
    change(repo)

    plain, strict = told(invoke), told(invoke, "--strict")

    assert (plain[0], strict[0]) == (0, 1)
    assert plain[1:] == strict[1:]
    severities = [
        p["severity"] for p in json.loads(told(invoke, "--format", "json")[1])["problems"]
    ]
    assert severities == ["warning"]


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_an_error_fails_either_way(
    repo: Repo, invoke: Invoke, change: Callable[[Repo], None]
) -> None:
    change(repo)

    plain, strict = told(invoke), told(invoke, "--strict")

    assert (plain[0], strict[0]) == (1, 1)
    assert plain[1:] == strict[1:]


def test_a_plan_tells_what_validate_warns_of(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URI", "https://*.example.net/cb")
    repo.state("provident", redirectUris=["https://*.example.com/cb", {"env": "URI"}])

    done = invoke("plan", "--target", "provident")

    assert done.exit_code == 0
    assert "warning: a doubtful address: a wildcard stands in its host" in done.stderr
    assert "the value of env URI: a doubtful address: a wildcard stands in its host" in done.stdout
    assert "example.net" not in done.stdout + done.stderr


def test_a_plan_refuses_what_validate_refuses(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.state("provident", redirectUris=["https://##HOST##/cb"])
    assert invoke("plan").exit_code == 1

    monkeypatch.setenv("URI", "https://app.example.net/cb#x")
    repo.state("provident", redirectUris=[{"env": "URI"}])
    done = invoke("plan", "--target", "provident")

    assert done.exit_code == 1
    assert "clients/provident-web.yaml:" in done.stdout
    assert "the value of env URI: this is no address to send users to" in done.stdout
    assert "example.net" not in done.stdout + done.stderr
