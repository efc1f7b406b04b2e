"""One client, every use case: whether it may be taken, changed or let go, and by which rule not.

Two use cases that answer differently about one client are how a client gets two owners, or none.
So each situation stands once in the table, with the answer of every use case beside it; a use case
that the situation cannot be asked about has a dash.
"""

from __future__ import annotations

import pytest
from support.given import client, context, entry, field, live, manifest, provider, replace
from support.given import intent as pending

from reconciler.core.model import Inventory, Secret
from reconciler.core.project import Policy
from reconciler.plan.guards.rotation import rotation_refusal
from reconciler.plan.guards.rules import Rule
from reconciler.plan.ownership import adoption_refusal, importable, resolution_refusal
from reconciler.plan.planner import plan_target
from reconciler.provider.model import Endpoint, Identity

VENDOR = provider(
    field("name"),
    field("internal"),
    field("secret", secret=True, read_only=True),
    identity=Identity(
        pointer="/id", match="name", recognize=("name",), created="/created", internal="/internal"
    ),
    rotate=Endpoint(method="POST", path="/{id}/secret", expect=frozenset({200})),
    protected=frozenset({"the server's own"}),
)
FREE = client("1", name="Web", created="2026-11-23T10:00:00Z")
OTHER = client("2", name="Other", created="2026-11-23T10:00:00Z")
INTERNAL = client("1", name="Web", created="2026-11-23T10:00:00Z", internal=True)
OLDER = client("1", name="Web", created="2020-01-01T00:00:00Z")

