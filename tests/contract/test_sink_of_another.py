"""A sink that holds the secret of another client than the record says, as a run leaves it that lost its lock."""

import json

import pytest
from support.workspace import MINIMAL


@pytest.mark.parametrize("vendor", ["provident", "sailpoint", "boruta"])
def test_a_plan_tells_that_the_sink_has_the_secret_of_another_client(workspace, vendor):
    workspace.write("web", MINIMAL[vendor])
    workspace.apply()
    path = workspace.root / ".reconciler/secrets" / vendor / "web.json"
    path.write_text(json.dumps({"client_id": "another", "client_secret": "hunter2-hunter2"}))

    (target,) = workspace.plan().targets

    (warning,) = [each for each in target.warnings if "web.json" in each]
    assert "has the secret of another client" in warning
    assert "hunter2" not in warning
