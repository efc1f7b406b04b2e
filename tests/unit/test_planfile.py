import copy
import json
import re

import pytest

from reconciler.core.changes import Action, Change, ForgetClient
from reconciler.core.errors import SelectionError, StalePlan
from reconciler.plan.planfile import (
    CREDENTIAL,
    check_signature,
    differences,
    digest,
    is_decided,
    is_named,
    left_alone,
    open_saved,
    saved_document,
    signed,
    unsigned,
)
from reconciler.plan.selection import Selection

SELECTION = Selection(targets=("shop",), selectors=("web",))


def field(name="limit", **sides):
    return {"field": name, "origin": "config", **sides}


def change(key="web", action="update", **facts):
    stated = {
        "key": key,
        "action": action,
        "reason": "1 field changed in git",
        "id": "1",
        "source": None,
        "fields": [field(before=1, after=2)],
        "requests": [{"method": "PUT", "body": {"limit": 2}}],
        "refusal": None,
        "warnings": [],
    }
    return {**stated, **facts}


def plan(*changes, live=None, **facts):
    target = {
        "target": "shop",
        "provider": "acme",
        "baseUrl": "https://id.example.com",
        "errors": [],
        "refusals": [],
        "changes": list(changes),
    }
    document = {
        "formatVersion": 1,
        "tool": {"name": "reconciler", "version": "1"},
        "targets": [{**target, **facts}],
    }
    return saved_document(document, [live or [{"limit": 1}] * len(changes)], SELECTION)


def read(document):
    return open_saved(document, name="p.json", version="1", fits=lambda _: True)


def test_a_saved_plan_opens_as_it_was_sealed():
    document = json.loads(json.dumps(plan(change())))

    assert read(document) == (document, SELECTION)


def test_every_change_and_the_whole_have_a_digest():
    document = plan(change(), change("other"))

    digests = {document["digest"], *(one["digest"] for one in document["targets"][0]["changes"])}
    assert len(digests) == 3
    assert all(one.startswith("sha256:") for one in digests)


def test_why_and_from_which_file_is_no_part_of_a_decision():
    moved = change(reason="drift", source={"path": "b.yaml", "document": 0}, warnings=["look"])
    moved["fields"][0]["origin"] = "drift"

    assert differences(plan(change()), plan(moved)) == ()


@pytest.mark.parametrize(
    ("now", "live", "sentence"),
    [
        (
            change(action="noop", fields=[], requests=[]),
            {"limit": 2},
            "was to be updated, and is to stay as it is now; limit on the server was 1, and is 2 now",
        ),
        (change(id="2"), {"limit": 1}, "its id was 1, and is 2 now"),
        (
            change(id=None, action="create", requests=[]),
            {},
            "was to be updated, and is to be created now; its id was 1, and is not there now",
        ),
        (
            change(refusal={"rule": "own-client", "message": "no"}),
            {"limit": 1},
            "is refused now (own-client)",
        ),
        (
            change(fields=[field(before=9, after=2)]),
            {"limit": 9},
            "limit on the server was 1, and is 9 now",
        ),
        (
            change(fields=[field(after=2)]),
            {},
            "limit on the server was 1, and is not there now",
        ),
        (
            change(fields=[field(before=1, after=3)]),
            {"limit": 1},
            "limit was to become 2, and is to become 3 now",
        ),
        (change(), {"limit": 1, "name": "x"}, 'name on the server was not there, and is "x" now'),
        (
            change(requests=[{"method": "PUT", "body": {"limit": 2, "name": "a"}}]),
            {"limit": 1},
            "its requests are others now",
        ),
        (
            change(),
            {"limit": 1, "name": "x" * 500},
            f'name on the server was not there, and is "{"x" * 119}… now',
        ),
    ],
)
def test_what_moved_is_told_of_its_client(now, live, sentence):
    assert differences(plan(change()), plan(now, live=[live])) == (f"shop/web: {sentence}",)


def test_how_the_server_spells_what_a_patch_tests_is_no_part_of_a_decision():
    def patched(*uris, kind="application/json-patch+json"):
        test = {"op": "test", "path": "/uris", "value": list(uris)}
        body = [test, {"op": "replace", "path": "/uris", "value": ["c"]}]
        return plan(change(requests=[{"method": "PATCH", "contentType": kind, "body": body}]))

    assert differences(patched("a", "b"), patched("b", "a")) == ()
    assert differences(patched("a", kind="text/plain"), patched("b", kind="text/plain")) != ()


