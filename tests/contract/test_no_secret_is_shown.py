"""A whole life of clients, as loud as it gets, and no secret in anything that comes out of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.records import record_folder

from reconciler.cli.demo.repo import copy_examples
from reconciler.sandbox.server import running

ROOT = Path(__file__).parents[2]
CHOSEN = "a secret that only the environment holds"
WRONG = {"PROVIDENT_SECRET": "a wrong secret", "BORUTA_SECRET": "another wrong secret"}


class Run:
    """The real program in a folder, with all that it ever printed."""

    def __init__(self, folder: Path, sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox
        self.printed: list[str] = []
        self.codes: list[int] = []

    def __call__(self, *arguments: str, **env: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "-v", *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                **self.sandbox.env,
                "PYTHONPATH": str(ROOT),
                "RECEIPT_PRINTER_SECRET": CHOSEN,
                **env,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        self.printed += [" ".join(arguments), done.stdout, done.stderr]
        self.codes.append(done.returncode)
        return done.stdout


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """Everything that a life of clients printed and left behind, the private files apart."""
    folder = tmp_path_factory.mktemp("life")
    with running(seed=7) as sandbox:
        copy_examples(folder, sandbox)
        run = Run(folder, sandbox)
        _live(run, sandbox)
        secrets = sandbox.issued_secrets | {CHOSEN, *WRONG.values()}
    shutil.rmtree(folder / ".reconciler/secrets")
    left = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    return run, left, secrets


def _live(run: Run, sandbox) -> None:
    run("validate")
    run("plan", "--show-requests")
    run("apply", "--auto-approve", "--show-requests", "--receipt", "receipt.json")
    run("plan", "--format", "json", "--out", "plan.json")
    run("plan", "--format", "markdown")
    for vendor in ("provident", "sailpoint", "boruta"):
        for client in sandbox.clients(vendor):
            spelled = "clientId" if vendor == "provident" else "id"
            if client[spelled] != sandbox.credentials[vendor].client_id:
                sandbox.edit(vendor, client[spelled], name="moved")
    (printer,) = [one for one in sandbox.clients("boruta") if one["secret"] == CHOSEN]
    sandbox.edit("boruta", printer["id"], secret="set by hand on the server")
    run("plan", "--show-requests", "--format", "json")
    run("plan", "--format", "markdown", "--out", "moved.json")
    run("apply", "plan.json")
    sandbox.set_faults("500=3:write", "drop-after-write=1@4:write", "broken-json=1@5:write")
    run("apply", "moved.json", "--format", "json", "--receipt", "moved-receipt.json")
    for fault in ("500=9", "broken-json=9", "repeat-pages", "503=1:token", "500=1:token"):
        sandbox.set_faults(fault)
        run("plan")
    sandbox.set_faults()
    run("plan", **WRONG)
    run("apply", "--auto-approve")
    _in_the_wrong_place(run)


def _in_the_wrong_place(run: Run) -> None:
    """A secret that a user pastes into git, and a record and a sink that cannot be written."""
    project = run.folder / "reconciler.yaml"
    good = project.read_text()
    project.write_text(good.replace("{env: BORUTA_SECRET}", run.sandbox.env["BORUTA_SECRET"]))
    run("validate")
    run("validate", "--format", "json")
    project.write_text(good)
    inventory = max(record_folder(run.folder, "shop").glob("*.json"))
    kept = inventory.read_text()
    inventory.write_text(kept[:100])
    run("plan")
    inventory.write_text(kept)


def test_no_secret_is_in_anything_that_was_printed(life):
    run, _, secrets = life
    printed = "\n".join(run.printed)

    assert [secret for secret in secrets if secret in printed] == []


def test_no_secret_is_in_anything_that_was_left_but_the_private_files(life):
    _, left, secrets = life

    assert [secret for secret in secrets if any(secret in text for text in left)] == []


def test_the_life_was_worth_looking_at(life):
    run, left, secrets = life
    printed = "\n".join(run.printed)

    assert {0, 1, 5} <= set(run.codes)
    assert len(secrets) > 20
    assert "(secret hmac:" in printed
    assert '"$secret": "hmac:' in printed
    assert any('"kind": "InventoryClient"' in text for text in left)
    assert json.loads(next(text for text in left if text.startswith('{\n  "formatVersion"')))
    assert "Traceback" not in printed
