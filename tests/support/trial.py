"""A fleet on its way from one state to the next, to be disturbed at any point, and what must hold after that."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from click.testing import CliRunner

from reconciler.app.apply import apply_plan
from reconciler.app.plan import Selection, plan_targets
from reconciler.cli.root import root
from reconciler.core.changes import Action, Status
from reconciler.sandbox.server import running
from support.gate import Gate, gate
from support.workspace import MINIMAL, Workspace, ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.changes import ApplyReport, Plan
    from reconciler.sandbox.handle import Sandbox

RUNNER = Path(__file__).with_name("warm_runner.py")
ROOT = Path(__file__).parents[2]
# For each vendor a field that changes in place, and one that takes a replace, None without a delete.
MOVED: dict[str, dict[str, Any]] = {
    "provident": {"rateLimitCount": 20},
    "sailpoint": {"accessTokenValiditySeconds": 900},
    "boruta": {"access_token_ttl": 250},
}
RENEWED: dict[str, dict[str, Any]] = {
    "sailpoint": {"scope": ["sp:write"]},
    "boruta": {"access_token_ttl": 7200},
}
NEW = ("new-a", "new-b")
# How a disturbed run may end besides plainly well.
LOST = "converged, with a secret told as lost that reached nobody"
SETTLED = "stopped, said what to check, and converged after resolve"


class Trial:
    """One vendor's fleet: two clients to create, one to update, to replace, to delete, one to leave."""

    def __init__(
        self, folder: Path, sandbox: Sandbox, vendor: str, opened: Gate, port: int
    ) -> None:
        self.vendor, self.sandbox, self.gate = vendor, sandbox, opened
        self.first = ids(sandbox, vendor)
        self.home = folder / "work"
        self.home.mkdir()
        self.workspace = Workspace(self.home, sandbox, vendor, self.first)
        for name in (vendor.upper() + "_URL", "BORUTA_TOKEN_URL"):
            self.workspace.env.pop(name)
        self._baseline(port)
        self._kept = folder / "kept"
        shutil.copytree(self.home, self._kept)
        self._snapshot = sandbox.snapshot()
        self.foreign = self._foreign()

    def _baseline(self, port: int) -> None:
        base = getattr(self.sandbox, self.vendor).replace(str(self.sandbox.port), str(port))
        auth = dict(self.workspace.auth)
        if self.vendor == "boruta":
            here, there = str(self.sandbox.port), str(port)
            auth["tokenUrl"] = self.sandbox.boruta_token_url.replace(here, there)
        self.workspace.write_project(baseUrl=base, policy=self._policy(), auth=auth)
        # A stranger that looks like a client to come, but is older.
        old = {"created": "2020-01-01T00:00:00.000Z"} if self.vendor == "sailpoint" else {}
        theirs = {**MINIMAL[self.vendor], "name": "theirs"}
        self.sandbox.seed(self.vendor, [self.spec(NEW[0], **old), theirs])
        before = ["stays", "moves", "leaves"] + (["renewed"] if self.vendor in RENEWED else [])
        for name in before:
            self.workspace.write(name, self.spec(name), lifecycle={"allowReplace": True})
        report = self.workspace.apply()
        assert {each.status.value for each in report.outcomes} == {"done"}, report
        (self.home / "clients/leaves.json").unlink()
        self.workspace.write("moves", self.spec("moves", **MOVED[self.vendor]))
        for name in NEW:
            # A stranger's has the name of one of them.
            self.workspace.write(name, self.spec(name), lifecycle={"allowNamesake": True})
        if self.vendor in RENEWED:
            self.workspace.write(
                "renewed",
                self.spec("renewed", **RENEWED[self.vendor]),
                lifecycle={"allowReplace": True},
            )

    def _policy(self) -> dict[str, Any]:
        removal = "disable" if self.vendor == "provident" else "keep"
        # One is deleted, one replaced. A run that died may have left one more, bound and of no use.
        limits = {"maxDeletes": 3, "maxChangePercent": 60}
        return {"prune": True, "onRemoval": removal, **limits}

    def spec(self, name: str, **fields: Any) -> dict[str, Any]:
        return {**MINIMAL[self.vendor], "name": f"Client {name}", **fields}

    def _foreign(self) -> dict[str, Any]:
        owned = {entry["id"] for entry in self.workspace.inventory().values()}
        return {
            client[self.identifier]: client
            for client in self.sandbox.clients(self.vendor)
            if client[self.identifier] not in owned
        }

    @property
    def identifier(self) -> str:
        return "clientId" if self.vendor == "provident" else "id"

    def reset(self) -> None:
        """Take files and servers back to where the trial begins."""
        self.gate.set()
        shutil.rmtree(self.home)
        shutil.copytree(self._kept, self.home)
        self.sandbox.restore(self._snapshot)

    def attempt(self) -> tuple[Plan, ApplyReport | None]:
        """What the command line does, in this process; no report where nothing may be sent."""
        selection = Selection()
        with (
            patch.dict(os.environ, self.workspace.env),
            plan_targets(self.workspace.project, selection, lock=True, lock_timeout=5) as planned,
        ):
            if vetoes(planned.plan) or any(target.errors for target in planned.plan.targets):
                return planned.plan, None
            return planned.plan, apply_plan(planned)

    def wanted(self) -> set[str]:
        """The keys of the clients that are to be there at the end."""
        disabled = {"leaves"} if self.vendor == "provident" else set()
        return {path.stem for path in (self.home / "clients").iterdir()} | disabled

    def created(self) -> dict[str, str]:
        """Id and secret of every client that the server created since the gate was set."""
        found = {}
        for call, reply in self.gate.handled:
            if call.method == "POST" and not call.is_token and reply.status in (200, 201):
                body = json.loads(reply.content)
                body = body.get("data", body)
                secret = body.get("clientSecret") or body.get("secret")
                found[body[self.identifier]] = secret
        return found

    def kept_secrets(self) -> dict[str, str]:
        """Id and secret of every client whose secret is in its sink or in the spool."""
        folder = self.home / ".reconciler"
        files = [*folder.glob("secrets/*/*.json"), *folder.glob("inventory/.spool/*.json")]
        found = [json.loads(path.read_text()) for path in files]
        return {each["client_id"]: each["client_secret"] for each in found}

    def check(self, created: dict[str, str], excused: set[str]) -> set[str]:
        """Hold what is there to the promises, and give the clients whose secret is told as lost.

        `created` are all creates with their secrets; `excused` are the ids of clients whose secret
        no answer brought to a run that could have kept it.
        """
        self._check_clients()
        entries = self.workspace.inventory()
        assert not list(self.home.glob(".reconciler/inventory/*.journal"))
        kept = self.kept_secrets()
        lost = {key for key, entry in entries.items() if entry.get("secret") == "lost"}
        assert {entries[key]["id"] for key in lost} <= excused
        for key in entries.keys() - lost:
            there = entries[key]["id"]
            assert there in kept, f"the secret of {key} is nowhere"
            assert kept[there] == created.get(there, kept[there])
        (target,) = self.workspace.plan().targets
        assert target.errors == ()
        assert target.refusals == ()
        left = [
            (change.key, change.action.value, change.reason)
            for change in target.changes
            if change.action is not Action.NOOP
        ]
        assert left == []
        # Where the manifest allows a replace, that was the way to a secret again.
        assert "renewed" not in lost
        told = {
            change.key
            for change in target.changes
            if any("secret is lost" in words for words in change.warnings)
        }
        assert told == lost
        return lost

    def command(self, *arguments: str, at: Path | None = None) -> tuple[int, str]:
        """Run the command line in this process, and give its exit code and what it printed."""
        project = ("--project", str(at or self.home))
        done = CliRunner().invoke(root, [*arguments, *project], env=self.workspace.env)
        return done.exit_code, done.output

    def settle(self, printed: str, keys: Iterable[str] = NEW) -> None:
        """Look on the server for what each unanswered create came to, as the tool asked for."""
        assert "reconciler resolve" in printed, printed
        owned = {entry["id"] for entry in self.workspace.inventory().values()} | self.foreign.keys()
        there = {
            client["name"]: client[self.identifier]
            for client in self.sandbox.clients(self.vendor)
            if client[self.identifier] not in owned
        }
        for key in keys:
            if f"resolve {key}" not in printed:
                continue
            found = there.get(f"Client {key}")
            answer = ("--absent",) if found is None else ("--id", found)
            code, printed_too = self.command("resolve", key, *answer)
            assert code == 0, printed_too

    def recovered(self, report: ApplyReport | None) -> str:
        """Run again undisturbed, hold what is there to the promises, and say how it ended."""
        whole = report is not None and {each.status for each in report.outcomes} == {Status.DONE}
        excused = set()
        if self.vendor == "sailpoint":
            excused = self.created().keys() - self.kept_secrets().keys()
        plan, again = self.attempt()
        settled = again is None and self.vendor == "provident"
        if settled:
            self.settle("\n".join(vetoes(plan)))
            _, again = self.attempt()
        assert again is not None, plan
        assert {each.status for each in again.outcomes} == {Status.DONE}, again
        lost = self.check(self.created(), excused)
        if lost:
            return LOST
        return SETTLED if settled else "done all the same" if whole else "converged"

    def _check_clients(self) -> None:
        there = {one[self.identifier]: one for one in self.sandbox.clients(self.vendor)}
        assert {key: there.get(key) for key in self.foreign} == self.foreign
        entries = self.workspace.inventory()
        assert entries.keys() == self.wanted()
        bound = {entry["id"]: f"Client {key}" for key, entry in entries.items()}
        assert len(bound) == len(entries)
        # A client whose successor has no secret that anybody knows must go on working.
        kept = {
            old: f"Client {key}"
            for key, entry in entries.items()
            if entry.get("secret") == "lost"
            for old in entry["superseded"]
        }
        ours = {key: one["name"] for key, one in there.items() if key not in self.foreign}
        assert ours == {**kept, **bound}
        if self.vendor == "provident":
            assert there[entries["leaves"]["id"]]["isActive"] is False
        assert {old for each in entries.values() for old in each["superseded"]} == kept.keys()


