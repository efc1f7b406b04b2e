"""What a plan makes of creates that were about to be sent when their run ended, and of adoption."""

import pytest
from support.given import KEY, client, context, entry, field, live, manifest, provider, replace

from reconciler.core.changes import Action, RecordClient
from reconciler.core.model import Intent, Inventory, Secret
from reconciler.core.project import Policy
from reconciler.core.secrets import fingerprint
from reconciler.plan.context import chosen_id, ids_to_read
from reconciler.plan.planner import plan_target
from reconciler.plan.record.intents import sealed_intent
from reconciler.provider.model import Chosen, Endpoint, Identity

FIELDS = (
    field("name"),
    field("uris", is_set=True, equal=((None, []),)),
    field("scope", is_set=True, immutable=True),
    field("ttl"),
    field("secret", secret=True, read_only=True),
)
IDENTITY = Identity(pointer="/id", match="name", recognize=("name", "uris"), created="/created")
LISTED = provider(*FIELDS, identity=IDENTITY)
CHOOSER = provider(*FIELDS, identity=Identity(pointer="/id", chosen=Chosen.UUID, match="name"))
NAMER = provider(*FIELDS, identity=Identity(pointer="/id", chosen=Chosen.FIELD, match="name"))
BLIND = provider(*FIELDS, identity=IDENTITY, list=None)
AT = "2026-11-23T12:00:00Z"
LATER = "2026-11-23T12:00:01Z"
WEB = manifest(spec={"name": "web", "uris": ["b", "a"]})
FACTS = {"name": "web", "uris": ["a", "b"]}


def intent(**facts):
    stated = {"key": "web", "remote_id": None, "facts": FACTS, "digest": "", "at": AT}
    return sealed_intent(KEY, Intent(**{**stated, **facts}))


def after_crash(vendor, *clients, pending=None, entries=None, **facts):
    """A target whose last run died after the intent to create `web`."""
    pending = {"web": intent()} if pending is None else pending
    inventory = Inventory(target="shop", entries=entries or {}, pending=pending)
    there = live(*clients, gone=facts.pop("gone", frozenset()), listed=vendor.list is not None)
    stated = {"inventory": inventory, "live": there}
    return context(vendor, **{**stated, **facts})


def made(remote_id, **body):
    return client(remote_id, **{"name": "web", "uris": ["a", "b"], "created": LATER, **body})


def only(known, *manifests):
    (change,) = plan_target(known, manifests or [WEB]).changes
    return change


def test_the_one_client_that_a_lost_create_can_have_made_is_bound():
    change = only(after_crash(LISTED, made("1")))

    assert (change.action, change.remote_id, change.requests) == (Action.ADOPT, "1", ())
    assert change.reason == "created by a run that could not record it"
    assert (change.record, change.refusal) == (RecordClient(secret="lost"), None)


def test_a_secret_that_no_answer_tells_any_more_is_reported_as_lost_with_the_ways_out():
    (warning,) = only(after_crash(LISTED, made("1"))).warnings

    assert "its secret is lost" in warning
    assert "lifecycle.allowReplace" in warning


def test_a_secret_that_got_into_its_sink_before_the_run_died_is_not_lost():
    change = only(after_crash(LISTED, made("1"), stored=frozenset({"1"})))

    assert (change.action, change.record.secret, change.warnings) == (Action.ADOPT, "stored", ())


def test_a_secret_that_is_still_told_is_stored():
    change = only(after_crash(LISTED, made("1", secret=Secret("still there"))))

    assert (change.record.secret, change.warnings) == ("readable", ())


def test_a_create_that_left_nothing_is_made_again():
    change = only(after_crash(LISTED))

    assert (change.action, change.record.abandons_create) == (Action.CREATE, True)


@pytest.mark.parametrize(
    "other",
    [
        made("1", name="api"),
        made("1", uris=["a"]),
        made("1", created="2026-11-23T11:54:59Z"),
    ],
    ids=["another name", "other addresses", "older"],
)
def test_a_client_that_the_lost_create_cannot_have_made_is_left_alone(other):
    assert only(after_crash(LISTED, other)).action is Action.CREATE


def test_a_server_whose_clock_is_behind_is_believed():
    assert only(after_crash(LISTED, made("1", created="2026-11-23T11:55:00Z"))).remote_id == "1"


OLD = "2026-11-20T00:00:00Z"


def test_a_client_that_looks_too_old_and_was_not_there_before_is_asked_about():
    known = after_crash(LISTED, made("1", created=OLD), pending={"web": intent(seen=())})

    change = only(known)

    assert change.refusal.rule == "ambiguous-create"
    assert "like it: 1." in change.refusal.message


