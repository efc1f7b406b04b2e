"""Clients that get another key, or another target of their server, as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.workspace import KINDS, MINIMAL, Workspace, ids

from reconciler.app.connection import store_of
from reconciler.core.model import Intent, Secret
from reconciler.core.project import parse
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    Invoke = Callable[..., Result]


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with running(rate_limit=None, seed=1) as sandbox:
        yield sandbox


class Team:
    """A project with the targets that a test names, all of one server."""

    def __init__(self, folder: Path, workspace: Workspace, invoke: Invoke) -> None:
        self.folder, self.workspace, self._invoke = folder, workspace, invoke

    def targets(self, **targets: dict[str, Any]) -> None:
        document = json.loads(Path(self.workspace.project).read_text())
        (stated,) = list(document["targets"].values())[:1]
        base = getattr(self, "base", stated)
        self.base = base
        document["targets"] = {
            name: {**base, "manifests": [f"clients/{name}/*.json"], **more}
            for name, more in targets.items()
        }
        Path(self.workspace.project).write_text(json.dumps(document))

    def client(self, target: str, key: str, *, name: str = "", **metadata: Any) -> Path:
        path = self.folder / "clients" / target / f"{key}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "apiVersion": "reconciler/v1",
            "kind": KINDS[self.workspace.vendor],
            "metadata": {"name": key, "target": target, **metadata},
            "spec": {**MINIMAL[self.workspace.vendor], "name": name or f"The {key}"},
        }
        path.write_text(json.dumps(document))
        return path

    def run(self, *args: str) -> Result:
        return self._invoke(*args)

    def plan(self) -> dict[str, Any]:
        return json.loads(self.run("plan", "--format", "json").stdout)

    def apply(self) -> Result:
        return self.run("apply", "--auto-approve")

    def record(self, target: str) -> dict[str, str]:
        with self.store.open(target, lock=False) as session:
            return {key: entry.remote_id for key, entry in session.inventory.entries.items()}

    @property
    def store(self) -> Any:
        document = json.loads(Path(self.workspace.project).read_text())
        return store_of(parse(document, path=self.workspace.project, root=str(self.workspace.root)))

    @property
    def on_server(self) -> set[str]:
        return set(ids(self.workspace.sandbox, self.workspace.vendor))


@pytest.fixture(params=["provident", "sailpoint", "boruta"])
def team(
    request: pytest.FixtureRequest,
    server: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    invoke: Invoke,
) -> Iterator[Team]:
    vendor = request.param
    workspace = Workspace(tmp_path, server, vendor, ids(server, vendor))
    workspace.write_project(manifests=["clients/*.json"])
    for name, value in workspace.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    yield Team(tmp_path, workspace, invoke)
    workspace.clear()


def changes(plan: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (target["target"], change["key"], change["action"])
        for target in plan["targets"]
        for change in target["changes"]
    ]


def test_a_renamed_key_keeps_its_client_and_the_next_plan_is_empty(team: Team):
    team.targets(shop={"policy": {"prune": True, "keepUsedDays": 0}})
    team.client("shop", "web").unlink()
    team.client("shop", "other")
    team.client("shop", "web")
    team.apply()
    before, there = team.record("shop"), team.on_server
    (team.folder / "clients/shop/web.json").unlink()
    team.client("shop", "site", name="The web", formerly=["web"])

    assert ("shop", "site", "move") in changes(team.plan())
    assert team.apply().exit_code == 0
    assert team.record("shop") == {"other": before["other"], "site": before["web"]}
    assert team.on_server == there
    assert team.run("plan", "--detailed-exitcode").exit_code == 0


def test_a_client_that_moves_between_targets_keeps_its_id_and_is_updated_in_the_same_run(
    team: Team,
):
    team.targets(shop={}, people={})
    team.client("shop", "web")
    team.apply()
    before, there = team.record("shop"), team.on_server
    (team.folder / "clients/shop/web.json").unlink()
    team.client("people", "web", name="New name", formerly=["shop/web"])

    assert team.apply().exit_code == 0
    assert (team.record("shop"), team.record("people")) == ({}, before)
    assert team.on_server == there
    assert team.run("plan", "--detailed-exitcode").exit_code == 0


def test_one_of_the_two_targets_alone_moves_the_client_too(team: Team):
    team.targets(shop={}, people={})
    team.client("shop", "web")
    team.apply()
    before = team.record("shop")
    (team.folder / "clients/shop/web.json").unlink()
    team.client("people", "web", name="The web", formerly=["shop/web"])

    assert team.run("apply", "--auto-approve", "--target", "people").exit_code == 0
    assert (team.record("shop"), team.record("people")) == ({}, before)


def test_a_renamed_target_is_refused_until_it_says_what_it_was(team: Team):
    team.targets(shop={})
    for key in ("web", "kiosk"):
        team.client("shop", key)
    team.apply()
    before, there = team.record("shop"), team.on_server
    team.targets(store={})
    for key in ("web", "kiosk"):
        team.client("store", key)

    assert team.apply().exit_code == 3
    assert team.on_server == there
    team.targets(store={"formerly": "shop"})
    assert team.apply().exit_code == 0
    assert (team.record("shop"), team.record("store")) == ({}, before)
    assert team.on_server == there
    assert team.run("plan", "--detailed-exitcode").exit_code == 0


def test_what_another_target_owns_is_neither_adopted_nor_imported_nor_deleted(team: Team):
    team.targets(shop={"policy": {"prune": True, "keepUsedDays": 0}}, people={})
    team.client("shop", "web")
    team.client("shop", "kiosk")
    team.apply()
    owned, there = team.record("shop"), team.on_server
    (team.folder / "clients/shop/web.json").unlink()
    path = team.client("people", "web", name="The web", id=owned["web"])

    assert team.apply().exit_code == 3
    # Provident deletes nothing, so that there is nothing to refuse.
    deletes = team.workspace.vendor != "provident"
    alone = team.run("apply", "--auto-approve", "--target", "shop")
    assert alone.exit_code == (3 if deletes else 0)
    assert team.run("adopt", "web", "--target", "people", "--id", owned["web"]).exit_code == 3
    path.unlink()
    imported = team.run("import", "people", "--id", owned["kiosk"])
    assert "shop/kiosk" in imported.output
    assert team.on_server == there
    assert team.record("people") == {}


def test_a_server_that_moved_is_refused_until_the_target_says_so(team: Team):
    team.targets(shop={})
    team.client("shop", "web")
    team.apply()
    there, url = team.on_server, team.base["baseUrl"]
    elsewhere = {"baseUrl": url + "/elsewhere"}
    team.targets(shop=elsewhere)

    found = team.run("plan")
    assert found.exit_code in {1, 3}
    team.targets(shop={"formerly": url + "/older"})
    assert team.apply().exit_code == 0
    assert team.on_server == there


def test_move_changes_the_record_alone(team: Team):
    team.targets(shop={}, people={})
    team.client("shop", "web")
    team.apply()
    before, there = team.record("shop"), team.on_server

    assert team.run("move", "shop/web", "people/site").exit_code == 3
    (team.folder / "clients/shop/web.json").unlink()
    moved = team.run("move", "shop/web", "people/site", "--format", "json")
    assert json.loads(moved.stdout)["moved"] == [
        {"old": "shop/web", "new": "people/site", "id": before["web"]}
    ]
    assert "which no manifest names yet" in team.run("move", "people/", "shop/").stdout
    assert (team.record("people"), team.record("shop")) == ({}, {"site": before["web"]})
    assert "nothing was moved" in team.run("move", "people/", "shop/").stdout
    assert team.run("move", "shop/nobody", "people/x").exit_code == 64
    assert team.run("move", "shop/site", "nowhere/x").exit_code == 64
    assert team.run("move", "shop/site", "people/").exit_code == 64
    assert team.run("move", "shop/site", "shop/site").exit_code == 64
    assert team.on_server == there


def test_a_move_waits_for_a_pending_create_and_takes_no_others_place(team: Team):
    team.targets(shop={}, people={"baseUrl": "https://elsewhere.example.com/v2"})
    team.client("shop", "web")
    team.client("shop", "kiosk")
    team.run("apply", "--auto-approve", "--target", "shop")
    for key in ("web", "kiosk"):
        (team.folder / f"clients/shop/{key}.json").unlink()

    assert "key-bound" in team.run("move", "shop/web", "shop/kiosk").output
    assert "other-server" in team.run("move", "shop/web", "people/web").output
    with team.store.open("shop", lock=True) as session:
        pending = Intent(key="web", remote_id=None, facts={}, digest="d", at="2026-01-01T00:00:00Z")
        session.intend("web", pending)
    assert "pending-create" in team.run("move", "web", "site", "--target", "shop").output


def test_a_secret_stays_where_the_sink_has_it_and_the_record_remembers_that_place(team: Team):
    team.targets(shop={}, people={})
    team.client("shop", "web")
    team.apply()
    (team.folder / "clients/shop/web.json").unlink()
    team.client("people", "site", name="The web", formerly=["shop/web"])

    team.apply()
    team.client("people", "page", name="The web", formerly=["site"])
    (team.folder / "clients/people/site.json").unlink()
    team.apply()

    with team.store.open("people", lock=False) as session:
        entry = session.entry("page")
    assert entry is not None
    assert (entry.secret, entry.secret_at) == ("stored", "shop/web")
    assert "the sink does not have" not in team.run("plan").output
    (team.folder / ".reconciler/secrets/shop/web.json").unlink()
    told = team.run("plan").output
    assert "the sink does not have the secret of 1 client" in told
    assert "secrets/shop/web.json" in told
    team.run("secrets", "sync")
    assert "the sink does not have" not in team.run("plan").output or "sailpoint" in str(team.base)


def test_a_secret_that_waits_for_its_sink_moves_along(team: Team):
    team.targets(shop={}, people={})
    team.client("shop", "web")
    team.apply()
    (remote_id,) = team.record("shop").values()
    with team.store.open("shop", lock=True) as session:
        session.spool("web", remote_id, Secret("s3cret"))
    (team.folder / "clients/shop/web.json").unlink()

    team.run("move", "shop/web", "people/site")

    with team.store.open("people", lock=False) as session:
        (waiting,) = session.spooled_secrets()
    assert (waiting.key, waiting.client_id) == ("site", remote_id)
    with team.store.open("shop", lock=False) as session:
        assert session.spooled_secrets() == ()


@pytest.mark.parametrize(
    ("targets", "metadata", "word"),
    [
        ({"shop": {"formerly": "people"}, "people": {}}, {}, "is a target of this project still"),
        ({"shop": {"formerly": ["shop"]}}, {}, "is a target of this project still"),
        ({"shop": {"formerly": []}}, {}, "formerly"),
        ({"shop": {}}, {"formerly": ["web"]}, "is what the client is called now"),
        ({"shop": {}}, {"formerly": ["a/b/c"]}, "a former key is"),
        ({"shop": {}}, {"formerly": "old"}, "formerly"),
        (
            {"shop": {}, "people": {"baseUrl": "https://elsewhere.example.com"}},
            {"formerly": ["people/web"]},
            "another server",
        ),
    ],
)
def test_a_former_name_that_cannot_be_meant_is_a_problem(
    team: Team, targets: dict[str, Any], metadata: dict[str, Any], word: str
):
    team.targets(**targets)
    team.client("shop", "web", **metadata)

    found = team.run("validate")

    assert found.exit_code == 1
    assert word in found.output
