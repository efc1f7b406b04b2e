from __future__ import annotations

import pytest
from support.given import KEY, client, context, entry, field, manifest, provider, replace

from reconciler.core.model import Intent, Secret
from reconciler.plan.applied import bind_entry
from reconciler.plan.context import chosen_id
from reconciler.plan.ownership import adoption_refusal, importable, resolution_refusal
from reconciler.plan.record.intents import sealed_intent
from reconciler.provider.model import Chosen, Identity

VENDOR = provider(
    field("name"),
    field("uris", is_set=True, read_as="URIs"),
    field("secret", secret=True, schema={"type": "string"}),
    field("jwks", write_only=True),
    identity=Identity(pointer="/id", match="name", recognize=("name", "uris")),
    protected=frozenset({"the server's own"}),
)
NOW = "2026-11-23T12:00:00Z"


def intent(key="web", **facts):
    stated = {"remote_id": None, "facts": {"name": "Web"}, "digest": "", "at": NOW}
    return sealed_intent(KEY, Intent(key=key, **{**stated, **facts}))


def world(*, pending=(), entries=None, **facts):
    found = context(VENDOR, entries=entries or {}, **facts)
    pending = {each.key: each for each in pending}
    return replace(found, inventory=replace(found.inventory, pending=pending))


def with_manifests(where, manifests):
    return replace(where, others={each.name: each for each in manifests})


def left(where, *clients, manifests=(), by_id=False):
    taken, why = importable(with_manifests(where, manifests), clients, by_id=by_id)
    assert {each.remote_id for each in taken} == {each.remote_id for each in clients} - why.keys()
    return {remote_id: refusal.rule for remote_id, refusal in why.items()}


def test_clients_that_nobody_has_claimed_are_taken_in_the_order_of_their_ids():
    taken, why = importable(world(), [client("2"), client("1", name="Web")], by_id=False)

    assert [each.remote_id for each in taken] == ["1", "2"]
    assert why == {}


@pytest.mark.parametrize("by_id", [False, True])
def test_a_client_that_is_ours_is_left_alone_even_where_it_was_named(by_id):
    ours = world(entries={"web": entry("1", superseded=("0",))})

    assert left(ours, client("0"), client("1"), client("2"), by_id=by_id) == {
        "0": "superseded",
        "1": "bound",
    }


def test_of_a_client_that_lost_its_manifest_is_told_how_to_free_it():
    ours = world(entries={"web": entry("1"), "orders": entry("2")})

    known = with_manifests(ours, [manifest("web")])
    _, why = importable(known, [client("1"), client("2")], by_id=True)

    assert why["1"].message == "it is web already"
    assert "`reconciler forget orders` frees it" in why["2"].message


@pytest.mark.parametrize("by_id", [False, True])
def test_a_client_that_a_manifest_means_is_left_to_the_next_apply(by_id):
    stated = [manifest("web", id="1")]

    assert left(world(), client("1"), client("2"), manifests=stated, by_id=by_id) == {"1": "meant"}


def test_a_client_with_the_id_that_a_create_would_choose_is_meant_by_its_manifest():
    chosen = provider(
        field("name"), identity=Identity(pointer="/id", chosen=Chosen.UUID, match="name")
    )
    where = context(chosen)
    remote_id = chosen_id(where, "web")

    assert left(where, client(remote_id), manifests=[manifest("web")]) == {remote_id: "meant"}


def test_a_client_that_a_pending_create_may_have_made_is_left_alone():
    by_facts = world(pending=[intent(facts={"name": "Web", "uris": ["a", "b"]})])
    like = client("1", name="Web", uris=["b", "a"])

    assert left(by_facts, like, client("2", name="Web"), by_id=True) == {"1": "pending-create"}


def test_a_pending_create_that_chose_an_id_means_that_one_alone():
    where = world(pending=[intent(remote_id="7")])

    assert left(where, client("7"), client("8", name="Web"), by_id=True) == {"7": "pending-create"}


def test_a_pending_create_of_which_nothing_is_known_may_have_made_any_client():
    where = world(pending=[intent("orders", facts={})])

    assert left(where, client("8", name="Web"), by_id=True) == {"8": "pending-create"}


def test_what_nobody_would_want_unasked_is_taken_by_its_id():
    where = world(own_id="own")
    clients = [client("own"), client("1", name="the server's own"), client("2", name="Web")]
    manifests = [manifest("web", spec={"name": "Web"})]

    assert left(where, *clients, manifests=manifests) == {
        "own": "own-client",
        "1": "protected",
        "2": "namesake",
    }
    assert left(where, *clients, manifests=manifests, by_id=True) == {}


