"""What the commands say of secrets that are not where the record has them, and how that ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.workspace import MINIMAL, Workspace, ids

from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    Invoke = Callable[..., Result]
    Made = Callable[..., Workspace]

UNTRUE = ("the next apply brings it to its sink", "has of it is all there is")
# A sink that takes a secret only once the file `ok` is there.
LATER = {"sink": "exec", "command": ["sh", "-c", "test -e ok && cat >> got"], "probe": ["true"]}


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with running(rate_limit=None, seed=1) as sandbox:
        yield sandbox


@pytest.fixture
def made(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """Give a workspace of a vendor, the user in its folder; nothing is applied."""
    opened = []
    (tmp_path / "repo").mkdir()

    def give(vendor: str, *keys: str, **settings: Any) -> Workspace:
        workspace = Workspace(tmp_path / "repo", server, vendor, ids(server, vendor))
        workspace.write_project(**settings)
        for key in keys or ("web",):
            workspace.write(key, {**MINIMAL[vendor], "name": f"The {key}"})
        for name, value in workspace.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path / "repo")
        opened.append(workspace)
        return workspace

    yield give
    for workspace in opened:
        workspace.clear()


def spool_of(workspace: Workspace) -> Path:
    return workspace.root / ".reconciler/inventory/.spool"


def sweep_all(folder: Path) -> None:
    shutil.rmtree(folder)


def sweep_files(folder: Path) -> None:
    for path in folder.glob("*.json"):
        path.unlink()


def sweep_hidden(folder: Path) -> None:
    """As `git clean -ffdx` does: nothing that git ignores is left."""
    sweep_all(folder)
    sweep_all(folder.parent / ".locks")


def move_away(folder: Path) -> None:
    folder.rename(folder.parent.parent / "elsewhere")


def leave_another(folder: Path) -> None:
    """Another target's secret is there, and that of the client is not."""
    (path,) = folder.glob("*.json")
    document = {**json.loads(path.read_text()), "target": "other"}
    path.write_text(json.dumps(document))


def leave_a_dead_write(folder: Path) -> None:
    (path,) = folder.glob("*.json")
    path.rename(folder / f".{path.name}.tmp")


SWEEPS = [sweep_all, sweep_files, sweep_hidden, move_away, leave_another, leave_a_dead_write]


@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_secret_whose_file_was_swept_away_is_told_as_lost_for_good(
    made: Made, invoke: Invoke, sweep: Callable[[Path], None]
):
    workspace = made("sailpoint", secrets=LATER)
    assert invoke("apply", "--auto-approve").exit_code == 5
    assert UNTRUE[0] in invoke("plan").stdout
    sweep(spool_of(workspace))
    (workspace.root / "ok").write_text("")

    runs = [
        invoke(*command)
        for command in (["plan"], ["apply", "--auto-approve"], ["plan"], ["secrets", "sync"])
    ]

    assert [run.exit_code for run in runs] == [0] * 4
    for run in runs:
        assert "lost" in run.stdout
        assert "reconciler rotate web" in run.stdout
        assert not any(words in run.stdout for words in UNTRUE)


def test_a_file_that_is_brought_back_is_delivered(made: Made, invoke: Invoke):
    workspace = made("sailpoint", secrets=LATER)
    invoke("apply", "--auto-approve")
    move_away(spool_of(workspace))
    invoke("apply", "--auto-approve")
    (workspace.root / "ok").write_text("")
    (workspace.root / ".reconciler/elsewhere").rename(spool_of(workspace))

    told = invoke("plan").stdout
    applied = invoke("apply", "--auto-approve")

    assert UNTRUE[0] in told
    assert applied.exit_code == 0
    assert workspace.inventory()["web"]["secret"] == "stored"
    assert (workspace.root / "got").read_text()
    assert "warning" not in invoke("plan").stdout


@pytest.mark.parametrize("vendor", ["provident", "boruta"])
def test_a_secret_that_the_vendor_still_tells_is_not_lost_with_its_file(
    made: Made, invoke: Invoke, vendor: str
):
    workspace = made(vendor, secrets=LATER)
    invoke("apply", "--auto-approve")
    sweep_all(spool_of(workspace))
    (workspace.root / "ok").write_text("")

    planned, applied = invoke("plan"), invoke("apply", "--auto-approve")

    assert not any(words in planned.stdout for words in UNTRUE)
    assert applied.exit_code == 0
    assert (workspace.root / "got").read_text()
    assert workspace.inventory()["web"]["secret"] == "stored"


