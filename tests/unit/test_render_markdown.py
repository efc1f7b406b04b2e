from __future__ import annotations

import html
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from support.given import manifest

from reconciler.core.changes import Action, Change, FieldChange, Origin, Plan, Refusal, TargetPlan
from reconciler.core.model import MISSING
from reconciler.render.markdown import LIMIT, MARKER, render_plan

HOSTILE = "`|\n```\n</details>\n<script>@everyone [x](http://evil.example.com) \u2028 \u202e ~~~~"


def change(key: str = "web", action: Action = Action.UPDATE, **more: object) -> Change:
    settled: dict[str, object] = {"target": "shop", "key": key, "reason": "why"}
    settled["manifest"] = manifest(key)
    return Change(action=action, **(settled | more))  # type: ignore[arg-type]


def target(*changes: Change, name: str = "shop", **more: object) -> TargetPlan:
    return TargetPlan(
        target=name,
        provider="boruta",
        base_url="https://boruta.example.com",
        changes=changes,
        **more,  # type: ignore[arg-type]
    )


def wide(number: int) -> Change:
    """A client whose fields take about 1,000 characters."""
    moved = tuple(
        FieldChange(field=f"field{index}", before="x" * 50, after="y" * 50) for index in range(8)
    )
    return change(f"client-{number}", fields=moved)


def outside_blocks(text: str) -> str:
    return re.sub(r"^```diff\n(?:[+!-] .*\n)*```$", "", text, flags=re.MULTILINE)


def test_a_plan_is_a_summary_and_a_collapsible_part_a_target():
    moved = FieldChange(
        field="scopes",
        before=["a"],
        after=["b"],
        added=("b",),
        removed=("a",),
        origin=Origin.DRIFT,
    )
    new = FieldChange(field="name", before=MISSING, after="New")

    text = render_plan(
        Plan(
            targets=(
                target(change(fields=(moved,)), change("new", Action.CREATE, fields=(new,))),
                target(change(action=Action.NOOP), name="quiet-2"),
            )
        )
    )

    assert text == (
        f"{MARKER}\n"
        "### Plan: 1 to create, 1 to update, 1 unchanged\n"
        "\n"
        "<details><summary><code>shop</code> (boruta): 1 to create, 1 to update, 0 unchanged"
        "</summary>\n"
        "\n"
        "```diff\n"
        "! web to be updated: why\n"
        "!     scopes:  # drift: changed on the server since the last apply\n"
        '+         "b"\n'
        '-         "a"\n'
        "+ new to be created: why\n"
        '+     name: "New"\n'
        "```\n"
        "\n"
        "</details>\n"
        "\n"
        "<details><summary><code>quiet-2</code> (boruta): no changes, 1 unchanged</summary>\n"
        "\n"
        "Nothing to show.\n"
        "\n"
        "</details>\n"
        "\n"
    )


def test_a_replace_and_an_adoption_keep_their_marks():
    text = render_plan(
        Plan(targets=(target(change("a", Action.REPLACE), change("b", Action.ADOPT)),))
    )

    assert "! -/+ a to be replaced: why\n" in text
    assert "! ← b to be adopted: why\n" in text


def test_a_target_that_needs_attention_is_open_and_says_why_first():
    text = render_plan(
        Plan(
            targets=(
                target(change(), errors=("broken",)),
                target(
                    change(refusal=Refusal(rule="own-client", message="never")),
                    refusals=(Refusal(rule="max-deletes", message="too many"),),
                    warnings=("look",),
                    name="other",
                ),
            )
        )
    )

    assert text.count("<details open>") == 2
    assert "```diff\n! error: broken\n! web to be updated" in text
    assert "! refused (max-deletes): too many\n! warning: look\n! web" in text
    assert "!     refused (own-client): never\n" in text


def test_no_value_can_leave_its_block():
    hostile = change(
        HOSTILE,
        fields=(FieldChange(field=HOSTILE, before=HOSTILE, after=[HOSTILE], added=(HOSTILE,)),),
        warnings=(HOSTILE,),
        remote_id=HOSTILE,
    )

    text = render_plan(
        Plan(targets=(target(hostile, name=HOSTILE, errors=(HOSTILE,), warnings=(HOSTILE,)),))
    )

    outside = outside_blocks(text)
    assert not re.search(r"[`@|\[\]\u2028\u202e]|script>|evil\.", outside)
    assert outside.count("<details") == outside.count("</details>") == 1
    assert "@everyone" in html.unescape(outside)


def test_a_noop_with_a_warning_cannot_pass_for_the_end_of_its_block():
    text = render_plan(
        Plan(targets=(target(change("```", Action.NOOP, warnings=("```",), remote_id=None)),))
    )

    assert outside_blocks(text).count("`") == 0


def test_a_big_plan_first_leaves_out_fields_and_says_so():
    text = render_plan(Plan(targets=(target(*(wide(number) for number in range(100))),)))

    assert len(text) <= LIMIT
    assert all(f"client-{number} to be updated" in text for number in range(100))
    left_out = re.search(
        r"Left out to stay below 65,000 characters: the fields of (\d+) clients\.", text
    )
    assert left_out
    assert text.count("!     field0:") == 100 - int(left_out[1])


def test_a_bigger_plan_leaves_out_clients_and_says_how_many():
    text = render_plan(Plan(targets=(target(*(wide(number) for number in range(3000))),)))

    assert len(text) <= LIMIT
    left_out = re.search(r": ([\d,]+) of the clients and messages, the fields of", text)
    assert left_out
    assert text.count("to be updated:") == 3000 - int(left_out[1].replace(",", ""))


def test_the_targets_that_have_something_to_tell_are_the_last_to_be_left_out():
    quiet = [target(change(action=Action.NOOP), name=f"quiet-{number}") for number in range(900)]

    text = render_plan(Plan(targets=(*quiet, target(change(), name="busy"))))

    assert len(text) <= LIMIT
    assert "<code>busy</code>" in text
    left_out = re.search(r"characters: (\d+) targets\. `reconciler plan` shows all of it", text)
    assert left_out
    assert text.count("<details") == 901 - int(left_out[1])


texts = st.text(alphabet=st.characters() | st.sampled_from("`|<>@\n~#&*_[]!+-"), max_size=40)
values = st.one_of(st.just(MISSING), st.none(), texts, st.lists(texts, max_size=3))
fields = st.builds(
    FieldChange,
    field=texts,
    before=values,
    after=values,
    origin=st.none() | st.sampled_from(Origin),
    added=st.lists(texts, max_size=2).map(tuple),
)
changes = st.builds(
    Change,
    target=texts,
    key=texts,
    action=st.sampled_from(Action),
    reason=texts,
    remote_id=st.none() | texts,
    fields=st.lists(fields, max_size=3).map(tuple),
    warnings=st.lists(texts, max_size=1).map(tuple),
)
targets = st.builds(
    TargetPlan,
    target=texts,
    provider=texts,
    base_url=texts,
    changes=st.lists(changes, max_size=4).map(tuple),
    errors=st.lists(texts, max_size=1).map(tuple),
)


@settings(deadline=None)
@given(st.lists(targets, max_size=3), st.integers(1, 80), st.integers(1000, LIMIT))
def test_no_plan_is_too_long_or_breaks_out_whatever_it_holds(
    few: list[TargetPlan], times: int, limit: int
):
    plan = Plan(targets=tuple(few * times))

    text = render_plan(plan, limit=limit)

    assert len(text) <= limit
    outside = outside_blocks(text).replace("`reconciler plan`", "")
    assert outside.count("<details") == outside.count("</details>")
    assert not set(outside) & set("`@|[]*_~")
