"""Any history of edits, crashes, runs and policies: one client a key at most, and converged at the end."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from support.gate import DROPPED, gate
from support.trial import MOVED, Trial, vetoes
from support.vendors import NAMES

from reconciler.core.changes import Action
from reconciler.http.transport import Transport
from reconciler.sandbox.server import running

KEYS = st.sampled_from(["stays", "moves", "leaves", "new-a", "new-b", "new-c"])
LIMIT = 2
HISTORIES = settings(
    max_examples=6,
    stateful_step_count=10,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


class History(RuleBasedStateMachine):
    """A fleet that users, administrators, crashes and several runs work on; made for one vendor by `of`."""

    vendor = ""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        sandbox = self._stack.enter_context(running(rate_limit=None, seed=1))
        opened, port = self._stack.enter_context(gate(sandbox.port))
        self.fleet = Trial(folder, sandbox, self.vendor, opened, port)
        self.value = 300
        self.ever_ours: set[str] = set()

    def teardown(self) -> None:
        """Let the history end: whatever went before, a few plain runs converge."""
        try:
            self.fleet.gate.set_aside()
            self._restore_policy(adopt="never", prune=False)
            for _ in range(4):
                self._settle_what_is_asked()
                self.fleet.attempt()
            plan, _ = self.fleet.attempt()
            (target,) = plan.targets
            assert target.errors == ()
            allowed = {Action.NOOP}
            assert {change.action for change in target.changes} <= allowed, target.changes
            self.no_key_has_two_clients()
        finally:
            self._stack.close()

    @rule(key=KEYS)
    def a_user_writes_a_manifest(self, key):
        self.value += 1
        (name,) = MOVED[self.vendor]
        value = 100 + self.value % 150
        spec = self.fleet.spec(key, **{name: value})
        # Strangers have names of ours, and what is forgotten here is a stranger's from then on.
        self.fleet.workspace.write(key, spec, lifecycle={"allowNamesake": True})

    @rule(key=KEYS)
    def a_user_takes_a_manifest_away(self, key):
        (self.fleet.home / "clients" / f"{key}.json").unlink(missing_ok=True)

    @rule(key=KEYS)
    def an_administrator_edits_a_client(self, key):
        entry = self.fleet.workspace.inventory().get(key)
        if entry is not None and entry["id"] in self._there():
            self.value += 1
            (name,) = MOVED[self.vendor]
            self.fleet.sandbox.edit(self.vendor, entry["id"], **{name: 100 + self.value % 150})

    @rule(prune=st.booleans(), adopt=st.sampled_from(["never", "unowned"]))
    def the_policy_changes(self, prune, adopt):
        self._restore_policy(adopt=adopt, prune=prune)

    def _restore_policy(self, *, adopt, prune):
        policy = {"adopt": adopt, "prune": prune, "maxDeletes": LIMIT, "maxChangePercent": 100}
        self.fleet.workspace.write_project(policy=policy)

    @rule()
    def a_run(self):
        self._within_limits(self.fleet.attempt)

    @rule(point=st.integers(2, 9), after=st.booleans())
    def a_run_that_loses_its_server(self, point, after):
        side = "after" if after else "before"
        self.fleet.gate.set(**{side: lambda call, *_: DROPPED if call.number >= point else None})
        self._within_limits(self.fleet.attempt)
        self.fleet.gate.set_aside()

    @rule()
    def two_runs_at_once(self):
        def both():
            threads = [Thread(target=self._quietly) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        self._within_limits(both)

    @rule(point=st.integers(2, 9), works=st.booleans())
    def a_run_that_loses_its_lock(self, point, works):
        """Another run takes the lock of one that waits for an answer, and may do all its work."""
        taken = []

        def take(call, _reply):
            if call.number >= point and not taken:
                taken.append(call)
                for lock in self.fleet.home.glob(".reconciler/inventory/.locks/*.lock"):
                    lock.unlink()
                if works:
                    self._quietly()

        def both():
            # One at a time: what has left when the lock goes nobody can call back.
            self.fleet.workspace.write_project(concurrency=1)
            self.fleet.gate.set(after=take)
            self._quietly()
            self.fleet.gate.set_aside()
            del self.fleet.workspace.settings["concurrency"]
            self.fleet.workspace.write_project()

        self._within_limits(both)

    def _quietly(self):
        self.fleet.attempt()

    def _settle_what_is_asked(self):
        plan, report = self.fleet.attempt()
        if report is None and self.vendor == "provident":
            words = "\n".join(vetoes(plan))
            self.fleet.settle(words, keys=("new-a", "new-b", "new-c", "stays", "moves", "leaves"))

    def _there(self):
        clients = self.fleet.sandbox.clients(self.vendor)
        return {client[self.fleet.identifier] for client in clients}

    def _within_limits(self, act):
        before = self._there()
        act()
        assert len(before - self._there()) <= LIMIT * (2 if act.__name__ == "both" else 1)

    def _foreign(self):
        """The clients that nobody ever took over."""
        ours = {entry["id"] for entry in self.fleet.workspace.inventory().values()}
        self.ever_ours |= ours
        return self.fleet.foreign.keys() - self.ever_ours

    @invariant()
    def nothing_foreign_has_changed(self):
        there = {one[self.fleet.identifier]: one for one in self.fleet.sandbox.clients(self.vendor)}
        for remote_id in self._foreign():
            assert there.get(remote_id) == self.fleet.foreign[remote_id]

    @invariant()
    def no_key_has_two_clients(self):
        foreign = self._foreign()
        names = Counter(
            client["name"]
            for client in self.fleet.sandbox.clients(self.vendor)
            if client[self.fleet.identifier] not in foreign
        )
        # While it is replaced, its predecessors that are on record and one successor are there too.
        entry = self.fleet.workspace.inventory().get("renewed", {})
        assert names.pop("Client renewed", 0) <= 2 + len(entry.get("superseded", ()))
        assert max(names.values(), default=0) <= 1, names


@pytest.mark.parametrize("vendor", NAMES)
def test_any_history_ends_well(vendor, monkeypatch):
    monkeypatch.setitem(Transport.__init__.__kwdefaults__, "jitter", lambda: 0.0)
    of_vendor = type("History", (History,), {"vendor": vendor})

    run_state_machine_as_test(of_vendor, settings=HISTORIES)