def test_only_a_manifest_without_a_client_can_be_waiting_for_a_namesake():
    where = world(entries={"web": entry("1")})
    manifests = [
        manifest("web", spec={"name": "Web"}),
        manifest("bound", id="9", spec={"name": "Web"}),
        manifest("silent", spec={}),
        manifest("empty", spec={"name": ""}),
    ]

    assert left(where, client("2", name="Web"), client("3", name=""), manifests=manifests) == {}


def test_a_name_from_a_reference_is_a_name_as_it_is_to_a_plan():
    secret = manifest("secret", spec={"name": Secret("Web")})

    assert left(world(), client("2", name="Web"), manifests=[secret]) == {"2": "namesake"}


def refused(where, to, stated, *others):
    found = adoption_refusal(with_manifests(where, [stated, *others]), to, stated)
    return None if found is None else found.rule


WEB = manifest("web", spec={"name": "Web"})


def test_a_manifest_may_adopt_a_client_that_nobody_has():
    assert refused(world(), client("1", name="another name"), WEB) is None
    assert refused(world(), client("1"), manifest("web", id="1")) is None


def test_a_manifest_that_has_its_client_may_keep_it():
    where = world(entries={"web": entry("1")})

    assert refused(where, client("1"), WEB) is None
    assert refused(where, client("2"), WEB) == "key-bound"


def test_a_manifest_may_not_adopt_what_is_another_ones():
    where = world(entries={"orders": entry("1", superseded=("0",))}, pending=[intent("new")])

    assert refused(where, client("1"), WEB) == "bound"
    assert refused(where, client("0"), WEB) == "superseded"
    assert refused(where, client("5"), WEB, manifest("other", id="5")) == "meant"
    assert refused(where, client("6", name="Web"), WEB) == "pending-create"
    assert refused(where, client("7", name="the server's own"), WEB) == "protected"


def test_a_manifest_whose_own_create_is_pending_is_resolved_instead():
    assert refused(world(pending=[intent()]), client("1"), WEB) == "pending-create"


def test_a_manifest_that_names_another_client_has_to_be_corrected_first():
    assert refused(world(), client("1"), manifest("web", id="2")) == "bound-elsewhere"


def unresolved(where, to, of, *manifests):
    found = resolution_refusal(with_manifests(where, [WEB, *manifests]), to, of)
    return None if found is None else found.rule


def test_a_pending_create_may_have_made_any_client_that_is_nobodys():
    mine = intent()
    where = world(pending=[mine, intent("orders", facts={"name": "Orders"})], own_id="9")

    assert unresolved(where, client("1"), mine) is None
    assert unresolved(where, client("2", name="Orders"), mine) == "pending-create"
    assert unresolved(where, client("5"), mine, manifest("other", id="5")) == "meant"


def test_a_create_that_chose_an_id_made_no_client_with_another():
    mine = intent(remote_id="7")

    assert unresolved(world(pending=[mine]), client("7"), mine) is None
    assert unresolved(world(pending=[mine]), client("8"), mine) == "another-id"


def test_the_predecessor_of_a_replace_is_not_its_successor():
    mine = intent(predecessor="1")
    where = world(pending=[mine], entries={"web": entry("1")})

    assert unresolved(where, client("1"), mine) == "bound"


def bound(spec, body, **facts):
    stated = manifest("web", spec=spec, **facts)
    return bind_entry(world(), client("1", **body), stated, now=NOW)


def test_only_what_is_as_wanted_counts_as_applied():
    found = bound({"name": "Web", "uris": ["b", "a"]}, {"name": "Shop", "uris": ["a", "b"]})

    assert found.entry.applied == {"uris": ["a", "b"]}
    assert (found.entry.remote_id, found.entry.applied_at) == ("1", NOW)
    assert [change.field for change in found.differing] == ["name"]


def test_of_references_and_of_what_no_answer_shows_nothing_is_known():
    found = bound(
        {"secret": {"env": "SHOP_SECRET"}, "jwks": "https://a.example.com", "name": "Web"},
        {"name": "Web", "secret": Secret("hunter2"), "uris": ["x"]},
        ignore_changes=frozenset({"/uris"}),
    )

    assert found.entry.applied == {"name": "Web"}
    assert found.entry.fingerprints == {}
    assert found.differing == ()


def test_predecessors_and_the_place_of_the_secret_are_remembered():
    found = bind_entry(
        world(), client("2"), WEB, now=NOW, superseded=("1", "0", "1"), secret="stored"
    )

    assert found.entry.superseded == ("1", "0")
    assert found.entry.secret == "stored"