def test_one_that_looks_too_old_does_not_count_beside_one_that_does_not():
    clients = made("1", created=OLD), made("2")

    assert only(after_crash(LISTED, *clients, pending={"web": intent(seen=())})).remote_id == "2"


def test_a_client_that_was_there_before_is_not_what_a_lost_create_made_whatever_its_age():
    pending = {"web": intent(seen=("1",))}

    assert only(after_crash(LISTED, made("1"), pending=pending)).action is Action.CREATE
    change = only(after_crash(LISTED, made("1"), made("2"), pending=pending))
    assert (change.action, change.remote_id) == (Action.ADOPT, "2")


def test_a_client_of_ours_is_not_what_a_lost_create_made():
    ours = {"api": entry("1"), "old": entry("9", superseded=("2",))}
    known = after_crash(LISTED, made("1"), made("2"), made("3"), entries=ours)
    bound = manifest("bound", id="3", spec={"name": "web"})

    plan = plan_target(known, [WEB, bound, manifest("api", spec={"name": "web"})])

    assert {change.key: change.action for change in plan.changes}["web"] is Action.CREATE


def test_several_clients_that_it_can_have_made_are_listed():
    change = only(after_crash(LISTED, made("2"), made("1"), made("0", created="2020-01-01")))

    assert change.refusal.rule == "ambiguous-create"
    assert "1, 2. Look" in change.refusal.message
    assert "reconciler resolve web --id ID" in change.refusal.message
    assert change.requests == ()


def test_of_many_the_first_are_listed():
    change = only(after_crash(LISTED, *(made(f"{number:02}") for number in range(12))))

    assert "08, 09 and 2 more" in change.refusal.message


@pytest.mark.parametrize(
    ("vendor", "stated"),
    [
        (LISTED, {"created": None}),
        (LISTED, {"created": "yesterday"}),
        (replace(LISTED, identity=replace(IDENTITY, created=None)), {}),
    ],
)
def test_a_client_of_an_unknown_age_is_not_bound_without_a_question(vendor, stated):
    assert only(after_crash(vendor, made("1", **stated))).refusal.rule == "ambiguous-create"


def test_an_intent_of_an_unknown_time_binds_nothing_without_a_question():
    known = after_crash(LISTED, made("1"), pending={"web": intent(at="")})

    assert only(known).refusal.rule == "ambiguous-create"


def test_a_create_whose_name_was_a_secret_binds_nothing_without_a_question():
    known = after_crash(
        LISTED, made("1", name="other"), pending={"web": intent(facts={"uris": ["a", "b"]})}
    )

    assert only(known).refusal.rule == "ambiguous-create"


def test_a_value_that_the_server_spells_otherwise_is_recognised():
    pending = {"web": intent(facts={"name": "web", "uris": []})}

    assert only(after_crash(LISTED, made("1", uris=None), pending=pending)).remote_id == "1"


def test_where_there_is_no_list_a_lost_create_stops_with_what_to_check():
    change = only(after_crash(BLIND))

    assert (change.action, change.refusal.rule) == (Action.CREATE, "unknown-create")
    assert "name 'web' and uris a, b" in change.refusal.message
    assert "reconciler resolve web --id ID`, or `--absent`" in change.refusal.message


def test_a_create_of_which_nothing_is_known_is_told_by_its_manifest():
    change = only(after_crash(BLIND, pending={"web": intent(facts={})}))

    assert "what its manifest says" in change.refusal.message


def test_a_create_that_a_manifest_has_settled_by_its_id_is_not_asked_about():
    known = after_crash(BLIND, client("5", name="web"))

    assert only(known, manifest(id="5", spec={"name": "web"})).action is Action.ADOPT


def test_a_chosen_id_that_is_there_is_bound():
    here = context(CHOOSER)
    mine = chosen_id(here, "web")
    known = after_crash(CHOOSER, made(mine), pending={"web": intent(remote_id=mine)})

    change = only(known)

    assert (change.action, change.remote_id, change.requests) == (Action.ADOPT, mine, ())


def test_a_chosen_id_that_is_not_there_is_created_again_as_it_was_chosen():
    before = "chosen by a former base URL"
    known = after_crash(CHOOSER, pending={"web": intent(remote_id=before)}, gone={before})

    change = only(known)

    assert (change.action, change.remote_id) == (Action.CREATE, "chosen by a former base URL")
    assert change.requests[0].body["id"] == "chosen by a former base URL"


