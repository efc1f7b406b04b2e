"""Targets of one server know of each other; a client that is renamed stays the client that it is."""

from __future__ import annotations

import pytest
from support.given import client, context, entry, field, intent, live, manifest, provider, replace

from reconciler.core.changes import Action, RecordMove
from reconciler.core.model import Inventory
from reconciler.core.project import Policy
from reconciler.plan.context import Neighbour
from reconciler.plan.ownership import adoption_refusal, importable, resolution_refusal
from reconciler.plan.planner import plan_target
from reconciler.provider.model import Identity

URI = "https://web.example.com/cb"
VENDOR = provider(
    field("name"),
    field("uris"),
    identity=Identity(pointer="/id", match="name", recognize=("name", "uris")),
)
SERVER = "https://id.example.com/clients"
WEB = client("1", name="Web", uris=[URI])
BESIDE = client("9", name="Beside", uris=["https://beside.example.com"])
PRUNE = Policy(prune=True, keep_used_days=0)


def spec(name="Web", uris=(URI,)):
    return {"name": name, "uris": list(uris)}


def other(name="people", *manifests, entries=None, pending=(), is_target=True, server=""):
    """Another target of the server, or a record without a target."""
    inventory = Inventory(
        target=name,
        entries=entries or {},
        pending={each.key: each for each in pending},
        server=server,
    )
    named = {each.name: replace(each, target=name) for each in manifests}
    return Neighbour(target=name, inventory=inventory, manifests=named, is_target=is_target)


def of(*neighbours, entries=None, pending=(), **facts):
    inventory = Inventory(
        target="shop",
        entries=entries or {},
        pending={each.key: each for each in pending},
        server=facts.pop("recorded", ""),
    )
    stated = {
        "inventory": inventory,
        "live": live(WEB, BESIDE),
        "server": SERVER,
        "neighbours": neighbours,
    }
    return context(VENDOR, **{**stated, **facts})


def formerly(known, *names):
    return replace(known, target=replace(known.target, formerly=names))


def plan(known, *manifests):
    return plan_target(known, manifests)


def rules(planned):
    return {change.key: change.refusal and change.refusal.rule for change in planned.changes}


def actions(planned):
    return [(change.key, change.action.value) for change in planned.changes]


BOUND = other(entries={"web": entry("1")})
STATED = other("people", manifest("web", id="1"))


@pytest.mark.parametrize(
    "holder", [BOUND, STATED, other(entries={"x": entry("2", superseded=("1",))})]
)
def test_what_another_target_of_the_server_claims_is_nobody_elses(holder):
    known = of(holder)

    by_id = plan(known, manifest("web", id="1", spec=spec()))
    assert rules(by_id) == {"web": "two-owners"}
    assert "people/" in by_id.changes[0].refusal.message
    assert "shop/web" in by_id.changes[0].refusal.message
    assert adoption_refusal(known, WEB, manifest("web")).rule == "two-owners"
    assert resolution_refusal(known, WEB, intent("web", name="Web")).rule == "two-owners"
    free, left = importable(known, [WEB, BESIDE], by_id=True)
    assert (free, left["1"].rule) == ([BESIDE], "two-owners")


def test_a_client_of_another_target_is_not_adopted_by_its_name():
    planned = plan(
        of(BOUND, policy=Policy(adopt="unowned")), manifest("mine", spec=spec(uris=["x"]))
    )

    assert actions(planned) == [("mine", "create")]


def test_what_two_records_bind_neither_changes():
    planned = plan(of(BOUND, entries={"web": entry("1")}), manifest("web", spec=spec("Other")))

    assert rules(planned) == {"web": "two-owners"}
    assert planned.changes[0].requests == ()


def test_a_client_that_another_target_means_is_not_pruned():
    known = of(STATED, entries={"web": entry("1"), "b": entry("9")}, policy=PRUNE)

    planned = plan(known, manifest("b", spec={}))

    assert rules(planned)["web"] == "two-owners"
    assert "reconciler move shop/web people/web" in planned.changes[1].refusal.message


def test_what_a_lost_create_of_another_target_may_have_made_is_left_alone():
    known = of(other(pending=[intent("web", name="Web")]), policy=Policy(adopt="unowned"))

    assert rules(plan(known, manifest("mine", spec=spec(uris=["x"])))) == {"mine": "pending-create"}
    assert adoption_refusal(known, BESIDE, manifest("b")) is None


@pytest.mark.parametrize("stated", ["old", "shop/old"])
def test_a_renamed_key_keeps_its_client(stated):
    known = of(entries={"old": entry("1", secret="stored")}, policy=PRUNE)

    planned = plan(known, manifest("web", spec=spec(), formerly=(stated,)))

    assert actions(planned) == [("web", "move"), ("web", "noop")]
    move = planned.changes[0]
    assert move.record == RecordMove(target="shop", key="old")
    assert (move.remote_id, move.requests, move.refusal) == ("1", (), None)
    assert "sink" in move.warnings[0]


