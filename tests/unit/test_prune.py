"""What becomes of clients of ours that no manifest names any more."""

import pytest
from support.given import (
    client,
    context,
    entry,
    field,
    live,
    manifest,
    provider,
    replace,
    with_policy,
)

from reconciler.core.changes import Action, ForgetClient
from reconciler.core.model import Intent
from reconciler.core.project import Policy
from reconciler.plan.context import ids_to_read
from reconciler.plan.guards.rules import Rule
from reconciler.plan.planner import plan_target
from reconciler.provider.model import Identity, Switch

FIELDS = (field("name"), field("enabled"), field("lastUsed", read_only=True))
IDENTITY = Identity(pointer="/id", match="name", last_used="/lastUsed")
SWITCH = Switch(field="enabled", off=False, on=True)
VENDOR = provider(*FIELDS, identity=IDENTITY, switch=SWITCH)
KEEPER = replace(VENDOR, delete=None, list=None)
NOW = "2026-11-23T12:00:00Z"
WEB = manifest(spec={"name": "web"})
PRUNE = Policy(prune=True, max_deletes=3, max_change_percent=100)


def of(vendor=VENDOR, old=None, body=None, **facts):
    """`web` has a manifest and `old` has none; `old` is its entry, `body` what the server shows."""
    shown = {"name": "old", "enabled": True, **(body or {})}
    stated = {
        "entries": {"web": entry("1", applied={"name": "web"}), "old": old or entry("2")},
        "live": live(client("1", name="web"), client("2", **shown)),
        "policy": PRUNE,
        "now": NOW,
    }
    return context(vendor, **{**stated, **facts})


def changes(known, *manifests):
    plan = plan_target(known, manifests or [WEB])
    return {change.key: change for change in plan.changes}


def removal(known, *manifests):
    return changes(known, *manifests)["old"]


def test_a_client_of_ours_without_a_manifest_is_deleted_where_that_was_asked_for():
    change = removal(of())

    assert (change.action, change.remote_id, change.manifest) == (Action.DELETE, "2", None)
    assert change.reason == "no manifest names it any more"
    assert [request.method for request in change.requests] == ["DELETE"]


def test_without_prune_it_is_left_alone_and_told():
    plan = plan_target(of(policy=Policy()), [WEB])

    assert [change.key for change in plan.changes] == ["web"]
    assert plan.warnings == ("left alone, since no manifest names them any more: old",)


def test_what_was_in_quarantine_when_prune_was_taken_back_is_told():
    plan = plan_target(
        of(old=entry("2", quarantined_at="2026-11-01T00:00:00Z"), policy=Policy()), [WEB]
    )

    assert plan.warnings[1] == "still in quarantine: old since 2026-11-01"


def test_a_client_that_is_not_in_the_inventory_is_never_deleted():
    foreign = of(live=live(client("1", name="web"), client("2"), client("3", name="theirs")))

    assert {change.remote_id for change in changes(foreign).values()} == {"1", "2"}


def test_a_run_that_looks_at_a_part_deletes_nothing():
    plan = plan_target(of(is_partial=True), [WEB])

    assert [change.key for change in plan.changes] == ["web"]
    assert "--select" in plan.warnings[0]


def test_a_client_whose_manifest_the_run_does_not_look_at_is_not_without_one():
    assert "old" not in changes(of(others=frozenset({"old"})))


def test_an_empty_folder_is_no_order_to_delete_everything():
    plan = plan_target(of(), [])

    assert plan.changes == ()
    assert [found.rule for found in plan.refusals] == ["no-manifest-left"]
    assert "web" in plan.refusals[0].message


def test_an_empty_folder_is_no_reason_to_refuse_where_nothing_is_to_be_deleted():
    plan = plan_target(of(policy=Policy()), [])

    assert plan.refusals == ()
    assert "left alone" in plan.warnings[0]


def test_a_client_that_got_another_key_by_its_id_is_one_client_and_not_two():
    renamed = manifest("new", id="2", spec={"name": "old"})

    found = changes(of(), WEB, renamed)

    assert {key: change.refusal for key, change in found.items()} == dict.fromkeys(found)
    assert found["new"].action is Action.ADOPT
    assert (found["old"].action, found["old"].record) == (Action.NOOP, ForgetClient())


