"""What holds for every client of every vendor."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import WORDS, shown, specs
from support.given import KEY, client, context, entry, live, manifest
from support.vendors import NAMES, vendor

from reconciler.core.changes import Action, Plan
from reconciler.core.model import Secret
from reconciler.plan.applied import make_entry as entry_for
from reconciler.plan.diff import compare
from reconciler.plan.planner import plan_target
from reconciler.plan.requests import needs_replace, update_requests
from reconciler.provider import references
from reconciler.provider.model import Provider, UpdateStyle
from reconciler.provider.secrets import seal
from reconciler.render import json as as_json
from reconciler.render import markdown, text

each_vendor = pytest.mark.parametrize("name", NAMES)


def after(provider: Provider, body: dict[str, Any], request_body: Any) -> dict[str, Any]:
    """What a server that keeps to its page holds after an update: the judge of our requests."""
    if provider.style is UpdateStyle.JSON_PATCH:
        return jsonpatch.apply_patch(body, request_body)
    envelope = provider.update.envelope
    fields = request_body if envelope is None else request_body[envelope]
    emptied = {name: [] for name in provider.always}
    written = dict(fields)
    return {**copy.deepcopy(body), **emptied, **written}


def as_bytes(plan) -> str:
    return as_json.render_plan(Plan(targets=(plan,)), version="0")


@each_vendor
@given(st.data())
def test_a_client_that_is_as_wanted_has_no_changes(name, data):
    provider, wanted = vendor(name), data.draw(specs(name))

    assert compare(provider, wanted, shown(provider, wanted, "1"), key=KEY) == ()


@each_vendor
@given(st.data())
def test_one_request_makes_a_server_as_wanted_and_touches_nothing_else(name, data):
    provider = vendor(name)
    before = shown(provider, data.draw(specs(name)), "1")
    wanted = data.draw(specs(name, partial=True))
    changed = [
        change.field
        for change in compare(provider, wanted, before, key=KEY)
        if not needs_replace(provider, provider.fields[change.field], wanted[change.field])
    ]
    wanted = {field: wanted[field] for field in changed}

    (request,) = update_requests(provider, wanted, before, changed)
    body = after(provider, before, request.body)

    assert compare(provider, wanted, body, key=KEY) == ()
    others = [field for field in provider.fields.values() if field.name not in wanted]
    untouched = {field.name: before[field.name] for field in others if field.name in before}
    assert compare(provider, untouched, body, key=KEY) == ()


@given(specs("sailpoint"), specs("sailpoint", partial=True))
def test_a_patch_holds_no_null_no_index_and_one_operation_a_field(one, wanted):
    provider = vendor("sailpoint")
    before = shown(provider, one, "1")
    changed = [change.field for change in compare(provider, wanted, before, key=KEY)]

    (request,) = update_requests(provider, wanted, before, changed)

    assert [step["path"] for step in request.body] == sorted(f"/{name}" for name in changed)
    for step in request.body:
        assert step["op"] == "remove" or step["value"] is not None


@given(specs("boruta"), specs("boruta", partial=True))
def test_every_put_to_boruta_carries_the_full_list_of_scopes(one, wanted):
    provider = vendor("boruta")
    before = shown(provider, one, "1")

    (request,) = update_requests(provider, wanted, before, list(wanted))

    assert "authorized_scopes" in request.body["client"]


def stirred(order, value: Any) -> Any:
    """`value` with the members of every mapping and list in it in another order."""
    if isinstance(value, list):
        return [stirred(order, member) for member in order.sample(value, len(value))]
    if isinstance(value, dict):
        members = order.sample(list(value.items()), len(value))
        return {name: stirred(order, member) for name, member in members}
    return value


@each_vendor
@given(st.data())
def test_order_changes_no_byte_of_a_plan(name, data):
    provider = vendor(name)
    drawn = data.draw(st.lists(st.tuples(specs(name), specs(name)), min_size=1, max_size=4))
    manifests = [manifest(f"c{i}", spec=spec) for i, (spec, _) in enumerate(drawn)]
    clients = [client(str(i), **shown(provider, spec, str(i))) for i, (_, spec) in enumerate(drawn)]
    entries = {f"c{i}": entry(str(i)) for i in range(len(drawn))}
    order = data.draw(st.randoms(use_true_random=False))
    moved = [
        client(**{"remote_id": each.remote_id, **stirred(order, each.body)})
        for each in stirred(order, clients)
    ]
    rewritten = [
        manifest(each.name, spec=stirred(order, each.spec)) for each in stirred(order, manifests)
    ]

    # The tests of a patch repeat the server's own order: without them it must not show.
    one = plan_target(
        context(provider, live=live(*clients), entries=entries, conflict_check="none"), manifests
    )
    other = plan_target(
        context(
            provider, live=live(*moved), entries=stirred(order, entries), conflict_check="none"
        ),
        rewritten,
    )

    assert as_bytes(one) == as_bytes(other)


@each_vendor
@given(st.data())
def test_a_client_takes_one_request_and_only_where_it_differs(name, data):
    provider = vendor(name)
    wanted = data.draw(specs(name, partial=True))
    body = shown(provider, data.draw(specs(name)), "1")
    known = context(provider, live=live(client("1", **body)), entries={"web": entry("1")})

    (change,) = plan_target(known, [manifest(spec=wanted)]).changes

    differs = bool(compare(provider, wanted, body, key=KEY))
    assert (change.action is Action.NOOP) is not differs
    if change.action is Action.UPDATE:
        assert len(change.requests) == (0 if change.refusal else 1)


@each_vendor
@given(st.data())
def test_what_was_applied_and_then_moves_on_the_server_is_drift(name, data):
    provider = vendor(name)
    wanted = manifest(spec=data.draw(specs(name)))
    applied = shown(provider, wanted.spec, "1")
    remembered = entry_for(provider, wanted, "1", applied, key=KEY, now="2026-01-01T00:00:00Z")
    body = shown(provider, data.draw(specs(name)), "1")

    moved = compare(provider, wanted.spec, body, key=KEY, entry=remembered)

    assert {change.origin.value for change in moved} <= {"drift"}


@each_vendor
@given(st.data())
def test_no_rendering_of_a_plan_shows_a_secret(name, data):
    provider = vendor(name)
    secret = f"s3cr3t{data.draw(st.integers(10**9, 10**10))}"
    wanted = {**data.draw(specs(name)), "name": Secret(secret)}
    told = {field.name: f"live-{secret}" for field in provider.fields.values() if field.secret}
    body = seal(provider, {**shown(provider, data.draw(specs(name)), "1"), **told})
    known = context(provider, live=live(client("1", **body)), entries={"web": entry("1")})

    plan = Plan(
        targets=(plan_target(known, [manifest(spec=wanted), manifest("new", spec=wanted)]),)
    )

    renderings = [
        as_json.render_plan(plan, version="0"),
        markdown.render_plan(plan),
        text.render_plan(plan, show_requests=True),
        repr(plan),
    ]
    assert not [one for one in renderings if secret in one]


@given(WORDS, specs("boruta"))
def test_a_reference_stands_wherever_a_free_string_does(word, spec):
    provider = vendor("boruta")
    uris = ["https://a.example.com", {"env": "URI"}]
    spec = {**spec, "name": {"env": "NAME"}, "redirect_uris": uris}

    found = references.find(spec, provider)
    resolved = references.substitute(spec, {pointer: Secret(word) for pointer, _ in found})

    assert sorted(pointer for pointer, _ in found) == ["/name", "/redirect_uris/1"]
    assert resolved["redirect_uris"] == ["https://a.example.com", Secret(word)]
    assert json.dumps(spec)
