"""What every history of a team holds to: its state, its invariants, and that it ends converged."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reconciler.sandbox.server import running
from support.gate import Reply
from support.gate import gate as open_gate
from support.team_repo import Stated, TeamRepo
from support.workspace import MINIMAL


class TeamMachine(RuleBasedStateMachine):
    """A team with two targets of one server, and others who work on it; of one vendor."""

    vendor = ""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        sandbox = self._stack.enter_context(running(rate_limit=None, seed=1))
        gate, port = self._stack.enter_context(open_gate(sandbox.port))
        self.repo = TeamRepo(folder, sandbox, self.vendor, gate, port)
        self.foreign: dict[str, object] = {}
        self.bound: dict[int, str] = {}
        self.serial = 0

    @initialize()
    def a_team_begins(self):
        self.others_make_a_client()
        for number in (1, 2, 3):
            self.repo.clients[number] = Stated(side=number % 2, key=f"c{number}")
        self.an_apply()

    def teardown(self) -> None:
        """Let the history end: whatever went before, a few plain runs converge."""
        try:
            self.repo.disturb()
            self.repo.prune = False
            self.converge()
            there = Counter(each["name"] for each in self.ours().values())
            for number in self.repo.clients:
                assert there[f"Client {number}"] == 1, there
            self._secrets_are_kept()
        finally:
            self._stack.close()

    @rule()
    def others_make_a_client(self):
        self.serial += 1
        spec = {**MINIMAL[self.vendor], "name": f"Theirs {self.serial}"}
        (made,) = self.repo.sandbox.seed(self.vendor, [spec])
        self.foreign[made] = self.repo.on_server()[made]

    @rule()
    def others_delete_a_client(self):
        if self.foreign:
            gone = min(self.foreign)
            del self.foreign[gone]
            self.repo.sandbox.remove(self.vendor, gone)

    @rule()
    def an_apply(self):
        self.repo.write()
        _code, printed = self.repo.apply()
        assert "two-owners" not in printed
        assert "other-server" not in printed
        self.note_ids()

    def converge(self):
        """Apply and resolve until nothing is left to do."""
        for _ in range(4):
            self.an_apply()
            self._resolve()
        code, printed = self.repo.run("plan", "--detailed-exitcode")
        assert code == 0, printed

    def _resolve(self):
        """Look on the server for what each unanswered create came to, as the tool asks for."""
        _, printed = self.repo.run("plan", "--format", "json")
        bound = self.recorded()
        there = {one["name"]: key for key, one in self.ours().items() if key not in bound}
        for number, stated in self.repo.clients.items():
            if not re.search(rf"resolve {stated.key}\b(?!-)", printed):
                continue
            found = there.get(f"Client {number}")
            answer = ("--absent",) if found is None else ("--id", found)
            target = self.repo.targets[stated.side].name
            code, said = self.repo.run("resolve", stated.key, *answer, "--target", target)
            assert code == 0, said

    def applied(self, number):
        """Whether a client was seen on record and on the server."""
        return number in self.repo.clients and number in self.bound

    def note_ids(self):
        """Each client that the record knows and the server has keeps the id that it was seen with."""
        for number in self.repo.clients:
            found = self.repo.recorded_id(number)
            if found is not None and found in self.repo.on_server():
                assert self.bound.setdefault(number, found) == found

    def recorded(self):
        """The ids of all clients on record."""
        records = self.repo.records().values()
        return {entry["id"] for record in records for entry in record.values()}

    def ours(self):
        """The clients that the team made, by id."""
        there = self.repo.on_server()
        return {
            key: one
            for key, one in there.items()
            if key not in self.foreign and key not in self.repo.first
        }

    def _secrets_are_kept(self):
        kept, told = self.repo.kept_secrets(), self.repo.told_secrets
        for found in self.bound.values():
            if found in self.repo.on_server() and found not in self.repo.unheard:
                assert (found, told[found]) in kept, f"the secret of {found} is not kept"

    @invariant()
    def nothing_foreign_has_changed(self):
        there = self.repo.on_server()
        assert {key: there.get(key) for key in self.foreign} == self.foreign

    @invariant()
    def no_client_is_doubled(self):
        names = Counter(each["name"] for each in self.ours().values())
        assert max(names.values(), default=0) <= 1, names

    @invariant()
    def nobody_has_two_owners(self):
        owned = [
            entry["id"] for record in self.repo.records().values() for entry in record.values()
        ]
        assert len(owned) == len(set(owned))
        assert not self.foreign.keys() & set(owned)


def lacking(mask, known, *, cut):
    """Answers of a list without some of the clients `known`: those that `mask` picks, or the last ones.

    A client of a lost create is in no record yet. From one that was never made only time can tell
    it, where its list lags behind with this one alone: that is not tried here.
    """

    def answer(call, reply):
        body = json.loads(reply.content) if reply.status == 200 and reply.content else None
        listed = body.get("data", body) if isinstance(body, dict) else body
        if call.method != "GET" or not isinstance(listed, list):
            return None
        kept = [
            one
            for place, one in enumerate(listed)
            if one.get("id") not in known or not _hidden(place, len(listed), mask, cut=cut)
        ]
        shown = {**body, "data": kept} if isinstance(body, dict) else kept
        return Reply(content=json.dumps(shown).encode())

    return answer


def _hidden(place, length, mask, *, cut):
    return place >= mask % (length + 1) if cut else bool(mask >> place % 8 & 1)
