from __future__ import annotations

from support.given import manifest

from reconciler.core.changes import (
    Action,
    ApplyReport,
    Change,
    FieldChange,
    ForgetClient,
    NestedChange,
    Origin,
    Outcome,
    Plan,
    Refusal,
    Request,
    Status,
    TargetPlan,
)
from reconciler.core.model import MISSING, Redacted, Secret
from reconciler.render.terminal import COLOUR
from reconciler.render.text import render_plan, render_report


def change(action: Action, **more: object) -> Change:
    settled: dict[str, object] = {"target": "shop-prod", "key": "web", "reason": "as it is"}
    settled["manifest"] = manifest()
    return Change(action=action, **(settled | more))  # type: ignore[arg-type]


def plan(*changes: Change, **more: object) -> Plan:
    target = TargetPlan(
        target="shop-prod",
        provider="provident",
        base_url="https://api.example.com/v2",
        changes=changes,
        **more,  # type: ignore[arg-type]
    )
    return Plan(targets=(target,))


def field(before: object, after: object, **more: object) -> FieldChange:
    return FieldChange(field="scopes", before=before, after=after, **more)  # type: ignore[arg-type]


def lines_of(*fields: FieldChange, action: Action = Action.UPDATE) -> list[str]:
    text = render_plan(plan(change(action, fields=fields)))
    return [line for line in text.splitlines() if line.startswith("    ") and line.strip()]


def outcome(status: Status, **more: object) -> Outcome:
    settled: dict[str, object] = {"target": "shop-prod", "key": "web", "action": Action.CREATE}
    return Outcome(status=status, **(settled | more))  # type: ignore[arg-type]


def test_a_plan_reads_as_header_changes_and_summary():
    create = change(
        Action.CREATE,
        reason="not on the server yet",
        fields=(FieldChange(field="name", before=MISSING, after="Web"),),
    )
    update = change(
        Action.UPDATE,
        key="zoo",
        remote_id="c-7",
        reason="1 changed in git",
        fields=(field(200, 500, origin=Origin.CONFIG),),
    )

    text = render_plan(plan(create, update, change(Action.NOOP, key="zzz")))

    assert text == (
        "shop-prod (provident at https://api.example.com/v2): 1 to create, 1 to update, 1 unchanged\n"
        "\n"
        "  + web to be created: not on the server yet\n"
        '      + name: "Web"\n'
        "\n"
        "  ~ zoo (id c-7) to be updated: 1 changed in git\n"
        "      ~ scopes: 200 -> 500  # config: changed in git\n"
        "\n"
        "Plan: 1 to create, 1 to update, 1 unchanged.\n"
    )


def test_each_action_has_its_own_mark():
    marks = {
        action: next(
            line.split("web")[0].strip()
            for line in render_plan(plan(change(action, warnings=("look",)))).splitlines()
            if line.lstrip(" +-~/←→").startswith("web")
        )
        for action in Action
    }

    assert marks == {
        Action.NOOP: "",
        Action.CREATE: "+",
        Action.UPDATE: "~",
        Action.REPLACE: "-/+",
        Action.DELETE: "-",
        Action.ADOPT: "←",
        Action.MOVE: "→",
    }


def test_a_change_without_a_reason_ends_with_what_happens():
    text = render_plan(plan(change(Action.DELETE, reason="")))

    assert "  - web to be deleted\n" in text


def test_every_origin_is_said_in_words():
    fields = [field(1, 2, origin=origin) for origin in (*Origin, None)]

    notes = [line.partition("1 -> 2")[2] for line in lines_of(*fields)]

    assert notes == [
        "  # drift: changed on the server since the last apply",
        "  # config: changed in git",
        "  # both: changed in git and on the server",
        "",
    ]


def test_a_new_client_shows_its_values_and_not_what_the_server_would_have_made_of_none():
    assert lines_of(field(None, "Web"), action=Action.CREATE) == ['      + scopes: "Web"']


def test_a_set_shows_the_members_that_come_and_go():
    moved = field(["a", "b"], ["b", "c"], added=("c",), removed=("a",), origin=Origin.DRIFT)

    assert lines_of(moved) == [
        "      ~ scopes:  # drift: changed on the server since the last apply",
        '          + "c"',
        '          - "a"',
    ]