# What is so besides the client "1", which is called Web. `orders` is another client of ours.
SITUATIONS = {
    "nobody has it": {},
    "it is bound to another key": {"entries": {"orders": entry("1")}},
    "it is the predecessor of another key": {"entries": {"orders": entry("2", superseded=("1",))}},
    "another manifest states its id": {"manifests": [manifest("orders", id="1")]},
    "a lost create may have made it": {"pending": [pending("orders", name="Web")]},
    "a lost create sent nothing to know it by": {"pending": [pending("orders")]},
    "a lost create sent another name": {"pending": [pending("orders", name="Orders")]},
    "it is older than the lost create": {"pending": [pending("orders", name="Web")], "it": OLDER},
    "the server needs it": {"it": client("1", name="the server's own")},
    "the vendor marks it as its own": {"it": INTERNAL},
    "its mark is no mark": {"it": client("1", name="Web", internal="true")},
    "the tool logs in with it": {"own_id": "1"},
    "its name is no text": {"it": client("1", name=["Web"])},
    "a manifest without a client has its name": {
        "manifests": [manifest("x", spec={"name": "Web"})]
    },
}
USE_CASES = ("metadata.id", "by name", "import", "by id", "adopt", "resolve", "rotate", "prune")
TABLE = """
nobody has it                            | ok             | ok             | ok             | ok             | ok             | ok             | ok         | ok
it is bound to another key               | ok             | -              | bound          | bound          | bound          | bound          | -          | -
it is the predecessor of another key     | superseded     | -              | superseded     | superseded     | superseded     | superseded     | -          | -
another manifest states its id           | shared-id      | -              | meant          | meant          | meant          | meant          | -          | -
a lost create may have made it           | pending-create | pending-create | pending-create | pending-create | pending-create | pending-create | ok         | ok
a lost create sent nothing to know it by | pending-create | pending-create | pending-create | pending-create | pending-create | pending-create | ok         | ok
a lost create sent another name          | ok             | ok             | ok             | ok             | ok             | ok             | ok         | ok
it is older than the lost create         | ok             | ok             | ok             | ok             | ok             | ok             | ok         | ok
the server needs it                      | protected      | -              | protected      | ok             | protected      | ok             | protected  | protected
the vendor marks it as its own           | protected      | protected      | protected      | ok             | protected      | ok             | protected  | protected
its mark is no mark                      | ok             | ok             | ok             | ok             | ok             | ok             | ok         | ok
the tool logs in with it                 | ok             | ok             | own-client     | ok             | ok             | ok             | own-client | own-client
its name is no text                      | ok             | -              | ok             | ok             | ok             | ok             | ok         | ok
a manifest without a client has its name | ok             | shared-id      | namesake       | ok             | ok             | ok             | -          | -
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
CELLS = [
    (row[0], use_case, answer)
    for row in ROWS
    for use_case, answer in zip(USE_CASES, row[1:], strict=True)
]


class Asked:
    """One situation, and what each use case answers in it."""

    def __init__(self, *, it=FREE, entries=None, pending=(), manifests=(), own_id=None):
        self.client, self.manifests = it, list(manifests)
        self.entries, self.pending = dict(entries or {}), {each.key: each for each in pending}
        self.own_id = own_id

    def known(self, *others, **facts):
        """The target, with `others` and the situation's own manifests beside what is planned."""
        inventory = Inventory(
            target="shop",
            entries={**self.entries, **facts.pop("entries", {})},
            pending={**self.pending, **facts.pop("pending", {})},
        )
        named = {each.name: each for each in (*others, *self.manifests)}
        seen = live(self.client, OTHER)
        about = {"inventory": inventory, "live": seen, "own_id": self.own_id, "others": named}
        return context(VENDOR, **{**about, **facts})

    def planned(self, wanted, **facts):
        """Why the plan refuses to bind `wanted`, "-" where it does not get to this client."""
        known = self.known(**facts)
        plan = plan_target(replace(known, others={}), [wanted, *known.others.values()])
        change = next(each for each in plan.changes if each.key == wanted.name)
        if change.refusal is not None:
            return change.refusal.rule
        return None if change.remote_id == self.client.remote_id else "-"

    def metadata_id(self):
        return self.planned(manifest("web", id="1", spec={}))

    def by_name(self):
        wanted = manifest("web", spec={"name": "Web"})
        return self.planned(wanted, policy=Policy(adopt="unowned"))

    def imported(self, *, by_id):
        _, left = importable(self.known(), [self.client], by_id=by_id)
        return left[self.client.remote_id].rule if left else None

    def adopt(self):
        web = manifest("web", spec={})
        refused = adoption_refusal(self.known(web), self.client, web)
        return None if refused is None else refused.rule

    def resolve(self):
        mine = pending("web", name="Web")
        known = self.known(manifest("web", spec={}), pending={"web": mine})
        refused = resolution_refusal(known, self.client, mine)
        return None if refused is None else refused.rule

    def rotate(self):
        if "orders" in self.entries or self.manifests:
            return "-"
        known = self.known(entries={"web": entry("1")})
        refused = rotation_refusal(known, "web", self.client, None)
        return None if refused is None else refused.rule

    def prune(self):
        if "orders" in self.entries or self.manifests:
            return "-"
        policy = Policy(prune=True, keep_used_days=0)
        known = self.known(entries={"old": entry("1"), "web": entry("2")}, policy=policy)
        plan = plan_target(known, [manifest("web", spec={})])
        change = next(each for each in plan.changes if each.key == "old")
        return None if change.refusal is None else change.refusal.rule

    def answer(self, use_case):
        return {
            "metadata.id": self.metadata_id,
            "by name": self.by_name,
            "import": lambda: self.imported(by_id=False),
            "by id": lambda: self.imported(by_id=True),
            "adopt": self.adopt,
            "resolve": self.resolve,
            "rotate": self.rotate,
            "prune": self.prune,
        }[use_case]()