def test_a_chosen_id_has_to_be_read_where_there_is_no_list():
    known = after_crash(
        replace(CHOOSER, list=None),
        pending={"web": intent(remote_id="new", predecessor="old")},
        entries={"web": entry("old")},
    )

    assert ids_to_read(known, [WEB]) == {"old", "new"}
    with pytest.raises(ValueError, match="never read"):
        only(known)


def test_the_successor_that_a_lost_replace_made_is_bound_and_its_predecessor_deleted():
    known = after_crash(
        CHOOSER,
        made("new", secret=Secret("told")),
        made("old"),
        pending={"web": intent(remote_id="new", predecessor="old")},
        entries={"web": entry("old")},
    )

    bound, deleted = plan_target(known, [WEB]).changes

    assert (bound.action, bound.remote_id, bound.record.superseded) == (
        Action.ADOPT,
        "new",
        ("old",),
    )
    assert (deleted.action, deleted.remote_id) == (Action.DELETE, "old")
    assert deleted.manifest is not None


def test_a_predecessor_stays_while_the_secret_of_its_successor_is_lost():
    known = after_crash(
        LISTED,
        made("new"),
        made("old", created="2020-01-01T00:00:00Z"),
        pending={"web": intent(predecessor="old")},
        entries={"web": entry("old")},
    )

    change = only(known)

    assert (change.action, change.record) == (
        Action.ADOPT,
        RecordClient(secret="lost", superseded=("old",)),
    )
    lost = replace(
        known,
        inventory=Inventory(
            target="shop", entries={"web": entry("new", superseded=("old",), secret="lost")}
        ),
    )
    assert only(lost).action is Action.NOOP


def test_a_replace_that_made_no_successor_is_made_again():
    known = after_crash(
        CHOOSER,
        made("old", scope=["a"]),
        pending={"web": intent(remote_id="new", predecessor="old")},
        entries={"web": entry("old")},
        gone={"new"},
    )

    wanted = manifest(spec={"name": "web", "scope": ["b"]}, allow_replace=True)

    assert only(known, wanted).action is Action.REPLACE


def test_a_replace_that_made_no_successor_and_is_wanted_no_more_is_settled():
    known = after_crash(
        LISTED,
        made("old", created="2020-01-01T00:00:00Z"),
        pending={"web": intent(predecessor="old")},
        entries={"web": entry("old")},
    )

    change = only(known)

    assert (change.action, change.record.abandons_create) == (Action.NOOP, True)


REPLACEABLE = {"allow_replace": True}


@pytest.mark.parametrize(
    ("facts", "lifecycle"),
    [
        ({}, {}),
        ({}, {"allow_replace": True, "prevent_destroy": True}),
        ({"vendor": replace(LISTED, delete=None)}, REPLACEABLE),
    ],
    ids=["not allowed", "not to be destroyed", "no delete"],
)
def test_a_client_that_is_bound_anew_is_mended_as_far_as_an_update_can(facts, lifecycle):
    wanted = manifest(
        spec={"name": "web", "uris": ["a", "b"], "scope": ["b"], "ttl": 60}, **lifecycle
    )
    vendor = facts.get("vendor", LISTED)

    change = only(after_crash(vendor, made("1", scope=["a"], ttl=30)), wanted)

    assert change.action is Action.ADOPT
    assert [moved.field for moved in change.fields] == ["ttl"]
    assert [request.operation for request in change.requests] == ["update"]
    assert "scope" not in change.manifest.spec


@pytest.mark.parametrize(
    ("stored", "scope", "why"),
    [
        ({"1"}, ["a"], "scope cannot be changed in place"),
        (set(), ["b"], "its secret is lost"),
        (set(), ["a"], "its secret is lost"),
    ],
)
def test_a_client_that_is_bound_anew_is_replaced_at_once_where_only_that_helps(stored, scope, why):
    wanted = manifest(spec={**FACTS, "scope": ["b"], "ttl": 60}, **REPLACEABLE)
    known = after_crash(LISTED, made("1", scope=scope, ttl=30), stored=frozenset(stored))

    change = only(known, wanted)

    assert change.action is Action.REPLACE
    assert change.reason == f"created by a run that could not record it, and {why}"
    assert [request.operation for request in change.requests] == ["create", "delete"]
    assert change.requests[0].body["scope"] == ["b"]
    assert change.warnings == ()


def after_a_replace(**facts):
    """A target whose last run died after the POST of a successor of `old`."""
    return after_crash(
        LISTED,
        made("new"),
        made("old", created="2020-01-01T00:00:00Z"),
        pending={"web": intent(predecessor="old")},
        entries={"web": entry("old")},
        **facts,
    )


