"""Any history of two targets on one server, of renames, of lists that lack clients, of files and of git."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    rule,
    run_state_machine_as_test,
)
from support.gate import DROPPED
from support.team_machine import TeamMachine, lacking
from support.team_repo import Stated
from support.vendors import NAMES

from reconciler.http.transport import Transport

NUMBERS = st.integers(1, 4)
SIDES = st.integers(0, 1)
# More examples find more: RECONCILER_HISTORIES=200 takes some minutes.
HISTORIES = settings(
    max_examples=int(os.environ.get("RECONCILER_HISTORIES", "6")),
    stateful_step_count=9,
    derandomize="RECONCILER_HISTORIES" not in os.environ,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


class TeamHistory(TeamMachine):
    """What a team, its git and its server do to two targets; made for one vendor by `of`."""

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
        if self.applied(number) and len(self.repo.clients) > 1:
            self.repo.prune = True
            del self.repo.clients[number]
            self.an_apply()
            self.repo.prune = False
            self.bound.pop(number, None)
            if any(f"Client {number}" == each["name"] for each in self.ours().values()):
                self._back_under_its_key(number)

    def _back_under_its_key(self, number):
        """It could not be taken away: a vendor without a delete, or a refusal."""
        for side in range(2):
            for key, entry in self.repo.record(side).items():
                name = self.ours().get(entry["id"], {}).get("name")
                if name == f"Client {number}":
                    self.repo.clients[number] = Stated(side=side, key=key)

    @rule(number=NUMBERS, stated=st.booleans())
    def a_key_is_renamed(self, number, stated):
        client = self.repo.clients.get(number)
        if client is None:
            return
        self.serial += 1
        old, known = client.key, self.applied(number)
        client.key = f"c{number}-{self.serial}"
        if known and not stated:
            self._nothing_is_doubled_unseen(f"metadata.formerly: [{old}]")
        self._state_former_names(client, old)
        self.an_apply()

    def _state_former_names(self, client, *more):
        """State all that a client was called, but for what it is called now; an empty list is refused."""
        now = (client.key, f"{self.repo.targets[client.side].name}/{client.key}")
        former = [*more, *client.metadata.get("formerly", [])]
        left = [one for one in dict.fromkeys(former) if one not in now]
        client.metadata = {"formerly": left} if left else {}

    def _nothing_is_doubled_unseen(self, line):
        """What was not stated is told by a plan, and refused where the old one would be deleted."""
        for prune in (False, True):
            self.repo.prune = prune
            self.repo.write()
            assert line in self.repo.run("plan")[1]
        there = self.repo.on_server()
        if self.vendor != "provident":
            # It deletes nobody, so there the old client is left alone, and the create only told.
            code, printed = self.repo.apply()
            assert code == 3, printed
        assert self.repo.on_server().keys() == there.keys()
        self.repo.prune = False

    @rule(number=NUMBERS, how=st.sampled_from(["formerly", "move", "id"]))
    def a_client_moves_to_the_other_target(self, number, how):
        client = self.repo.clients.get(number)
        if client is None or not self.applied(number):
            return
        old = f"{self.repo.targets[client.side].name}/{client.key}"
        client.side = 1 - client.side
        new = f"{self.repo.targets[client.side].name}/{client.key}"
        if how == "id":
            client.metadata = {"id": self.bound[number]}
            self.repo.write()
            code, printed = self.repo.apply()
            assert code == 3, printed
        if how == "move":
            client.metadata = {}
            self.repo.write()
            code, printed = self.repo.run("move", old, new)
            assert code == 0, printed
        else:
            client.metadata.pop("id", None)
            self._state_former_names(client, old)
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
            renamed = [re.sub(f"^{old}/", f"{target.name}/", one) for one in former]
            client.metadata = {}
            self._state_former_names(client, *renamed)
        self.an_apply()

    @rule(side=SIDES, spelling=st.integers(0, 6))
    def a_target_spells_its_server_otherwise(self, side, spelling):
        self.repo.targets[side].spelling = spelling
        self.an_apply()

    @rule(number=NUMBERS)
    def an_administrator_deletes_one_of_ours(self, number):
        if self.applied(number):
            self.repo.sandbox.remove(self.vendor, self.bound.pop(number))

    @rule(mask=st.integers(1, 255), cut=st.booleans())
    def an_apply_whose_list_lacks_clients(self, mask, cut):
        """A list that lags lacks any of them, one that is cut the last ones."""
        self.repo.disturb(after=lacking(mask, self.recorded(), cut=cut))
        self.an_apply()
        self.repo.disturb()

    @rule(mask=st.integers(1, 255))
    def an_apply_while_others_work(self, mask):
        """A foreign client goes and another comes while the list is read, and the list shows it late."""
        late, worked = lacking(mask, self.recorded(), cut=False), []

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
        known = self.bound.get(number) if self.applied(number) else None
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
        self.note_ids()
        self.repo.git("sparse-checkout", "disable")
        self.repo.prune = False
        assert there <= self.repo.on_server().keys()

    @rule(renamed=st.booleans())
    def two_branches_apply_and_are_merged(self, renamed):
        self.converge()
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
        self.note_ids()
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


@pytest.mark.parametrize("vendor", NAMES)
def test_any_history_of_a_team_ends_well(vendor, monkeypatch):
    monkeypatch.setitem(Transport.__init__.__kwdefaults__, "jitter", lambda: 0.0)
    of_vendor = type("TeamHistory", (TeamHistory,), {"vendor": vendor})

    run_state_machine_as_test(of_vendor, settings=HISTORIES)
