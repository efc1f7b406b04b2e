"""Any history of two targets on one server, of renames, of lists that lack clients, of files and of git."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from support.gate import DROPPED, Reply
from support.gate import gate as open_gate
from support.team_repo import Stated, TeamRepo
from support.vendors import NAMES
from support.workspace import MINIMAL

from reconciler.http.transport import Transport
from reconciler.sandbox.server import running

NUMBERS = st.integers(1, 4)
SIDES = st.integers(0, 1)
# More examples find more: RECONCILER_HISTORIES=200 takes some minutes.
HISTORIES = settings(
    max_examples=int(os.environ.get("RECONCILER_HISTORIES", "3")),
    stateful_step_count=9,
    derandomize="RECONCILER_HISTORIES" not in os.environ,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


class TeamHistory(RuleBasedStateMachine):
    """What a team, its git and its server do to two targets; made for one vendor by `of`."""

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
            self._converge()
            there = Counter(each["name"] for each in self._ours().values())
            for number in self.repo.clients:
                assert there[f"Client {number}"] == 1, there
            self._secrets_are_kept()
        finally:
            self._stack.close()

    @rule(number=NUMBERS, side=SIDES)
    def somebody_states_a_client(self, number, side):
        stated = self.repo.clients.get(number)
        if stated is None:
            self.serial += 1
            self.repo.clients[number] = Stated(side=side, key=f"c{number}-{self.serial}")
        else:
            stated.value = stated.value % 100 + 1

    @rule(number=NUMBERS)
    def somebody_takes_a_client_away(self, number):
        """With prune, so that what is stated again later is another client."""
        if self._applied(number) and len(self.repo.clients) > 1:
            self.repo.prune = True
            del self.repo.clients[number]
            self.an_apply()
            self.repo.prune = False
            self.bound.pop(number, None)
            if any(f"Client {number}" == each["name"] for each in self._ours().values()):
                self._back_under_its_key(number)

    def _back_under_its_key(self, number):
        """It could not be taken away: a vendor without a delete, or a refusal."""
        for side in range(2):
            for key, entry in self.repo.record(side).items():
                name = self._ours().get(entry["id"], {}).get("name")
                if name == f"Client {number}":
                    self.repo.clients[number] = Stated(side=side, key=key)

    @rule(number=NUMBERS, stated=st.booleans())
    def a_key_is_renamed(self, number, stated):
        client = self.repo.clients.get(number)
        if client is None:
            return
        self.serial += 1
        old, known = client.key, self._applied(number)
        client.key = f"c{number}-{self.serial}"
        if known and not stated:
            self._nothing_is_doubled_unseen(f"metadata.formerly: [{old}]")
        client.metadata = {"formerly": [old, *client.metadata.get("formerly", [])]}
        self.an_apply()

    def _nothing_is_doubled_unseen(self, line):
        """What was not stated is told by a plan, and refused where the old one would be deleted."""
        for prune in (False, True):
            self.repo.prune = prune
            self.repo.write()
            assert line in self.repo.run("plan")[1]
        there = self.repo.on_server()
        code, printed = self.repo.apply()
        assert code == 3, printed
        assert self.repo.on_server().keys() == there.keys()
        self.repo.prune = False

    @rule(number=NUMBERS, how=st.sampled_from(["formerly", "move", "id"]))
    def a_client_moves_to_the_other_target(self, number, how):
        client = self.repo.clients.get(number)
        if client is None or not self._applied(number):
            return
        old = f"{self.repo.targets[client.side].name}/{client.key}"
        client.side = 1 - client.side
        new = f"{self.repo.targets[client.side].name}/{client.key}"
        former = client.metadata.get("formerly", [])
        if how == "id":
            client.metadata = {"id": self.bound[number], "formerly": former}
            self.repo.write()
            code, printed = self.repo.apply()
            assert code == 3, printed
        if how == "move":
            client.metadata = {}
            self.repo.write()
            code, printed = self.repo.run("move", old, new)
            assert code == 0, printed
        else:
            client.metadata = {"formerly": [old, *former]}
        self.an_apply()

    @rule(side=SIDES, stated=st.booleans())
    def a_target_is_renamed(self, side, stated):
        target = self.repo.targets[side]
        had = self.repo.record(side)
        self.serial += 1
        old, target.name = target.name, f"t{side}-{self.serial}"
        if had and not stated:
            there = self.repo.on_server()
            self.repo.write()
            code, printed = self.repo.apply()
            assert f"formerly: {old}" in printed
            assert self.repo.on_server().keys() == there.keys(), (code, printed)
        target.settings = {"formerly": old}
        # What was said of a place by the target's old name is said by its new one.
        for client in self.repo.clients.values():
            former = client.metadata.get("formerly", [])
            if former:
                client.metadata = {"formerly": [re.sub(f"^{old}/", f"{target.name}/", one) for one in former]}
        self.an_apply()

    @rule(side=SIDES, spelling=st.integers(0, 6))
    def a_target_spells_its_server_otherwise(self, side, spelling):
        self.repo.targets[side].spelling = spelling
        self.an_apply()

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

    @rule(number=NUMBERS)
    def an_administrator_deletes_one_of_ours(self, number):
        if self._applied(number):
            self.repo.sandbox.remove(self.vendor, self.bound.pop(number))

    @rule()
    def an_apply(self):
        self.repo.write()
        _code, printed = self.repo.apply()
        assert "two-owners" not in printed
        assert "other-server" not in printed
        self._note_ids()

    @rule(mask=st.integers(1, 255), cut=st.booleans())
    def an_apply_whose_list_lacks_clients(self, mask, cut):
        """A list that lags lacks any of them, one that is cut the last ones."""
        self.repo.disturb(after=lacking(mask, cut=cut))
        self.an_apply()
        self.repo.disturb()

    @rule(mask=st.integers(1, 255))
    def an_apply_while_others_work(self, mask):
        """A foreign client goes and another comes while the list is read, and the list shows it late."""
        late, worked = lacking(mask, cut=False), []

        def meanwhile(call, reply):
            if call.method == "GET" and not worked:
                worked.append(call)
                self.others_delete_a_client()
                self.others_make_a_client()
            return late(call, reply)

        self.repo.disturb(after=meanwhile)
        self.an_apply()
        self.repo.disturb()

    @rule(point=st.integers(2, 8), after=st.booleans(), mask=st.integers(0, 255))
    def an_apply_that_loses_its_server(self, point, after, mask):
        """And the list of the next run lags."""
        side = "after" if after else "before"
        self.repo.disturb(**{side: lambda call, *_: DROPPED if call.number >= point else None})
        self.an_apply()
        self.an_apply_whose_list_lacks_clients(mask, cut=False)

    @rule(number=NUMBERS, ending=st.sampled_from(["yaml", "yml", "JSON"]))
    def a_manifest_is_not_read(self, number, ending):
        client = self.repo.clients.get(number)
        if client is None:
            return
        known = self.bound.get(number) if self._applied(number) else None
        client.ending, self.repo.prune = ending, True
        self.an_apply()
        assert known is None or known in self.repo.on_server()
        client.ending, self.repo.prune = "json", False

    @rule(side=SIDES)
    def a_checkout_is_sparse(self, side):
        self.repo.prune = True
        self.repo.write()
        self.repo.commit()
        there = self.repo.on_server().keys()
        self.repo.git("sparse-checkout", "set", "--no-cone", "/*", f"!/clients/{side}/")
        self.repo.apply()
        self._note_ids()
        self.repo.git("sparse-checkout", "disable")
        self.repo.prune = False
        assert there <= self.repo.on_server().keys()

    @rule(renamed=st.booleans())
    def two_branches_apply_and_are_merged(self, renamed):
        self._converge()
        self.repo.commit()
        one, two = self.serial + 11, self.serial + 12
        self.serial += 12
        before = dict(self.repo.clients)
        self.repo.git("checkout", "-q", "-b", f"side-{one}")
        theirs = self._a_branch_applies(one, 0, renamed=renamed)
        self.repo.git("checkout", "-q", "main")
        self.repo.clients = before
        ours = self._a_branch_applies(two, 1, renamed=False)
        self.repo.git("merge", "-q", "--no-edit", f"side-{one}")
        self.repo.clients = {
            number: stated
            for number, stated in (ours | theirs).items()
            if number in ours or number not in before
        }
        if renamed and 1 in theirs:
            self.repo.clients[1] = theirs[1]
        self._note_ids()
        assert self.repo.run("plan", "--detailed-exitcode")[0] == 0, self.repo.run("plan")[1]

    def _a_branch_applies(self, number, side, *, renamed):
        """Add a client, and give the first another key where `renamed`; apply these alone."""
        clients = self.repo.clients = dict(self.repo.clients)
        clients[number] = Stated(side=side, key=f"b{number}")
        chosen = [f"b{number}"]
        if renamed and 1 in clients:
            old = clients[1]
            former = [old.key, *old.metadata.get("formerly", [])]
            clients[1] = Stated(old.side, f"r{number}", old.value, {"formerly": former})
            chosen.append(f"r{number}")
        self.repo.write()
        code, printed = self.repo.apply(*(f"--select={key}" for key in chosen))
        assert code == 0, printed
        self.repo.commit()
        return clients

    def _converge(self):
        for _ in range(4):
            self.an_apply()
            self._resolve()
        code, printed = self.repo.run("plan", "--detailed-exitcode")
        assert code == 0, printed

    def _resolve(self):
        """Look on the server for what each unanswered create came to, as the tool asks for."""
        _, printed = self.repo.run("plan", "--format", "json")
        bound = {entry["id"] for each in self.repo.records().values() for entry in each.values()}
        there = {one["name"]: key for key, one in self._ours().items() if key not in bound}
        for number, stated in self.repo.clients.items():
            if not re.search(rf"resolve {stated.key}\b(?!-)", printed):
                continue
            found = there.get(f"Client {number}")
            answer = ("--absent",) if found is None else ("--id", found)
            target = self.repo.targets[stated.side].name
            code, said = self.repo.run("resolve", stated.key, *answer, "--target", target)
            assert code == 0, said

    def _applied(self, number):
        return number in self.repo.clients and number in self.bound

    def _note_ids(self):
        """Each client that the record knows and the server has keeps the id that it was seen with."""
        for number in self.repo.clients:
            found = self.repo.recorded_id(number)
            if found is not None and found in self.repo.on_server():
                assert self.bound.setdefault(number, found) == found

    def _ours(self):
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
                assert kept.get(found) == told[found], f"the secret of {found} is not kept"

    @invariant()
    def nothing_foreign_has_changed(self):
        there = self.repo.on_server()
        assert {key: there.get(key) for key in self.foreign} == self.foreign

    @invariant()
    def no_client_is_doubled(self):
        names = Counter(each["name"] for each in self._ours().values())
        assert max(names.values(), default=0) <= 1, names

    @invariant()
    def nobody_has_two_owners(self):
        owned = [
            entry["id"] for record in self.repo.records().values() for entry in record.values()
        ]
        assert len(owned) == len(set(owned))
        assert not self.foreign.keys() & set(owned)


def lacking(mask, *, cut):
    """Answers of a list without some of its clients: those that `mask` picks, or the last ones."""

    def answer(call, reply):
        body = json.loads(reply.content) if reply.status == 200 and reply.content else None
        listed = body.get("data", body) if isinstance(body, dict) else body
        if call.method != "GET" or not isinstance(listed, list):
            return None
        kept = listed[: mask % (len(listed) + 1)] if cut else _picked(listed, mask)
        shown = {**body, "data": kept} if isinstance(body, dict) else kept
        return Reply(content=json.dumps(shown).encode())

    return answer


def _picked(listed, mask):
    return [each for place, each in enumerate(listed) if not mask >> place % 8 & 1]


@pytest.mark.parametrize("vendor", NAMES)
def test_any_history_of_a_team_ends_well(vendor, monkeypatch):
    monkeypatch.setitem(Transport.__init__.__kwdefaults__, "jitter", lambda: 0.0)
    of_vendor = type("TeamHistory", (TeamHistory,), {"vendor": vendor})

    run_state_machine_as_test(of_vendor, settings=HISTORIES)
