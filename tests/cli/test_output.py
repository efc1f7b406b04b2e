from __future__ import annotations

import io
import stat
import sys
from pathlib import Path

import pytest

from reconciler.cli import output, progress, project_file, streams
from reconciler.cli.interrupts import stop_on_signal
from reconciler.core.changes import Action, Outcome, Status
from reconciler.core.errors import ReconcilerError
from reconciler.render.terminal import COLOUR, PLAIN

OURS = '{\n  "formatVersion": 1,\n  "tool": {\n    "name": "reconciler"'


class Terminal:
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "style"),
    [
        ({}, COLOUR),
        ({"NO_COLOR": ""}, COLOUR),
        ({"NO_COLOR": "1"}, PLAIN),
        ({"TERM": "dumb"}, PLAIN),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    environment: dict[str, str], style: object, monkeypatch: pytest.MonkeyPatch
):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())

    assert output.style_for() is style
    assert output.style_for(err=True) is style


def test_a_pipe_gets_no_colour(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_COLOR", raising=False)

    assert output.style_for() is PLAIN


def test_nobody_is_asked_without_a_terminal(monkeypatch: pytest.MonkeyPatch):
    assert not output.can_ask()

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())

    assert output.can_ask()


def test_a_file_is_written_whole_and_with_ordinary_rights(tmp_path: Path):
    target = tmp_path / "plan.md"
    target.write_text(f"{OURS} of an earlier run")

    output.write_file(str(target), "←\n")

    assert target.read_text(encoding="utf-8") == "←\n"
    assert list(tmp_path.iterdir()) == [target]
    assert stat.S_IMODE(target.stat().st_mode) & 0o600 == 0o600


@pytest.mark.parametrize("dangling", [True, False])
def test_no_file_is_written_through_a_link(tmp_path: Path, dangling: bool):
    (tmp_path / "plan.json").symlink_to("victim")
    if not dangling:
        (tmp_path / "victim").write_text("precious")

    with pytest.raises(OSError, match="this is a link: name the file that it leads to"):
        output.write_file(str(tmp_path / "plan.json"), "x")

    assert (tmp_path / "victim").exists() is not dangling
    assert dangling or (tmp_path / "victim").read_text() == "precious"


@pytest.mark.parametrize("path", ["out/plan.json", "{here}/out/plan.json", "a/../out/plan.json"])
@pytest.mark.parametrize("here", [".", "deep"])
def test_no_file_is_written_where_a_link_leads_out_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, here: str
):
    project = tmp_path / "project"
    (project / "deep").mkdir(parents=True)
    (project / "reconciler.yaml").write_text("")
    (project / here / "a").mkdir()
    (tmp_path / "outside").mkdir()
    (project / "out").symlink_to(tmp_path / "outside")
    monkeypatch.chdir(project / here)
    if here != ".":
        path = path.replace("{here}/out", "{here}/../out").replace("a/../out", "../out")
        path = path if path.startswith(("{", "..")) else f"../{path}"

    with pytest.raises(OSError, match="a link on the way leads out"):
        output.write_file(path.replace("{here}", str(project / here)), "x")

    assert list((tmp_path / "outside").iterdir()) == []


def test_no_file_is_written_where_a_link_leads_into_a_folder_of_gits_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / ".git/hooks").mkdir(parents=True)
    (tmp_path / "out").symlink_to(".git/hooks")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(OSError, match="a link on the way leads out"):
        output.write_file("out/post-checkout", "x")
    with pytest.raises(OSError, match="it lies in a folder of git's own: name another place"):
        output.write_file(".git/hooks/here", "x")

    assert list((tmp_path / ".git/hooks").iterdir()) == []


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path):
    folder = tmp_path / "taken"
    folder.mkdir()

    with pytest.raises(OSError, match="taken"):
        output.write_file(str(folder), "x")

    assert list(tmp_path.iterdir()) == [folder]


def test_the_project_file_is_found_here_and_in_parents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "reconciler.yaml").touch()
    below = tmp_path / "clients" / "shop"
    below.mkdir(parents=True)

    monkeypatch.chdir(tmp_path)
    assert project_file.find_project_file(None) == "reconciler.yaml"

    monkeypatch.chdir(below)
    assert project_file.find_project_file(None) == str(tmp_path / "reconciler.yaml")


def test_a_stated_project_is_a_file_or_a_folder(tmp_path: Path):
    assert project_file.find_project_file(str(tmp_path)) == str(tmp_path / "reconciler.yaml")
    assert project_file.find_project_file("elsewhere/other.yaml") == "elsewhere/other.yaml"


def test_no_project_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ReconcilerError, match="there is no reconciler"):
        project_file.find_project_file(None)


def test_without_a_terminal_there_is_no_progress_bar(capsys: pytest.CaptureFixture[str]):
    outcome = Outcome(target="shop", key="web", action=Action.CREATE, status=Status.DONE)

    with progress.progress_bar(1) as on_outcome:
        on_outcome(outcome)

    assert capsys.readouterr().err == ""


def test_a_client_without_a_change_does_not_move_the_bar(monkeypatch: pytest.MonkeyPatch):
    class Screen(io.StringIO, Terminal):
        """A terminal that keeps what is written to it."""

        isatty = Terminal.isatty

    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")

    with progress.progress_bar(2) as on_outcome:
        for action in (Action.NOOP, Action.CREATE):
            on_outcome(Outcome(target="shop", key="web", action=action, status=Status.DONE))

    assert "1/2" in screen.getvalue()
    assert "2/2" not in screen.getvalue()


def test_streams_that_are_no_text_files_are_left_alone(monkeypatch: pytest.MonkeyPatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)

    streams.prepare()

    assert sys.stdout is stream


def test_a_pipe_is_written_to_and_not_replaced():
    output.write_file("/dev/null", "x")

    assert not Path("/dev/null").is_file()


def test_a_thread_cannot_be_interrupted():
    import threading  # noqa: PLC0415 - the only test that needs it

    seen = []

    def work() -> None:
        with stop_on_signal() as stop:
            seen.append(stop.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [False]
