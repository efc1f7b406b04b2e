"""A SailPoint as users find theirs: fields that are null, a list without pages, patches without tests."""

from __future__ import annotations

import pytest
from support.workspace import MINIMAL

from reconciler.core.changes import Action, Status

BARE = {**MINIMAL["sailpoint"], "name": "Bare", "description": None}


@pytest.fixture(params=["sailpoint"])
def vendor(request):
    return request.param


def spec(**fields):
    return {**MINIMAL["sailpoint"], **fields}


def bind(workspace, stated, **facts):
    """A client that is on the server as `facts` say, bound by its id and stated as `stated`."""
    (remote_id,) = workspace.sandbox.seed("sailpoint", [{**BARE, **facts}])
    workspace.write("web", stated, id=remote_id)
    return remote_id


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("description", "Now it says what it is for"),
        ("businessName", "Acme"),
        ("homepageUrl", "https://acme.example.com"),
        ("redirectUris", ["https://a.example.com/cb"]),
    ],
)
def test_what_is_null_on_the_server_can_be_set_and_cleared_again(workspace, field, value):
    remote_id = bind(workspace, {field: value})

    assert [one.status for one in workspace.apply().outcomes] == [Status.DONE]
    assert workspace.sandbox.client("sailpoint", remote_id)[field] == value
    workspace.write("web", {field: None}, id=remote_id)
    assert [one.status for one in workspace.apply().outcomes] == [Status.DONE]

    assert not workspace.sandbox.client("sailpoint", remote_id)[field]
    assert workspace.actions() == {"web": Action.NOOP}


@pytest.mark.parametrize("stated", [None, ""])
def test_a_client_without_a_description_is_created_and_then_as_wanted(workspace, stated):
    workspace.write("web", spec(description=stated))

    assert [one.status for one in workspace.apply().outcomes] == [Status.DONE]
    assert workspace.actions() == {"web": Action.NOOP}
    assert workspace.apply().outcomes[0].requests_sent == 0


@pytest.mark.parametrize("count", [1, 249, 250, 251, 501])
@pytest.mark.parametrize("fault", ["unpaged", None])
def test_a_list_is_read_whole_with_pages_and_without(workspace, count, fault):
    workspace.sandbox.seed("sailpoint", [{"name": f"theirs {number}"} for number in range(count)])
    workspace.write("web", spec())
    workspace.apply()
    if fault is not None:
        workspace.sandbox.set_faults(fault)

    assert workspace.actions() == {"web": Action.NOOP}
    workspace.sandbox.remove("sailpoint", workspace.server_id("web"))
    assert workspace.actions() == {"web": Action.CREATE}


@pytest.mark.parametrize("fault", ["refuse-tests", "refuse-tests=501"])
def test_a_server_that_takes_no_tests_is_written_all_the_same_and_that_is_said(workspace, fault):
    workspace.write("web", spec())
    workspace.apply()
    workspace.write("web", spec(accessTokenValiditySeconds=900))
    workspace.sandbox.set_faults(fault)

    (outcome,) = workspace.apply().outcomes

    assert outcome.status is Status.DONE
    assert "State that in the target" in outcome.message
    assert workspace.actions() == {"web": Action.NOOP}

    workspace.write_project(guard="reread")
    workspace.write("web", spec(accessTokenValiditySeconds=700))
    assert workspace.apply().outcomes[0].message == ""


def test_an_edit_is_not_overwritten_by_a_server_that_takes_no_tests(workspace):
    workspace.write("web", spec())
    workspace.apply()
    remote_id = workspace.server_id("web")
    workspace.write("web", spec(accessTokenValiditySeconds=900))
    workspace.sandbox.set_faults("refuse-tests")

    (outcome,) = workspace.apply_after(
        lambda: workspace.sandbox.edit("sailpoint", remote_id, accessTokenValiditySeconds=1)
    ).outcomes

    assert "changed meanwhile" in outcome.message
    assert workspace.sandbox.client("sailpoint", remote_id)["accessTokenValiditySeconds"] == 1


@pytest.mark.parametrize("asked", [["sp:read"], ["sp:read", "sp:write"]])
def test_a_scope_that_comes_back_wider_than_asked_is_not_done(workspace, asked):
    workspace.write("web", spec(scope=asked))
    workspace.sandbox.set_faults("widen-scopes")

    (outcome,) = workspace.apply().outcomes

    assert outcome.status is Status.FAILED
    assert "the client was created, and is not as asked" in outcome.message
    workspace.sandbox.set_faults()
    # No update can narrow it: only another client can, and that has to be allowed.
    (change,) = workspace.changes().values()
    assert change.action is Action.REPLACE
