"""Whatever is live and whatever is stated: a request drops nothing that nobody stated, and shows no secret."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch
from hypothesis import given
from hypothesis import strategies as st
from support.given import KEY, client, context, entry, field, live, manifest, provider

from reconciler.core.changes import Plan
from reconciler.core.secrets import reveal
from reconciler.plan.diff import compare
from reconciler.plan.fields.bodies import full_body
from reconciler.plan.fields.taken import Taken, is_spelling, what_was_taken
from reconciler.plan.planner import plan_target
from reconciler.plan.requests import update_requests
from reconciler.provider.model import UpdateStyle
from reconciler.provider.secrets import seal, seal_stated
from reconciler.render import json as as_json
from reconciler.render import markdown, text

SECRET = {"type": "string", "x-reconciler": {"secret": True}}
INNER = {"type": "object", "properties": {"a": {}, "s": SECRET}, "additionalProperties": {}}
SCHEMA = {"type": "object", "properties": {"a": {}, "b": {}, "s": SECRET, "in": INNER}}
FIELDS = (field("name"), field("box", schema=SCHEMA), field("id", read_only=True))
LEAVES = st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["x", "y", ""])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
HIDDEN = st.integers(10**9, 10**10).map("s3cr3t{}".format)
INSIDE = st.fixed_dictionaries({}, optional={"a": VALUES, "c": VALUES, "s": HIDDEN})
BOXES = st.fixed_dictionaries(
    {}, optional={"a": VALUES, "b": VALUES, "new": VALUES, "s": HIDDEN, "in": INSIDE}
)
STATED = st.fixed_dictionaries({}, optional={"a": VALUES, "b": VALUES, "s": HIDDEN, "in": INSIDE})
BODIES = st.fixed_dictionaries(
    {"id": st.just("1"), "name": st.just("n"), "box": BOXES}, optional={"logo": VALUES}
)


def merged(under: Any, over: Any) -> Any:
    """RFC 7396 without its null: the judge of what a PUT has to hold."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return {**under, **{name: merged(under.get(name), over[name]) for name in over}}


@given(BODIES, STATED)
def test_a_whole_put_holds_all_that_is_live_with_what_is_stated_laid_over_it(body, stated):
    of = provider(*FIELDS, style=UpdateStyle.PUT_FULL)
    wanted = seal_stated(of, {"box": stated})

    sent = reveal(full_body(of, wanted, seal(of, body)))

    left = {name: value for name, value in body.items() if name != "id"}
    assert sent == merged(left, {"box": stated})


@given(BODIES, STATED)
def test_a_patch_makes_the_same_client_and_touches_nothing_else(body, stated):
    of = provider(*FIELDS)
    wanted, sealed = seal_stated(of, {"box": stated}), seal(of, body)
    changed = [change.field for change in compare(of, wanted, sealed, key=KEY)]

    (request,) = update_requests(of, wanted, sealed, changed, tested=True) if changed else (None,)

    after = copy.deepcopy(body)
    if request is not None:
        after = jsonpatch.apply_patch(after, reveal(request.body))
    assert compare(of, wanted, seal(of, after), key=KEY) == ()
    assert {**merged(body, {"box": stated})} == after


@given(BODIES, STATED, st.sampled_from(UpdateStyle))
def test_no_rendering_shows_a_secret_inside_a_field(body, stated, style):
    of = provider(*FIELDS, style=style)
    spec = seal_stated(of, {"name": "n2", "box": stated})
    known = context(
        of,
        live=live(client(**{"remote_id": "1", **seal(of, body)})),
        entries={
            "web": entry(
                "1", applied={"box": {"b": 1, "in": {"a": 2}}}, fingerprints={"/box/s": "hmac:1"}
            )
        },
    )

    plan = Plan(targets=(plan_target(known, [manifest(spec=spec), manifest("new", spec=spec)]),))

    renderings = [
        as_json.render_plan(plan, version="0"),
        markdown.render_plan(plan),
        text.render_plan(plan, show_requests=True),
        repr(plan),
    ]
    assert not [one for one in renderings if "s3cr3t" in one]


@given(VALUES, VALUES, VALUES)
def test_a_value_is_done_only_where_it_is_shown_and_no_spelling_where_nothing_moved(
    before, wanted, now
):
    found = what_was_taken(before, wanted, now)

    assert is_spelling(wanted, wanted)
    assert is_spelling(wanted, now) is is_spelling(now, wanted)
    if found is Taken.SPELLING:
        assert before != now or repr(before) != repr(now)
        assert is_spelling(wanted, now)
