from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn

from reconciler.sandbox.server import SandboxUnavailable, running, serve, write_privately

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Clock

    from reconciler.sandbox.handle import Sandbox

SERVE = "import sys; from reconciler.sandbox.server import serve; serve(0, ['5xx=1@9'], sys.argv[1], sys.argv[2])"


def test_several_sandboxes_run_in_one_process_and_know_nothing_of_each_other():
    with running() as first, running() as second:
        first.seed("sailpoint", [{"name": "web"}])

        assert first.port != second.port
        assert len(first.clients("sailpoint")) == 1
        assert second.clients("sailpoint") == []


def test_a_sandbox_that_ended_listens_no_more():
    with running() as sandbox, httpx.Client() as client:
        url = f"{sandbox.provident}/oauth2/token"
        answered = client.post(url).status_code

    assert answered == 400
    with pytest.raises(httpx.ConnectError):
        httpx.post(url)


def test_every_request_is_recorded_as_it_arrived(sandbox: Sandbox, sailpoint: httpx.Client):
    sandbox.forget_requests()

    sailpoint.post("/oauth-clients/v1?dry=1", json={"a": 1})

    (exchange,) = sandbox.requests
    assert (exchange.vendor, exchange.method) == ("sailpoint", "POST")
    assert (exchange.path, exchange.query) == ("/sailpoint/oauth-clients/v1", "dry=1")
    assert (exchange.content_type, exchange.body) == ("application/json", b'{"a":1}')
    assert exchange.status == 400


def test_the_token_host_of_boruta_is_recorded_as_borutas(sandbox: Sandbox):
    sandbox.forget_requests()

    httpx.post(sandbox.boruta_token_url)

    assert [exchange.vendor for exchange in sandbox.requests] == ["boruta"]


def test_a_large_body_arrives_whole(sandbox: Sandbox, sailpoint: httpx.Client):
    sandbox.forget_requests()

    sailpoint.post("/oauth-clients/v1", json={"name": "n" * 1_000_000})

    assert len(sandbox.requests[0].body) > 1_000_000


def test_a_path_of_no_vendor_is_a_404(sandbox: Sandbox):
    assert httpx.get(f"http://127.0.0.1:{sandbox.port}/").status_code == 404


@pytest.mark.parametrize(
    ("vendor", "field", "stamp"),
    [
        ("provident", "rateLimitCount", "updatedAt"),
        ("sailpoint", "description", "modified"),
        ("boruta", "name", None),
    ],
)
def test_an_administrator_can_edit_a_client_behind_the_tools_back(
    sandbox: Sandbox, clock: Clock, vendor: str, field: str, stamp: str | None
):
    client_id = sandbox.seed(vendor, [{}])[0]
    before = sandbox.client(vendor, client_id)
    clock.now += 1

    after = sandbox.edit(vendor, client_id, **{field: "edited"})

    assert sandbox.client(vendor, client_id) == after
    assert {n for n in after if after[n] != before[n]} == {field, stamp} - {None}


def test_an_edit_names_borutas_scopes_as_its_api_does(sandbox: Sandbox):
    client_id = sandbox.seed("boruta", [{}])[0]

    after = sandbox.edit("boruta", client_id, authorized_scopes=[{"name": "email"}])

    assert [scope["name"] for scope in after["authorized_scopes"]] == ["email"]
    assert after["authorized_scopes"][0]["id"]


def test_a_secret_that_an_administrator_sets_is_known_to_the_sandbox(sandbox: Sandbox):
    client_id = sandbox.seed("boruta", [{}])[0]

    sandbox.edit("boruta", client_id, secret="set-by-hand")

    assert "set-by-hand" in sandbox.issued_secrets


def test_a_client_can_vanish_behind_the_tools_back(sandbox: Sandbox):
    client_id = sandbox.seed("provident", [{}])[0]

    sandbox.remove("provident", client_id)

    for look in (sandbox.client, sandbox.remove, sandbox.edit):
        with pytest.raises(KeyError):
            look("provident", client_id)


def test_addresses_and_credentials_come_as_environment_variables(sandbox: Sandbox):
    assert sandbox.env == {
        "PROVIDENT_URL": sandbox.provident,
        "PROVIDENT_ID": sandbox.credentials["provident"].client_id,
        "PROVIDENT_SECRET": sandbox.credentials["provident"].client_secret,
        "SAILPOINT_URL": sandbox.sailpoint,
        "SAILPOINT_ID": sandbox.credentials["sailpoint"].client_id,
        "SAILPOINT_SECRET": sandbox.credentials["sailpoint"].client_secret,
        "BORUTA_URL": sandbox.boruta,
        "BORUTA_TOKEN_URL": sandbox.boruta_token_url,
        "BORUTA_ID": sandbox.credentials["boruta"].client_id,
        "BORUTA_SECRET": sandbox.credentials["boruta"].client_secret,
    }


def test_faults_that_cannot_be_read_stop_the_start(tmp_path: Path):
    ready = tmp_path / "ready.json"

    with pytest.raises(ValueError, match="unknown fault"), running(faults=["nonsense"]):
        pass
    with pytest.raises(ValueError, match="unknown fault"):
        serve(0, ["nonsense"], str(ready))

    assert not ready.exists()


def test_a_ready_file_that_cannot_be_written_ends_the_server(tmp_path: Path):
    with pytest.raises(OSError, match="missing"):
        serve(0, ready_file=str(tmp_path / "missing" / "ready.json"))


def test_a_port_in_use_is_an_error_that_leaves_the_others_ready_file_alone(tmp_path: Path):
    ready = tmp_path / "ready.json"
    ready.write_text("another sandbox")

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve(taken.getsockname()[1], ready_file=str(ready))

    assert ready.read_text() == "another sandbox"


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "jsonpatch"])
def test_missing_packages_are_named_with_the_extra_that_brings_them(
    monkeypatch: pytest.MonkeyPatch, missing: str
):
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(SandboxUnavailable, match=rf"needs {missing}.*\[sandbox\]"), running():
        pass


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_served_sandbox_tells_when_it_is_ready_and_ends_on_a_signal(
    tmp_path: Path, ending: signal.Signals
):
    ready, state = tmp_path / "ready.json", tmp_path / "state.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(ready), str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        while not ready.exists() and process.poll() is None:
            time.sleep(0.01)
        told = json.loads(ready.read_text())
        mode = stat.S_IMODE(ready.stat().st_mode)
        answer = httpx.post(
            told["addresses"]["borutaToken"],
            data={
                "grant_type": "client_credentials",
                "client_id": told["credentials"]["boruta"]["clientId"],
                "client_secret": told["env"]["BORUTA_SECRET"],
            },
        )
    finally:
        process.send_signal(ending)
        output, _ = process.communicate()

    assert answer.status_code == 200
    assert mode == 0o600
    assert (process.returncode, output) == (0, b"")
    assert not ready.exists()
    assert state.exists()


def test_a_private_file_appears_whole_or_not_at_all(tmp_path: Path):
    place = tmp_path / "taken"
    place.mkdir()

    with pytest.raises(OSError, match="taken"):
        write_privately(place, "text")

    assert list(tmp_path.iterdir()) == [place]


def test_a_server_that_cannot_start_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_args, **_kwargs: None)

    with running() as sandbox:
        assert sandbox.port
