"""What a plan says of each client that it takes away, replaces or takes over."""

import pytest
from support.given import KEY, client, context, entry, field, live, manifest, provider, replace

from reconciler.core.changes import Action, RecordClient, Standing, TargetPlan
from reconciler.core.model import Intent, Inventory, Secret
from reconciler.core.project import Policy
from reconciler.plan.planner import plan_target
from reconciler.plan.record.intents import sealed_intent
from reconciler.plan.record.standing import ids_to_check, with_marks, with_origin
from reconciler.provider.model import Identity
from reconciler.render.change_lines import message_lines

IDENTITY = Identity(
    pointer="/id", match="name", recognize=("name",), created="/created", last_used="/used"
)
VENDOR = provider(field("name"), field("scope", immutable=True), identity=IDENTITY)
USED = "2026-11-01T00:00:00Z"
WEB = manifest(spec={"name": "web"})
PRUNE = Policy(prune=True, keep_used_days=0, max_change_percent=100)


def made(remote_id="1", **body):
    return client(
        remote_id, **{"name": "web", "created": "2026-11-23T12:00:01Z", "used": USED, **body}
    )


STAYS = manifest("stays", spec={"name": "stays"})


def recorded(**facts):
    return {
        "web": replace(entry("1", applied={"name": "web"}), **{"digest": "sha256:0", **facts}),
        "stays": entry("9", applied={"name": "stays"}),
    }


def seen(*clients):
    """What is live: `clients`, and the one that stays, without which nothing is pruned."""
    return live(*clients, made("9", name="stays"))


def standing_of(known, *manifests):
    changes = plan_target(known, (STAYS, *manifests)).changes
    return {change.action: change.standing for change in changes if change.key != "stays"}


@pytest.mark.parametrize(
    ("facts", "origin"),
    [
        ({}, "recorded"),
        ({"origin": "adopted"}, "adopted"),
        ({"origin": "bound"}, "bound"),
        ({"digest": ""}, "edited"),
        ({"digest": "", "origin": "bound"}, "edited"),
    ],
)
def test_a_client_that_is_taken_away_is_told_with_how_it_is_ours(facts, origin):
    known = context(VENDOR, live=seen(made()), entries=recorded(**facts), policy=PRUNE)

    assert standing_of(known) == {
        Action.DELETE: Standing(name="web", last_used=USED, origin=origin)
    }


def test_so_is_one_that_is_replaced_and_its_predecessor():
    known = context(
        VENDOR,
        live=seen(made(scope="a"), made("0", used=None, name="was")),
        entries=recorded(superseded=("0",)),
    )

    told = standing_of(known, manifest(spec={"name": "web", "scope": "b"}, allow_replace=True))

    assert told == {
        Action.REPLACE: Standing(name="web", last_used=USED, origin="recorded"),
        Action.DELETE: Standing(name="was", last_used="", origin="predecessor"),
    }


def test_one_that_is_taken_over_is_nobodys_yet():
    known = context(VENDOR, live=seen(made("7")), policy=Policy(adopt="unowned"))

    assert standing_of(known, WEB)[Action.ADOPT].origin == "foreign"


def test_one_that_a_lost_create_made_is_told_as_that():
    begun = Intent(
        key="web", remote_id=None, facts={"name": "web"}, digest="", at="2026-11-23T12:00:00Z"
    )
    inventory = Inventory(target="shop", entries={}, pending={"web": sealed_intent(KEY, begun)})

    told = standing_of(context(VENDOR, live=seen(made()), inventory=inventory), WEB)

    assert told[Action.ADOPT].origin == "unrecorded"


@pytest.mark.parametrize(
    ("vendor", "body", "entries", "name", "used"),
    [
        (VENDOR, {"used": None}, recorded(), "web", ""),
        (VENDOR, {"name": None}, recorded(), "", USED),
        (VENDOR, {}, recorded(fingerprints={"name": "hmac:0"}), "", USED),
        (replace(VENDOR, identity=replace(IDENTITY, last_used=None)), {}, recorded(), "web", None),
        (replace(VENDOR, identity=replace(IDENTITY, last_used="/x")), {}, recorded(), "web", None),
    ],
)
def test_what_is_not_known_or_secret_is_not_told(vendor, body, entries, name, used):
    known = context(vendor, live=seen(made(**body)), entries=entries, policy=PRUNE)

    (told,) = standing_of(known).values()

    assert (told.name, told.last_used) == (name, used)


def test_a_name_by_reference_is_secret():
    known = context(VENDOR, live=seen(made("7")), policy=Policy(adopt="unowned"))

    told = standing_of(known, manifest(spec={"name": Secret("web")}))

    assert told[Action.ADOPT].name == ""


def test_what_takes_nothing_away_has_no_standing():
    known = context(VENDOR, live=seen(made()), entries=recorded())

    assert standing_of(known, WEB, manifest("new", spec={"name": "new"})) == {
        Action.NOOP: None,
        Action.CREATE: None,
    }


def test_an_id_that_git_does_not_have_is_marked_and_no_other():
    entries = {**recorded(), "api": replace(entry("2"), digest="sha256:0")}
    known = context(VENDOR, live=seen(made(), made("2")), entries=entries, policy=PRUNE)
    plan = plan_target(known, (STAYS,))

    marked = with_marks(plan, {"2"})

    assert ids_to_check(plan) == {"1", "2"}
    assert {one.remote_id: one.standing.in_git for one in marked.changes if one.standing} == {
        "1": False,
        "2": True,
    }
    texts = [line.text for change in marked.changes for line in message_lines(change)]
    assert (
        sum("git's last revision of the record does not have this id" in one for one in texts) == 1
    )
    assert any(f'called "web", last used {USED}, ours since a run' in one for one in texts)


def test_what_is_nobodys_is_not_asked_for():
    known = context(VENDOR, live=seen(made("7")), policy=Policy(adopt="unowned"))
    plan = plan_target(known, (STAYS, WEB))

    assert ids_to_check(plan) == frozenset()
    assert with_marks(plan, ()) == plan
    assert isinstance(plan, TargetPlan)


@pytest.mark.parametrize(
    ("action", "stated", "record", "origin"),
    [
        (Action.CREATE, WEB, RecordClient(), ""),
        (Action.ADOPT, WEB, RecordClient(), "adopted"),
        (Action.ADOPT, WEB, RecordClient(secret="lost"), ""),
        (Action.ADOPT, manifest(spec=WEB.spec, id="1"), RecordClient(), "bound"),
    ],
)
def test_the_record_says_how_a_client_became_ours(action, stated, record, origin):
    known = context(VENDOR, live=seen(made()), policy=Policy(adopt="unowned"))
    change = plan_target(known, (STAYS, WEB)).changes[-1]
    change = replace(change, action=action, manifest=stated, record=record)

    made_of_it = with_origin(change, entry("1"), entry("0"))

    assert made_of_it.origin == origin
    assert with_origin(change, entry("1"), replace(entry("1"), origin="bound")).origin == "bound"
