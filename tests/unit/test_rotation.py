from dataclasses import replace

import pytest
from support.given import client, context, entry, field, manifest, provider

from reconciler.core.model import Intent, Inventory, Secret
from reconciler.plan.guards.rotation import rotation_refusal
from reconciler.plan.requests import rotation_request, secret_update_request
from reconciler.provider.model import ChosenSecret, Endpoint, UpdateStyle
from reconciler.provider.secrets import secret_anywhere_in

CALL = Endpoint(method="POST", path="/{id}/rotate", expect=frozenset({200}))
FIELDS = (field("name"), field("secret", secret=True), field("key", secret=True, read_as="apiKey"))
CAN = provider(*FIELDS, rotate=CALL, protected=frozenset({"system"}))
WEB = client("1", name="Web")


def rule(of=CAN, live=WEB, stated=None, **facts):
    found = rotation_refusal(context(of, **facts), "web", live, stated)
    return None if found is None else found.rule


def test_a_client_of_ours_may_be_rotated():
    assert rule() is None
    assert rule(stated=manifest(spec={"name": "Web"})) is None
    assert rule(own_id="2") is None


def test_where_the_vendor_has_no_way_that_is_said():
    assert rule(provider(*FIELDS)) == "no-rotate"


@pytest.mark.parametrize("own_id", ["ab-1", "AB-1"])
def test_the_client_that_the_tool_runs_as_is_never_rotated(own_id):
    assert rule(live=client("ab-1", name="Web"), own_id=own_id) == "own-client"


def test_a_protected_client_is_never_rotated():
    assert rule(live=client("1", name="system")) == "protected"


def test_a_client_whose_successor_may_be_there_waits_for_that_to_be_settled():
    intent = Intent(key="web", remote_id=None, facts={}, digest="", at="2026-01-01T00:00:00Z")
    pending = Inventory(target="shop", entries={"web": entry("1")}, pending={"web": intent})

    assert rule(inventory=pending) == "pending-create"


def test_a_secret_that_the_manifest_states_is_changed_there():
    found = rotation_refusal(context(CAN), "web", WEB, manifest(spec={"secret": Secret("theirs")}))

    assert found.rule == "stated-secret"
    assert "spec.secret" in found.message


def test_the_call_has_no_body_and_the_collections_path():
    request = rotation_request(CAN, CALL)

    assert (request.method, request.path) == ("POST", "/clients/{id}/rotate")
    assert (request.body, request.content_type) == (None, None)


def test_the_tools_own_secret_is_set_by_an_update_that_keeps_what_a_put_would_empty():
    put = provider(
        *FIELDS,
        field("scopes"),
        style=UpdateStyle.PUT_PARTIAL,
        always=("scopes",),
        update=replace(CALL, method="PUT", path="/{id}", envelope="client"),
    )

    request = secret_update_request(
        put, ChosenSecret(field="secret"), client("1", scopes=["a"]), Secret("new")
    )

    assert request.body == {"client": {"scopes": ["a"], "secret": Secret("new")}}


@pytest.mark.parametrize(
    "answer",
    [
        {"secret": "new"},
        {"data": {"client": {"secret": "new"}}},
        [{"other": 1}, {"secret": "new"}],
        {"secret": None, "data": {"secret": "new"}},
        {"secret": {"secret": "new"}},
    ],
)
def test_a_secret_is_found_wherever_an_answer_tells_it(answer):
    assert secret_anywhere_in(CAN, answer) == Secret("new")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "new",
        1,
        {},
        {"secret": ""},
        {"secret": 7},
        {"token": "new"},
        [{"a": [1]}],
        # Another secret of the client, and what stands in the place of one.
        {"apiKey": "new"},
        {"key": "new"},
        {"secret": "**********"},
        {"secret": "<redacted>"},
    ],
)
def test_an_answer_without_a_secret_tells_none(answer):
    assert secret_anywhere_in(CAN, answer) is None


def test_an_answer_that_is_nested_beyond_reason_is_not_searched_to_its_end():
    answer = {"secret": "new"}
    for _ in range(50):
        answer = {"inner": answer}

    assert secret_anywhere_in(CAN, answer) is None


def test_a_secret_is_not_set_by_an_update_that_would_lose_another():
    of = provider(
        *FIELDS, rotate=ChosenSecret(field="secret"), style=UpdateStyle.PUT_FULL, update=CALL
    )
    hidden = client("1", name="Web", secret=Secret("s"), key=Secret("****", masked=True))

    assert rule(of, live=hidden) == "hidden-secret"
    assert rule(of, live=client("1", name="Web", secret=Secret("****", masked=True))) is None
