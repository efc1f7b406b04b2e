"""Clients that the server does not let anybody read: by a plan they are neither gone nor changed."""

from dataclasses import replace

import pytest
from support.given import client, context, entry, field, live, manifest, provider, with_policy

from reconciler.core.changes import Action
from reconciler.core.project import Policy
from reconciler.plan.guards.rules import Rule
from reconciler.plan.planner import plan_target
from reconciler.provider.model import Endpoint

DELETE = Endpoint(method="DELETE", path="/{id}", expect=frozenset({204}))
VENDOR = provider(field("name"), delete=DELETE)
BARRED = {"1": "GET /clients/1 was answered with 401"}
PRUNING = Policy(prune=True, max_deletes=9, max_change_percent=100)


def planned(entries, manifests, *clients):
    seen = replace(live(*clients), barred=BARRED)
    known = with_policy(context(VENDOR, live=seen, entries=entries), PRUNING)
    return {change.key: change for change in plan_target(known, manifests).changes}


def test_a_client_with_a_manifest_is_refused():
    change = planned({"web": entry("1")}, [manifest(spec={"name": "a"})])["web"]

    assert change.action is Action.NOOP
    assert change.refusal.rule is Rule.BARRED
    assert "answered with 401" in change.refusal.message


def test_a_client_without_a_manifest_is_kept_with_the_reason():
    entries = {"web": entry("1"), "app": entry("2")}
    changes = planned(entries, [manifest("app", spec={"name": "b"})], client("2", name="b"))

    assert changes["web"].action is Action.NOOP
    assert "kept, since GET /clients/1" in changes["web"].reason


def test_a_predecessor_is_not_there_any_more():
    entries = {"web": entry("2", superseded=("1",))}
    change = planned(entries, [manifest(spec={"name": "b"})], client("2", name="b"))["web"]

    assert change.record.superseded == ()


@pytest.mark.parametrize("value", [None, 7, ["a"]])
def test_a_value_that_is_no_text_is_shared_by_nobody(value):
    vendor = provider(field("name"), field("tag"))
    vendor = replace(vendor, identity=replace(vendor.identity, unique=("tag",)))
    seen = live(client("1", name="a", tag=value))
    known = context(vendor, live=seen)
    (change,) = plan_target(known, [manifest(spec={"name": "b", "tag": "x"})]).changes

    assert change.refusal is None
