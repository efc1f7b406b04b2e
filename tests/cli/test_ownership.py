"""The commands that bind and unbind clients, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.measuring import unmeasured
from support.workspace import MINIMAL, Workspace, ids

from reconciler.app.connection import store_of
from reconciler.core.changes import Action
from reconciler.core.model import Intent, Secret
from reconciler.core.project import parse
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    Invoke = Callable[..., Result]

GLOBS = ["clients/*.json", "clients/*.yaml"]
AT = "2026-11-23T12:00:00Z"


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with running(rate_limit=None, seed=1) as sandbox:
        yield sandbox


@pytest.fixture
def open_workspace(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Workspace]]:
    """Give a workspace of a vendor, its credentials in the environment, the user in its folder."""
    opened = []

    def give(vendor: str) -> Workspace:
        made = Workspace(tmp_path, server, vendor, ids(server, vendor))
        made.write_project(manifests=GLOBS)
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        opened.append(made)
        return made

    yield give
    for made in opened:
        made.clear()


def seed(workspace: Workspace, *names: str) -> list[str]:
    fleet = [{**MINIMAL[workspace.vendor], "name": name} for name in names]
    return workspace.sandbox.seed(workspace.vendor, fleet)


def pend(workspace: Workspace, key: str = "web", **facts: Any) -> None:
    """Leave what a run leaves that died before its create was answered."""
    stated = {"remote_id": None, "facts": {"name": "Web"}, "digest": "hmac:0", "at": AT, **facts}
    document = json.loads(Path(workspace.project).read_text())
    project = parse(document, path=workspace.project, root=str(workspace.root))
    with store_of(project).open(workspace.vendor, lock=True) as session:
        session.intend(key, Intent(key=key, **stated))


def test_import_writes_a_manifest_and_the_next_plan_is_empty(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("sailpoint")
    (remote_id,) = seed(workspace, "Shop \x1b[31mweb")

    done = invoke("import", "sailpoint", "--all")
    planned = invoke("plan", "--detailed-exitcode")
    again = invoke("import", "sailpoint", "--all")

    assert done.exit_code == planned.exit_code == again.exit_code == 0
    assert done.stdout == f"clients/shop-31mweb.yaml: Shop \\u001b[31mweb ({remote_id})\n"
    assert done.stderr == "1 client of sailpoint imported.\n"
    assert again.stdout == (
        f"left alone: Shop \\u001b[31mweb ({remote_id}): it is shop-31mweb already\n"
    )
    assert again.stderr == "0 clients of sailpoint imported, 1 left alone.\n"


def test_import_says_what_a_manifest_does_not_state(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("boruta")
    (remote_id,) = seed(workspace, "Web")
    workspace.sandbox.edit("boruta", remote_id, access_token_ttl=100_000)

    told = invoke("import", "boruta", "--id", remote_id.upper())

    assert "    access_token_ttl: a manifest may not state the server's value: " in told.stdout


def test_the_json_of_an_import_holds_all_of_it(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("boruta")
    (remote_id,) = seed(workspace, "Web")
    workspace.sandbox.edit("boruta", remote_id, access_token_ttl=100_000)

    done = invoke("import", "boruta", "--all", "--format", "json")

    document = json.loads(done.stdout)
    (imported,) = [one for one in document["imported"] if one["id"] == remote_id]
    assert (imported["key"], imported["id"], imported["path"]) == (
        "web",
        remote_id,
        "clients/web.yaml",
    )
    assert [note["field"] for note in imported["notes"]] == ["access_token_ttl"]
    assert {left["rule"] for left in document["skipped"]} >= {"own-client", "protected"}
    assert (document["formatVersion"], document["target"], document["trouble"]) == (
        1,
        "boruta",
        "",
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say which clients"),
        (("--id", "1", "--all"), "say which clients"),
        (("--select", "label=x"), "write name=GLOB"),
        (("--all", "--into", "elsewhere"), None),
        (("--id", "nobody"), "404"),
    ],
)
def test_an_import_that_cannot_be_meant_writes_nothing(
    arguments: tuple[str, ...],
    says: str | None,
    open_workspace: Callable[[str], Workspace],
    invoke: Invoke,
):
    workspace = open_workspace("sailpoint")
    seed(workspace, "Web")

    done = invoke("import", "sailpoint", *arguments)

    assert done.exit_code != 0
    assert (says or "would not be among the manifests") in done.stderr
    assert list(workspace.root.glob("**/*.yaml")) == [Path(workspace.project)]


def test_wrong_words_of_these_commands_are_wrong_usage(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    open_workspace("provident")
    lines = [
        ("import", "provident"),
        ("import", "nowhere", "--all"),
        ("import", "provident", "--all"),
        ("adopt", "web", "--id", "1"),
        ("forget", "web"),
        ("forget", "web", "--auto-approve"),
        ("resolve", "web"),
        ("resolve", "web", "--absent", "--id", "1"),
        ("resolve", "web", "--absent"),
        ("resolve", "web", "--id", "1"),
        ("adopt", "web", "--id", "1", "--target", "nowhere"),
    ]

    for line in lines:
        assert invoke(*line).exit_code == 64, line


# Dies at the nth time that something is to be on disk, or has it fail from then on.
TROUBLE = """
import os, sys
from reconciler.cli import main
limit, how = int(sys.argv[1]), sys.argv[2]
count, sync = 0, os.fsync
def fsync(descriptor):
    global count
    count += 1
    if count >= limit:
        if how == "dies":
            os._exit(9)
        raise OSError(28, "No space left on device")
    sync(descriptor)