def test_a_manifest_that_the_run_does_not_look_at_is_one_that_is_left():
    plan = plan_target(of(others=frozenset({"web"})), [])

    assert [change.key for change in plan.changes] == ["old"]


def test_a_client_that_was_read_by_its_id_is_deleted_without_a_list_too():
    read = of(live=live(client("1", name="web"), client("2"), listed=False))

    plan = plan_target(read, [WEB])

    assert [(change.key, change.action) for change in plan.changes] == [
        ("old", Action.DELETE),
        ("web", Action.NOOP),
    ]


def test_where_not_one_client_of_ours_is_seen_nothing_is_forgotten():
    plan = plan_target(of(live=live(client("7"), gone={"1"})), [WEB])

    assert [change.action for change in plan.changes] == [Action.CREATE]
    assert "check baseUrl" in plan.warnings[0]


def test_a_client_that_is_gone_already_is_forgotten():
    change = removal(of(live=live(client("1", name="web"), gone={"2"})))

    assert (change.action, change.record, change.requests) == (Action.NOOP, ForgetClient(), ())
    assert "gone from the server" in change.reason


def test_a_client_that_another_manifest_means_now_is_forgotten_under_its_old_key():
    renamed = manifest("new", id="2", spec={"name": "old"})

    found = changes(of(), WEB, renamed)

    assert (found["old"].action, found["old"].record) == (Action.NOOP, ForgetClient())
    assert found["old"].reason == "its client is new now"
    assert found["new"].action is Action.ADOPT


def test_a_manifest_that_only_got_another_key_is_not_made_anew_and_its_client_not_deleted():
    found = changes(of(), WEB, manifest("new", spec={"name": "old"}))

    assert found["new"].action is Action.CREATE
    assert found["new"].refusal.rule == found["old"].refusal.rule == "rename"
    assert "metadata.formerly: [old]" in found["new"].refusal.message
    assert found["old"].requests == ()


@pytest.mark.parametrize("body", [{"name": "another"}, {"name": None}])
def test_a_client_of_another_name_is_not_taken_for_a_renamed_one(body):
    found = changes(of(body=body), WEB, manifest("new", spec={"name": "old"}))

    assert found["old"].refusal is None


def test_prevent_destroy_outlives_the_manifest():
    change = removal(of(old=entry("2", prevent_destroy=True)))

    assert (change.action, change.refusal.rule) == (Action.DELETE, "prevent-destroy")
    assert change.requests == ()
    assert "reconciler forget" in change.refusal.message


def test_the_tools_own_client_is_never_pruned_however_its_id_is_spelled():
    own = of(old=entry("abc"), live=live(client("1", name="web"), client("abc")), own_id="ABC")

    assert removal(own).refusal.rule == "own-client"
    disabling = with_policy(own, replace(PRUNE, on_removal="disable"))
    assert removal(disabling).refusal.rule == "own-client"


def test_a_client_of_the_servers_own_is_never_pruned():
    vendor = replace(VENDOR, protected=frozenset({"public client"}))

    assert removal(of(vendor, body={"name": "public client"})).refusal.rule == "protected"


@pytest.mark.parametrize(
    ("last_used", "days", "action"),
    [
        ("2026-11-22T12:00:00Z", 30, Action.NOOP),
        ("2026-10-24T12:00:01Z", 30, Action.NOOP),
        ("2026-10-24T12:00:00Z", 30, Action.DELETE),
        ("2026-10-24T14:00:00+02:00", 30, Action.DELETE),
        ("2026-11-22T12:00:00", 30, Action.NOOP),
        ("2027-01-01T00:00:00Z", 30, Action.NOOP),
        ("the day before", 30, Action.NOOP),
        (17, 30, Action.NOOP),
        (None, 30, Action.DELETE),
        ("2026-11-22T12:00:00Z", 0, Action.DELETE),
        ("9999-12-31T23:59:59Z", 36500, Action.NOOP),
    ],
)
def test_a_client_that_is_in_use_is_kept(last_used, days, action):
    known = of(body={"lastUsed": last_used}, policy=replace(PRUNE, keep_used_days=days))

    change = removal(known)

    assert change.action is action
    assert ("kept, since" in change.reason) is (action is Action.NOOP)
    assert change.refusal is None