def test_a_login_may_spell_its_id_otherwise_for_every_use_case():
    asked = Asked(it=client("abc", name="Web"), own_id="ABC")
    known = asked.known(entries={"old": entry("abc"), "web": entry("2")}, policy=Policy(prune=True))

    assert asked.imported(by_id=False) == "own-client"
    assert rotation_refusal(known, "old", asked.client, None).rule == "own-client"
    plan = plan_target(known, [manifest("web", spec={})])
    assert {each.key: each.refusal and each.refusal.rule for each in plan.changes} == {
        "old": "own-client",
        "web": None,
    }


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"internal": True}, None),
        ({"internal": False}, "protected"),
        ({"name": "Web"}, "protected"),
    ],
)
def test_only_a_manifest_that_states_the_mark_may_have_what_the_vendor_marks_as_its_own(
    stated, expected
):
    asked, web = Asked(it=INTERNAL), manifest("web", spec=stated)
    bound = asked.known(web, entries={"web": entry("1")})

    refused = adoption_refusal(asked.known(web), INTERNAL, web)
    planned = asked.planned(replace(web, id="1"))
    rotated = rotation_refusal(bound, "web", INTERNAL, web)

    assert [each and each.rule for each in (refused, rotated)] == [expected, expected]
    assert planned == expected


def test_no_one_is_warned_of_a_namesake_that_another_manifest_means():
    elsewhere = manifest("orders", id="1", spec={})
    asked = Asked()

    plan = plan_target(asked.known(elsewhere), [manifest("web", spec={"name": "Web"})])

    assert [each.warnings for each in plan.changes] == [()]


def test_a_lost_create_is_not_made_again_while_another_manifest_means_what_it_may_have_made():
    lost = pending("orders", name="Web")
    wanted = manifest("web", id="1", spec={})
    asked = Asked(pending=[lost], manifests=[manifest("orders", spec={"name": "Web"})])

    together = plan_target(replace(asked.known(), others={}), [*asked.manifests, wanted])
    alone = plan_target(replace(asked.known(), others={"web": wanted}), asked.manifests)

    rules = {each.key: each.refusal.rule for each in together.changes}
    assert rules == {"orders": "ambiguous-create", "web": "pending-create"}
    assert [each.refusal.rule for each in alone.changes] == ["ambiguous-create"]


def test_what_two_lost_creates_may_have_made_is_bound_to_neither():
    both = [pending("orders", name="Web"), pending("web", name="Web")]
    asked = Asked(pending=both)

    plan = plan_target(asked.known(), [manifest("web", spec={"name": "Web"})])

    assert [each.refusal.rule for each in plan.changes] == ["ambiguous-create"]


def test_a_part_of_a_plan_does_not_bind_what_another_key_has():
    asked = Asked(entries={"orders": entry("1")}, manifests=[manifest("orders", spec={})])

    plan = plan_target(asked.known(), [manifest("web", id="1", spec={})])

    assert [each.refusal.rule for each in plan.changes] == ["bound"]


def test_a_secret_that_waits_is_not_lost():
    lost = pending("web", name="Web")
    known = Asked(pending=[lost]).known(spooled=frozenset({"1"}))

    (change,) = plan_target(known, [manifest("web", spec={"name": "Web"})]).changes

    assert change.record.secret == "spooled"
    assert "the next apply brings it to its sink" in change.warnings[0]


def test_a_name_that_came_from_a_reference_is_not_shown():
    wanted = manifest("web", spec={"name": Secret("Web")})

    (change,) = plan_target(Asked().known(), [wanted]).changes

    assert "a client of its name that is not ours (1)" in change.refusal.message
    assert "Web" not in change.refusal.message


def test_the_table_has_every_situation():
    assert [row[0] for row in ROWS] == list(SITUATIONS)


@pytest.mark.parametrize(("situation", "use_case", "expected"), CELLS)
def test_every_use_case_has_its_answer(situation, use_case, expected):
    asked = Asked(**SITUATIONS[situation])

    found = asked.answer(use_case)

    assert (found or "ok") == expected


def test_the_answers_are_rules():
    words = {cell for row in ROWS for cell in row[1:]}

    assert words - {"ok", "-"} <= set(Rule)
