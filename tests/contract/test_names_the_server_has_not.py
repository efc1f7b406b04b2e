"""Scopes that a server would make or drop without a word: told by the plan, and not done where one comes back missing."""

from __future__ import annotations

import pytest
from support.workspace import MINIMAL

from reconciler.core.changes import Action, Status

UNKNOWN_ID = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(params=["boruta"])
def vendor(request):
    return request.param


def write(workspace, *scopes, name="web", **fields):
    workspace.write(name, {**MINIMAL["boruta"], "authorized_scopes": list(scopes), **fields})


def warnings(workspace, name="web"):
    return workspace.changes()[name].warnings


def lists_of_scopes(workspace):
    return [each.path for each in workspace.sandbox.requests if each.path.endswith("/scopes")]


def test_a_scope_that_nobody_has_is_told_before_it_is_made_and_then_no_more(workspace):
    write(workspace, {"name": "qqzz:98765"})

    (warning,) = warnings(workspace)

    assert warning == (
        "authorized_scopes: the server does not have the name 'qqzz:98765', "
        "and makes it without a word"
    )
    workspace.apply()
    assert workspace.actions() == {"web": Action.NOOP}
    write(workspace, {"name": "qqzz:98765"}, name="other")
    assert warnings(workspace, "other") == ()


def test_the_list_of_scopes_is_asked_once_and_only_where_no_client_has_the_name(workspace):
    workspace.sandbox.seed("boruta", [{"name": "a", "authorized_scopes": [{"name": "held"}]}])
    write(workspace, {"name": "held"})
    assert warnings(workspace) == ()
    assert lists_of_scopes(workspace) == []

    for number in range(5):
        write(workspace, {"name": f"new{number}"}, {"name": "held"}, name=f"c{number}")
    told = [change.warnings for change in workspace.changes().values()]

    assert [len(each) for each in told] == [1, 1, 1, 1, 1, 0]
    assert len(lists_of_scopes(workspace)) == 1


def test_a_scope_that_only_the_list_has_is_known(workspace):
    (remote_id,) = workspace.sandbox.seed(
        "boruta", [{"name": "a", "authorized_scopes": [{"name": "orders.list"}]}]
    )
    workspace.sandbox.remove("boruta", remote_id)
    write(workspace, {"name": "orders.list"}, {"name": "orders.lsit"})

    (warning,) = warnings(workspace)

    assert "'orders.lsit'" in warning
    assert warning.endswith(": did you mean `orders.list`?")


@pytest.mark.parametrize("fault", ["500=9:boruta,get", "broken-json=9:boruta,get"])
def test_a_list_of_scopes_that_cannot_be_read_ends_no_run(workspace, fault, monkeypatch):
    workspace.sandbox.seed("boruta", [{"name": "a", "authorized_scopes": [{"name": "held"}]}])
    write(workspace, {"name": "held"}, {"name": "hled"})
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    workspace.sandbox.set_faults(fault.replace(":", "@2:"))

    (warning,) = warnings(workspace)

    assert warning == (
        "authorized_scopes: no client that was seen has the name 'hled' (GET /scopes could not be "
        "read); a server without it makes it: did you mean `held`?"
    )


def test_an_id_that_nobody_has_is_told_as_dropped_and_is_not_done(workspace):
    write(workspace, {"id": UNKNOWN_ID})

    (warning,) = warnings(workspace)
    assert f"the server does not have the id '{UNKNOWN_ID}', and leaves it out" in warning
    (outcome,) = workspace.apply().outcomes
    assert outcome.status is Status.FAILED
    assert "authorized_scopes" in outcome.message


def test_an_update_warns_of_what_it_adds(workspace):
    write(workspace, {"name": "kept"})
    workspace.apply()
    write(workspace, {"name": "kept"}, {"name": "added.by.an.update"})

    (warning,) = warnings(workspace)

    assert "'added.by.an.update'" in warning


def test_what_is_not_sent_is_not_told(workspace):
    write(workspace, {"name": "one"})
    workspace.apply()
    ignored = {"lifecycle": {"ignoreChanges": ["/authorized_scopes"]}}
    spec = {
        **MINIMAL["boruta"],
        "authorized_scopes": [{"name": "never.sent"}],
        "access_token_ttl": 200,
    }
    workspace.write("web", spec, **ignored)

    assert workspace.changes()["web"].action is Action.UPDATE
    assert warnings(workspace) == ()


@pytest.mark.parametrize("asked", [["one"], ["one", "two"], ["a", "b", "c"]])
def test_a_create_whose_answer_lacks_a_scope_is_not_done_and_is_asked_again(workspace, asked):
    write(workspace, *({"name": name} for name in asked))
    workspace.sandbox.set_faults("drop-scopes")

    (outcome,) = workspace.apply().outcomes

    assert outcome.status is Status.FAILED
    assert "the client was created, and is not as asked" in outcome.message
    _asked_again(workspace, asked)


@pytest.mark.parametrize("asked", [["one"], ["one", "two"], ["a", "b", "c"]])
def test_an_update_whose_answer_lacks_a_scope_is_not_done_and_is_asked_again(workspace, asked):
    write(workspace)
    workspace.apply()
    write(workspace, *({"name": name} for name in asked))
    workspace.sandbox.set_faults("drop-scopes")

    (outcome,) = workspace.apply().outcomes

    assert outcome.status is Status.FAILED
    assert "authorized_scopes" in outcome.message
    _asked_again(workspace, asked)


def _asked_again(workspace, asked):
    workspace.sandbox.set_faults()
    assert workspace.actions() == {"web": Action.UPDATE}
    assert [each.status for each in workspace.apply().outcomes] == [Status.DONE]
    body = workspace.sandbox.client("boruta", workspace.server_id("web"))
    assert [scope["name"] for scope in body["authorized_scopes"]] == asked
    assert workspace.actions() == {"web": Action.NOOP}