def test_a_server_that_does_not_tell_the_last_use_keeps_nothing_for_it():
    silent = replace(VENDOR, identity=Identity(pointer="/id", match="name"))

    assert removal(of(silent, body={"lastUsed": NOW})).action is Action.DELETE


def test_without_a_clock_a_client_that_was_ever_used_is_kept():
    assert removal(of(body={"lastUsed": "1999-01-01T00:00:00Z"}, now="")).action is Action.NOOP


def test_predecessors_go_first_and_the_client_waits_for_them():
    known = of(
        old=entry("2", superseded=("0", "gone")),
        live=live(client("0"), client("1", name="web"), client("2")),
    )

    waits, left_over = [
        change for change in plan_target(known, [WEB]).changes if change.key == "old"
    ]

    assert (waits.action, waits.record) == (Action.NOOP, None)
    assert (left_over.action, left_over.remote_id) == (Action.DELETE, "0")


@pytest.mark.parametrize("other", ["2", "1"])
def test_what_a_client_is_bound_to_is_nobodys_predecessor(other):
    known = of(old=entry("2", superseded=(other,), prevent_destroy=True))

    deletes = [each for each in plan_target(known, [WEB]).changes if each.requests]

    assert deletes == []


def test_a_predecessor_that_another_manifest_means_is_not_deleted():
    there = live(client("2"), client("3", name="new"), gone={"1"})
    known = of(old=entry("2", superseded=("3",)), live=there)
    old, new = manifest("old", spec={"name": "old"}), manifest("new", id="3", spec={})

    found = plan_target(known, [old, new]).changes

    assert Action.DELETE not in {change.action for change in found}


def test_a_predecessor_of_a_client_without_a_manifest_may_be_what_another_means():
    known = of(
        old=entry("2", superseded=("3",)),
        live=live(client("1", name="web"), client("2"), client("3", name="new")),
    )

    found = plan_target(known, [WEB, manifest("new", id="3", spec={})]).changes

    assert [change.remote_id for change in found if change.action is Action.DELETE] == ["2"]


def test_the_limits_take_clients_into_account_that_the_run_does_not_look_at():
    fixed = provider(field("scope", is_set=True, immutable=True))
    known = context(
        fixed,
        entries={"web": entry("1"), "api": entry("2")},
        live=live(client("1", scope=["a"]), client("2")),
        others=frozenset({"api", "never seen"}),
        policy=Policy(max_change_percent=50),
    )
    wanted = manifest(spec={"scope": ["b"]}, allow_replace=True)

    assert plan_target(known, [wanted]).refusals == ()
    alone = replace(known, others={})
    assert [found.rule for found in plan_target(alone, [wanted]).refusals] == ["max-change-percent"]


def test_a_client_with_a_pending_create_is_kept_until_that_is_resolved():
    intent = Intent(key="old", remote_id=None, facts={}, digest="", at=NOW)
    known = of()
    pending = replace(known, inventory=replace(known.inventory, pending={"old": intent}))

    plan = plan_target(pending, [WEB])

    assert plan.changes[0].action is Action.NOOP
    assert "reconciler resolve old" in plan.warnings[0]


def test_the_limits_hold_for_what_is_pruned_and_say_how_to_go_beyond_them():
    plan = plan_target(of(policy=replace(PRUNE, max_change_percent=30)), [WEB])

    (found,) = plan.refusals
    assert found.rule == "max-change-percent"
    assert "--max-deletes" in found.message


def test_one_run_can_go_beyond_the_limits_and_shows_it():
    policy = Policy(prune=True, max_deletes=0, max_change_percent=30, override=1)

    plan = plan_target(of(policy=policy), [WEB])

    assert plan.refusals == ()
    (warning,) = plan.warnings
    assert warning.startswith(
        "--max-deletes 1 holds for this run in place of policy.maxDeletes (0)"
    )
    assert warning.endswith("and policy.maxChangePercent (30)")


def quarantined(known, **facts):
    return replace(with_policy(known, replace(PRUNE, quarantine_days=7)), **facts)