def test_an_object_shows_what_differs_inside_by_pointer():
    nested = (
        NestedChange(pointer="/kid", before="a", after="b"),
        NestedChange(pointer="/new", before=MISSING, after=1),
        NestedChange(pointer="/old", before=None, after=MISSING),
    )

    assert lines_of(field({"kid": "a"}, {"kid": "b"}, nested=nested)) == [
        "      ~ scopes:",
        '          ~ /kid: "a" -> "b"',
        "          + /new: 1",
        "          - /old: null",
    ]


def test_a_value_that_goes_whole_is_marked_as_removed():
    assert lines_of(field("gone", MISSING)) == ['      - scopes: "gone"']


def test_a_long_list_that_is_new_is_shown_a_member_a_line():
    members = [f"https://shop.example.com/callback/{number}" for number in range(3)]

    assert lines_of(field(MISSING, members)) == [
        "      + scopes:",
        *(f'          + "{member}"' for member in members),
    ]


def test_a_set_of_very_many_members_is_cut_and_counted():
    added = tuple(range(60))

    lines = lines_of(field([], list(added), added=added))

    assert lines[-2:] == ["          + 49", "          + … and 10 more"]


def test_a_long_value_is_clipped_and_its_length_said():
    (line,) = lines_of(field(MISSING, "x" * 5000))

    assert line.endswith("x… (5,002 characters)")
    assert len(line) < 260


def test_two_long_values_show_where_they_differ():
    (line,) = lines_of(field("x" * 3000 + "old", "x" * 3000 + "new"))

    assert 'xold" -> …' in line
    assert 'xnew"' in line


def test_secrets_show_as_their_fingerprints():
    (line,) = lines_of(field(Redacted("hmac:1"), Redacted("hmac:2")))

    assert line == "      ~ scopes: (secret hmac:1) -> (secret hmac:2)"


def test_refusals_warnings_and_errors_stand_with_what_they_are_about():
    refused = change(
        Action.REPLACE, refusal=Refusal(rule="no-delete", message="cannot"), warnings=("odd",)
    )

    text = render_plan(
        plan(
            refused,
            errors=("the list broke off",),
            refusals=(Refusal(rule="max-deletes", message="too many"),),
            warnings=("left alone: x",),
        )
    )

    assert text.splitlines()[1:] == [
        "  ! error: the list broke off",
        "  ! refused (max-deletes): too many",
        "  ! warning: left alone: x",
        "",
        "-/+ web to be replaced: as it is",
        "      ! refused (no-delete): cannot",
        "      ! warning: odd",
        "",
        "Plan: 2 refused, 1 error, 0 unchanged.",
    ]


def test_an_empty_plan_says_that_nothing_changes():
    assert render_plan(Plan(targets=())) == "Plan: no changes, 0 unchanged.\n"


def test_requests_are_shown_whole_with_the_address_and_without_secrets():
    create = Request(
        operation="create",
        method="POST",
        path="/clients",
        content_type="application/json",
        body={"client": {"secret": Secret("s3cret"), "note": "x" * 300}},
    )

    text = render_plan(plan(change(Action.CREATE, requests=(create,))), show_requests=True)

    assert "        POST https://api.example.com/v2/clients\n" in text
    assert "        content-type: application/json\n" in text
    assert '            "secret": "(secret)"\n' in text
    assert "x" * 300 in text
    assert "s3cret" not in text


def test_requests_are_left_out_unless_asked_for():
    delete = Request(
        operation="delete", method="DELETE", path="/c/{id}", content_type=None, body=None
    )
    gone = plan(change(Action.DELETE, remote_id="a/b", requests=(delete,)))

    assert "DELETE" not in render_plan(gone)
    assert "        DELETE https://api.example.com/v2/c/a%2Fb\n\n" in render_plan(
        gone, show_requests=True
    )


def test_the_id_of_a_successor_is_left_open_in_the_requests_of_a_replace():
    update, delete = (
        Request(operation=operation, method="X", path="/c/{id}", content_type=None, body=None)
        for operation in ("update", "delete")
    )
    replaced = plan(change(Action.REPLACE, remote_id="old", requests=(update, delete)))

    text = render_plan(replaced, show_requests=True)

    assert text.index("/c/{id}") < text.index("/c/old")


