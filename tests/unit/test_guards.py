import pytest
from support.given import client, context, field, manifest, provider, replace

from reconciler.core.changes import Action, Change, FieldChange
from reconciler.core.model import MISSING
from reconciler.core.project import Policy
from reconciler.plan.guards.changes import change_refusal, narrows
from reconciler.plan.guards.clients import protected_refusal
from reconciler.plan.guards.limits import threshold_refusals

VENDOR = provider(field("name"), protected=frozenset({"public client"}))
LIVE = client("1", name="web")


def change(action, **facts):
    stated = {"target": "shop", "key": "web", "reason": "", "remote_id": "1", "live": LIVE}
    return Change(**{**stated, "manifest": manifest(), "action": action, **facts})


def moved(before, after, **facts):
    return FieldChange(field="f", before=before, after=after, **facts)


@pytest.mark.parametrize("action", [Action.NOOP, Action.CREATE, Action.UPDATE, Action.ADOPT])
def test_what_takes_nothing_away_is_allowed(action):
    assert change_refusal(context(VENDOR, own_id="another"), change(action)) is None


@pytest.mark.parametrize("action", [Action.REPLACE, Action.DELETE])
def test_the_tools_own_client_is_never_taken_away(action):
    allowed = manifest(allow_replace=True)

    assert (
        change_refusal(context(VENDOR, own_id="1"), change(action, manifest=allowed)).rule
        == "own-client"
    )


@pytest.mark.parametrize("action", [Action.UPDATE, Action.ADOPT])
def test_the_tools_own_client_may_be_widened_and_not_narrowed(action):
    wider = change(action, fields=(moved(["a"], ["a", "b"], added=("b",)), moved(60, 90)))
    narrower = change(action, fields=(moved(["a"], [], removed=("a",)),))

    assert change_refusal(context(VENDOR, own_id="1"), wider) is None
    assert change_refusal(context(VENDOR, own_id="1"), narrower).rule == "own-client"


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (moved(True, False), True),
        (moved(False, True), False),
        (moved(90, 60), True),
        (moved("a", "b"), False),
        (moved(MISSING, 1), False),
        (moved(["a"], ["b"], removed=("a",)), True),
    ],
)
def test_narrowing_is_losing_a_member_a_permission_or_a_part_of_a_range(one, expected):
    assert narrows(one) is expected


@pytest.mark.parametrize("action", [Action.UPDATE, Action.REPLACE, Action.DELETE, Action.ADOPT])
def test_a_client_of_the_servers_own_is_never_touched(action):
    own = change(action, live=client("1", name="public client"))

    assert change_refusal(context(VENDOR, own_id=None), own).rule == "protected"


def test_a_replace_has_to_be_allowed():
    assert (
        change_refusal(context(VENDOR, own_id=None), change(Action.REPLACE)).rule
        == "replace-not-allowed"
    )
    assert (
        change_refusal(
            context(VENDOR, own_id=None),
            change(Action.REPLACE, manifest=manifest(allow_replace=True)),
        )
        is None
    )


def test_a_client_that_must_not_be_destroyed_is_not_replaced():
    kept = manifest(allow_replace=True, prevent_destroy=True)

    assert (
        change_refusal(context(VENDOR, own_id=None), change(Action.REPLACE, manifest=kept)).rule
        == "prevent-destroy"
    )


def test_a_client_that_is_bound_by_its_id_is_not_replaced():
    bound = manifest(allow_replace=True, id="1")

    assert (
        change_refusal(context(VENDOR, own_id=None), change(Action.REPLACE, manifest=bound)).rule
        == "replace-bound-id"
    )


def test_nothing_is_replaced_where_nothing_can_be_deleted():
    keeper = replace(VENDOR, delete=None)

    assert change_refusal(context(keeper), change(Action.REPLACE)).rule == "no-delete"


def test_a_left_over_predecessor_may_be_deleted():
    assert change_refusal(context(VENDOR, own_id=None), change(Action.DELETE)) is None


def test_a_replace_without_a_manifest_is_refused():
    assert (
        change_refusal(context(VENDOR, own_id=None), change(Action.REPLACE, manifest=None)).rule
        == "replace-not-allowed"
    )


def test_the_number_of_deletes_is_limited():
    changes = [change(Action.REPLACE), change(Action.DELETE), change(Action.CREATE, live=None)]

    (found,) = threshold_refusals(changes, Policy(max_deletes=1))

    assert found.rule == "max-deletes"
    assert "would delete, replace or disable 2" in found.message
    assert threshold_refusals(changes, Policy(max_deletes=2)) == ()


def test_the_share_of_deletes_is_limited_for_small_fleets_too():
    changes = [change(Action.REPLACE), change(Action.NOOP), change(Action.UPDATE)]

    (found,) = threshold_refusals(changes, Policy(max_change_percent=33))

    assert found.rule == "max-change-percent"
    assert threshold_refusals(changes, Policy(max_change_percent=34)) == ()


def test_without_a_limit_there_is_no_limit():
    assert threshold_refusals([change(Action.DELETE)] * 100, Policy()) == ()
    assert threshold_refusals([], Policy(max_deletes=0, max_change_percent=0)) == ()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"id": "1", "name": "public client"}, True),
        ({"id": "kept-by-id", "name": "renamed"}, True),
        ({"id": "kept-by-id"}, True),
        ({"id": "1", "name": "web"}, False),
        ({"name": "web"}, False),
        ({}, False),
    ],
)
def test_what_the_server_needs_is_known_by_its_name_or_its_id(body, expected):
    vendor = replace(VENDOR, protected=frozenset({"public client", "kept-by-id"}))

    assert (protected_refusal(vendor, body) is not None) is expected