def test_who_serves_beside_a_client_without_a_secret_goes_with_it():
    replaced, deleted = plan_target(
        after_a_replace(), [manifest(spec=WEB.spec, **REPLACEABLE)]
    ).changes

    assert (replaced.action, replaced.remote_id) == (Action.REPLACE, "new")
    assert replaced.record.superseded == ("old",)
    assert (deleted.action, deleted.remote_id) == (Action.DELETE, "old")


def test_what_serves_nobody_is_not_counted_as_taken_away():
    one = Policy(max_deletes=1)
    known, wanted = after_a_replace(policy=one), manifest(spec=WEB.spec, **REPLACEABLE)

    assert plan_target(known, [wanted]).refusals == ()
    assert plan_target(
        replace(known, target=replace(known.target, policy=replace(one, max_deletes=0))), [wanted]
    ).refusals


@pytest.mark.parametrize("stored", [set(), {"new"}], ids=["secret lost", "secret stored"])
def test_a_grace_that_is_stated_begins_with_the_successor_that_was_found(stored):
    known = after_a_replace(stored=frozenset(stored), policy=Policy(replace_grace=3600))

    change = only(known, manifest(spec=WEB.spec, **REPLACEABLE))

    assert change.action is (Action.ADOPT if stored else Action.REPLACE)
    assert change.record.superseded == ("old",)
    assert "delete" not in [request.operation for request in change.requests]


def test_a_create_that_no_manifest_asks_for_any_more_is_told():
    pending = {"gone": intent(key="gone"), "unseen": intent(key="unseen")}
    known = after_crash(LISTED, pending=pending, others=frozenset({"unseen"}))

    (warning,) = plan_target(known, [WEB]).warnings

    assert "a run began to create gone" in warning
    assert "reconciler resolve gone" in warning


def lost(vendor, **body):
    return context(
        vendor,
        live=live(made("1", **body)),
        entries={"web": entry("1", applied=dict(FACTS), secret="lost")},
    )


def test_every_plan_warns_of_a_lost_secret():
    change = only(lost(LISTED))

    assert change.action is Action.NOOP
    assert "its secret is lost" in change.warnings[0]


def test_a_client_whose_secret_is_lost_is_replaced_where_that_is_allowed():
    change = only(lost(LISTED), replace(WEB, lifecycle=manifest(allow_replace=True).lifecycle))

    assert (change.action, change.reason) == (Action.REPLACE, "its secret is lost")
    assert [request.operation for request in change.requests] == ["create", "delete"]


@pytest.mark.parametrize(
    ("vendor", "facts"),
    [
        (LISTED, {"allow_replace": True, "prevent_destroy": True}),
        (LISTED, {"allow_replace": True, "id": "1"}),
        (replace(LISTED, delete=None), {"allow_replace": True}),
        (LISTED, {}),
    ],
)
def test_a_client_whose_secret_is_lost_is_not_replaced_where_that_is_not_allowed(vendor, facts):
    assert only(lost(vendor), manifest(spec=WEB.spec, **facts)).action is Action.NOOP


def test_where_a_secret_can_be_rotated_that_is_the_way_out():
    endpoint = Endpoint(method="POST", expect=frozenset({200}))

    change = only(
        lost(replace(LISTED, rotate=endpoint)), manifest(spec=WEB.spec, allow_replace=True)
    )

    assert change.action is Action.NOOP
    assert "reconciler rotate web" in change.warnings[0]


def test_a_lost_secret_that_is_told_after_all_is_stored():
    change = only(lost(LISTED, secret=Secret("here it is")))

    assert (change.action, change.record.secret) == (Action.NOOP, "readable")


def test_a_secret_that_waits_for_its_sink_is_told():
    known = context(
        LISTED,
        live=live(made("1")),
        entries={"web": entry("1", applied=dict(FACTS), secret="spooled")},
    )

    assert "the next apply brings it" in only(known).warnings[0]


ADOPT = Policy(adopt="unowned")


def foreign(*clients, vendor=LISTED, **facts):
    return context(vendor, **{"live": live(*clients), "policy": ADOPT, **facts})


def test_the_one_foreign_client_of_the_name_is_adopted():
    change = only(
        foreign(made("7", ttl=30), made("8", name="api")), manifest(spec={"name": "web", "ttl": 60})
    )

    assert (change.action, change.remote_id, change.record.secret) == (Action.ADOPT, "7", "")
    assert change.reason == "the only client of its name that is not ours"
    assert [request.operation for request in change.requests] == ["update"]


def test_a_name_from_a_reference_finds_its_client():
    assert only(foreign(made("7")), manifest(spec={"name": Secret("web")})).remote_id == "7"


