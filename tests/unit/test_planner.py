import pytest
from support.given import (
    client,
    context,
    entry,
    field,
    intent,
    live,
    manifest,
    provider,
    replace,
    target,
)

from reconciler.core.changes import Action, Origin
from reconciler.core.model import MISSING, Inventory
from reconciler.core.project import ClientCredentials, Policy, Reference
from reconciler.plan.context import bound_id, chosen_id, ids_to_read, rests_on_absence
from reconciler.plan.planner import plan_target
from reconciler.provider.model import Chosen, Identity

FIELDS = (
    field("name"),
    field("uris", is_set=True),
    field("scope", is_set=True, immutable=True),
)
VENDOR = provider(*FIELDS)
CHOOSER = provider(*FIELDS, identity=Identity(pointer="/id", chosen=Chosen.UUID, match="name"))


def only(of, *manifests):
    (change,) = plan_target(of, manifests or [manifest(spec={"name": "web"})]).changes
    return change


def test_a_manifest_without_a_client_is_a_create():
    change = only(context(VENDOR))

    assert (change.action, change.remote_id) == (Action.CREATE, None)
    assert [request.method for request in change.requests] == ["POST"]
    assert [(each.field, each.after, each.origin) for each in change.fields] == [
        ("name", "web", None)
    ]


def test_a_client_that_is_as_wanted_is_a_noop():
    known = context(VENDOR, live=live(client("1", name="web")), entries={"web": entry("1")})

    change = only(known)

    assert (change.action, change.requests, change.remote_id) == (Action.NOOP, (), "1")


def test_a_client_that_differs_is_updated_and_told_why():
    known = context(
        VENDOR,
        live=live(client("1", name="drifted", uris=["a"])),
        entries={"web": entry("1", applied={"name": "web", "uris": ["a"]})},
    )

    change = only(known, manifest(spec={"name": "web", "uris": ["b"]}))

    assert change.action is Action.UPDATE
    assert change.reason == "1 field changed on the server, 1 field changed in git"
    assert [each.origin for each in change.fields] == [Origin.DRIFT, Origin.CONFIG]


def test_a_client_of_ours_that_is_gone_is_created_again():
    change = only(context(VENDOR, entries={"web": entry("1")}, live=live(gone={"1"})))

    assert change.action is Action.CREATE
    assert change.reason == "gone from the server, where it was 1"


@pytest.mark.parametrize("listed", [False, True])
def test_a_client_that_was_not_asked_for_is_not_taken_for_gone(listed):
    unread = context(VENDOR, entries={"web": entry("1")}, live=live(listed=listed))

    with pytest.raises(ValueError, match="never read"):
        only(unread)


def test_a_read_that_found_nothing_means_gone():
    known = context(
        VENDOR, entries={"web": entry("1")}, live=live(listed=False, gone=frozenset({"1"}))
    )

    assert only(known).action is Action.CREATE


def test_a_client_that_is_bound_by_its_id_is_adopted():
    known = context(VENDOR, live=live(client("9", name="old")))

    change = only(known, manifest(id="9", spec={"name": "web"}))

    assert (change.action, change.reason) == (Action.ADOPT, "bound by metadata.id")
    assert [request.method for request in change.requests] == ["PATCH"]


def test_a_binding_to_another_client_than_before_is_an_adoption():
    known = context(
        VENDOR,
        live=live(client("9", name="web")),
        entries={"web": entry("1", applied={"name": "x"})},
    )

    assert only(known, manifest(id="9", spec={"name": "web"})).action is Action.ADOPT


def test_a_bound_client_that_is_not_there_is_refused_and_not_created():
    change = only(context(VENDOR, live=live(gone={"9"})), manifest(id="9", spec={"name": "web"}))

    assert change.refusal.rule == "bound-id-absent"
    assert change.requests == ()


