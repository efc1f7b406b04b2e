"""What a manifest names and the server has not: which list is asked, and what is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.vendors import vendor

from reconciler.core.changes import Action, Change, FieldChange, Refusal
from reconciler.core.model import LiveClient, LiveState, Manifest, Secret, Source
from reconciler.plan.fields.known import lists_to_read, warn_of_unknown_names
from reconciler.provider.model import Known

PROVIDER = vendor("boruta")
FIELD = PROVIDER.fields["authorized_scopes"]
ID = "aaaaaaaa-0000-4000-8000-000000000000"
LIVE = LiveState(
    clients={
        "1": LiveClient(
            remote_id="1",
            body={"authorized_scopes": [{"id": ID, "name": "orders.read", "public": False}]},
        ),
        "2": LiveClient(remote_id="2", body={"authorized_scopes": None}),
        "3": LiveClient(remote_id="3", body={}),
        "4": LiveClient(remote_id="4", body={"authorized_scopes": ["text", {"name": 5}]}),
    },
    listed=True,
)
HAS = "authorized_scopes: the server does not have "


def change(stated, *, action=Action.CREATE, fields=(), refusal=None, key="web"):
    manifest = Manifest(
        target="shop",
        name=key,
        kind="BorutaClient",
        spec={} if stated is None else {"authorized_scopes": stated},
        source=Source(path="web.yaml"),
    )
    return Change(
        target="shop",
        key=key,
        action=action,
        reason="",
        manifest=manifest,
        fields=fields,
        refusal=refusal,
    )


def with_known(known):
    fields = {**PROVIDER.fields, "authorized_scopes": replace(FIELD, known=known)}
    return replace(PROVIDER, fields=fields)


def told(*changes, lists=None, provider=PROVIDER):
    listed = {"/scopes": []} if lists is None else lists
    return [each.warnings for each in warn_of_unknown_names(provider, LIVE, changes, listed)]


@pytest.mark.parametrize(
    ("stated", "word"),
    [
        ([{"name": "zz"}], "the name 'zz', and makes it without a word"),
        ([{"name": "Orders.Raed"}], "the name 'Orders.Raed', and makes it without a word: did you mean `orders.read`?"),
        ([{"name": "orders.read "}], "the name 'orders.read ', and makes it without a word: did you mean `orders.read`?"),
        ([{"name": ""}], "the name '', and makes it without a word"),
        ([{"id": "b" * 8, "name": "orders.read"}], "the id 'bbbbbbbb', and leaves it out without a word"),
        ([{"name": "o\u200brders"}], "the name 'o\\u200brders', and makes it without a word: did you mean `orders.read`?"),
        (({"name": "zz"},), "the name 'zz', and makes it without a word"),
        ([{"id": None, "name": "zz"}], "the name 'zz', and makes it without a word"),
    ],
)  # fmt: skip
def test_what_nobody_has_is_told_with_what_the_server_does(stated, word):
    assert told(change(stated)) == [(HAS + word,)]
    assert lists_to_read(PROVIDER, LIVE, [change(stated)]) == (FIELD.known,)


@pytest.mark.parametrize(
    "stated",
    [
        [],
        None,
        [{"name": "orders.read"}],
        [{"id": ID}],
        [{"id": ID.upper()}],
        [{"id": ID, "name": "zz"}],
        [{}],
        ["text"],
        "text",
        {"name": "zz"},
        [{"public": True}],
    ],
)
def test_what_a_client_has_is_not_told_and_nothing_is_asked(stated):
    assert told(change(stated)) == [()]
    assert lists_to_read(PROVIDER, LIVE, [change(stated)]) == ()


def test_what_the_list_has_is_not_told():
    lists = {"/scopes": [{"id": "9", "name": "zz"}, "text", None, {"name": None}]}

    assert told(change([{"name": "zz"}]), change([{"id": "9"}]), lists=lists) == [(), ()]


@pytest.mark.parametrize(
    ("action", "fields", "count"),
    [
        (Action.CREATE, (), 1),
        (Action.REPLACE, (), 1),
        (Action.UPDATE, ("authorized_scopes",), 1),
        (Action.ADOPT, ("authorized_scopes", "name"), 1),
        (Action.UPDATE, ("name",), 0),
        (Action.ADOPT, (), 0),
        (Action.NOOP, (), 0),
        (Action.DELETE, (), 0),
        (Action.MOVE, (), 0),
    ],
)
def test_only_what_is_sent_is_told(action, fields, count):
    differing = tuple(FieldChange(field=name, before=1, after=2) for name in fields)

    (warnings,) = told(change([{"name": "zz"}], action=action, fields=differing))

    assert len(warnings) == count


def test_a_change_that_is_refused_is_not_told():
    refusal = Refusal(rule="x", message="no")

    assert told(change([{"name": "zz"}], refusal=refusal)) == [()]


def test_a_change_without_a_manifest_names_nothing():
    assert told(replace(change([]), manifest=None)) == [()]


def test_a_name_from_a_reference_is_compared_and_not_shown():
    warnings = told(
        change([{"name": Secret("hidden.scope")}]), change([{"name": Secret("orders.read")}])
    )

    assert warnings == [(HAS + "the name from a reference, and makes it without a word",), ()]


def test_a_list_that_could_not_be_read_is_said():
    word = "authorized_scopes: no client that was seen has the name 'zz' (GET /scopes could not be read); a server without it makes it"

    assert told(change([{"name": "zz"}]), lists={}) == [(word,)]


def test_without_a_list_only_the_clients_are_known_and_nothing_is_asked():
    provider = with_known(Known(made=("name",)))
    wanted = change([{"name": "zz"}, {"id": "unknown, and nothing is said of ids"}])

    assert lists_to_read(provider, LIVE, [wanted]) == ()
    assert told(wanted, lists={}, provider=provider) == [
        (
            "authorized_scopes: no client that was seen has the name 'zz'; a server without it makes it",
        )
    ]


def test_a_field_of_which_nothing_is_said_is_left_alone():
    assert told(change([{"name": "zz"}]), provider=with_known(None)) == [()]


def test_what_a_change_was_warned_of_before_stays():
    earlier = replace(change([{"name": "zz"}]), warnings=("before",))

    ((first, second),) = told(earlier)

    assert first == "before"
    assert "'zz'" in second


def test_hints_of_a_large_fleet_are_bounded():
    changes = [change([{"name": f"orders.raed{number}"}], key=str(number)) for number in range(50)]
    lists = {"/scopes": [{"name": f"orders.read{number}"} for number in range(2000)]}

    warnings = [text for (text,) in told(*changes, lists=lists)]

    hinted = [text for text in warnings if "did you mean" in text]
    assert len(warnings) == 50
    assert 0 < len(hinted) < 12