def test_a_hostile_name_cannot_drive_the_terminal():
    hostile = "\x1b]0;owned\x07\x1b[2J\n\u202e\x9b\ud800"
    fields = (
        FieldChange(field=hostile, before=hostile, after=MISSING),
        field({}, {}, nested=(NestedChange(pointer="/" + hostile, before=1, after=2),)),
        field([], [hostile], added=(hostile,)),
    )
    request = Request(
        operation="update", method="PUT", path="/{id}", content_type="a/b", body={hostile: hostile}
    )
    nasty = change(
        Action.UPDATE,
        key=hostile,
        remote_id="\x1b[2J",
        reason=hostile,
        fields=fields,
        requests=(request,),
        warnings=(hostile,),
        refusal=Refusal(rule="r", message=hostile),
    )

    text = render_plan(plan(nasty, errors=(hostile,), warnings=(hostile,)), show_requests=True)

    assert all(line.isprintable() for line in text.split("\n"))
    assert "\\u001b" in text


def test_colour_only_wraps_what_plain_text_says():
    shown = plan(change(Action.CREATE, fields=(field(1, 2, origin=Origin.DRIFT),)))

    coloured = render_plan(shown, style=COLOUR)

    assert "\x1b[32m  +\x1b[0m web" in coloured
    stripped = coloured
    for code in {*COLOUR.codes.values(), "0"}:
        stripped = stripped.replace(f"\x1b[{code}m", "")
    assert stripped == render_plan(shown)


def test_a_report_says_what_became_of_each_client_and_counts():
    report = ApplyReport(
        outcomes=(
            outcome(
                Status.DONE,
                remote_id="c-1",
                requests_sent=2,
                secret_location=".reconciler/secrets/shop-prod/web.json",
                server_changed=(field("https://a/", "https://a"),),
            ),
            outcome(Status.DONE, action=Action.NOOP, key="quiet"),
            outcome(Status.FAILED, key="bad", action=Action.UPDATE, message="422", requests_sent=1),
            outcome(Status.SKIPPED, key="late", action=Action.DELETE, target="other"),
            outcome(Status.UNKNOWN, key="lost", target="other"),
        )
    )

    assert render_report(report) == (
        "shop-prod\n"
        "  ✓ web (id c-1) created\n"
        "        its secret is in .reconciler/secrets/shop-prod/web.json\n"
        '        scopes: sent "https://a", the server made it "https://a/"\n'
        "  ✗ bad update failed: 422\n"
        "\n"
        "other\n"
        "  - late delete skipped\n"
        "  ? lost create unknown\n"
        "\n"
        "Apply: 1 done, 1 failed, 1 skipped, 1 unknown; 3 requests sent.\n"
    )


def test_a_report_without_changes_is_its_summary():
    quiet = ApplyReport(outcomes=(outcome(Status.DONE, action=Action.NOOP),))

    assert render_report(quiet) == "Apply: 0 done; 0 requests sent.\n"


def test_an_unchanged_client_with_a_message_is_told_of():
    report = ApplyReport(
        outcomes=(outcome(Status.FAILED, action=Action.NOOP, message="disk full"),)
    )

    assert "  ✗ web noop failed: disk full\n" in render_report(report)


def test_a_field_that_the_server_dropped_is_told_of():
    report = ApplyReport(outcomes=(outcome(Status.DONE, server_changed=(field(MISSING, 1),)),))

    assert "        scopes: sent 1, the server made it (none)\n" in render_report(report)


def test_a_client_without_a_manifest_is_shown_even_where_nothing_is_done():
    waiting = change(Action.NOOP, manifest=None, reason="in quarantine since 2026-01-01")
    gone = change(Action.NOOP, manifest=None, key="old", reason="gone", record=ForgetClient())

    text = render_plan(plan(waiting, gone, change(Action.NOOP, key="quiet")))

    assert "web unchanged: in quarantine since 2026-01-01" in text
    assert "old to be forgotten: gone" in text
    assert "quiet" not in text
