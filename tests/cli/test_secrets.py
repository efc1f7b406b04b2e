"""The commands about secrets, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.workspace import MINIMAL, Workspace, ids

from reconciler.core.model import Intent, Secret
from reconciler.inventory.file import FileStore
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    Invoke = Callable[..., Result]
    Open = Callable[[str], Workspace]


FORMS = ("text", "json")


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with running(rate_limit=None, seed=1) as sandbox:
        yield sandbox


@pytest.fixture
def applied(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Give a workspace of a vendor with one client, `web`, applied, the user in its folder."""
    opened = []

    def give(vendor: str) -> Workspace:
        made = Workspace(tmp_path, server, vendor, ids(server, vendor))
        made.write("web", MINIMAL[vendor])
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        opened.append(made)
        made.apply()
        server.forget_requests()
        return made

    yield give
    server.set_faults()
    for made in opened:
        made.clear()


def live_secret(workspace: Workspace) -> str:
    client = workspace.sandbox.client(workspace.vendor, workspace.server_id("web"))
    return client["clientSecret" if workspace.vendor == "provident" else "secret"]


def break_sink(workspace: Workspace) -> Path:
    """Let the sink pass its probe and then fail."""
    folder = workspace.root / ".reconciler/secrets" / workspace.vendor
    folder.rename(folder.with_name("aside"))
    folder.write_text("in the way")
    return folder


@pytest.mark.parametrize("vendor", ["provident", "boruta"])
def test_rotate_says_where_the_new_secret_is_and_not_what_it_is(
    applied: Open, invoke: Invoke, vendor: str
):
    workspace = applied(vendor)

    done = invoke("rotate", "web", "--auto-approve")

    remote_id = workspace.server_id("web")
    path = f".reconciler/secrets/{vendor}/web.json"
    assert done.exit_code == 0
    assert done.stdout == f"{vendor}/web (id {remote_id}) has a new secret, which is in {path}.\n"
    assert "The old one ceases to work at once." in done.stderr
    assert workspace.secret("web")["client_secret"] == live_secret(workspace)
    assert live_secret(workspace) not in done.output


def test_rotate_answers_in_json(applied: Open, invoke: Invoke):
    workspace = applied("boruta")

    done = invoke("rotate", "web", "--auto-approve", "--format", "json", "--target", "boruta")

    document = json.loads(done.stdout)
    assert done.exit_code == 0
    assert document.pop("tool")["name"] == "reconciler"
    assert document == {
        "formatVersion": 1,
        "target": "boruta",
        "key": "web",
        "id": workspace.server_id("web"),
        "secret": "stored",
        "secretLocation": ".reconciler/secrets/boruta/web.json",
        "message": "",
    }


def test_rotate_asks_and_only_yes_is_a_yes(applied: Open, on_terminal: Any):
    workspace = applied("boruta")
    old = live_secret(workspace)

    refused = on_terminal("rotate", "web", typed="y\n", env=workspace.env)
    unchanged = live_secret(workspace)
    agreed = on_terminal("rotate", "web", typed="yes\n", env=workspace.env)

    assert (refused.code, unchanged) == (1, old)
    assert "Nothing was changed." in refused.screen
    assert agreed.code == 0
    assert live_secret(workspace) != old


def test_rotate_without_anybody_to_ask_is_wrong_usage(applied: Open, invoke: Invoke):
    workspace = applied("boruta")

    done = invoke("rotate", "web")

    assert done.exit_code == 64
    assert "--auto-approve" in done.stderr
    assert workspace.sandbox.requests == []


@pytest.mark.parametrize("form", ["text", "json"])
def test_rotate_refuses_where_not_even_a_replace_helps(applied: Open, invoke: Invoke, form: str):
    workspace = applied("sailpoint")
    (workspace.root / "clients/web.json").unlink()

    done = invoke("rotate", "web", "--auto-approve", "--format", form)

    assert done.exit_code == 3
    assert "no manifest names it" in done.stderr
    assert workspace.writes() == []
    if form == "json":
        assert json.loads(done.stdout)["refusal"]["rule"] == "no-rotate"


