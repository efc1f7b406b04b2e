"""A sink that fails after the client was created: nothing is lost, and the next run delivers it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support.sink_places import IDENTITY, KEEP, SINKS
from support.workspace import MINIMAL, Workspace

from reconciler.core.changes import Status
from reconciler.sandbox.server import running

VENDOR = "sailpoint"  # it tells a secret once and never again
# As `keep.py`, but it can be broken, and then it says more than it should.
FRAGILE = """
import pathlib, sys
if pathlib.Path("broken").exists():
    sys.stderr.write("no room for " + sys.stdin.read() + ", sorry")
    sys.exit(3)
"""


@pytest.fixture(scope="module")
def server():
    with running(rate_limit=None, seed=1) as sandbox:
        yield sandbox


class Breakable:
    """A project whose sink passes its probe and then fails, until it is mended."""

    def __init__(self, kind, workspace, aws, address):
        self.kind, self.workspace, self.aws = kind, workspace, aws
        self.name = f"oauth/{VENDOR}/web"
        root = workspace.root
        self.place = SINKS[kind](root, aws, address)
        (root / "keep.py").write_text(FRAGILE + KEEP)
        recipient = str(IDENTITY.to_public())
        options = {
            "file": {"directory": "files"},
            "age": {"directory": "files", "recipients": [recipient]},
            "exec": {"command": [sys.executable, "keep.py"]},
            "aws-secretsmanager": {
                "name": "oauth/{target}/{key}",
                "region": "eu-west-1",
                "endpointUrl": address,
            },
        }
        workspace.write_project(secrets={"sink": kind, **options[kind]})

    def break_it(self):
        root = self.workspace.root
        match self.kind:
            case "exec":
                (root / "broken").write_text("")
            case "aws-secretsmanager":
                self.aws.create_secret(Name=self.name, SecretString="{}")
                self.aws.delete_secret(SecretId=self.name)  # held for some days, and closed
            case _:
                (root / "files").mkdir()
                (root / "files" / VENDOR).write_text("in the way")

    def mend(self):
        root = self.workspace.root
        match self.kind:
            case "exec":
                (root / "broken").unlink()
            case "aws-secretsmanager":
                self.aws.restore_secret(SecretId=self.name)
            case _:
                (root / "files" / VENDOR).unlink()

    def kept(self):
        return self.place.kept(VENDOR, "web")

    def spool(self):
        return list((self.workspace.root / ".reconciler").rglob(".spool/*.json"))


@pytest.fixture(params=sorted(SINKS))
def broken(request, tmp_path, server, aws, secrets_manager):
    workspace = Workspace(tmp_path, server, VENDOR, frozenset())
    workspace.first = frozenset(each["id"] for each in server.clients(VENDOR))
    made = Breakable(request.param, workspace, aws, secrets_manager)
    made.break_it()
    workspace.write("web", MINIMAL[VENDOR])
    yield made
    workspace.clear()


def test_a_secret_that_the_sink_refuses_is_kept_in_a_private_file_that_the_report_names(broken):
    (outcome,) = broken.workspace.apply().outcomes

    (path,) = broken.spool()
    kept = json.loads(path.read_text())
    assert outcome.status is Status.FAILED
    assert outcome.secret_location == str(path)
    assert str(path) in outcome.message
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert kept["client_id"] == broken.workspace.server_id("web")
    assert kept["client_secret"] in broken.workspace.sandbox.issued_secrets
    assert kept["client_secret"] not in outcome.message
    assert broken.workspace.inventory()["web"]["secret"] == "spooled"


def test_the_next_run_delivers_it_and_says_so(broken):
    broken.workspace.apply()
    (path,) = broken.spool()
    waiting = json.loads(path.read_text())
    broken.mend()
    broken.workspace.sandbox.forget_requests()

    report = broken.workspace.apply()

    (delivery,) = report.deliveries
    assert (delivery.key, delivery.status, delivery.path) == ("web", Status.DONE, str(path))
    assert delivery.location
    assert broken.kept() == {name: waiting[name] for name in ("client_id", "client_secret")}
    assert broken.spool() == []
    assert broken.workspace.inventory()["web"]["secret"] == "stored"
    assert broken.workspace.writes() == []
    assert broken.workspace.apply().deliveries == ()


def test_while_the_sink_still_refuses_it_waits_on_and_no_other_client_is_created(broken):
    broken.workspace.apply()
    broken.workspace.write("app", {**MINIMAL[VENDOR], "name": "App"})

    report = broken.workspace.apply()

    outcomes = {outcome.key: outcome for outcome in report.outcomes}
    assert [delivery.status for delivery in report.deliveries] == [Status.FAILED]
    assert outcomes["app"].status is Status.SKIPPED
    assert "its secret could not be stored" in outcomes["app"].message
    assert len(broken.spool()) == 1
    broken.mend()
    assert {each.status for each in broken.workspace.apply().outcomes} == {Status.DONE}
    assert broken.kept()["client_id"] == broken.workspace.server_id("web")


def test_a_plan_says_that_a_secret_waits(broken):
    broken.workspace.apply()

    change = broken.workspace.changes()["web"]

    assert "waits in a private file" in " ".join(change.warnings)


def test_no_secret_is_left_in_any_file_but_the_private_ones(broken):
    broken.workspace.apply()
    broken.mend()
    broken.workspace.apply()

    secret = broken.kept()["client_secret"]
    holders = {
        path.name
        for path in Path(broken.workspace.root).rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    }
    assert holders <= {"web.json"}