def test_without_the_policy_a_client_of_the_name_is_left_alone():
    assert only(foreign(made("7"), policy=Policy())).action is Action.CREATE


def test_of_several_foreign_clients_of_the_name_none_is_adopted():
    change = only(foreign(made("8"), made("7")))

    assert change.refusal.rule == "ambiguous-adoption"
    assert "(7, 8)" in change.refusal.message


@pytest.mark.parametrize("spec", [{"ttl": 60}, {"name": None}])
def test_who_states_no_name_adopts_nobody(spec):
    assert only(foreign(made("7", name=None)), manifest(spec=spec)).action is Action.CREATE


def test_a_client_that_somebody_means_is_nobody_elses():
    known = foreign(made("1"), made("3"), entries={"api": entry("1")}, claimed=frozenset({"3"}))

    plan = plan_target(known, [WEB, manifest("api", spec={"name": "web"})])

    assert {change.key: change.action for change in plan.changes}["web"] is Action.CREATE


def test_where_ids_are_chosen_their_spelling_is_all_the_same():
    known = foreign(made("abc"), vendor=CHOOSER, claimed=frozenset({"ABC"}))

    assert only(known).action is Action.CREATE


def test_two_manifests_of_one_name_do_not_share_a_client():
    plan = plan_target(foreign(made("7")), [WEB, manifest("web2", spec={"name": "web"})])

    assert [change.refusal.rule for change in plan.changes] == ["shared-id", "shared-id"]


def test_what_is_not_ours_is_never_replaced():
    wanted = manifest(spec={"name": "web", "scope": ["b"]}, allow_replace=True)

    change = only(foreign(made("7", scope=["a"])), wanted)

    assert (change.action, change.refusal.rule) == (Action.ADOPT, "replace-unowned")
    assert change.requests == ()


def test_a_client_of_ours_that_was_made_again_by_hand_is_adopted():
    assert (
        only(foreign(entries={"web": entry("1")}, live=live(made("7"), gone={"1"}))).remote_id
        == "7"
    )


def test_where_there_is_no_list_the_plan_says_that_none_can_be_found():
    blind = foreign(vendor=BLIND, live=live(listed=False))

    plan = plan_target(blind, [WEB])

    assert "no list of names" in plan.warnings[0]
    assert plan_target(blind, []).warnings == ()


def test_where_ids_are_chosen_a_stated_id_is_not_searched_by_name():
    change = only(
        foreign(vendor=CHOOSER, live=live(made("7"), gone={"9"})),
        manifest(id="9", spec={"name": "web"}),
    )

    assert (change.action, change.remote_id) == (Action.CREATE, "9")


# What somebody who does not have the key can write into a record, in the place of a run.
FORGED = {
    "made up": intent(),
    "copied from another": replace(intent(key="api"), key="web"),
    "with another time": replace(intent(at=LATER), at=AT),
    "with an id": replace(intent(), remote_id="1"),
    "without its id": replace(intent(remote_id="9"), remote_id=None),
}
FORGED["made up"] = replace(FORGED["made up"], digest="hmac:0123456789ab")


@pytest.mark.parametrize("vendor", [LISTED, CHOOSER, NAMER], ids=["listed", "chooser", "namer"])
@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_pending_create_that_no_run_wrote_takes_nothing_over(vendor, forged):
    vendor = replace(vendor, identity=replace(vendor.identity, created="/created"))

    change = only(after_crash(vendor, made("1"), pending={"web": forged}, gone=frozenset("9")))

    assert change.refusal is not None or change.action is Action.CREATE
    assert change.requests == () or change.action is Action.CREATE
    if change.refusal is not None and change.refusal.rule == "ambiguous-create":
        assert "was not written by a run with this fingerprint key" in change.refusal.message
        assert "reconciler resolve web --id ID" in change.refusal.message


def test_an_id_that_follows_from_the_key_needs_no_digest():
    known = context(CHOOSER)
    ours = chosen_id(known, "web")
    pending = {"web": replace(intent(), remote_id=ours, digest="")}

    change = only(after_crash(CHOOSER, made(ours), pending=pending))

    assert (change.action, change.remote_id, change.refusal) == (Action.ADOPT, ours, None)


@pytest.mark.parametrize("differs", [False, True])
def test_the_digest_of_earlier_versions_counts_for_the_facts_that_it_is_of(differs):
    old = replace(intent(), digest=fingerprint(KEY, FACTS))
    old = replace(old, facts={"name": "web"}) if differs else old

    change = only(after_crash(LISTED, made("1"), pending={"web": old}))

    assert (change.action is Action.ADOPT) is not differs