def test_rotate_says_that_a_replace_brings_another_id_before_it_asks(
    applied: Open, on_terminal: Any
):
    workspace = applied("sailpoint")
    old = workspace.server_id("web")

    refused = on_terminal("rotate", "web", typed="no\n", env=workspace.env)
    unchanged = workspace.server_id("web")
    agreed = on_terminal("rotate", "web", typed="yes\n", env=workspace.env)

    assert (refused.code, unchanged) == (1, old)
    for word in (old, "another id and another secret", "lives on for 24h", "Replace it?"):
        assert word in " ".join(refused.screen.split())
    assert agreed.code == 0
    new = workspace.server_id("web")
    assert f"is {new} now, in place of {old}" in agreed.stdout
    assert "then the next apply deletes it" in agreed.stdout


def test_rotate_by_a_replace_answers_in_json(applied: Open, invoke: Invoke):
    workspace = applied("sailpoint")
    old = workspace.server_id("web")

    done = invoke("rotate", "web", "--auto-approve", "--format", "json")

    document = json.loads(done.stdout)
    assert (done.exit_code, document["secret"]) == (0, "stored")
    assert (document["id"], document["replaced"]) == (workspace.server_id("web"), old)
    assert workspace.secret("web")["client_id"] == document["id"] != old


def test_rotate_of_an_unknown_key_is_wrong_usage(applied: Open, invoke: Invoke):
    applied("boruta")

    done = invoke("rotate", "app", "--auto-approve")

    assert done.exit_code == 64
    assert "holds no client app" in done.stderr


def test_rotate_into_a_sink_that_fails_names_the_private_file_and_exits_with_5(
    applied: Open, invoke: Invoke
):
    workspace = applied("provident")
    in_the_way = break_sink(workspace)

    done = invoke("rotate", "web", "--auto-approve")

    (path,) = (workspace.root / ".reconciler").rglob(".spool/*.json")
    assert done.exit_code == 5
    assert str(path.relative_to(workspace.root)) in done.stdout
    assert live_secret(workspace) not in done.output
    assert json.loads(path.read_text())["client_secret"] == live_secret(workspace)
    in_the_way.unlink()
    synced = invoke("secrets", "sync")
    assert synced.exit_code == 0
    assert workspace.secret("web")["client_secret"] == live_secret(workspace)
    assert not path.exists()


def test_rotate_whose_end_nobody_knows_says_how_to_settle_it(applied: Open, invoke: Invoke):
    workspace = applied("provident")
    workspace.sandbox.set_faults("drop-after-write=9:post", "5xx=99@2:get")

    done = invoke("rotate", "web", "--auto-approve")

    workspace.sandbox.set_faults()
    assert done.exit_code == 5  # the new secret may hold
    assert "`reconciler secrets sync` gives the sink the secret that holds now." in done.stderr
    assert invoke("secrets", "sync").exit_code == 0
    assert workspace.secret("web")["client_secret"] == live_secret(workspace)


def test_rotate_that_the_server_refuses_says_that_the_old_secret_holds(
    applied: Open, invoke: Invoke
):
    """The server takes no write where this target thinks that it does."""
    workspace = applied("boruta")
    old = live_secret(workspace)
    workspace.write_project(endpoints={"update": {"path": "/{id}/nowhere"}})

    done = invoke("rotate", "web", "--auto-approve")

    assert done.exit_code == 1
    assert "The old secret still holds.\n" in done.stderr
    assert "nowhere was answered with 40" in done.stderr
    assert live_secret(workspace) == old == workspace.secret("web")["client_secret"]


def test_rotate_that_can_keep_the_secret_nowhere_says_how_to_get_it(applied: Open, invoke: Invoke):
    workspace = applied("provident")
    in_the_way = break_sink(workspace)
    (workspace.root / ".reconciler/inventory/.spool").write_text("in the way")

    done = invoke("rotate", "web", "--auto-approve")

    assert done.exit_code == 5
    assert "could not be kept" in done.stdout
    assert "`reconciler secrets sync` gives the sink the secret that holds now." in done.stdout
    in_the_way.unlink()
    (workspace.root / ".reconciler/inventory/.spool").unlink()
    assert invoke("secrets", "sync").exit_code == 0
    assert workspace.secret("web")["client_secret"] == live_secret(workspace)