def vetoes(plan: Plan) -> list[str]:
    """Why a guard lets no part of a plan be sent."""
    return [
        refusal.message
        for target in plan.targets
        for refusal in (*target.refusals, *(change.refusal for change in target.changes))
        if refusal is not None
    ]


def told(record_property: Any, what: str, outcomes: Counter[str]) -> None:
    """Have the end of the test run print how many points were tried, and what came of them."""
    parts = ", ".join(f"{count} {how}" for how, count in sorted(outcomes.items()))
    record_property("faults", f"{what}: {outcomes.total()} points: {parts}")


class Run:
    """One run of the command line that is under way."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.code: int | None = None
        self._ended = Event()

    def end(self, code: int) -> None:
        self.code = code
        self._ended.set()

    def wait_for_end(self) -> None:
        self._ended.wait()


class Runner:
    """Runs the command line in processes of its own, without paying for its imports each time."""

    def __init__(self, folder: Path, trial: Trial) -> None:
        self._trial, self._output = trial, folder / "output.txt"
        self.run: Run | None = None
        self._started = Event()
        self._process = subprocess.Popen(
            [sys.executable, str(RUNNER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"},
        )

    def __call__(self, *arguments: str, kill: dict[str, Any] | None = None) -> tuple[int, str]:
        """Run to the end, and give the exit code, negative for a signal, and what was printed."""
        order = {
            "cwd": str(self._trial.home),
            "env": self._trial.workspace.env,
            "arguments": arguments,
            "output": str(self._output),
            "kill": kill,
        }
        process = self._process
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        self.run = Run(json.loads(process.stdout.readline()))
        self._started.set()
        self.run.end(json.loads(process.stdout.readline()))
        self._started.clear()
        self._trial.gate.drain()
        return self.run.code, self._output.read_text()

    def kill(self) -> None:
        """Kill the run that is under way, and wait until it is dead."""
        self._started.wait()
        os.kill(self.run.pid, signal.SIGKILL)
        self.run.wait_for_end()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@contextmanager
def trial(folder: Path, vendor: str) -> Iterator[tuple[Trial, Runner]]:
    """A trial of `vendor` with a sandbox and a gate of its own."""
    with running(rate_limit=None, seed=1) as sandbox, gate(sandbox.port) as (opened, port):
        made = Trial(folder, sandbox, vendor, opened, port)
        runner = Runner(folder, made)
        try:
            yield made, runner
        finally:
            runner.close()