def test_after_a_rotation_all_is_well_again(made: Made, invoke: Invoke):
    workspace = made("provident", secrets=LATER)
    invoke("apply", "--auto-approve")
    sweep_all(spool_of(workspace))
    (workspace.root / "ok").write_text("")

    assert invoke("rotate", "web", "--auto-approve").exit_code == 0
    planned = invoke("plan")

    assert "warning" not in planned.stdout
    assert workspace.inventory()["web"]["secret"] == "stored"


def gone(path: Path) -> None:
    path.unlink()


def folder_gone(path: Path) -> None:
    shutil.rmtree(path.parent.parent)


def emptied(path: Path) -> None:
    path.write_text("")


def cut_short(path: Path) -> None:
    path.write_text(path.read_text()[:20])


def without_a_secret(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "client_secret": ""}))


def another_format(path: Path) -> None:
    path.write_text("[]")


def of_another_client(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "client_id": "somebody-else"}))


def swapped_with_a_neighbour(path: Path) -> None:
    shutil.copy(path.with_name("app.json"), path)


LOSSES = [gone, folder_gone, emptied, cut_short, without_a_secret, another_format]
OTHERS = [of_another_client, swapped_with_a_neighbour]


@pytest.mark.parametrize("harm", LOSSES + OTHERS)
@pytest.mark.parametrize("vendor", ["sailpoint", "provident"])
def test_a_sink_that_has_not_what_the_record_says_is_told_until_it_has(
    made: Made, invoke: Invoke, vendor: str, harm: Callable[[Path], None]
):
    workspace = made(vendor, "app", "web")
    assert invoke("apply", "--auto-approve").exit_code == 0
    assert "warning" not in invoke("plan").stdout
    path = workspace.root / f".reconciler/secrets/{vendor}/web.json"
    saved = json.loads(path.read_text())
    harm(path)

    plans = [invoke("plan").stdout, invoke("apply", "--auto-approve").stdout, invoke("plan").stdout]

    for told in plans:
        assert "the sink does not have the secret of " in told
        assert " that the record calls stored (" in told
        assert ("another client" in told) == (harm in OTHERS)
        assert saved["client_secret"] not in told
    assert "somebody-else" not in plans[0]
    synced = invoke("secrets", "sync").stdout
    assert not any(words in synced for words in UNTRUE)
    if vendor == "provident":
        assert json.loads(path.read_text()) == saved
    else:
        assert "It may lie on another machine" in synced
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(saved))
        (path.with_name("app.json")).exists() or invoke("rotate", "app", "--auto-approve")
    assert "(web: " not in invoke("plan").stdout


def test_of_many_that_are_gone_there_is_one_sentence(made: Made, invoke: Invoke):
    workspace = made("sailpoint", *(f"c{number}" for number in range(8)))
    invoke("apply", "--auto-approve")
    shutil.rmtree(workspace.root / ".reconciler/secrets")

    told = invoke("plan").stdout

    assert told.count("the record calls stored") == 1
    assert "and 5 more" in told


def test_a_sink_that_cannot_be_asked_is_not_vouched_for(made: Made, invoke: Invoke):
    workspace = made("sailpoint", secrets=LATER)
    (workspace.root / "ok").write_text("")
    invoke("apply", "--auto-approve")

    assert "warning" not in invoke("plan").stdout
    synced = invoke("secrets", "sync").stdout

    assert "the sink cannot be asked whether it has it" in synced


