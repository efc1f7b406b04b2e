"""Whole runs where the network, the credentials or the environment are not as they should be."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from support.repo import VENDORS, Repo

from reconciler.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Invoke = Callable[..., Result]

NOWHERE = "https://127.0.0.2:9/api"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *map(str.upper, VARIABLES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    # Nobody listens at some addresses here, and waiting between the tries does not change that.
    monkeypatch.setattr("reconciler.http.retry._FIRST_BACKOFF", 0.0)


def plans(done: Result) -> dict[str, Any]:
    """The plans of a JSON document, by target."""
    return {one["target"]: one for one in json.loads(done.stdout)["targets"]}


BAD_VALUES = [
    "socks9://[",
    "socks4://127.0.0.1:1080",
    "http://user:hunter2@127.0.0.1:port",
    "http://user:hunter2#@",
    "http://[fd07:b51a::1",
    "http://${PROXY}:3128",
    "http://user:hunter2%ff@127.0.0.1:9",
    "http=127.0.0.1:9;https=127.0.0.1:9",
    "http://a..b:9",
]


@pytest.mark.parametrize("value", BAD_VALUES)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_no_variable_ends_a_run_as_a_bug(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
):
    repo.write_project(sailpoint={"baseUrl": NOWHERE})
    monkeypatch.setenv(variable, value)

    done = invoke("plan", "--target", "sailpoint", "--verbose")

    assert done.exit_code == ExitCode.FAILED
    assert f"sailpoint: the environment variable {variable} names no proxy" in done.stdout
    assert "bug" not in done.output
    assert "hunter2" not in done.output


@pytest.mark.parametrize(
    "no_proxy",
    [
        "localhost,127.0.0.0/8,fd07:b51a:cc66:f0::/64",
        "[::1],[fd00::]/8,::1,127.0.0.2",
        "10.0.0.0/99,,[,]:,://,127.0.0.2",
        "*",
        " 127.0.0.2 , ",
    ],
)
@pytest.mark.parametrize("value", ["", "socks5h://127.0.0.1:1080", *BAD_VALUES[:3]])
def test_an_exempt_server_needs_no_proxy_that_can_be_used(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, no_proxy: str, value: str
):
    repo.write_project(sailpoint={"baseUrl": NOWHERE})
    monkeypatch.setenv("ALL_PROXY", value)
    monkeypatch.setenv("NO_PROXY", no_proxy)

    done = invoke("plan", "--target", "sailpoint")

    assert "the token server 127.0.0.2 cannot be reached" in done.stdout
    assert "PROXY" not in done.output


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example.com"])
def test_a_host_that_no_dns_can_be_asked_for_is_no_bug(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, host: str
):
    repo.write_project(sailpoint={"baseUrl": "https://id.example.com"})
    monkeypatch.setenv("HTTPS_PROXY", f"http://{host}:3128")

    through_proxy = invoke("plan", "--target", "sailpoint")
    repo.write_project(sailpoint={"baseUrl": f"https://{host}/v2"})
    stated = invoke("validate")

    assert through_proxy.exit_code == stated.exit_code == ExitCode.FAILED
    assert "unexpected" not in through_proxy.output + stated.output
    assert "HTTPS_PROXY" in through_proxy.stdout
    assert re.search(r"reconciler.yaml:\d+:\d+: ", stated.output)
    assert "of its host" in stated.output or "its host has a dot too many" in stated.output


def test_a_walk_on_loopback_works_behind_a_proxy(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://user:hunter2@proxy.invalid:3128")

    assert invoke("apply", "--auto-approve").exit_code == ExitCode.DONE
    assert len(repo.writes()) == len(VENDORS)


# Of several targets, the one that fails, and how.
BROKEN: dict[str, Callable[[Repo, pytest.MonkeyPatch], object]] = {
    "the variable is not set": lambda _repo, patch: patch.delenv("PROVIDENT_SECRET"),
    "the variable is empty, as on a fork": lambda _repo, patch: patch.setenv("PROVIDENT_ID", ""),
    "the secret is wrong": lambda _repo, patch: patch.setenv("PROVIDENT_SECRET", "wrong"),
    "nobody listens": lambda repo, _patch: repo.write_project(provident={"baseUrl": NOWHERE}),
    "the file of the secret is not there": lambda repo, _patch: repo.write_project(
        provident={"auth": {"clientId": "a", "clientSecret": {"file": "nowhere"}}}
    ),
    "the authority is not there": lambda repo, _patch: repo.write_project(
        provident={"baseUrl": NOWHERE, "caBundle": "nowhere.pem"}
    ),
    "the token is no token": lambda repo, patch: (
        repo.write_project(provident={"auth": {"token": {"env": "TOKEN"}}}),
        patch.setenv("TOKEN", "two words"),
    ),
    "the token is refused": lambda repo, patch: (
        repo.write_project(provident={"auth": {"token": {"env": "TOKEN"}}}),
        patch.setenv("TOKEN", "nobodys"),
    ),
    "the address is another": lambda repo, _patch: repo.write_project(
        provident={
            "baseUrl": NOWHERE,
            "auth": {
                "clientId": {"env": "PROVIDENT_ID"},
                "clientSecret": {"env": "PROVIDENT_SECRET"},
                "tokenUrl": f"{repo.sandbox.provident}/oauth2/token",
            },
        }
    ),
    "a manifest's reference leads nowhere": lambda repo, _patch: repo.state(
        "provident", name={"env": "NOT_SET"}
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_target_that_cannot_be_logged_in_to_fails_alone_in_every_format(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, how: str
):
    # Provident has no list, and nothing is on record: its plan has nothing to read.
    BROKEN[how](repo, monkeypatch)

    as_json = invoke("plan", "--format", "json", "--out", "saved.json")
    as_text, as_markdown = invoke("plan"), invoke("plan", "--format", "markdown")
    applied = invoke("apply", "--auto-approve")

    found = plans(as_json)
    assert len(found["provident"]["errors"]) == 1
    for vendor in ("boruta", "sailpoint"):
        assert found[vendor]["errors"] == []
        assert [change["action"] for change in found[vendor]["changes"]] == ["create"]
    saved = json.loads((repo.folder / "saved.json").read_text())
    assert [bool(one["errors"]) for one in saved["targets"]] == [False, True, False]
    for done in (as_text, as_markdown):
        assert "error" in done.stdout
        assert "web" in done.stdout
    codes = [one.exit_code for one in (as_json, as_text, as_markdown, applied)]
    assert codes == [ExitCode.FAILED] * 4
    assert repo.writes() == []


def test_every_missing_variable_of_every_target_is_told_with_its_place(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    for vendor in VENDORS:
        monkeypatch.delenv(f"{vendor.upper()}_ID")
        monkeypatch.delenv(f"{vendor.upper()}_SECRET")

    done = invoke("plan", "--format", "json")

    errors = [error for one in plans(done).values() for error in one["errors"]]
    assert len(errors) == 6
    assert all(error.startswith("reconciler.yaml:1:") for error in errors)
    assert repo.sandbox.requests == []


def test_a_target_that_is_not_selected_needs_no_credentials(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("PROVIDENT_SECRET")

    assert invoke("plan", "--target", "sailpoint").exit_code == ExitCode.DONE
    assert {one.vendor for one in repo.sandbox.requests} == {"sailpoint"}


def test_a_plan_that_reads_nothing_logs_in_and_asks_for_nothing_more(repo: Repo, invoke: Invoke):
    done = invoke("plan", "--target", "provident")

    assert done.exit_code == ExitCode.DONE
    (login,) = repo.sandbox.requests
    assert login.path.endswith("/oauth2/token")


def test_a_token_of_the_users_is_tried_where_nothing_is_read(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    repo.write_project(provident={"auth": {"token": {"env": "TOKEN"}}})
    monkeypatch.setenv("TOKEN", "nobodys")

    done = invoke("plan", "--target", "provident")

    assert done.exit_code == ExitCode.FAILED
    assert "401" in done.stdout
    (read,) = repo.sandbox.requests
    assert read.method == "GET"


def in_a_cluster(repo: Repo, **settings: Any) -> None:
    repo.write_project(
        boruta={
            "baseUrl": "http://boruta.invalid:4000/api",
            "auth": {
                "clientId": {"env": "BORUTA_ID"},
                "clientSecret": {"env": "BORUTA_SECRET"},
                "tokenUrl": "http://login.invalid:4000/oauth/token",
            },
            **settings,
        }
    )


def test_plain_http_to_another_machine_is_refused_with_the_way_to_allow_it(
    repo: Repo, invoke: Invoke
):
    in_a_cluster(repo)

    done = invoke("validate")

    assert done.exit_code == ExitCode.FAILED
    assert done.output.count("unless the target says `allowHttp: true`") == 2
    assert "/targets/boruta/baseUrl" in done.output
    assert "/targets/boruta/auth/tokenUrl" in done.output


def test_every_plan_of_a_target_with_plain_http_says_so(repo: Repo, invoke: Invoke):
    in_a_cluster(repo, allowHttp=True)

    assert invoke("validate", "--strict").exit_code == ExitCode.DONE
    sentence = "plain HTTP to boruta.invalid and login.invalid (allowHttp)"
    select = ("plan", "--target", "boruta")
    assert sentence in invoke(*select).stdout
    assert sentence in invoke(*select, "--format", "markdown").stdout
    (warning,) = plans(invoke(*select, "--format", "json"))["boruta"]["warnings"]
    assert warning.startswith(sentence)