def test_a_refusal_that_was_lifted_or_never_moved_is_no_new_one():
    refused = change(refusal={"rule": "a", "message": "no"}, requests=[])

    assert differences(plan(refused), plan(copy.deepcopy(refused))) == ()
    assert differences(plan(refused), plan(change())) == ("shop/web: its requests are others now",)


def test_a_client_that_came_or_went_is_told():
    both, one = plan(change(), change("new", "create")), plan(change())

    assert differences(one, both) == ()
    assert left_alone(one, both) == ("shop/new is to be created",)
    assert left_alone(both, one) == ()
    assert differences(both, one) == (
        "shop/new: was to be created, and is not in the plan any more",
    )


def test_a_predecessor_that_goes_is_another_change_than_its_client():
    stays = change(action="noop", fields=[], requests=[])
    both = plan(stays, change(action="delete", id="0", fields=[]))

    assert differences(both, plan(stays)) == (
        "shop/web: was to be deleted, and is not in the plan any more",
    )


def fingerprinted(mark, key="web"):
    return change(key, fields=[field("secret", after={"$secret": mark})])


def test_fingerprints_alone_are_told_to_be_those_of_another_login_once():
    reviewed = plan(fingerprinted("hmac:1"), fingerprinted("hmac:1", "box"))
    planned = plan(fingerprinted("hmac:2"), fingerprinted("hmac:2", "box"))

    assert differences(reviewed, planned) == (f"shop/box, shop/web: {CREDENTIAL}",)


def test_a_fingerprint_beside_something_else_is_not_told():
    planned = fingerprinted("hmac:2")
    planned["fields"].append(field(before=1, after=3))
    reviewed = fingerprinted("hmac:1")
    reviewed["fields"].append(field(before=1, after=2))

    assert differences(plan(reviewed), plan(planned)) == (
        "shop/web: limit was to become 2, and is to become 3 now",
    )


def test_an_address_that_moved_is_all_that_is_told():
    elsewhere = plan(change(id="2"), baseUrl="https://staging.example.com", provider="other")

    assert differences(plan(change()), elsewhere) == (
        "shop: its provider was acme, and is other now",
        "shop: its address was https://id.example.com, and is https://staging.example.com now",
    )


def test_targets_that_came_or_went_are_told():
    assert differences(plan(change()), plan(change(), target="prod")) == (
        "shop: the project has no such target any more",
    )


def test_of_a_part_only_that_part_is_held_to_the_review():
    reviewed = plan(change(), change("other"))
    planned = plan(change(), change("other", id="2"))

    assert differences(reviewed, planned, ["web"]) == ()
    assert differences(reviewed, planned, ["shop/web"]) == ()
    assert len(differences(reviewed, planned, ["web", "other"])) == 1
    with pytest.raises(SelectionError, match="--only nobody, prod/web: "):
        differences(reviewed, planned, ["nobody", "web", "prod/web"])


def test_nothing_named_is_everything():
    assert is_named("shop", "web", ())
    assert is_named("shop", "web", ["web"])
    assert not is_named("shop", "web", ["prod/web"])


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda plan: [plan], "no saved plan"),
        (lambda plan: {name: plan[name] for name in plan if name != "digest"}, "no saved plan"),
        (lambda plan: {**plan, "formatVersion": 2}, "a format that this version does not read"),
        (lambda plan: {**plan, "formatVersion": True}, "a format that this version does not read"),
        (lambda plan: {**plan, "tool": {"version": "2"}}, 'made by reconciler "2", and this is 1'),
        (lambda plan: {**plan, "tool": "reconciler"}, "made by reconciler null, and this is 1"),
        (lambda plan: {**plan, "extra": 1}, "edited after it was made"),
    ],
)
def test_what_cannot_be_applied_says_why(edit, sentence):
    with pytest.raises(StalePlan, match=sentence):
        read(edit(plan(change())))


def test_a_digest_that_fits_does_not_make_a_plan():
    document = plan(change())
    bare = {name: value for name, value in document.items() if name not in ("digest", "selection")}

    with pytest.raises(StalePlan, match="edited"):
        open_saved(document, name="p", version="1", fits=lambda _: False)
    with pytest.raises(StalePlan, match="edited"):
        read({**bare, "digest": digest(bare)})