@pytest.mark.parametrize("stated", ["../kept", "{root}/kept", "~/kept", "kept/", "deep/er/kept"])
@pytest.mark.parametrize("by", ["file", "variable"])
def test_the_private_files_are_where_the_user_says(
    made: Made, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, stated: str, by: str
):
    workspace = made("sailpoint", secrets=LATER)
    monkeypatch.setenv("HOME", str(workspace.root.parent))
    stated = stated.replace("{root}", str(workspace.root.parent))
    if by == "file":
        path = Path(workspace.project)
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, "inventory": {"spool": stated}}))
    else:
        monkeypatch.setenv("RECONCILER_SPOOL", stated)
    folder = workspace.root / Path(stated).expanduser()

    assert invoke("apply", "--auto-approve").exit_code == 5

    (path,) = folder.glob("*.json")
    assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not spool_of(workspace).exists()
    (workspace.root / "ok").write_text("")
    assert invoke("apply", "--auto-approve").exit_code == 0
    assert (workspace.root / "got").read_text()
    assert not list(folder.glob("*.json"))


@pytest.mark.parametrize("command", [["apply", "--auto-approve"], ["secrets", "sync"]])
def test_what_waits_under_an_earlier_setting_is_found(
    made: Made, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, command: list[str]
):
    workspace = made("sailpoint", secrets=LATER)
    invoke("apply", "--auto-approve")
    (workspace.root / "ok").write_text("")
    monkeypatch.setenv("RECONCILER_SPOOL", "../kept")

    assert invoke(*command).exit_code == 0

    assert (workspace.root / "got").read_text()
    assert not list(spool_of(workspace).glob("*.json"))


def test_a_place_that_takes_no_files_is_an_error_before_anything_is_made(
    made: Made, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    workspace = made("sailpoint")
    (workspace.root / "in-the-way").write_text("")
    monkeypatch.setenv("RECONCILER_SPOOL", "in-the-way")
    workspace.sandbox.forget_requests()

    done = invoke("apply", "--auto-approve")

    assert done.exit_code == 1
    assert "in-the-way" in done.output
    assert workspace.writes() == []


@pytest.mark.parametrize("by", ["file", "variable"])
def test_the_home_folder_of_nobody_is_an_error_that_names_it(
    made: Made, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, by: str
):
    workspace = made("sailpoint")
    if by == "file":
        path = Path(workspace.project)
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, "inventory": {"spool": "~no-such-user/kept"}}))
    else:
        monkeypatch.setenv("RECONCILER_SPOOL", "~no-such-user/kept")

    done = invoke("plan")

    assert done.exit_code == 1
    assert "~no-such-user/kept: there is no such home folder" in done.output


@pytest.mark.parametrize("stated", ["", " "])
def test_a_variable_that_says_nothing_is_no_folder(
    made: Made, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, stated: str
):
    workspace = made("sailpoint", secrets=LATER)
    monkeypatch.setenv("RECONCILER_SPOOL", stated)

    invoke("apply", "--auto-approve")

    assert len(list(spool_of(workspace).glob("*.json"))) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CI", "true"),
        ("CI", "1"),
        ("GITHUB_ACTIONS", "true"),
        ("GITLAB_CI", "true"),
        ("TF_BUILD", "True"),
        ("JENKINS_URL", "https://ci.example/"),
        ("TEAMCITY_VERSION", "2024.12"),
        ("BUILDKITE", "true"),
        ("CODEBUILD_BUILD_ID", "a:1"),
    ],
)
def test_new_secrets_in_files_of_a_runner_are_warned_of(
    made: Made, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
):
    made("sailpoint")
    monkeypatch.setenv(variable, value)

    for form in ("text", "json", "markdown"):
        assert "this is a runner of" in invoke("plan", "--format", form).stdout


@pytest.mark.parametrize(
    ("variables", "settings"),
    [
        ({}, {}),
        ({"CI": "false"}, {}),
        ({"CI": "0"}, {}),
        ({"CI": "", "GITHUB_ACTIONS": ""}, {}),
        ({"CI": "true"}, {"secrets": LATER}),
    ],
)
def test_elsewhere_there_is_no_such_warning(
    made: Made,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    settings: dict[str, Any],
):
    made("sailpoint", **settings)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert "this is a runner of" not in invoke("plan").stdout