def test_where_ids_are_chosen_a_stated_id_is_created():
    change = only(
        context(CHOOSER, live=live(gone={"abc"})), manifest(id="ABC", spec={"name": "web"})
    )

    assert (change.action, change.remote_id) == (Action.CREATE, "abc")
    assert change.requests[0].body["id"] == "abc"


def test_a_chosen_id_follows_from_where_the_client_lives_and_what_it_is_called():
    here = context(CHOOSER)

    assert chosen_id(here, "web") == chosen_id(here, "web")
    others = {
        chosen_id(here, "api"),
        chosen_id(here, "web", "1"),
        chosen_id(replace(here, target=target(name="b")), "web"),
    }
    assert len(others | {chosen_id(here, "web")}) == 4


def test_a_client_that_an_earlier_run_created_and_could_not_record_is_found_again():
    here = context(CHOOSER)
    there = replace(here, live=live(client(chosen_id(here, "web"), name="web")))

    change = only(there)

    assert (change.action, change.requests) == (Action.ADOPT, ())
    assert "could not record" in change.reason


def test_an_immutable_field_is_changed_by_a_replace_that_has_to_be_allowed():
    known = context(VENDOR, live=live(client("1", scope=["a"])), entries={"web": entry("1")})

    refused = only(known, manifest(spec={"scope": ["b"]}))
    allowed = only(known, manifest(spec={"scope": ["b"]}, allow_replace=True))

    assert (refused.action, refused.refusal.rule) == (Action.REPLACE, "replace-not-allowed")
    assert refused.requests == ()
    assert allowed.reason == "scope cannot be changed in place"
    assert [request.operation for request in allowed.requests] == ["create", "delete"]


def test_a_successor_gets_an_id_of_its_own():
    here = context(CHOOSER)
    old = chosen_id(here, "web")
    there = replace(here, live=live(client(old, scope=["a"])), inventory=here.inventory)

    change = only(there, manifest(spec={"scope": ["b"]}, allow_replace=True))

    assert change.requests[0].body["id"] == chosen_id(here, "web", old) != old


def test_a_replace_that_no_call_can_make_is_refused():
    keeper = replace(VENDOR, delete=None)
    known = context(keeper, live=live(client("1", scope=["a"])), entries={"web": entry("1")})

    assert only(known, manifest(spec={"scope": ["b"]})).refusal.rule == "no-delete"


def test_a_predecessor_that_could_not_be_deleted_is_deleted_later():
    known = context(
        VENDOR,
        live=live(client("2", name="web"), client("1", name="web"), gone={"0"}),
        entries={"web": entry("2", superseded=("1", "0"))},
    )

    kept, left_over = plan_target(known, [manifest(spec={"name": "web"})]).changes

    assert kept.action is Action.NOOP
    assert (left_over.action, left_over.remote_id) == (Action.DELETE, "1")


def test_a_predecessor_that_is_gone_is_remembered_no_longer():
    known = context(
        VENDOR,
        live=live(client("2", name="web"), client("1", name="web"), gone={"0"}),
        entries={"web": entry("2", superseded=("1", "0"))},
    )

    kept, _ = plan_target(known, [manifest(spec={"name": "web"})]).changes

    assert kept.record.superseded == ("1",)


def test_an_ignored_field_is_left_as_it_is():
    known = context(VENDOR, live=live(client("1", name="theirs")), entries={"web": entry("1")})

    ignoring = manifest(spec={"name": "web"}, ignore_changes=frozenset({"/name"}))

    assert only(known, ignoring).action is Action.NOOP


def test_what_the_server_keeps_otherwise_is_told_and_not_asked_again():
    kept = entry("1", applied={"name": "Web"}, answered={"name": "web"})
    known = context(VENDOR, live=live(client("1", name="web")), entries={"web": kept})

    change = only(known, manifest(spec={"name": "Web"}))

    assert change.action is Action.NOOP
    assert "name" in change.warnings[0]