def test_sync_says_of_each_client_what_became_of_its_secret(applied: Open, invoke: Invoke):
    workspace = applied("boruta")
    path = ".reconciler/secrets/boruta/web.json"
    (workspace.root / path).unlink()

    done = invoke("secrets", "sync")

    assert done.exit_code == 0
    assert done.stdout == (
        f"  ✓ boruta/web: in {path}\nboruta: 1 of 1 secrets are in the sink now.\n"
    )
    assert workspace.secret("web")["client_secret"] == live_secret(workspace)
    assert workspace.writes() == []


def test_sync_says_what_the_vendor_does_not_tell(applied: Open, invoke: Invoke):
    applied("sailpoint")

    done = invoke("secrets", "sync")

    assert done.exit_code == 0
    assert "- sailpoint/web: left alone: SailPoint" in done.stdout
    assert "0 of 1 secrets" in done.stdout


def test_sync_takes_what_the_server_shows_before_what_a_file_keeps(applied: Open, invoke: Invoke):
    workspace = applied("provident")
    remote_id = workspace.server_id("web")
    with FileStore(workspace.root / ".reconciler/inventory").open(
        "provident", lock=True
    ) as session:
        session.spool("web", remote_id, Secret("the-secret-of-yesterday"))

    done = invoke("secrets", "sync")

    assert done.exit_code == 0
    assert workspace.secret("web")["client_secret"] == live_secret(workspace)
    assert not list((workspace.root / ".reconciler/inventory/.spool").glob("*.json"))


def test_sync_leaves_a_client_alone_whose_successor_may_be_there(applied: Open, invoke: Invoke):
    workspace = applied("provident")
    intent = Intent(key="web", remote_id=None, facts={}, digest="", at="2026-11-23T12:00:00Z")
    with FileStore(workspace.root / ".reconciler/inventory").open(
        "provident", lock=True
    ) as session:
        session.intend("web", intent)
    sink = workspace.root / ".reconciler/secrets/provident/web.json"
    sink.unlink()

    done = invoke("secrets", "sync")

    assert done.exit_code == 0
    assert "left alone: a run began to create its successor" in done.stdout
    assert not sink.exists()


def test_a_rotation_leaves_no_older_secret_that_waits(applied: Open, invoke: Invoke):
    workspace = applied("boruta")
    remote_id = workspace.server_id("web")
    with FileStore(workspace.root / ".reconciler/inventory").open("boruta", lock=True) as session:
        session.record("web", replace(session.entry("web"), secret="spooled"))
        session.spool("web", remote_id, Secret("the-secret-of-yesterday"))

    rotated = invoke("rotate", "web", "--auto-approve")
    now = workspace.secret("web")["client_secret"]
    applied_again = invoke("apply", "--auto-approve")

    assert (rotated.exit_code, applied_again.exit_code) == (0, 0)
    assert now == live_secret(workspace)
    assert workspace.secret("web")["client_secret"] == now
    assert not list((workspace.root / ".reconciler/inventory/.spool").glob("*.json"))


def test_sync_answers_in_json(applied: Open, invoke: Invoke):
    workspace = applied("provident")

    done = invoke("secrets", "sync", "--format", "json", "--select", "web")

    (target,) = json.loads(done.stdout)["targets"]
    assert (target["target"], target["message"]) == ("provident", "")
    (client,) = target["clients"]
    assert client == {
        "key": "web",
        "id": workspace.server_id("web"),
        "status": "done",
        "secretLocation": ".reconciler/secrets/provident/web.json",
        "message": "",
    }


def test_sync_into_a_sink_that_fails_names_where_the_secret_waits(applied: Open, invoke: Invoke):
    workspace = applied("boruta")
    break_sink(workspace)

    done = invoke("secrets", "sync")

    (path,) = (workspace.root / ".reconciler").rglob(".spool/*.json")
    assert done.exit_code == 5  # the record says where the secret waits
    assert "✗ boruta/web: not stored: " in done.stdout
    assert f"It waits in {path.relative_to(workspace.root)}." in done.stdout
    assert live_secret(workspace) not in done.output


