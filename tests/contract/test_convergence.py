"""From any state that a server is in: apply, then plan, and there is nothing left to do."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fleets import specs
from support.vendors import NAMES, vendor
from support.workspace import Workspace

from reconciler.core.changes import Action, Status
from reconciler.provider.spelling import first_name

FEW = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def worlds(draw: st.DrawFn, name: str) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Some clients: for each what git wants, and what the server has, None where it has nothing."""
    there = st.one_of(st.none(), specs(name))
    return draw(st.lists(st.tuples(specs(name), there), min_size=1, max_size=3))


def seeded(workspace: Workspace, world: list[tuple[dict[str, Any], dict[str, Any] | None]]) -> None:
    """Put the world into place: clients that are there are bound by their id, the others new."""
    provider = vendor(workspace.vendor)
    for number, (wanted, there) in enumerate(world):
        # A client that the vendor protects stays nobody's, and may have the name that is wanted here.
        lifecycle = {"allowReplace": True, "allowNamesake": True}
        if there is None:
            workspace.write(f"c{number}", wanted, lifecycle=lifecycle)
            continue
        shown = {first_name(provider.fields[name].read_as): value for name, value in there.items()}
        (remote_id,) = workspace.sandbox.seed(workspace.vendor, [shown])
        workspace.write(f"c{number}", {}, id=remote_id, lifecycle=lifecycle)
    workspace.apply()
    for number, (wanted, _) in enumerate(world):
        workspace.write(f"c{number}", wanted, lifecycle=lifecycle)


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(st.data())
def test_apply_followed_by_plan_is_empty(server, first, name, data):
    world = data.draw(worlds(name))
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder), server, name, first[name])
        try:
            seeded(workspace, world)
            planned = workspace.changes()
            server.forget_requests()

            report = workspace.apply()

            assert {outcome.status for outcome in report.outcomes} == {Status.DONE}
            assert {outcome.server_changed for outcome in report.outcomes} == {()}
            assert set(workspace.actions().values()) == {Action.NOOP}
            assert len(workspace.writes()) == sum(len(each.requests) for each in planned.values())
            assert len(workspace.writes()) == sum(_due(each) for each in planned.values())
        finally:
            workspace.clear()


def _due(change) -> int:
    """One request for a client that differs, a second where the vendor's page says that one is needed."""
    if change.action is Action.NOOP:
        return 0
    inactive = change.manifest.spec.get("isActive") is False
    second = change.action is Action.REPLACE or (change.action is Action.CREATE and inactive)
    return 2 if second else 1