def test_a_client_that_moves_between_targets_keeps_its_id_and_takes_its_updates():
    known = of(BOUND)

    planned = plan(known, manifest("site", spec=spec("New"), formerly=("people/web",)))

    assert actions(planned) == [("site", "move"), ("site", "update")]
    assert planned.changes[1].remote_id == "1"
    assert planned.changes[0].record == RecordMove(target="people", key="web")


def test_the_old_target_lets_the_client_go():
    taker = other("people", manifest("site", formerly=("shop/web",)))
    known = of(taker, entries={"web": entry("1"), "b": entry("9")}, policy=PRUNE)

    planned = plan(known, manifest("b", spec={}))

    assert actions(planned) == [("b", "noop")]
    assert "web moves to people/site" in planned.warnings[0]


def test_a_renamed_target_takes_its_whole_record_along():
    old = other("store", entries={"web": entry("1"), "b": entry("9")}, is_target=False)
    known = formerly(of(old, policy=PRUNE), "store")

    planned = plan(known, manifest("web", spec=spec()))

    assert actions(planned) == [("b", "move"), ("b", "delete"), ("web", "move"), ("web", "noop")]
    assert planned.warnings == ()


def test_a_key_may_be_renamed_together_with_its_target():
    old = other("store", entries={"old": entry("1")}, is_target=False)

    planned = plan(formerly(of(old), "store"), manifest("web", spec=spec(), formerly=("old",)))

    assert actions(planned) == [("web", "move"), ("web", "noop")]


def test_a_move_that_was_cut_short_is_ended():
    known = of(BOUND, entries={"site": entry("1")})

    planned = plan(known, manifest("site", spec=spec(), formerly=("people/web",)))

    assert actions(planned) == [("site", "move"), ("site", "noop")]
    assert rules(planned) == {"site": None}


@pytest.mark.parametrize("formerly_stated", ["long-ago", "gone/web", "people/nobody"])
def test_a_former_key_that_no_record_holds_asks_for_nothing(formerly_stated):
    planned = plan(of(BOUND), manifest("mine", spec=spec("M", ["x"]), formerly=(formerly_stated,)))

    assert actions(planned) == [("mine", "create")]


def test_a_former_key_that_is_another_client_by_now_is_left_alone():
    known = of(entries={"old": entry("9"), "web": entry("1")})

    planned = plan(known, manifest("web", spec=spec(), formerly=("old",)), manifest("old", spec={}))

    assert actions(planned) == [("old", "noop"), ("web", "noop")]


REFUSED_MOVES = {
    "a manifest still has the old key": (
        {"entries": {"old": entry("1")}},
        [manifest("web", spec=spec(), formerly=("old",)), manifest("old", spec=spec())],
        "ambiguous-move",
    ),
    "a manifest of the other target still has it": (
        {"beside": [other("people", manifest("web"), entries={"web": entry("1")})]},
        [manifest("web", spec=spec(), formerly=("people/web",))],
        "ambiguous-move",
    ),
    "it was two clients": (
        {"entries": {"a": entry("1"), "b": entry("9")}},
        [manifest("web", spec=spec(), formerly=("a", "b"))],
        "ambiguous-move",
    ),
    "metadata.id names another": (
        {"entries": {"old": entry("1")}},
        [manifest("web", id="9", spec=spec(), formerly=("old",))],
        "bound-elsewhere",
    ),
    "a successor of it is pending": (
        {"entries": {"old": entry("1")}, "pending": [intent("old", name="Web")]},
        [manifest("web", spec=spec(), formerly=("old",))],
        "pending-create",
    ),
}


@pytest.mark.parametrize("situation", REFUSED_MOVES)
def test_a_move_that_may_be_wrong_is_refused_and_nothing_is_created_in_its_place(situation):
    facts, manifests, rule = REFUSED_MOVES[situation]

    planned = plan(of(*facts.pop("beside", ()), **facts), *manifests)

    assert rules(planned)["web"] == rule
    assert ("web", "create") not in actions(planned)


@pytest.mark.parametrize(
    ("ours", "theirs", "claimed"),
    [
        ({"site": ["web"], "app": ["web"]}, {}, "shop/app and shop/site"),
        ({"site": ["web"], "app": ["shop/web", "web"]}, {}, "shop/app and shop/site"),
        ({"site": ["web"], "app": ["before", "web"]}, {}, "shop/app and shop/site"),
        ({"site": ["web"]}, {"site": ["shop/web"]}, "people/site and shop/site"),
        ({"a": ["web"], "b": ["web"]}, {"c": ["shop/web"]}, "people/c and shop/a and shop/b"),
    ],
)
def test_a_client_that_several_say_to_have_been_is_given_to_none(ours, theirs, claimed):
    known = of(
        other("people", *(manifest(key, formerly=tuple(old)) for key, old in theirs.items())),
        entries={"web": entry("1")},
    )
    stated = [manifest(key, formerly=tuple(old), spec=spec()) for key, old in ours.items()]

    changes = plan_target(known, stated).changes

    refused = {change.key: change.refusal for change in changes if change.refusal}
    assert refused.keys() == ours.keys()
    for refusal in refused.values():
        assert refusal.rule.value == "ambiguous-move"
        assert f"{claimed} were all formerly shop/web" in refusal.message