def test_sync_of_a_target_that_does_not_answer_exits_with_1(applied: Open, invoke: Invoke):
    workspace = applied("boruta")
    workspace.write_project(baseUrl="http://127.0.0.1:1")

    done = invoke("secrets", "sync")

    assert done.exit_code == 1
    assert "error: boruta: " in done.stderr


def test_sync_without_the_credentials_says_which_variable_is_not_set(
    applied: Open, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    applied("boruta")
    monkeypatch.delenv("SECRET")

    done = invoke("secrets", "sync")

    assert done.exit_code == 1
    assert "SECRET is not set" in done.stderr


def test_sync_of_an_unknown_target_is_wrong_usage(applied: Open, invoke: Invoke):
    applied("boruta")

    assert invoke("secrets", "sync", "--target", "other").exit_code == 64


def test_secrets_alone_shows_what_there_is(invoke: Invoke):
    assert "sync" in invoke("secrets", "--help").stdout


def test_the_next_apply_says_what_it_delivered(applied: Open, invoke: Invoke):
    workspace = applied("boruta")
    in_the_way = break_sink(workspace)
    invoke("rotate", "web", "--auto-approve")
    failed = invoke("apply", "--auto-approve")
    in_the_way.unlink()

    done = invoke("apply", "--auto-approve")
    again = invoke("apply", "--auto-approve", "--format", "json")

    path = ".reconciler/secrets/boruta/web.json"
    assert failed.exit_code == 1
    assert "still in " in failed.stdout
    assert done.exit_code == 0
    assert "secrets that waited" in done.stdout
    assert f"delivered to {path}" in done.stdout
    assert json.loads(again.stdout)["deliveries"] == []


def test_a_saved_plan_delivers_what_waits_too(applied: Open, invoke: Invoke):
    workspace = applied("boruta")
    in_the_way = break_sink(workspace)
    invoke("rotate", "web", "--auto-approve")
    saved = invoke("plan", "--out", "plan.json")
    in_the_way.unlink()

    done = invoke("apply", "plan.json")

    assert (saved.exit_code, done.exit_code) == (0, 0), done.output
    assert "delivered to .reconciler/secrets/boruta/web.json" in done.stdout
    assert live_secret(workspace) not in (workspace.root / "plan.json").read_text()


def test_no_command_about_secrets_ever_shows_one(applied: Open, invoke: Invoke):
    workspace = applied("boruta")
    in_the_way = break_sink(workspace)
    shown = [invoke("-v", "rotate", "web", "--auto-approve", "--format", form) for form in FORMS]
    shown += [invoke("-v", "secrets", "sync", "--format", form) for form in FORMS]
    in_the_way.unlink()
    shown += [invoke("-v", "rotate", "web", "--auto-approve", "--format", form) for form in FORMS]
    shown += [invoke("-v", "secrets", "sync", "--format", form) for form in FORMS]

    everything = "".join(each.output for each in shown)
    assert not [secret for secret in workspace.sandbox.issued_secrets if secret in everything]
    assert live_secret(workspace) not in everything


def test_a_deadly_wait_can_be_broken_off_and_nothing_is_lost(applied: Open):
    """Ctrl-C while the server takes its time: the secret still reaches its sink."""
    workspace = applied("boruta")
    old = live_secret(workspace)
    script = workspace.root / "slow.py"
    script.write_text(
        "import os, signal, sys\n"
        "os.kill(os.getppid(), signal.SIGINT)\n"
        "open('kept', 'w').write(sys.stdin.read())\n"
    )
    workspace.write_project(secrets={"sink": "exec", "command": [sys.executable, str(script)]})

    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "rotate", "web", "--auto-approve"],
        capture_output=True,
        text=True,
        env={**os.environ, **workspace.env},
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "this ends when it is safe" in done.stderr
    assert (workspace.root / "kept").read_text() == live_secret(workspace) != old