os.fsync = fsync
sys.argv[1:] = ["import", "sailpoint", "--all"]
main()
"""


@pytest.mark.parametrize("how", ["dies", "fails"])
def test_an_import_that_is_cut_off_anywhere_loses_nothing_and_is_run_again(
    how: str, open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("sailpoint")
    seeded = set(seed(workspace, "Web", "Orders"))
    env = unmeasured(**workspace.env) if how == "dies" else {**os.environ, **workspace.env}
    codes = set()
    for limit in range(1, 100):
        done = subprocess.run(
            [sys.executable, "-c", TROUBLE, str(limit), how],
            cwd=workspace.root,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        codes.add(done.returncode)
        assert "Traceback" not in done.stderr
        assert set(workspace.actions().values()) <= {Action.NOOP, Action.ADOPT}

        again = invoke("import", "sailpoint", "--all")
        workspace.apply()

        assert again.exit_code == 0, again.stderr
        assert set(workspace.actions().values()) == {Action.NOOP}
        assert {entry["id"] for entry in workspace.inventory().values()} == seeded
        if done.returncode == 0:
            break
        for path in [*workspace.root.glob("clients/*"), *_records(workspace)]:
            path.unlink()
    assert codes == ({0, 9} if how == "dies" else {0, 1, 5})
    assert ids(workspace.sandbox, "sailpoint") == seeded | workspace.first


def _records(workspace: Workspace) -> list[Path]:
    folder = workspace.root / ".reconciler/inventory"
    found = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if not {".locks", ".spool"} & set(path.parts)]


def test_a_file_that_somebody_edits_meanwhile_is_not_written_again(
    open_workspace: Callable[[str], Workspace], invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    workspace = open_workspace("sailpoint")
    seed(workspace, "Web")
    path = workspace.root / "clients/web.yaml"
    sync = os.fsync

    def edit(descriptor: int) -> None:
        sync(descriptor)
        if path.exists() and "# mine" not in path.read_text():
            path.write_text(path.read_text() + "# mine\n")

    monkeypatch.setattr(os, "fsync", edit)

    done = invoke("import", "sailpoint", "--select", "name=W*")

    assert done.exit_code == 0
    assert "    metadata.id: the file was changed meanwhile, and keeps it\n" in done.stdout
    assert path.read_text().endswith("# mine\n")
    assert workspace.actions() == {"web": Action.NOOP}


def test_a_name_whose_file_is_taken_makes_room(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("sailpoint")
    (remote_id,) = seed(workspace, "Web")
    path = workspace.root / "clients" / "web.yaml"
    path.parent.mkdir()
    path.write_text("# nothing yet\n")

    done = invoke("import", "sailpoint", "--all")

    assert done.exit_code == 0
    assert path.read_text() == "# nothing yet\n"
    assert workspace.actions() == {remote_id: Action.NOOP}


def test_adopt_needs_nothing_that_a_reference_stands_for(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("boruta")
    (remote_id,) = seed(workspace, "Web")
    workspace.write("web", {**MINIMAL["boruta"], "secret": {"env": "NOT_SET"}, "pkce": True})

    done = invoke("adopt", "web", "--id", remote_id)

    assert done.stdout.endswith("The next apply changes pkce.\n")
    assert workspace.inventory()["web"]["fingerprints"] == {}


def test_the_target_is_named_where_several_could_be_meant(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("sailpoint")
    (remote_id,) = seed(workspace, "Web")
    workspace.write("web", MINIMAL["sailpoint"])
    document = json.loads(Path(workspace.project).read_text())
    other = {**document["targets"]["sailpoint"], "manifests": ["other/*.yaml"]}
    document["targets"]["other"] = other
    Path(workspace.project).write_text(json.dumps(document))

    by_manifest = invoke("adopt", "web", "--id", remote_id)
    nowhere = invoke("forget", "nobody", "--auto-approve")
    stated = invoke("forget", "web", "--auto-approve", "--target", "sailpoint")

    assert (by_manifest.exit_code, stated.exit_code) == (0, 0)
    assert "say which target nobody is of: --target other|sailpoint" in nowhere.stderr


def test_adopt_binds_a_manifest_and_says_what_differs(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("provident")
    (remote_id,) = seed(workspace, "Web")
    workspace.write("web", {**MINIMAL["provident"], "rateLimitCount": 5})

    bound = invoke("adopt", "web", "--id", remote_id)
    again = invoke("adopt", "web", "--id", remote_id, "--format", "json")
    change = workspace.changes()["web"]
    workspace.apply()
    converged = invoke("adopt", "web", "--id", remote_id)

    assert (bound.exit_code, again.exit_code) == (0, 0)
    assert bound.stdout == (
        f"web is {remote_id} on provident.\nThe next apply changes rateLimitCount.\n"
    )
    document = json.loads(again.stdout)
    assert (document["already"], document["differing"]) == (True, ["rateLimitCount"])
    assert (change.action, [each.field for each in change.fields]) == (
        Action.UPDATE,
        ["rateLimitCount"],
    )
    assert converged.stdout.endswith(
        "already " + remote_id + " on provident.\nIt is as its manifest says.\n"
    )


def test_adopt_refuses_a_client_that_another_key_has(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("sailpoint")
    (remote_id,) = seed(workspace, "Web")
    workspace.write("orders", {**MINIMAL["sailpoint"], "name": "Orders"})
    invoke("import", "sailpoint", "--all")

    text = invoke("adopt", "orders", "--id", remote_id)
    document = invoke("adopt", "orders", "--id", remote_id, "--format", "json")

    assert (text.exit_code, document.exit_code) == (3, 3)
    assert text.stderr == "refused: it is web already [bound]\n"
    assert json.loads(document.stdout)["refusal"]["rule"] == "bound"


def test_adopt_of_a_client_that_is_not_there_records_nothing(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("provident")
    workspace.write("web", MINIMAL["provident"])

    done = invoke("adopt", "web", "--id", "nobody")

    assert done.exit_code == 1
    assert "404" in done.stderr
    assert workspace.actions() == {"web": Action.CREATE}


def test_forget_leaves_the_client_and_ceases_to_manage_it(
    open_workspace: Callable[[str], Workspace],
    on_terminal: Callable[..., Any],
    invoke: Invoke,
):
    workspace = open_workspace("sailpoint")
    (remote_id,) = seed(workspace, "Web")
    invoke("import", "sailpoint", "--all")

    declined = on_terminal("forget", "web", typed="no\n", cwd=workspace.root, env=workspace.env)
    still = workspace.inventory().keys()
    forgotten = on_terminal("forget", "web", typed="yes\n", cwd=workspace.root, env=workspace.env)

    assert (declined.code, set(still)) == (1, {"web"})
    assert "Nothing was forgotten." in declined.screen
    assert forgotten.code == 0
    assert "may create a second client" in forgotten.screen
    assert forgotten.stdout == f"sailpoint forgot web, which is {remote_id}.\n"
    assert workspace.inventory() == {}
    assert remote_id in ids(workspace.sandbox, "sailpoint")


def test_forget_needs_no_credentials_and_speaks_json(
    open_workspace: Callable[[str], Workspace], invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    workspace = open_workspace("sailpoint")
    (remote_id,) = seed(workspace, "Web")
    invoke("import", "sailpoint", "--all")
    (workspace.root / "clients/web.yaml").unlink()
    monkeypatch.delenv("SECRET")

    done = invoke("forget", "web", "--auto-approve", "--format", "json")

    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert (document["key"], document["id"], document["superseded"]) == ("web", remote_id, [])
    assert "manifest" not in done.stderr


def test_a_create_that_made_nothing_is_made_again(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("provident")
    workspace.write("web", MINIMAL["provident"])
    pend(workspace)
    refused = workspace.changes()["web"].refusal

    settled = invoke("resolve", "web", "--absent")

    assert refused is not None
    assert refused.rule == "unknown-create"
    assert settled.exit_code == 0
    assert settled.stdout == "web is on provident not yet: the next apply creates it.\n"
    assert workspace.actions() == {"web": Action.CREATE}


def test_a_create_that_was_cut_off_is_settled_by_whoever_looks(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("provident")
    workspace.write("web", MINIMAL["provident"])
    before = ids(workspace.sandbox, "provident")
    workspace.sandbox.set_faults("drop-after-write=1:provident,post")
    unknown = invoke("apply", "--auto-approve")
    workspace.sandbox.set_faults()
    (remote_id,) = ids(workspace.sandbox, "provident") - before

    refused = invoke("apply", "--auto-approve")
    adopted = invoke("adopt", "web", "--id", remote_id)
    imported = invoke("import", "provident", "--id", remote_id)
    settled = invoke("resolve", "web", "--id", remote_id)
    again = invoke("resolve", "web", "--id", remote_id)

    assert (unknown.exit_code, refused.exit_code, adopted.exit_code) == (5, 3, 3)
    assert "`reconciler resolve web --id ID`" in refused.stdout
    assert "run `reconciler resolve web` instead" in adopted.stderr
    assert "left alone" in imported.stdout
    assert (settled.exit_code, workspace.actions()) == (0, {"web": Action.NOOP})
    assert workspace.secret("web")["client_id"] == remote_id
    assert ids(workspace.sandbox, "provident") - before == {remote_id}
    assert "there is nothing to resolve" in again.stderr


def test_a_create_that_made_a_client_is_bound_and_its_secret_kept(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("provident")
    (remote_id,) = seed(workspace, "Web")
    workspace.write("web", MINIMAL["provident"])
    pend(workspace)

    settled = invoke("resolve", "web", "--id", remote_id)

    assert settled.exit_code == 0
    assert settled.stdout.startswith(
        f"web is {remote_id} on provident.\nIt is as its manifest says.\n"
    )
    kept = workspace.secret("web")
    assert kept["client_id"] == remote_id
    assert kept["client_secret"] in workspace.sandbox.issued_secrets
    assert kept["client_secret"] not in settled.output
    assert workspace.actions() == {"web": Action.NOOP}


def test_a_secret_that_no_answer_tells_any_more_is_lost_and_said_to_be(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("sailpoint")
    (remote_id,) = seed(workspace, "Web")
    workspace.write("web", MINIMAL["sailpoint"])
    pend(workspace)

    settled = invoke("resolve", "web", "--id", remote_id)

    assert settled.exit_code == 0
    assert "Its secret is lost" in settled.stdout
    assert workspace.inventory()["web"]["secret"] == "lost"


def test_a_secret_that_the_sink_will_not_take_waits_for_the_next_apply(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("provident")
    (remote_id,) = seed(workspace, "Web")
    pend(workspace, predecessor=None)
    blocked = workspace.root / ".reconciler/secrets"
    blocked.write_text("a file where the folder of the secrets is to be")

    done = invoke("resolve", "web", "--id", remote_id, "--format", "json")
    document = json.loads(done.stdout)

    assert done.exit_code == 5
    assert "could not be stored" in done.stderr
    assert (document["secret"], document["id"]) == ("spooled", remote_id)
    assert Path(document["secretLocation"]).is_file()

    blocked.unlink()
    workspace.write("web", MINIMAL["provident"])
    delivered = invoke("apply", "--auto-approve")

    assert delivered.exit_code == 0
    assert workspace.secret("web")["client_id"] == remote_id
    assert workspace.inventory()["web"]["secret"] == "stored"


def test_a_secret_that_can_be_kept_nowhere_is_said_to_be_lost(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("provident")
    (remote_id,) = seed(workspace, "Web")
    pend(workspace)
    (workspace.root / ".reconciler/secrets").write_text("no folder")
    (workspace.root / ".reconciler/inventory/.spool").write_text("no folder")

    done = invoke("resolve", "web", "--id", remote_id)

    assert done.exit_code == 5
    assert workspace.inventory()["web"]["secret"] == "lost"


def test_a_secret_that_the_manifest_states_is_not_stored_again(
    open_workspace: Callable[[str], Workspace], invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    workspace = open_workspace("boruta")
    monkeypatch.setenv("WEB_SECRET", "chosen-by-the-user-1234")
    (remote_id,) = seed(workspace, "Web")
    workspace.sandbox.edit("boruta", remote_id, secret="chosen-by-the-user-1234")
    workspace.write("web", {**MINIMAL["boruta"], "secret": {"env": "WEB_SECRET"}})
    pend(workspace, remote_id=remote_id)

    done = invoke("resolve", "web", "--id", remote_id)

    assert done.exit_code == 0
    assert not (workspace.root / ".reconciler/secrets").exists()
    assert workspace.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize("bound", [True, False])
def test_a_predecessor_is_deleted_only_if_the_key_was_bound_to_it(
    open_workspace: Callable[[str], Workspace], invoke: Invoke, bound: bool
):
    workspace = open_workspace("sailpoint")
    workspace.write("web", {**MINIMAL["sailpoint"], "name": "Web"})
    workspace.apply()
    old, theirs = workspace.inventory()["web"]["id"], *seed(workspace, "Theirs")
    (made,) = seed(workspace, "Web")
    pend(workspace, predecessor=old if bound else theirs)

    done = invoke("resolve", "web", "--id", made)

    assert done.exit_code == 0, done.output
    assert workspace.inventory()["web"]["id"] == made
    assert workspace.inventory()["web"]["superseded"] == ([old] if bound else [])


def test_a_client_that_the_create_cannot_have_made_is_refused(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("provident")
    (remote_id,) = seed(workspace, "Web")
    pend(workspace, remote_id="chosen")

    done = invoke("resolve", "web", "--id", remote_id)

    assert done.exit_code == 3
    assert "[another-id]" in done.stderr


def test_what_is_absent_is_told_to_scripts_too(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("provident")
    pend(workspace)

    done = invoke("resolve", "web", "--absent", "--target", "provident", "--format", "json")

    assert json.loads(done.stdout)["id"] is None


def spool(workspace: Workspace, remote_id: str, secret: str, key: str = "web") -> None:
    """Leave what a run leaves whose sink refused a secret."""
    document = json.loads(Path(workspace.project).read_text())
    project = parse(document, path=workspace.project, root=str(workspace.root))
    with store_of(project).open(workspace.vendor, lock=True) as session:
        session.spool(key, remote_id, Secret(secret))


def test_no_older_secret_comes_back_after_a_create_was_resolved(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("provident")
    (remote_id,) = seed(workspace, "Web")
    workspace.write("web", {**MINIMAL["provident"], "name": "Web"})
    pend(workspace)
    spool(workspace, remote_id, "the-secret-of-yesterday")

    resolved = invoke("resolve", "web", "--id", remote_id)
    now = workspace.secret("web")["client_secret"]
    applied = invoke("apply", "--auto-approve")

    assert (resolved.exit_code, applied.exit_code) == (0, 0)
    assert now != "the-secret-of-yesterday"
    assert workspace.secret("web")["client_secret"] == now


def test_a_resolved_create_gets_the_secret_that_waits_where_no_answer_shows_it(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("sailpoint")
    (remote_id,) = seed(workspace, "Web")
    pend(workspace)
    spool(workspace, remote_id, "told-once")

    done = invoke("resolve", "web", "--id", remote_id)

    assert done.exit_code == 0
    assert workspace.secret("web")["client_secret"] == "told-once"
    assert workspace.inventory()["web"]["secret"] == "stored"


def test_a_resolved_create_whose_secret_got_into_the_sink_has_not_lost_it(
    open_workspace: Callable[[str], Workspace], invoke: Invoke
):
    workspace = open_workspace("sailpoint")
    (remote_id,) = seed(workspace, "Web")
    pend(workspace)
    sink = workspace.root / ".reconciler/secrets/sailpoint"
    sink.mkdir(parents=True)
    stored = {"client_id": remote_id, "client_secret": "told-once"}
    (sink / "web.json").write_text(json.dumps(stored))

    done = invoke("resolve", "web", "--id", remote_id)

    assert done.exit_code == 0
    assert workspace.inventory()["web"]["secret"] == "stored"
    assert workspace.secret("web")["client_secret"] == "told-once"