def test_who_has_a_client_of_its_own_claims_no_former_one():
    known = of(entries={"web": entry("1"), "app": entry("9")})
    stated = [
        manifest("site", formerly=("web",), spec=spec()),
        manifest("app", formerly=("web",), spec={"name": "Beside"}),
    ]

    changes = plan_target(known, stated).changes

    assert [(change.key, change.action) for change in changes if change.refusal] == []
    assert ("site", Action.MOVE) in [(change.key, change.action) for change in changes]


def test_what_a_former_name_holds_besides_waits_for_a_pending_create():
    old = other(
        "store", entries={"b": entry("9")}, pending=[intent("b", name="B")], is_target=False
    )

    assert rules(plan(formerly(of(old), "store"))) == {"b": "pending-create"}
    assert actions(plan(formerly(of(), "nobody"))) == []
    taken = formerly(of(old, entries={"b": entry("9")}), "store")
    assert rules(plan(taken, manifest("b", spec={}))) == {"b": "pending-create"}


def test_a_former_name_gives_no_key_that_has_another_client_here():
    old = other("store", entries={"b": entry("9")}, is_target=False)

    planned = plan(formerly(of(old, entries={"b": entry("1")}), "store"), manifest("b", spec={}))

    assert actions(planned) == [("b", "noop")]


LOOKS_LIKE = {
    "the name": ("Web", ["https://another.example.com"]),
    "the redirect URIs": ("Another", [URI]),
}


@pytest.mark.parametrize("alike", LOOKS_LIKE)
@pytest.mark.parametrize("seen", [True, False])
def test_a_create_that_looks_like_a_vanished_client_is_told(alike, seen):
    remembered = entry("1", applied=spec())
    known = of(entries={"old": remembered})
    if not seen:
        known = replace(known, live=live(listed=False, gone=frozenset()))

    planned = plan(known, manifest("new", spec=spec(*LOOKS_LIKE[alike])))

    assert "metadata.formerly: [old]" in planned.changes[0].warnings[0]


def test_a_create_that_looks_like_what_another_target_lost_is_told():
    known = of(other(entries={"web": entry("1")}))

    planned = plan(known, manifest("new", spec=spec()), manifest("b", spec=spec("B", ["b"])))

    assert "metadata.formerly: [people/web]" in planned.changes[1].warnings[0]
    assert planned.changes[0].warnings == ()


def test_a_plan_that_would_delete_and_create_what_looks_like_one_client_is_refused():
    known = of(entries={"old": entry("1"), "b": entry("9")}, policy=PRUNE)

    planned = plan(known, manifest("new", spec=spec("Another")), manifest("b", spec={}))

    assert rules(planned) == {"b": None, "new": "rename", "old": "rename"}
    assert all(change.requests == () for change in planned.changes)


def test_a_client_that_another_target_is_about_to_create_is_not_deleted_here():
    taker = other("people", manifest("new", spec=spec("Another")))
    known = of(taker, entries={"old": entry("1"), "b": entry("9")}, policy=PRUNE)

    planned = plan(known, manifest("b", spec={}))

    assert rules(planned) == {"b": None, "old": "rename"}
    stranger = of(
        other("people", manifest("new", spec=spec("X", ["x"]))),
        entries={"old": entry("1"), "b": entry("9")},
        policy=PRUNE,
    )
    assert rules(plan(stranger, manifest("b", spec={}))) == {"b": None, "old": None}


def test_a_record_without_a_target_is_told_and_its_clients_are_not_made_again():
    old = other("store", entries={"web": entry("1", applied=spec())}, is_target=False)

    planned = plan(of(old), manifest("web", spec=spec()))

    assert rules(planned) == {"web": "rename"}
    assert "formerly: store" in planned.warnings[0]
    assert "formerly: store" in planned.changes[0].refusal.message


@pytest.mark.parametrize(
    ("recorded", "names", "refused"),
    [
        ("", (), False),
        (SERVER, (), False),
        ("https://old.example.com/clients", (), True),
        ("https://old.example.com/clients", ("https://OLD.example.com:443/",), False),
        ("https://old.example.com/clients", ("old",), True),
    ],
)
def test_a_record_of_another_server_is_refused_until_the_user_says_so(recorded, names, refused):
    planned = plan(formerly(of(recorded=recorded), *names))

    assert [one.rule for one in planned.refusals] == (["other-server"] if refused else [])


def test_moves_are_refused_by_no_guard_of_changes():
    known = of(entries={"old": entry("1")}, own_id="1")

    assert rules(plan(known, manifest("web", spec={}, formerly=("old",)))) == {"web": None}
    assert Action.MOVE.value == "move"
