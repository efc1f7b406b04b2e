"""A disk that is full, closed or damaged, and a clock that is wrong: clear words, and nothing lost."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

import pytest
from support.limited import LIMITED
from support.measuring import unmeasured
from support.records import record_file, record_folder, recorded
from support.trial import trial
from support.unprivileged import closed, shared_folder
from support.vendors import NAMES

from reconciler.core.changes import Action, Status


@pytest.fixture(scope="module", params=NAMES)
def made(request, tmp_path_factory):
    with trial(tmp_path_factory.mktemp(request.param), request.param) as (fleet, _runner):
        yield fleet


@pytest.fixture
def fleet(made):
    made.reset()
    return made


def inventory_file(fleet):
    return record_file(fleet.home, fleet.vendor, "stays")


def limited(fleet, limit):
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), "apply", "--auto-approve"],
        cwd=fleet.home,
        env=unmeasured(**fleet.workspace.env, PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("limit", [0, 300, 1200])
def test_a_disk_that_is_full_costs_nothing_that_the_next_run_cannot_get_back(fleet, limit):
    done = limited(fleet, limit)

    assert "Traceback" not in done.stderr
    assert done.returncode in (1, 3, 5), done.stderr
    assert "File too large" in done.stdout + done.stderr
    fleet.recovered(None)


def test_a_folder_that_nobody_may_write_to_is_told_before_anything_is_sent(fleet):
    # It imports all that it takes, which nobody else may be able to read.
    fleet.command("apply", "--auto-approve")
    fleet.reset()
    with shared_folder() as folder:
        home = folder / "work"
        shutil.copytree(fleet.home, home)
        inventory = home / ".reconciler/inventory"
        for path in (home, *home.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        with closed(home, inventory, inventory / ".locks", home / ".reconciler"):
            code, printed = fleet.command("apply", "--auto-approve", at=home)

    assert code == 1, printed
    assert "Permission denied" in printed
    assert str(inventory) in printed or ".reconciler" in printed
    assert [call.method for call, _ in fleet.gate.handled if call.method != "GET"] in ([], ["POST"])
    assert fleet.created() == {}
    fleet.recovered(None)


@pytest.mark.parametrize("place", [".reconciler/inventory", ".reconciler/secrets"])
def test_a_file_in_the_place_of_a_folder_is_told_before_anything_is_sent(fleet, place):
    folder, aside = fleet.home / place, fleet.home / "aside"
    folder.rename(aside)
    folder.write_text("in the way")

    code, printed = fleet.command("apply", "--auto-approve")
    folder.unlink()
    aside.rename(folder)

    assert code == 1, printed
    assert place in printed
    assert fleet.created() == {}
    fleet.recovered(None)


@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_an_inventory_that_was_cut_is_refused_and_nothing_is_sent(fleet, part):
    path = inventory_file(fleet)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])

    code, printed = fleet.command("apply", "--auto-approve")
    cut = path.read_bytes()
    path.write_bytes(whole)

    assert code == 1, printed
    assert "cannot be used" in printed
    assert "backup" in printed
    assert cut == whole[: int(len(whole) * part)]
    assert fleet.created() == {}
    fleet.recovered(None)


def test_a_journal_whose_last_line_is_torn_is_replayed_up_to_it(fleet):
    journal = killed_in_the_middle(fleet)
    content = journal.read_bytes()
    journal.write_bytes(content + content.splitlines()[-1][:40])

    fleet.recovered(None)


def test_a_journal_that_is_damaged_before_its_end_is_refused_with_what_to_do(fleet):
    journal = killed_in_the_middle(fleet)
    whole = journal.read_bytes()
    journal.write_bytes(whole[:10] + b"#" + whole[11:])

    code, printed = fleet.command("apply", "--auto-approve")
    journal.write_bytes(whole)

    assert code == 1, printed
    assert journal.name in printed
    fleet.recovered(None)


def killed_in_the_middle(fleet):
    """The journal of a run that was stopped dead after its creates."""
    code = "import os, reconciler.inventory.open_inventory as s\n"
    code += "s.OpenInventory.flush = s.OpenInventory.close = lambda self: os._exit(9)\n"
    code += "import runpy, sys; sys.argv = ['reconciler', 'apply', '--auto-approve']\n"
    code += "runpy.run_module('reconciler', run_name='__main__', alter_sys=True)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=fleet.home,
        env=unmeasured(**fleet.workspace.env),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 9, done.stderr
    journal = record_folder(fleet.home, fleet.vendor).with_suffix(".journal")
    assert len(journal.read_bytes().splitlines()) > 2
    return journal


def set_clock(monkeypatch, now):
    """Let the machine believe that it is `now`."""
    moment = time.strptime(now, "%Y-%m-%dT%H:%M:%SZ")
    monkeypatch.setattr(time, "gmtime", lambda *_seconds: moment)


@pytest.mark.parametrize(
    "now", ["1970-01-02T00:00:00Z", "2001-01-01T00:00:00Z", "2199-01-01T00:00:00Z"]
)
def test_a_clock_that_is_wrong_deletes_nothing_early_and_doubles_nothing(fleet, monkeypatch, now):
    set_clock(monkeypatch, now)

    _, report = fleet.attempt()

    assert {each.status for each in report.outcomes} == {Status.DONE}
    fleet.check(fleet.created(), set())
    entries = recorded(record_folder(fleet.home, fleet.vendor))
    assert entries["new-a"]["appliedAt"] == now


def test_a_clock_that_is_turned_back_keeps_a_client_in_quarantine(fleet, monkeypatch):
    if fleet.vendor == "provident":
        policy = {"prune": True, "onRemoval": "disable"}
    else:
        policy = {"prune": True, "quarantineDays": 7}
    policy |= {"maxDeletes": 2, "maxChangePercent": 60}
    fleet.workspace.write_project(policy=policy)
    before = {client[fleet.identifier] for client in fleet.sandbox.clients(fleet.vendor)}
    left = fleet.workspace.inventory()["leaves"]["id"]
    assert left in before
    for now in ("2030-01-01T00:00:00Z", "1990-01-01T00:00:00Z", "2030-01-02T00:00:00Z"):
        set_clock(monkeypatch, now)
        plan, report = fleet.attempt()
        assert report is not None, plan
        assert Action.DELETE not in {c.action for c in plan.targets[0].changes if c.key == "leaves"}

    assert left in {client[fleet.identifier] for client in fleet.sandbox.clients(fleet.vendor)}