def test_two_manifests_that_mean_one_client_are_both_refused():
    known = context(VENDOR, live=live(client("1", name="web")), entries={"web": entry("1")})

    plan = plan_target(known, [manifest(spec={"name": "web"}), manifest("api", id="1")])

    assert [change.refusal.rule for change in plan.changes] == ["shared-id", "shared-id"]


def test_a_vendor_without_names_gets_no_word_on_names():
    nameless = replace(VENDOR, identity=Identity(pointer="/id"))

    assert only(context(nameless, live=live(client("8", name="web")))).warnings == ()


def test_a_client_without_a_manifest_is_left_alone_and_told():
    known = context(
        VENDOR,
        live=live(client("1")),
        entries={"old": entry("1"), "elsewhere": entry("2")},
        others=frozenset({"elsewhere"}),
    )

    plan = plan_target(known, [])

    assert plan.changes == ()
    assert plan.warnings == ("left alone, since no manifest names them any more: old",)


def test_a_whole_fleet_that_is_gone_is_rather_the_wrong_place():
    entries = {"web": entry("1"), "api": entry("2")}
    lost = context(VENDOR, entries=entries, live=live(gone={"1", "2"}))
    fleet = [manifest(spec={"name": "web"}), manifest("api", spec={"name": "api"})]

    assert "check baseUrl" in plan_target(lost, fleet).warnings[0]
    found = replace(lost, live=live(client("1", name="web"), gone={"2"}))
    assert plan_target(found, fleet).warnings == ()


def test_what_a_new_client_gets_comes_from_nothing():
    vendor = provider(field("note", equal=((None, ""),)))

    change = only(context(vendor), manifest(spec={"note": "n"}))

    assert change.fields[0].before is MISSING


def test_the_limits_of_the_target_hold_for_its_whole_plan():
    known = context(
        VENDOR,
        live=live(client("1", scope=["a"])),
        entries={"web": entry("1")},
        policy=Policy(max_deletes=0),
    )

    plan = plan_target(known, [manifest(spec={"scope": ["b"]}, allow_replace=True)])

    assert [found.rule for found in plan.refusals] == ["max-deletes"]


def test_changes_are_sorted_by_key():
    plan = plan_target(context(VENDOR), [manifest("b"), manifest("c"), manifest("a")])

    assert [change.key for change in plan.changes] == ["a", "b", "c"]


def test_the_ids_to_read_are_those_that_a_plan_looks_at():
    known = context(VENDOR, entries={"web": entry("1", superseded=("0",)), "old": entry("5")})
    manifests = [manifest(), manifest("api", id="9"), manifest("new")]

    assert ids_to_read(known, manifests) == {"0", "1", "9"}
    assert bound_id(known, manifests[2]) is None


def test_the_id_that_a_create_would_choose_is_read_only_where_no_list_shows_it():
    listed, unlisted = context(CHOOSER), context(replace(CHOOSER, list=None))

    assert ids_to_read(listed, [manifest()]) == set()
    assert ids_to_read(unlisted, [manifest()]) == {chosen_id(unlisted, "web")}


def test_a_lost_create_is_not_made_again_on_the_strength_of_a_list_that_may_not_be_whole():
    lost = Inventory(target="shop", entries={}, pending={"web": intent("web", name="Web")})
    doubtful = context(VENDOR, inventory=lost, live=live(doubt="it lacks 9, which is there"))

    (change,) = plan_target(doubtful, [manifest(spec={"name": "Web"})]).changes

    assert change.refusal.rule == "unknown-create"
    assert "it lacks 9" in change.refusal.message
    assert "reconciler resolve web" in change.refusal.message


def test_a_lost_create_is_not_made_again_where_nothing_says_how_the_list_pages():
    lost = Inventory(target="shop", entries={}, pending={"web": intent("web", name="Web")})
    silent = replace(VENDOR, list_is_described=False)

    (change,) = plan_target(
        context(silent, inventory=lost), [manifest(spec={"name": "Web"})]
    ).changes

    assert change.refusal.rule == "unknown-create"
    assert "nothing says whether it comes in pages" in change.refusal.message


