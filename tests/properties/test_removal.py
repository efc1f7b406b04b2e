"""What holds for every fleet, whatever was removed, disabled, used or never recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from support.given import (
    client,
    context,
    entry,
    field,
    live,
    manifest,
    provider,
    replace,
    target,
    with_policy,
)

from reconciler.core.changes import Action, Change, ForgetClient, TargetPlan
from reconciler.core.model import Intent, Inventory
from reconciler.core.project import Policy
from reconciler.plan.context import TargetContext, ids_to_read
from reconciler.plan.planner import plan_target
from reconciler.provider.model import Identity, Switch

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIELDS = (
    field("name"),
    field("enabled"),
    field("scope", is_set=True, immutable=True),
    field("secret", secret=True, read_only=True),
)
VENDOR = provider(
    *FIELDS,
    identity=Identity(
        pointer="/id",
        match="name",
        recognize=("name",),
        created="/created",
        last_used="/lastUsed",
    ),
    switch=Switch(field="enabled", off=False, on=True),
    protected=frozenset({"public client"}),
)
KEYS = ("a", "b", "c", "d", "e")
IDS = ("1", "2", "3", "4", "5", "6", "own")
INSTANTS = st.one_of(
    st.none(),
    st.sampled_from(["", "garbage"]),
    st.integers(-400, 40).map(lambda days: (NOW + timedelta(days=days)).isoformat()),
)
NAMES = st.sampled_from([*KEYS, "public client"])
CLIENTS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "enabled": st.booleans(),
        "lastUsed": INSTANTS,
        "created": INSTANTS,
        "scope": st.sampled_from([["x"], ["y"]]),
    }
)
POLICIES = st.builds(
    Policy,
    adopt=st.sampled_from(["never", "unowned"]),
    prune=st.booleans(),
    max_deletes=st.one_of(st.none(), st.integers(0, 3)),
    max_change_percent=st.one_of(st.none(), st.sampled_from([0, 30, 50, 100])),
    keep_used_days=st.sampled_from([0, 30]),
    quarantine_days=st.sampled_from([0, 7]),
    on_removal=st.sampled_from(["keep", "disable"]),
    override=st.one_of(st.none(), st.integers(0, 3)),
)
ENTRIES = st.builds(
    entry,
    st.sampled_from(IDS),
    applied=st.sampled_from([{}, {"enabled": False}, {"enabled": True}]),
    prevent_destroy=st.booleans(),
    quarantined_at=INSTANTS.map(lambda stated: stated or ""),
    superseded=st.lists(st.sampled_from(IDS), max_size=1).map(tuple),
    secret=st.sampled_from(["", "stored", "spooled", "lost"]),
)
INTENTS = st.builds(
    Intent,
    key=st.just(""),
    remote_id=st.none(),
    facts=NAMES.map(lambda name: {"name": name}),
    digest=st.just(""),
    at=INSTANTS.map(lambda stated: stated or ""),
)
MANIFESTS = st.builds(
    lambda name, scope, allowed: {"spec": {"name": name, "scope": scope}, "allow_replace": allowed},
    NAMES,
    st.sampled_from([["x"], ["y"]]),
    st.booleans(),
)
TARGETS = st.tuples(
    st.builds(
        context,
        st.sampled_from([VENDOR, replace(VENDOR, switch=None), replace(VENDOR, delete=None)]),
        live=st.dictionaries(st.sampled_from(IDS), CLIENTS).map(
            lambda found: live(
                *(client(remote_id, **body) for remote_id, body in found.items()),
                gone=frozenset(IDS) - found.keys(),
            )
        ),
        inventory=st.builds(
            Inventory,
            target=st.just("shop"),
            entries=st.dictionaries(st.sampled_from(KEYS), ENTRIES),
            pending=st.dictionaries(st.sampled_from(KEYS), INTENTS, max_size=1).map(
                lambda found: {key: replace(each, key=key) for key, each in found.items()}
            ),
        ),
        target=st.builds(target, policy=POLICIES),
        own_id=st.just("own"),
        is_partial=st.booleans(),
        now=st.just(NOW.isoformat()),
    ),
    st.dictionaries(st.sampled_from(KEYS), MANIFESTS).map(
        lambda found: [manifest(key, **facts) for key, facts in found.items()]
    ),
)


def sent(plan: TargetPlan) -> list[Change]:
    """The changes that apply would send something for: none where anything was refused."""
    refused = plan.refusals or any(change.refusal for change in plan.changes)
    return [] if refused else [change for change in plan.changes if change.requests]


def takes_away(change: Change) -> bool:
    if change.action in (Action.DELETE, Action.REPLACE):
        return True
    return change.action is Action.UPDATE and change.manifest is None


def owned(known: TargetContext) -> set[str]:
    entries = known.inventory.entries.values()
    return {remote_id for each in entries for remote_id in (each.remote_id, *each.superseded)}


@given(TARGETS)
def test_nothing_is_taken_away_that_is_not_ours(target):
    known, manifests = target

    for change in plan_target(known, manifests).changes:
        if takes_away(change) and not change.refusal:
            assert change.remote_id in owned(known)


@given(TARGETS)
def test_nothing_is_taken_away_beyond_the_limits(target):
    known, manifests = target

    plan = plan_target(known, manifests)

    taken = sum(map(takes_away, sent(plan)))
    existing = sum(change.live is not None for change in plan.changes)
    policy = known.target.policy
    if policy.override is not None:
        assert taken <= policy.override
        return
    assert policy.max_deletes is None or taken <= policy.max_deletes
    percent = policy.max_change_percent
    assert percent is None or taken * 100 <= percent * existing


@given(TARGETS)
def test_no_client_goes_for_want_of_a_manifest_unless_everything_allows_it(target):
    known, manifests = target

    for change in plan_target(known, manifests).changes:
        if change.manifest is None and change.requests:
            remembered = known.inventory.entries[change.key]
            assert known.target.policy.prune
            assert not known.is_partial
            assert manifests
            assert change.key not in {each.name for each in manifests}
            assert change.live.body["name"] != "public client"
            assert change.remote_id != "own"
            assert not (remembered.prevent_destroy and change.remote_id == remembered.remote_id)


@given(TARGETS)
def test_what_was_read_by_its_id_is_removed_as_what_was_on_a_list(target):
    known, manifests = target
    # Adoption by name needs a list: without one another plan is right, and not another removal.
    policy = replace(known.target.policy, adopt="never")
    known = replace(known, target=replace(known.target, policy=policy))
    singly = replace(known, live=replace(known.live, listed=False))

    listed, read = plan_target(known, manifests), plan_target(singly, manifests)

    assert [each for each in read.changes if each.manifest is None] == [
        each for each in listed.changes if each.manifest is None
    ]
    assert all(
        each.remote_id in known.live.clients
        for each in read.changes
        if each.action is Action.DELETE
    )


@given(TARGETS)
def test_a_plan_looks_at_no_client_that_it_did_not_ask_for(target):
    known, manifests = target
    asked = known.live.gone & ids_to_read(known, manifests)

    assert plan_target(
        replace(known, live=replace(known.live, gone=asked)), manifests
    ) == plan_target(known, manifests)


@given(TARGETS)
def test_a_delete_waits_for_the_end_of_its_quarantine(target):
    known, manifests = target
    days = known.target.policy.quarantine_days

    for change in plan_target(known, manifests).changes:
        remembered = known.inventory.entries.get(change.key)
        pruned = change.manifest is None and change.action is Action.DELETE and change.requests
        if pruned and days and change.remote_id == remembered.remote_id:
            assert datetime.fromisoformat(remembered.quarantined_at) + timedelta(days=days) <= NOW
            assert known.provider.switch is None or change.live.body["enabled"] is False


@given(TARGETS)
def test_what_is_forgotten_is_gone_or_has_another_key(target):
    known, manifests = target

    plan = plan_target(known, manifests)

    meant = {change.remote_id for change in plan.changes if change.manifest is not None}
    for change in plan.changes:
        if isinstance(change.record, ForgetClient):
            assert change.remote_id not in known.live.clients or change.remote_id in meant


@given(TARGETS)
def test_without_a_policy_and_a_pending_create_no_foreign_client_is_touched(target):
    known, manifests = target
    careful = replace(
        with_policy(known, replace(known.target.policy, adopt="never")),
        inventory=replace(known.inventory, pending={}),
    )

    touched = {change.remote_id for change in plan_target(careful, manifests).changes}

    assert touched <= owned(careful) | {None}


@given(TARGETS, st.randoms(use_true_random=False))
def test_the_order_of_what_is_found_decides_nothing(target, order):
    known, manifests = target
    entries = list(known.inventory.entries.items())
    clients = list(known.live.clients.items())
    stirred = replace(
        known,
        inventory=replace(known.inventory, entries=dict(order.sample(entries, len(entries)))),
        live=replace(known.live, clients=dict(order.sample(clients, len(clients)))),
    )

    again = plan_target(stirred, order.sample(manifests, len(manifests)))

    assert again == plan_target(known, manifests)