def test_a_quarantine_begins_by_disabling_the_client():
    change = removal(quarantined(of(old=entry("2", applied={"name": "old", "enabled": True}))))

    assert change.action is Action.UPDATE
    assert change.reason == "no manifest names it any more: deleted after 7 days of quarantine"
    assert [(moved.field, moved.before, moved.after) for moved in change.fields] == [
        ("enabled", True, False)
    ]
    assert [step["op"] for step in change.requests[0].body] == ["test", "replace"]
    assert change.record.entry.quarantined_at == NOW
    assert change.record.entry.applied == {"name": "old", "enabled": False}
    assert change.record.entry.remote_id == "2"


def test_a_day_is_a_day():
    known = with_policy(of(), replace(PRUNE, quarantine_days=1))

    assert "after 1 day of" in removal(known).reason


@pytest.mark.parametrize(
    ("since", "action"),
    [
        ("2026-11-22T12:00:00Z", Action.NOOP),
        ("2026-11-16T12:00:01Z", Action.NOOP),
        ("2026-11-16T12:00:00Z", Action.DELETE),
        ("2030-01-01T00:00:00Z", Action.NOOP),
    ],
)
def test_after_the_quarantine_the_client_is_deleted(since, action):
    known = of(old=entry("2", quarantined_at=since), body={"enabled": False})

    change = removal(quarantined(known))

    assert change.action is action
    assert "in quarantine since" in change.reason
    assert change.record is None


def test_every_plan_says_until_when_the_quarantine_lasts():
    known = of(old=entry("2", quarantined_at="2026-11-20T08:00:00Z"), body={"enabled": False})

    assert removal(quarantined(known)).reason == (
        "in quarantine since 2026-11-20, to be deleted on 2026-11-27: no manifest names it any more"
    )


def test_a_client_that_somebody_turned_on_again_begins_its_quarantine_anew():
    change = removal(quarantined(of(old=entry("2", quarantined_at="2026-01-01T00:00:00Z"))))

    assert (change.action, change.record.entry.quarantined_at) == (Action.UPDATE, NOW)


def test_a_client_that_was_off_already_only_waits():
    known = of(old=entry("2", applied={"enabled": False}), body={"enabled": False})

    change = removal(quarantined(known))

    assert (change.action, change.requests) == (Action.NOOP, ())
    assert change.record.entry.quarantined_at == NOW
    assert change.record.entry.applied == {}


def test_where_nothing_can_be_disabled_a_quarantine_is_a_wait():
    known = quarantined(of(replace(VENDOR, switch=None)))

    change = removal(known)

    assert (change.action, change.record.entry.quarantined_at) == (Action.NOOP, NOW)
    assert "cannot disable" in change.warnings[0]
    waiting = of(replace(VENDOR, switch=None), old=change.record.entry)
    assert "to be deleted on 2026-11-30" in removal(quarantined(waiting)).reason
    over = quarantined(waiting, now="2026-11-30T12:00:00Z")
    assert removal(over).action is Action.DELETE


OFF = entry("2", applied={"enabled": False}, quarantined_at="2026-11-20T00:00:00Z")


@pytest.mark.parametrize("spec", [{"name": "old"}, {"name": "old", "enabled": True}])
def test_a_manifest_that_comes_back_turns_its_client_on_again(spec):
    known = quarantined(of(old=OFF, body={"enabled": False}))

    change = removal(known, WEB, manifest("old", spec=spec))

    assert change.action is Action.UPDATE
    assert [(moved.field, moved.after) for moved in change.fields] == [("enabled", True)]
    assert change.manifest.spec["enabled"] is True


def test_a_manifest_that_comes_back_turns_its_client_on_though_it_ignores_the_switch():
    known = quarantined(of(old=OFF, body={"enabled": False}))
    back = manifest("old", spec={"name": "old"}, ignore_changes=frozenset({"/enabled", "/name"}))

    change = removal(known, WEB, back)

    assert change.action is Action.UPDATE
    assert change.manifest.lifecycle.ignore_changes == {"/name"}


