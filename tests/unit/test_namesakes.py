"""A create is refused whose name a client has that is not ours, until somebody says which is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.given import client, context, entry, field, intent, live, manifest, provider

from reconciler.core.changes import Action
from reconciler.core.model import Inventory, Secret
from reconciler.plan.planner import plan_target
from reconciler.provider.model import Identity

VENDOR = provider(field("name"), field("scope"))
WEB = {"name": "Web"}
FOREIGN = client("8", name="Web")


def planned(known, *manifests):
    return {each.key: each for each in plan_target(known, manifests).changes}


@pytest.mark.parametrize(
    ("wanted", "facts", "action", "rule"),
    [
        (manifest(spec=WEB), {"live": live(FOREIGN)}, "create", "foreign-namesake"),
        (manifest(spec=WEB), {"live": live(client("8", name="Other"))}, "create", None),
        (manifest(spec=WEB), {"live": live(client("8", name="web"))}, "create", None),
        (manifest(spec=WEB), {"live": live(client("8", name=["Web"]))}, "create", None),
        (manifest(spec={"scope": "x"}), {"live": live(client("8"))}, "create", None),
        (manifest(spec=WEB, allow_namesake=True), {"live": live(FOREIGN)}, "create", None),
        (manifest(spec=WEB, id="8"), {"live": live(FOREIGN)}, "adopt", None),
        (
            manifest(spec={"name": Secret("Web")}),
            {"live": live(FOREIGN)},
            "create",
            "foreign-namesake",
        ),
        # Ours under another key, or its predecessor: not foreign.
        (
            manifest(spec=WEB),
            {"live": live(FOREIGN), "entries": {"old": entry("8")}},
            "create",
            None,
        ),
        (
            manifest(spec=WEB),
            {
                "live": live(FOREIGN, client("9", name="x")),
                "entries": {"api": entry("9", superseded=("8",))},
                "others": frozenset({"api"}),
            },
            "create",
            None,
        ),
        # Gone and made again by somebody, under another id.
        (
            manifest(spec=WEB),
            {"live": live(FOREIGN, gone={"1"}), "entries": {"web": entry("1")}},
            "create",
            "foreign-namesake",
        ),
        # Where no list was read nobody can look.
        (manifest(spec=WEB), {"live": live(gone=set())}, "create", None),
    ],
)
def test_a_create_beside_a_foreign_client_of_its_name(wanted, facts, action, rule):
    change = planned(context(VENDOR, **facts), wanted)["web"]

    assert change.action.value == action
    assert (change.refusal and change.refusal.rule) == rule
    assert (change.requests == ()) == (rule is not None or action == "adopt")


def test_the_refusal_names_every_such_client_and_each_way_out():
    known = context(VENDOR, live=live(client("8", name="Web"), client("7", name="Web")))

    refusal = planned(known, manifest(spec=WEB))["web"].refusal

    assert "named 'Web' that is not ours (7, 8)" in refusal.message
    for way in ("reconciler adopt web --id ID", "metadata.id", "lifecycle.allowNamesake: true"):
        assert way in refusal.message
    assert refusal.holds_back == "apply"


def test_the_only_one_is_named_in_the_command():
    refusal = planned(context(VENDOR, live=live(FOREIGN)), manifest(spec=WEB))["web"].refusal

    assert "reconciler adopt web --id 8" in refusal.message


def test_no_refusal_points_to_an_adoption_that_would_be_refused():
    kept = replace(VENDOR, protected=frozenset({"Web"}))

    refusal = planned(context(kept, live=live(FOREIGN)), manifest(spec=WEB))["web"].refusal

    assert "adopt" not in refusal.message
    assert "'Web' belongs to the server itself" in refusal.message
    assert "lifecycle.allowNamesake: true" in refusal.message


def test_a_namesake_that_is_allowed_is_told():
    known = context(VENDOR, live=live(FOREIGN))

    (warning,) = planned(known, manifest(spec=WEB, allow_namesake=True))["web"].warnings

    assert "that is not ours (8); another is created" in warning


def test_a_client_that_the_same_plan_takes_over_is_no_foreign_one():
    known = context(VENDOR, live=live(FOREIGN))

    changes = planned(known, manifest("a", spec=WEB, id="8"), manifest("b", spec=WEB))

    assert changes["b"].refusal is None
    assert changes["b"].action is Action.CREATE


def test_nor_is_one_that_a_lost_create_made():
    made = client("8", name="Web", created="2027-01-01T00:00:00Z")
    vendor = replace(
        VENDOR,
        identity=Identity(pointer="/id", match="name", recognize=("name",), created="/created"),
    )
    lost = Inventory(target="shop", entries={}, pending={"web": intent(name="Web")})
    known = context(vendor, live=live(made), inventory=lost)

    change = planned(known, manifest(spec=WEB))["web"]

    assert (change.action, change.refusal) == (Action.ADOPT, None)


def test_a_vendor_without_names_has_no_namesakes():
    nameless = replace(VENDOR, identity=Identity(pointer="/id"))

    change = planned(context(nameless, live=live(FOREIGN)), manifest(spec=WEB))["web"]

    assert (change.refusal, change.warnings) == (None, ())
