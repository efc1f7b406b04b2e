"""The ends of rules: what is said where nothing else can be done, and where there is nothing to say."""

from __future__ import annotations

import pytest
from support.given import context, entry, field, manifest, provider

from reconciler.core.changes import Action, Change
from reconciler.core.model import Inventory, Secret
from reconciler.core.times import span
from reconciler.plan.context import Neighbour
from reconciler.plan.diff import compare
from reconciler.plan.export import _secret_notes, _writable_values
from reconciler.plan.fields.patch import _is_masked
from reconciler.plan.fields.taken import _network
from reconciler.plan.guards.changes import hidden_secret_refusal, in_vain_refusal
from reconciler.plan.guards.rotation import _succession_refusal
from reconciler.plan.moves.moves import _after
from reconciler.plan.planner import plan_target
from reconciler.plan.secrets.places import way_to_a_secret
from reconciler.provider.schema_refs import without_refs

BARE = provider(field("name"), delete=None)


@pytest.mark.parametrize(
    ("seconds", "words"), [(86400, "24h"), (5400, "90m"), (30, "30s"), (0.5, "0.5s"), (0, "0s")]
)
def test_a_span_is_told_in_its_largest_whole_unit(seconds, words):
    assert span(seconds) == words


def test_where_nothing_changes_a_secret_a_new_client_is_the_way():
    assert way_to_a_secret(BARE, "web") == "only a new client beside it has another"
    assert _succession_refusal(BARE, manifest()).rule == "no-rotate"
    stated = way_to_a_secret(provider(field("secret", secret=True)), "web")
    assert stated == "state another as spec.secret in its manifest, and apply"


def test_a_secret_inside_a_field_is_noted_by_its_place():
    (note,) = _secret_notes({"name": {}}, {"name": {"password": Secret("x")}})

    assert note.field == "name/password"


def test_a_mask_is_found_in_lists_and_objects():
    masked = Secret("***", masked=True)

    assert _is_masked([{"a": masked}])
    assert not _is_masked([{"a": Secret("x")}, 1])


@pytest.mark.parametrize("text", ["/x", "-", " 10.0.0.1"])
def test_what_begins_like_no_address_is_no_network(text):
    assert _network(text) == ""


def test_nothing_hidden_and_nothing_in_vain_is_no_refusal():
    (change,) = compare(BARE, {"name": "new"}, {"name": "old"}, key=b"k")
    made = entry("1", applied={"name": "new"}, answered={"name": "old"})

    assert hidden_secret_refusal(()) is None
    assert hidden_secret_refusal(("/mail/password",)).rule == "hidden-secret"
    assert in_vain_refusal(None, [change]) is None
    assert in_vain_refusal(made, [change]).rule == "replace-in-vain"


def test_what_is_no_move_leaves_the_record_as_it_is():
    known = context(BARE)
    change = Change(target="shop", key="web", action=Action.NOOP, reason="")

    assert _after(known, change) is known


def test_a_client_that_another_target_still_names_has_not_vanished():
    named = Inventory(target="people", entries={"web": entry("9", applied={"name": "Web"})})
    beside = Neighbour(target="people", inventory=named, manifests={"web": manifest("web")})

    (change,) = plan_target(
        context(BARE, neighbours=(beside,)), [manifest("new", spec={"name": "Web"})]
    ).changes

    assert change.warnings == ()


def test_a_ref_may_lead_to_a_schema_that_is_no_object():
    schema = {"properties": {"a": {"$ref": "#/$defs/s"}}, "$defs": {"s": True}}

    assert without_refs(schema)["properties"]["a"] is True


def test_of_an_object_that_is_all_secrets_nothing_is_stated():
    of = provider(
        field("mail", schema={"properties": {"password": {"x-reconciler": {"secret": True}}}})
    )

    assert dict(_writable_values(of, {"mail": {"password": Secret("x")}}, full=True)) == {}