@pytest.mark.parametrize(
    ("old", "body", "spec"),
    [
        (OFF, {"enabled": False}, {"name": "old", "enabled": False}),
        (replace(OFF, applied={}), {"enabled": False}, {"name": "old"}),
        (replace(OFF, quarantined_at=""), {"enabled": False}, {"name": "old"}),
        (OFF, {"enabled": True}, {"name": "old"}),
    ],
    ids=["wanted off", "was off before", "never in quarantine", "turned on by hand"],
)
def test_only_what_a_quarantine_turned_off_is_turned_on_again(old, body, spec):
    known = quarantined(of(old=old, body=body))

    assert removal(known, WEB, manifest("old", spec=spec)).action is Action.NOOP


def test_where_nothing_can_be_deleted_the_plan_says_what_there_is_instead():
    plan = plan_target(of(KEEPER), [WEB])

    assert [change.key for change in plan.changes] == ["web"]
    assert "cannot delete a client (policy.onRemoval: disable turns them off)" in plan.warnings[0]
    without = plan_target(of(replace(KEEPER, switch=None)), [WEB])
    assert "onRemoval" not in without.warnings[0]


DISABLE = replace(PRUNE, on_removal="disable")


def test_a_client_that_cannot_be_deleted_is_disabled_where_that_was_asked_for():
    read = live(client("1", name="web"), client("2", enabled=True), listed=False)

    change = removal(of(KEEPER, live=read, policy=DISABLE))

    assert change.action is Action.UPDATE
    assert "policy.onRemoval" in change.reason
    assert change.record.entry.quarantined_at == NOW


def test_a_client_that_is_disabled_for_good_is_shown_and_left():
    change = removal(of(KEEPER, old=OFF, body={"enabled": False}, policy=DISABLE))

    assert (change.action, change.record) == (Action.NOOP, None)
    assert change.reason == "disabled since 2026-11-20: no manifest names it any more"


def test_who_says_disable_gets_no_delete():
    assert removal(of(policy=DISABLE)).action is Action.UPDATE


def test_who_says_disable_where_nothing_can_be_disabled_keeps_everything():
    plan = plan_target(of(replace(VENDOR, switch=None), policy=DISABLE), [WEB])

    assert [change.key for change in plan.changes] == ["web"]
    assert "cannot disable" in plan.warnings[0]


def test_disabling_for_want_of_a_manifest_counts_as_taking_away():
    plan = plan_target(of(policy=replace(DISABLE, max_deletes=0)), [WEB])

    assert [found.rule for found in plan.refusals] == ["max-deletes"]


def test_where_nobody_of_ours_is_seen_nobody_is_disabled():
    unseen = live(listed=False, gone=frozenset({"1", "2"}))

    plan = plan_target(of(KEEPER, live=unseen, policy=DISABLE), [WEB])

    assert [change.action for change in plan.changes] == [Action.CREATE]


def test_what_is_to_be_disabled_has_to_be_read():
    known = of(KEEPER, old=entry("2", superseded=("0",)), policy=DISABLE)

    assert ids_to_read(known, [WEB]) == {"0", "1", "2"}
    assert ids_to_read(with_policy(known, PRUNE), [WEB]) == {"1"}


@pytest.mark.parametrize("count", [1, 5, 6])
def test_while_a_manifest_was_not_read_nobody_is_taken_away(count):
    unread = tuple(f"clients/{number}.yml" for number in range(count))

    plan = plan_target(of(unread=unread), [WEB])

    assert [change.key for change in plan.changes] == ["web"]
    ((rule, message),) = [(refusal.rule, refusal.message) for refusal in plan.refusals]
    assert rule == Rule.UNREAD_MANIFEST
    assert ("clients/4.yml; it may be one of old" in message) is (count == 5)
    assert ("clients/5.yml" in message, "..." in message) == (False, count == 6)


def test_before_the_empty_folder_is_told_what_was_not_read():
    plan = plan_target(of(unread=("clients/web.yml",)), [])

    assert [refusal.rule for refusal in plan.refusals] == [Rule.UNREAD_MANIFEST]


def test_where_nobody_is_taken_away_anyway_nothing_is_refused():
    assert plan_target(of(unread=("a.yml",), policy=Policy()), [WEB]).refusals == ()
    assert plan_target(of(unread=("a.yml",)), [WEB, manifest("old")]).refusals == ()
