"""A plan under `--trust REF` takes its orders from a revision, and from the working tree its manifests only."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from support.vendors import make_provider

from reconciler.cli.exit_codes import ExitCode
from reconciler.manifests import catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]


def git(*words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def commit() -> None:
    git("add", "-A")
    git("commit", "-q", "--allow-empty", "-m", "more")


@pytest.fixture
def reviewed(repo: Repo) -> Iterator[Repo]:
    """A repo on a branch of its own beside `main`, where nothing was changed yet."""
    for vendor in ("provident", "boruta"):
        (repo.folder / f"clients/{vendor}-web.yaml").unlink()
    only_one(repo)
    git("init", "-q", "-b", "main")
    commit()
    git("switch", "-q", "-c", "work")
    yield repo
    catalog._entry.cache_clear()  # noqa: SLF001 - what is in a folder is another in every test


def only_one(repo: Repo, **settings: Any) -> dict[str, Any]:
    """Write a project file with the one target `sailpoint`; what is stated goes into its target."""
    repo.write_project()
    path = repo.folder / "reconciler.yaml"
    project = json.loads(path.read_text())
    project["targets"] = {"sailpoint": project["targets"]["sailpoint"] | settings}
    path.write_text(json.dumps(project))
    return dict(project)


def state_project(repo: Repo, project: dict[str, Any]) -> None:
    (repo.folder / "reconciler.yaml").write_text(json.dumps(project))


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[str]]]:
    """The address of a server of somebody else's, and what it was told."""
    told: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            told.append(f"{self.headers} {self.rfile.read(length)!r}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"[]")

        do_POST = do_GET  # noqa: N815 - the name that the base class looks for

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", told
    server.shutdown()
    thread.join()
    server.server_close()


def other_token_url(project: dict[str, Any], url: str) -> None:
    project["targets"]["sailpoint"]["auth"]["tokenUrl"] = f"{url}/token"


def other_server(project: dict[str, Any], url: str) -> None:
    project["targets"]["sailpoint"] |= {"baseUrl": url, "auth": {"token": {"env": "OTHER"}}}


def other_file(project: dict[str, Any], url: str) -> None:
    Path("a-file").write_text("from-a-file")
    token = {"token": {"file": str(Path("a-file").absolute())}}
    project["targets"]["sailpoint"] |= {"baseUrl": url, "auth": token}


def more_targets(project: dict[str, Any], url: str) -> None:
    project["targets"]["more"] = project["targets"]["sailpoint"] | {
        "baseUrl": url,
        "manifests": ["more/*.yaml"],
    }


def probing_sink(project: dict[str, Any], _url: str) -> None:
    sink = {"sink": "exec", "command": ["true"], "probe": ["sh", "-c", "id > pwned"]}
    project["targets"]["sailpoint"]["secrets"] = sink


def other_endpoint(project: dict[str, Any], url: str) -> None:
    project["targets"]["sailpoint"]["endpoints"] = {"list": f"{url}/list"}


ORDERS = [other_token_url, other_server, other_file, more_targets, probing_sink, other_endpoint]


@pytest.mark.parametrize("edit", ORDERS)
def test_a_pull_request_gives_no_orders_to_a_trusted_plan(
    reviewed: Repo,
    invoke: Invoke,
    stranger: tuple[str, list[str]],
    edit: Callable[[dict[str, Any], str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTHER", "deploy-token")
    project = only_one(reviewed)
    edit(project, stranger[0])
    state_project(reviewed, project)
    reviewed.state("sailpoint", "new", name="New")
    commit()

    done = invoke("plan", "--trust", "main", "--format", "json")

    assert done.exit_code == ExitCode.DONE, done.output
    plan = json.loads(done.stdout)
    assert [each["target"] for each in plan["targets"]] == ["sailpoint"]
    assert {each["key"] for each in plan["targets"][0]["changes"]} == {"new", "web"}
    assert stranger[1] == []
    assert not (reviewed.folder / "pwned").exists()


def test_no_program_of_a_trusted_sink_runs(reviewed: Repo, invoke: Invoke) -> None:
    script = reviewed.folder / "store.sh"
    script.write_text("#!/bin/sh\ntrue\n")
    script.chmod(0o755)
    sink = {"sink": "exec", "command": ["./store.sh"], "probe": ["./store.sh"]}
    only_one(reviewed, secrets=sink | {"lookup": ["./store.sh"]})
    commit()
    git("branch", "-f", "main")
    script.write_text("#!/bin/sh\ntouch ran\n")
    commit()

    assert invoke("plan", "--trust", "main").exit_code == ExitCode.DONE
    assert not (reviewed.folder / "ran").exists()
    assert invoke("plan").exit_code == ExitCode.DONE
    assert (reviewed.folder / "ran").exists(), "without --trust the probe is run"


def test_policy_is_the_revisions(reviewed: Repo, invoke: Invoke) -> None:
    assert invoke("apply", "--auto-approve").exit_code == ExitCode.DONE
    (reviewed.folder / ".gitignore").write_text(".reconciler/secrets/\n")
    reviewed.state("sailpoint", "other", name="Other")
    commit()
    git("branch", "-f", "main")
    (reviewed.folder / "clients/sailpoint-web.yaml").unlink()
    only_one(reviewed, policy={"prune": True})
    commit()

    assert "to be deleted" in invoke("plan").output
    assert "to be deleted" not in invoke("plan", "--trust", "main").output


def test_record_is_the_revisions(reviewed: Repo, invoke: Invoke) -> None:
    assert invoke("apply", "--auto-approve").exit_code == ExitCode.DONE
    (reviewed.folder / ".gitignore").write_text(".reconciler/secrets/\n")
    commit()
    git("branch", "-f", "main")
    shutil.rmtree(reviewed.folder / ".reconciler/inventory")
    commit()

    assert "no changes" in invoke("plan", "--trust", "main").output
    assert not (reviewed.folder / ".reconciler/inventory").exists(), "nothing is written"


def test_record_that_only_the_working_tree_has_is_not_believed(
    reviewed: Repo, invoke: Invoke
) -> None:
    assert invoke("apply", "--auto-approve").exit_code == ExitCode.DONE
    (reviewed.folder / ".gitignore").write_text(".reconciler/secrets/\n")
    assert "no changes" in invoke("plan", "--trust", "main").output, (
        "git has none: it is the runner's"
    )
    commit()
    assert "to be created" in invoke("plan", "--trust", "main").output


@pytest.fixture
def described(reviewed: Repo) -> Repo:
    """A repo whose target has a provider folder of its own on `main`."""
    make_provider(reviewed.folder / "vendors/acme", name="acme-cloud", kind="AcmeClient")
    project = only_one(reviewed, provider="./vendors/acme")
    token_url = f"{reviewed.sandbox.sailpoint}/oauth/token"
    project["targets"]["sailpoint"]["auth"]["tokenUrl"] = token_url
    state_project(reviewed, project)
    manifest = reviewed.folder / "clients/sailpoint-web.yaml"
    manifest.write_text(manifest.read_text().replace("SailPointClient", "AcmeClient"))
    commit()
    git("branch", "-f", "main")
    return reviewed


def break_descriptor(folder: Path) -> None:
    (folder / "provider.yaml").write_text("no: descriptor")


def break_schema(folder: Path) -> None:
    (folder / "client.schema.json").write_text("{")


def take_away(folder: Path) -> None:
    shutil.rmtree(folder)


def lead_elsewhere(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.parents[1] / "clients")


def lead_file_elsewhere(folder: Path) -> None:
    (folder / "provider.yaml").unlink()
    (folder / "provider.yaml").symlink_to("../../reconciler.yaml")


BREAKS = [break_descriptor, break_schema, take_away, lead_elsewhere, lead_file_elsewhere]


@pytest.mark.parametrize("break_it", BREAKS)
def test_provider_folder_is_the_revisions(
    described: Repo, invoke: Invoke, break_it: Callable[[Path], None]
) -> None:
    before = invoke("plan", "--trust", "main", "--format", "json")
    break_it(described.folder / "vendors/acme")
    commit()

    assert invoke("plan", "--trust", "main", "--format", "json").stdout == before.stdout
    assert "AcmeClient" not in before.stderr, before.output


def test_broken_file_of_the_revision_is_called_by_its_name(described: Repo, invoke: Invoke) -> None:
    (described.folder / "vendors/acme/provider.yaml").write_text(
        "apiVersion: reconciler/v1\nno: 1\n"
    )
    commit()

    done = invoke("plan", "--trust", "work")

    assert done.exit_code == ExitCode.FAILED
    assert "work:vendors/acme/provider.yaml:2:1" in done.output
    assert "/reconciler-" not in done.output


def test_links_of_the_revision_are_followed_in_it(described: Repo, invoke: Invoke) -> None:
    whole = invoke("plan", "--trust", "main", "--format", "json").stdout
    folder = described.folder
    (folder / "vendors/acme").rename(folder / "real")
    (folder / "vendors/acme").symlink_to("../real")
    (folder / "reconciler.yaml").rename(folder / "project.yaml")
    (folder / "reconciler.yaml").symlink_to("project.yaml")
    (folder / "real/provider.yaml").rename(folder / "descriptor.yaml")
    (folder / "real/provider.yaml").symlink_to("../descriptor.yaml")
    commit()
    git("branch", "linked")
    git("switch", "-q", "main")

    assert invoke("plan", "--trust", "linked", "--format", "json").stdout == whole


@pytest.mark.parametrize(
    "leads_to", ["/etc/passwd", "../../etc/passwd", "reconciler.yaml", "nowhere"]
)
def test_link_of_the_revision_that_leads_nowhere_is_refused(
    reviewed: Repo, invoke: Invoke, leads_to: str
) -> None:
    (reviewed.folder / "reconciler.yaml").unlink()
    (reviewed.folder / "reconciler.yaml").symlink_to(leads_to)
    commit()
    git("branch", "linked")
    git("switch", "-q", "main")

    done = invoke("plan", "--trust", "linked")

    assert done.exit_code == ExitCode.FAILED
    assert "linked has no reconciler.yaml" in done.stderr


def test_project_in_a_folder_of_the_repository(reviewed: Repo, invoke: Invoke) -> None:
    folder = reviewed.folder
    (folder / "team").mkdir()
    for name in ("clients", "reconciler.yaml"):
        (folder / name).rename(folder / "team" / name)
    commit()
    git("branch", "-f", "main")
    (folder / "team/reconciler.yaml").write_text("broken")
    commit()

    for project in ("team", "team/reconciler.yaml", str(folder / "team")):
        assert invoke("plan", "--project", project, "--trust", "main").exit_code == ExitCode.DONE
    os.chdir(folder / "team/clients")
    assert invoke("plan", "--trust", "main").exit_code == ExitCode.DONE


NO_NAME = "is no revision to trust"
UNCLEAR = {
    "-n": NO_NAME,
    "--output=pwned": NO_NAME,
    "--all": NO_NAME,
    "": NO_NAME,
    ":/more": NO_NAME,
    "@{-1}": NO_NAME,
    "main work": NO_NAME,
    "nobody": "there is no revision nobody here",
    "main..work": "there is no revision main..work here",
    "main:reconciler.yaml": "there is no revision",
    "a" * 40: "there is no revision",
    "*": "there is no revision",
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_revision_that_is_none_is_refused(reviewed: Repo, invoke: Invoke, name: str) -> None:
    done = invoke("plan", f"--trust={name}", "--out", "plan.json")

    is_form = UNCLEAR[name] == NO_NAME
    assert done.exit_code == (ExitCode.USAGE if is_form else ExitCode.FAILED)
    assert UNCLEAR[name] in done.stderr
    assert not (reviewed.folder / "pwned").exists()
    assert invoke("apply", "plan.json").exit_code != ExitCode.DONE
    assert reviewed.writes() == []


@pytest.mark.usefixtures("reviewed")
def test_name_that_a_tag_takes_over_is_refused(invoke: Invoke) -> None:
    git("tag", "main", "work")

    done = invoke("plan", "--trust", "main")

    assert done.exit_code == ExitCode.FAILED
    assert "refs/heads/main, refs/tags/main" in done.stderr
    assert invoke("plan", "--trust", "refs/heads/main").exit_code == ExitCode.DONE
    assert invoke("plan", "--trust", git("rev-parse", "work")).exit_code == ExitCode.DONE


def test_replaced_commit_is_not_taken_for_the_trusted_one(reviewed: Repo, invoke: Invoke) -> None:
    state_project(reviewed, {"broken": True})
    commit()
    git("replace", "main", "work")

    assert invoke("plan", "--trust", "main").exit_code == ExitCode.DONE


def test_shallow_clone_says_what_to_fetch(reviewed: Repo, invoke: Invoke) -> None:
    commit()
    source, clone = reviewed.folder, reviewed.folder.parent / "clone"
    git("clone", "-q", "--depth=1", "--branch=work", f"file://{source}", str(clone))
    os.chdir(clone)

    done = invoke("plan", "--trust", "origin/main")

    assert done.exit_code == ExitCode.FAILED
    assert "fetch it first" in done.stderr
    git("fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main")
    assert invoke("plan", "--trust", "origin/main").exit_code == ExitCode.DONE


def test_without_a_repository_there_is_nothing_to_trust(repo: Repo, invoke: Invoke) -> None:
    done = invoke("plan", "--trust", "main")

    assert done.exit_code == ExitCode.FAILED
    assert "no git repository" in done.stderr
    assert repo.writes() == []


def test_without_git_nothing_is_trusted(
    reviewed: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(reviewed.folder))

    done = invoke("plan", "--trust", "main")

    assert done.exit_code == ExitCode.FAILED
    assert "git cannot be run" in done.stderr


def test_no_command_of_the_repository_runs(reviewed: Repo, invoke: Invoke) -> None:
    script = reviewed.folder / "command.sh"
    script.write_text("#!/bin/sh\ntouch ran\ncat\n")
    script.chmod(0o755)
    (reviewed.folder / ".gitattributes").write_text("* diff=x filter=x\n")
    commit()
    for name in (
        "core.fsmonitor",
        "core.pager",
        "diff.x.textconv",
        "filter.x.smudge",
        "core.editor",
    ):
        git("config", name, str(script))
    hooks = reviewed.folder / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "post-index-change", "reference-transaction"):
        shutil.copy(script, hooks / name)

    assert invoke("plan", "--trust", "main").exit_code == ExitCode.DONE
    assert not (reviewed.folder / "ran").exists()


def test_submodule_chooses_no_revision(reviewed: Repo, invoke: Invoke) -> None:
    source, outer = reviewed.folder, reviewed.folder.parent / "outer"
    git("init", "-q", "-b", "main", str(outer))
    os.chdir(outer)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(source), "team")

    done = invoke("plan", "--project", "team", "--trust", "HEAD")

    assert done.exit_code == ExitCode.FAILED
    assert "is a submodule" in done.stderr


@pytest.mark.parametrize("member", ["fingerprintKey", "planKey"])
def test_key_is_the_revisions_or_the_runners(reviewed: Repo, invoke: Invoke, member: str) -> None:
    project = only_one(reviewed) | {member: {"file": "keys/key.txt"}}
    state_project(reviewed, project)
    commit()
    git("branch", "-f", "main")
    key = reviewed.folder / "keys/key.txt"
    key.parent.mkdir()
    key.write_text("of-the-runner")
    assert invoke("plan", "--trust", "main", "--out", "plan.json").exit_code == ExitCode.DONE
    git("add", "keys")
    git("commit", "-q", "-m", "key")

    done = invoke("plan", "--trust", "main")

    assert done.exit_code == ExitCode.FAILED
    assert "main has no keys/key.txt, and what lies there now is not trusted" in done.output
    assert "main:reconciler.yaml:1:" in done.output


def test_fingerprints_are_keyed_by_the_trusted_key(reviewed: Repo, invoke: Invoke) -> None:
    (reviewed.folder / "key.txt").write_text("known")
    reviewed.state("sailpoint", description={"env": "PIN"})
    os.environ["PIN"] = "4711"
    state_project(reviewed, only_one(reviewed) | {"fingerprintKey": {"file": "key.txt"}})
    commit()
    git("branch", "-f", "main")
    before = invoke("plan", "--trust", "main").stdout
    (reviewed.folder / "key.txt").write_text("chosen")

    assert "hmac:" in before
    assert invoke("plan", "--trust", "main").stdout == before
    assert invoke("plan").stdout != before


def test_login_from_a_file_of_the_runner_is_taken(reviewed: Repo, invoke: Invoke) -> None:
    project = only_one(reviewed)
    project["targets"]["sailpoint"]["auth"]["clientSecret"] = {"file": "login/secret"}
    state_project(reviewed, project)
    commit()
    git("branch", "-f", "main")
    login = reviewed.folder / "login/secret"
    login.parent.mkdir()
    login.write_text(os.environ["SAILPOINT_SECRET"])

    assert invoke("plan", "--trust", "main").exit_code == ExitCode.DONE
    # A link that a pull request brings leads the login to a value of its own choosing.
    (reviewed.folder / "other").mkdir()
    (reviewed.folder / "other/secret").write_text("chosen")
    shutil.rmtree(login.parent)
    (reviewed.folder / "login").symlink_to("other")
    commit()
    done = invoke("plan", "--trust", "main")
    assert done.exit_code == ExitCode.FAILED
    assert "what lies there now is not trusted" in done.output


def test_lock_of_a_copy_keeps_nobody_out(reviewed: Repo, invoke: Invoke) -> None:
    done = invoke("plan", "--trust", "main", "--lock-timeout", "1s")

    assert done.exit_code == ExitCode.USAGE
    assert "--lock-timeout" in done.output
    assert reviewed.writes() == []


def test_trusted_plan_is_applied_where_nothing_else_changed(reviewed: Repo, invoke: Invoke) -> None:
    reviewed.state("sailpoint", "new", name="New")
    commit()
    assert invoke("plan", "--trust", "main", "--out", "plan.json").exit_code == ExitCode.DONE
    assert invoke("apply", "plan.json").exit_code == ExitCode.DONE
    assert "no changes" in invoke("plan").output