@pytest.mark.parametrize(
    "seen",
    [
        context(VENDOR, live=live(doubt="it lacks 9, which is there")),
        context(replace(VENDOR, list_is_described=False)),
    ],
)
def test_a_create_beside_a_list_that_may_not_be_whole_is_told(seen):
    plan = plan_target(seen, [manifest(spec={"name": "Web"})])

    assert any("may not be whole" in warning for warning in plan.warnings)
    assert plan.changes[0].refusal is None


ADOPTS = Policy(adopt="unowned")


def test_a_client_that_adoption_would_look_for_is_not_made_beside_a_list_that_lacks_some():
    seen = context(VENDOR, policy=ADOPTS, live=live(doubt="it lacks 9, which is there"))

    (change,) = plan_target(seen, [manifest(spec={"name": "Web"})]).changes

    assert (change.action, change.refusal.rule) == (Action.CREATE, "doubtful-list")
    assert "it lacks 9" in change.refusal.message


def test_a_client_without_a_name_is_made_beside_a_list_that_lacks_some():
    seen = context(VENDOR, policy=ADOPTS, live=live(doubt="it lacks 9, which is there"))

    assert only(seen, manifest(spec={"scope": ["a"]})).refusal is None


def inventory(**facts):
    return Inventory(**{"target": "shop", "entries": {}, **facts})


@pytest.mark.parametrize(
    ("known", "stated", "expected"),
    [
        (context(VENDOR), manifest(), False),
        (context(VENDOR, policy=ADOPTS), manifest(), True),
        (context(VENDOR, policy=ADOPTS), manifest(id="9"), False),
        (context(VENDOR, policy=ADOPTS, entries={"web": entry("1")}), manifest(), False),
        (context(VENDOR, inventory=inventory(pending={"web": intent()})), manifest(), True),
        (context(VENDOR, inventory=inventory(pending={"web": intent()})), manifest("api"), False),
        (
            context(VENDOR, inventory=inventory(pending={"web": intent(remote_id="1")})),
            manifest(),
            False,
        ),
        (context(VENDOR, inventory=inventory(pending={"web": intent()})), manifest(id="9"), False),
        (
            context(replace(VENDOR, identity=Identity(pointer="/id")), policy=ADOPTS),
            manifest(),
            False,
        ),
    ],
)
def test_a_plan_rests_on_what_the_list_lacks_where_no_id_can_be_read(known, stated, expected):
    assert rests_on_absence(known, [stated]) is expected


HTTP, TLS = "http://boruta.svc:4000/api", "https://id.example.com"


def logs_in(token_url):
    return ClientCredentials(
        client_id="a", client_secret=Reference(kind="env", name="S"), token_url=token_url
    )


@pytest.mark.parametrize(
    ("base_url", "auth", "hosts"),
    [
        (TLS, logs_in(None), ""),
        (TLS, logs_in(f"{TLS}/token"), ""),
        (HTTP, target().auth, "boruta.svc"),
        (HTTP, logs_in(f"{TLS}/token"), "boruta.svc"),
        (HTTP, logs_in("http://boruta.svc:4001/token"), "boruta.svc"),
        (TLS, logs_in("http://[fd00::1]/token"), "fd00::1"),
        (HTTP, logs_in("http://10.0.0.1/token"), "boruta.svc and 10.0.0.1"),
        ("http://127.0.0.1:1", logs_in("http://localhost:2/token"), ""),
    ],
)
def test_a_plan_says_what_is_reached_by_plain_http(base_url, auth, hosts):
    of = replace(context(VENDOR), target=target(base_url=base_url, auth=auth, allow_http=True))

    warnings = plan_target(of, []).warnings

    assert [each.partition(" (allowHttp)")[0] for each in warnings] == (
        [f"plain HTTP to {hosts}"] if hosts else []
    )