def test_a_plan_with_errors_is_not_whole():
    with pytest.raises(StalePlan, match="holds errors"):
        read(plan(change(), errors=["unreachable"]))


def test_a_lone_surrogate_has_a_digest_too():
    assert digest("\ud800") != digest("\ud801")


def test_a_limit_that_was_overridden_is_told_and_overrides_nothing():
    bare = {member: value for member, value in plan().items() if member != "digest"}

    document = saved_document(bare, [[]], Selection(targets=("shop",), max_deletes=7))

    assert document["selection"]["maxDeletes"] == 7
    assert read(document)[1] == Selection(targets=("shop",))


REFUSED = {"rule": "max-deletes", "message": "too many"}
ALONE = {"rule": "narrowed", "message": "by drift", "holdsBack": "client"}


def twice(document):
    return {**document, "targets": document["targets"] * 2}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({**plan(), "targets": []}, "has no targets"),
        (twice(plan()), "holds shop more than once"),
        (plan(change(), change()), "holds shop/web more than once"),
        (plan(change(), change(action="noop")), "holds shop/web more than once"),
        (plan(change(), change(action="delete"), change(action="delete")), "shop/web/1 more"),
        (plan(change(), refusals=[ALONE, REFUSED]), "shop was refused (max-deletes)"),
        (plan(change(refusal=REFUSED)), "shop/web was refused (max-deletes)"),
    ],
)
def test_a_plan_that_could_not_be_applied_as_it_is_is_none(document, why):
    content = {member: value for member, value in document.items() if member != "digest"}

    with pytest.raises(StalePlan, match=re.escape(why)):
        read({**content, "digest": digest(content)})


@pytest.mark.parametrize(
    "document",
    [
        plan(change(refusal=ALONE), change("other")),
        plan(change(), change(action="delete", id="0")),
        plan(change(), change(action="move")),
    ],
)
def test_what_holds_back_one_client_and_what_goes_beside_another_change_is_no_reason(document):
    assert read(document) == (document, SELECTION)


def test_a_signature_is_of_the_whole_plan_and_by_one_key():
    document = signed(plan(change()), "key")

    check_signature(document, "key", name="p.json")
    assert read(document) == (document, SELECTION)
    assert unsigned(document) == plan(change())


def without_a_signature(document):
    return unsigned(document)


def of_another(document):
    return {**document, "signature": signed(plan(change("other")), "key")["signature"]}


def with_an_edit(document):
    content = {**unsigned(document), "targets": []}
    del content["digest"]
    return {**content, "digest": digest(content), "signature": document["signature"]}


def with_another_key(document):
    return signed(unsigned(document), "another key")


def by_the_digest(document):
    return {**document, "signature": document["digest"].replace("sha256", "hmac-sha256")}


def cut(document):
    return {**document, "signature": document["signature"][:-1]}


@pytest.mark.parametrize(
    "forged",
    [without_a_signature, of_another, with_an_edit, with_another_key, by_the_digest, cut],
)
def test_any_other_plan_is_not_signed(forged):
    with pytest.raises(StalePlan, match="signed"):
        check_signature(forged(signed(plan(change()), "key")), "key", name="p.json")


@pytest.mark.parametrize(
    ("action", "record", "remote_id", "decided", "is_kept"),
    [
        (Action.NOOP, None, "1", set(), True),
        (Action.NOOP, ForgetClient(), "1", set(), False),
        (Action.NOOP, ForgetClient(), "1", {("shop", "web", "")}, True),
        (Action.UPDATE, None, "1", {("shop", "web", "")}, True),
        (Action.UPDATE, None, "1", {("other", "web", "")}, False),
        (Action.DELETE, None, "1", {("shop", "web", "1")}, True),
        (Action.DELETE, None, "2", {("shop", "web", "1")}, False),
        (Action.DELETE, None, "1", {("shop", "web", "")}, False),
        (Action.CREATE, None, None, {("shop", "web", "")}, True),
    ],
)
def test_only_what_was_reviewed_is_kept(action, record, remote_id, decided, is_kept):
    one = Change(
        target="shop", key="web", action=action, reason="", remote_id=remote_id, record=record
    )

    assert is_decided(one, frozenset(decided)) is is_kept