def test_a_plan_that_makes_no_secret_does_not_speak_of_the_runner_and_a_rotation_does(
    made: Made, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    made("provident")
    invoke("apply", "--auto-approve")
    monkeypatch.setenv("CI", "true")

    assert "this is a runner of" not in invoke("plan").stdout
    assert "this is a runner of" in invoke("rotate", "web", "--auto-approve").stderr


LOOKUP = {
    **LATER,
    "command": ["sh", "-c", 'cat > "got" && printf %s "$RECONCILER_CLIENT_ID" > held'],
    "lookup": ["sh", "-c", "test ! -e broken && cat held 2>/dev/null || test ! -e broken"],
}


@pytest.mark.parametrize(
    ("held", "broken", "said"),
    [
        (None, False, "; the sink has it"),
        ("", False, "the sink has none"),
        ("somebody-else", False, "the sink has the secret of another client there"),
        ("\n", False, "the sink has none"),
        ("", True, "the sink cannot be asked whether it has it"),
        (None, True, "the sink cannot be asked whether it has it"),
    ],
)
def test_a_command_that_looks_a_secret_up_is_asked(
    made: Made, invoke: Invoke, held: str | None, broken: bool, said: str
):
    workspace = made("sailpoint", secrets=LOOKUP)
    assert invoke("apply", "--auto-approve").exit_code == 0
    if held is not None:
        (workspace.root / "held").write_text(held)
    if broken:
        (workspace.root / "broken").write_text("")

    synced = invoke("secrets", "sync")

    assert synced.exit_code == 0
    assert said in synced.stdout
    assert not any(words in synced.stdout for words in UNTRUE)


def rename(workspace: Workspace, old: str, new: str) -> None:
    folder = workspace.root / "clients"
    document = json.loads((folder / f"{old}.json").read_text())
    document["metadata"] |= {"name": new, "formerly": [old]}
    (folder / f"{old}.json").unlink()
    (folder / f"{new}.json").write_text(json.dumps(document))


@pytest.mark.parametrize("by", ["manifest", "command"])
def test_the_secret_of_a_client_that_moved_is_looked_for_where_it_is(
    made: Made, invoke: Invoke, by: str
):
    workspace = made("sailpoint")
    invoke("apply", "--auto-approve")
    rename(workspace, "web", "shop")
    if by == "manifest":
        invoke("apply", "--auto-approve")
    else:
        invoke("move", "web", "shop")
    path = workspace.root / ".reconciler/secrets/sailpoint/web.json"

    assert workspace.inventory()["shop"]["secretAt"] == "sailpoint/web"
    assert "warning" not in invoke("plan").stdout
    assert "the sink has it" in invoke("secrets", "sync").stdout
    saved = path.read_bytes()
    path.unlink()
    assert "(shop: there is no " in invoke("plan").stdout
    # Copied to where the new key has it, that is its place.
    path.with_name("shop.json").write_bytes(saved)
    assert "warning" not in invoke("plan").stdout


def test_a_client_that_moves_back_has_its_secret_under_its_own_key(made: Made, invoke: Invoke):
    workspace = made("sailpoint")
    invoke("apply", "--auto-approve")
    for old, new in (("web", "shop"), ("shop", "other"), ("other", "web")):
        rename(workspace, old, new)
        assert invoke("apply", "--auto-approve").exit_code == 0

    assert "secretAt" not in workspace.inventory()["web"]
    assert "warning" not in invoke("plan").stdout


def test_a_rotation_stores_the_secret_of_a_client_that_moved_under_its_new_key(
    made: Made, invoke: Invoke
):
    workspace = made("provident")
    invoke("apply", "--auto-approve")
    rename(workspace, "web", "shop")
    invoke("apply", "--auto-approve")

    assert invoke("rotate", "shop", "--auto-approve").exit_code == 0

    assert "secretAt" not in workspace.inventory()["shop"]
    assert (workspace.root / ".reconciler/secrets/provident/shop.json").exists()


def test_a_new_client_under_the_old_key_of_one_that_moved_is_told_what_it_overwrites(
    made: Made, invoke: Invoke
):
    workspace = made("sailpoint")
    invoke("apply", "--auto-approve")
    rename(workspace, "web", "shop")
    invoke("apply", "--auto-approve")
    workspace.write("web", {**MINIMAL["sailpoint"], "name": "Another"})

    told = invoke("plan").stdout

    assert "the sink has that of sailpoint/shop there" in told
