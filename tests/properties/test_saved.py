"""What holds for the digests of a saved plan, whatever the clients of a vendor are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import shown, specs
from support.given import client, context, entry, live, manifest
from support.vendors import NAMES, vendor

from reconciler.core.changes import Action, Plan
from reconciler.core.errors import StalePlan
from reconciler.plan.planfile import decision, differences, digest, open_saved, saved_document
from reconciler.plan.planner import plan_target
from reconciler.plan.preconditions import precondition_values
from reconciler.plan.preconditions import showable_values as shown_footing
from reconciler.plan.selection import Selection
from reconciler.render.json import json_text, plan_document

each_vendor = pytest.mark.parametrize("name", NAMES)


def saved(provider, clients, manifests) -> tuple[dict[str, Any], Any]:
    entries = {each.name: entry(each.name) for each in manifests}
    plan = plan_target(context(provider, live=live(*clients), entries=entries), manifests)
    rests = [
        {} if change.live is None else shown_footing(provider, change, {}, change.live.body)
        for change in plan.changes
    ]
    document = plan_document(Plan(targets=(plan,)), version="1")
    return saved_document(document, [rests], Selection()), plan


def drawn(data, name):
    provider = vendor(name)
    pairs = data.draw(st.lists(st.tuples(specs(name), specs(name)), min_size=1, max_size=3))
    manifests = [manifest(f"c{i}", spec=wanted) for i, (wanted, _) in enumerate(pairs)]
    clients = [
        client(**{"remote_id": f"c{i}", **shown(provider, there, f"c{i}")})
        for i, (_, there) in enumerate(pairs)
    ]
    return provider, clients, manifests


def stirred(order, value: Any) -> Any:
    """`value` with the members of every mapping, and of every list of strings, in another order."""
    if isinstance(value, list):
        return [stirred(order, member) for member in order.sample(value, len(value))]
    if isinstance(value, dict):
        return {
            name: stirred(order, member)
            for name, member in order.sample(list(value.items()), len(value))
        }
    return value


@each_vendor
@given(st.data())
def test_order_moves_no_digest_of_a_change(name, data):
    provider, clients, manifests = drawn(data, name)
    order = data.draw(st.randoms(use_true_random=False))
    moved = [
        client(**{"remote_id": each.remote_id, **stirred(order, dict(each.body))})
        for each in stirred(order, clients)
    ]

    one, _ = saved(provider, clients, manifests)
    other, _ = saved(provider, moved, stirred(order, manifests))

    digests = [
        [change["digest"] for change in document["targets"][0]["changes"]]
        for document in (one, other)
    ]
    assert digests[0] == digests[1]
    assert differences(one, other) == ()


@each_vendor
@given(st.data())
def test_any_change_of_a_live_value_that_a_change_rests_on_is_told(name, data):
    provider, clients, manifests = drawn(data, name)
    before, plan = saved(provider, clients, manifests)
    change = data.draw(st.sampled_from(plan.changes))
    field = data.draw(
        st.sampled_from(sorted(precondition_values(provider, change, change.live.body)))
    )
    edited = {**change.live.body, field: "a value that was never there"}

    moved = [
        client(**{"remote_id": each.remote_id, **edited}) if each is change.live else each
        for each in clients
    ]
    after, _ = saved(provider, moved, manifests)

    told = differences(before, after)
    # What was to stay as it is was not reviewed for a change: what it needs now is left, and listed.
    reviewed = [] if change.action is Action.NOOP else [f"shop/{change.key}"]
    assert [sentence.partition(": ")[0] for sentence in told] == reviewed


@each_vendor
@given(st.data())
def test_a_saved_plan_survives_its_file_and_no_edit_of_it_does(name, data):
    provider, clients, manifests = drawn(data, name)
    document, _ = saved(provider, clients, manifests)

    read = json.loads(json_text(document))

    (target,) = read["targets"]
    refusals = [*target["refusals"], *(change["refusal"] for change in target["changes"])]
    if any(refusal and "holdsBack" not in refusal for refusal in refusals):
        with pytest.raises(StalePlan, match="holds a refusal"):
            open_saved(read, name="f", version="1", fits=lambda _: True)
    else:
        assert open_saved(read, name="f", version="1", fits=lambda _: True)[0] == document
    assert read["digest"] == digest({k: v for k, v in read.items() if k != "digest"})
    change = data.draw(st.sampled_from(read["targets"][0]["changes"]))
    assert change["digest"] == digest(decision(change))
    change["action"] = "delete" if change["action"] != "delete" else "noop"
    assert change["digest"] != digest(decision(change))
    assert read["digest"] != digest({k: v for k, v in read.items() if k != "digest"})
