"""What a refusal holds back: the change of its client alone, or the whole apply."""

import pytest
from support.given import client, context, field, manifest, provider, replace

from reconciler.core.changes import Action, Change, FieldChange, Origin, Refusal
from reconciler.core.model import MISSING, Redacted
from reconciler.core.project import Policy
from reconciler.plan.guards.changes import change_refusal, refuse
from reconciler.plan.guards.limits import threshold_refusals
from reconciler.plan.guards.rules import Rule

VENDOR = provider(field("name"), field("ttl", immutable=True), field("key", immutable=True))
ALONE = {
    "own-client",
    "protected",
    "prevent-destroy",
    "replace-not-allowed",
    "replace-in-vain",
    "hidden-secret",
    "replace-bound-id",
    "replace-unowned",
    "no-delete",
    "bound-id-absent",
    "barred",
    "taken-value",
    "ambiguous-adoption",
    "doubtful-list",
    "ambiguous-create",
    "unknown-create",
    "pending-create",
}


def target(refused=None):
    found = context(VENDOR)
    return replace(found, target=replace(found.target, policy=Policy(refused=refused)))


def moved(name="ttl", origin=Origin.DRIFT, before=100):
    return FieldChange(field=name, before=before, after=300, origin=origin)


def change(*fields, action=Action.REPLACE, **facts):
    stated = {"target": "shop", "key": "web", "reason": "", "remote_id": "1"}
    wanted = manifest(spec={"name": 300, "ttl": 300, "key": 300}, **facts)
    return Change(
        **stated, action=action, fields=fields, manifest=wanted, live=client("1", name="web")
    )


def held_back(change, rule=Rule.REPLACE_NOT_ALLOWED, refused=None):
    return refuse(target(refused), change, Refusal(rule=rule, message="no")).refusal.holds_back


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((moved(),), "client"),
        ((moved(), moved("key")), "client"),
        ((moved(), moved("name", Origin.CONFIG)), "client"),
        ((moved(), moved("name", Origin.BOTH)), "client"),
        ((moved(origin=Origin.CONFIG),), "apply"),
        ((moved(origin=Origin.BOTH),), "apply"),
        ((moved(), moved("key", Origin.CONFIG)), "apply"),
        ((moved(origin=Origin.CONFIG), moved("name")), "apply"),
        ((), "apply"),
    ],
)
def test_a_replace_that_drift_alone_asks_for_holds_back_its_client(fields, expected):
    assert held_back(change(*fields)) == expected


def test_where_nothing_is_replaced_every_field_has_to_be_drift():
    drift, config = moved("name"), moved("key", Origin.CONFIG)

    update = {"rule": Rule.OWN_CLIENT}
    assert held_back(change(drift, action=Action.UPDATE), **update) == "client"
    assert held_back(change(drift, config, action=Action.UPDATE), **update) == "apply"


@pytest.mark.parametrize("rule", Rule)
def test_only_rules_about_one_client_can_be_skipped(rule):
    expected = "client" if rule.value in ALONE else "apply"

    assert held_back(change(moved()), rule=rule) == expected
    assert held_back(change(moved(origin=Origin.CONFIG)), rule=rule, refused="skip") == expected
    assert held_back(change(moved()), rule=rule, refused="stop") == "apply"


def test_a_refused_change_shows_no_request():
    assert refuse(target(), change(moved()), Refusal(rule="a", message="no")).requests == ()


def test_what_is_held_back_alone_counts_towards_no_limit():
    one = refuse(target(), change(moved()), Refusal(rule=Rule.REPLACE_NOT_ALLOWED, message="no"))
    stopped = refuse(target("stop"), change(moved()), one.refusal)

    assert threshold_refusals([one] * 9, Policy(max_deletes=0)) == ()
    assert len(threshold_refusals([stopped], Policy(max_deletes=0))) == 1


@pytest.mark.parametrize(
    ("facts", "way"),
    [
        ({}, "lifecycle.allowReplace: true"),
        ({"prevent_destroy": True}, "lifecycle.preventDestroy"),
        ({"id": "1"}, "take metadata.id out"),
    ],
)
def test_a_refused_replace_names_every_way_out(facts, way):
    refusal = change_refusal(target(), change(moved(), moved("key"), **facts))

    assert way in refusal.message
    assert "(ttl: 100, key: 100)" in refusal.message
    assert "list /ttl, /key in lifecycle.ignoreChanges" in refusal.message


def test_a_vendor_without_a_delete_leaves_the_ways_that_keep_the_client():
    keeper = replace(target(), provider=replace(VENDOR, delete=None))

    refusal = change_refusal(keeper, change(moved()))

    assert "(ttl: 100), or list /ttl in lifecycle.ignoreChanges" in refusal.message


def test_a_secret_is_never_told_as_the_value_to_state_and_what_is_not_shown_not_at_all():
    hidden = Redacted("hmac:0123")

    secret = change_refusal(target(), change(moved(before=hidden)))
    unseen = change_refusal(target(), change(moved(before=MISSING)))

    assert "state that in its manifest (ttl), or" in secret.message
    assert "ignoreChanges" not in unseen.message
