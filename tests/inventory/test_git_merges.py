"""The folder of a record as git sees it: merged, in conflict, renamed, half written, taken over."""

import contextlib
import itertools
import json
import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.given import entry, intent

from reconciler import atomic_files
from reconciler.core.errors import InventoryError
from reconciler.core.model import Inventory
from reconciler.inventory import client_files, codec
from reconciler.inventory.file import FileStore


def keep(folder, **entries):
    with FileStore(folder).open("shop", lock=True) as session:
        for key, each in entries.items():
            session.record(key, each)


def forget(folder, *keys):
    with FileStore(folder).open("shop", lock=True) as session:
        for key in keys:
            session.forget(key)


def known(folder):
    with FileStore(folder).open("shop", lock=False) as session:
        return session.inventory


def refused(folder):
    """The words with which a run is refused, after which every byte is as it was."""
    before = content(folder)
    with pytest.raises(InventoryError) as caught, FileStore(folder).open("shop", lock=True):
        pass
    assert content(folder) == before
    return str(caught.value)


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".locks" not in path.parts
    }


def git(folder, *words, code=0):
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "more")


def branches(folder, left, right):
    """Have `left` and `right` happen on two branches, and merge them."""
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
    git(folder, "checkout", "-q", "-b", "side")
    left()
    commit(folder)
    git(folder, "checkout", "-q", "main")
    right()
    commit(folder)


KEYS = [
    *("web", "Web", "WEB", "con", "con.a", "nul", "nul.txt", "aux", "com1", "lpt9", "prn"),
    *("_target", "_", ".", "..", ".git", "", "a/b", "a%2Fb", "a\\b", "a:b", "a*b", "%41", "A"),
    *("é", "e\u0301", "x" * 62, "x" * 400, "x" * 401, "X" * 200, "a ", "a.", "a~1", "%~", "\udcff"),
]


@pytest.mark.parametrize("key", KEYS)
def test_every_key_has_a_file_that_every_system_can_hold(key):
    name = client_files.client_file(key)

    assert name not in {client_files.TARGET_FILE, ".json"}
    assert name.isascii()
    assert len(name) <= 240
    assert not set(name) & set('<>:"/\\|?* ')
    assert not name.startswith((".", "_"))
    assert name.partition(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


def test_no_two_keys_share_a_file_even_where_case_does_not_count():
    names = {client_files.client_file(key).lower() for key in KEYS}

    assert len(names) == len(KEYS)


def test_clients_that_only_such_names_tell_apart_are_all_recorded(tmp_path):
    odd = {key: entry(f"id-{at}") for at, key in enumerate(KEYS) if key != "\udcff"}

    keep(tmp_path, **odd)

    assert known(tmp_path).entries == odd


def test_only_the_file_of_a_client_that_changed_is_written(tmp_path):
    keep(tmp_path, web=entry("1"), job=entry("2"), old=entry("3"))
    before = {name: (tmp_path / name).stat() for name in content(tmp_path)}

    keep(tmp_path, web=entry("1", applied={"name": "Web"}))
    forget(tmp_path, "old")

    after = {name: (tmp_path / name).stat() for name in content(tmp_path)}
    assert before.keys() - after.keys() == {"shop/old.json"}
    touched = {name for name in after if after[name].st_ino != before[name].st_ino}
    assert touched == {"shop/web.json"}
    assert (tmp_path / ".locks/shop.writing").exists() is False


def test_a_checkout_with_other_line_ends_is_the_same_record(tmp_path):
    keep(tmp_path, web=entry("1"))
    path = tmp_path / "shop/web.json"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    keep(tmp_path, job=entry("2"))

    assert sorted(known(tmp_path).entries) == ["job", "web"]
    assert b"\r\n" in path.read_bytes()


# What a branch does with each client that it touches.
ACTS = st.sampled_from(["create", "update", "forget", "move", "pend"])


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(st.tuples(st.booleans(), ACTS), min_size=1, max_size=12), first=st.booleans())
def test_what_two_branches_did_to_other_clients_merges_without_a_conflict(
    tmp_path_factory, acts, first
):
    folder = tmp_path_factory.mktemp("repo")
    if not first:  # where nothing is recorded yet, both branches make the folder
        keep(folder, **{f"c{at}": entry(f"id-{at}") for at in range(len(acts))})

    def act(side):
        with FileStore(folder).open("shop", lock=True) as session:
            session.remember_server("https://example.com/clients")
            for at, (where, what) in enumerate(acts):
                if where is side:
                    change(session, f"c{at}", what)

    branches(folder, lambda: act(True), lambda: act(False))
    git(folder, "merge", "-q", "--no-edit", "side")
    merged = known(folder)

    wanted = folder.with_name(folder.name + "-wanted")
    if not first:
        keep(wanted, **{f"c{at}": entry(f"id-{at}") for at in range(len(acts))})
    with FileStore(wanted).open("shop", lock=True) as session:
        for at, (_, what) in enumerate(acts):
            change(session, f"c{at}", what)
    there = known(wanted)
    assert (merged.entries, merged.pending) == (there.entries, there.pending)


def change(session, key, what):
    match what:
        case "create":
            session.record(f"{key}-new", entry(f"{key}-new-id"))
        case "update":
            session.record(key, entry(f"{key}-next", superseded=(key,)))
        case "forget":
            session.forget(key)
        case "move":
            session.move(key, f"{key}-moved")
        case "pend":
            session.intend(key, intent(key, name=key))


def test_a_client_that_two_branches_changed_is_named_with_the_way_out_that_works(tmp_path):
    keep(tmp_path, web=entry("1"), job=entry("2"))
    branches(
        tmp_path,
        lambda: keep(tmp_path, web=entry("5", applied={"name": "A"})),
        lambda: keep(tmp_path, web=entry("6", applied={"name": "B"})),
    )
    git(tmp_path, "merge", "-q", "side", code=1)

    told = refused(tmp_path)

    path = tmp_path / "shop" / "web.json"
    assert told.startswith(f"{path} cannot be used: from line ")
    assert "Two branches changed the same client" in told
    git(tmp_path, "checkout", "--theirs", str(path))
    git(tmp_path, "add", str(path))
    assert known(tmp_path).entries["web"].remote_id == "5"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("web.json", "<<<<<<< HEAD\n", "take one side whole"),
        ("web.json", '{\n=======\n"a": 1}', "from line 2 on"),
        ("web.json", "{\n>>>>>>> side\n}", "from line 2 on"),
        ("web.json", "{\n||||||| base\n}", "from line 2 on"),
        ("web.json", "{\r\n=======\r\n}", "from line 2 on"),
        ("_target.json", "<<<<<<< HEAD\n", "the side that names the server"),
        ("web.json", '{"key": "web", "key": "web"}', "a member stands there twice"),
        ("web.json", "", "not whole JSON"),
        ("web.json", "[" * 100_000, "nested too deep"),
        ("web.json", "{}", "it is not an inventory"),
        ("_target.json", "[]", "it is not an inventory"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_to_do(tmp_path, name, text, problem):
    keep(tmp_path, web=entry("1"))
    (tmp_path / "shop" / name).write_text(text, newline="")

    told = refused(tmp_path)

    assert told.startswith(f"{tmp_path / 'shop' / name} cannot be used: ")
    assert problem in told


@pytest.mark.parametrize(
    ("name", "members", "problem"),
    [
        ("web.json", {"more": 1}, "its members are not"),
        ("web.json", {"key": 7}, "its members are not"),
        ("web.json", {"client": {}}, "the client 'web' has no applied"),
        ("web.json", {"pending": {}}, "the client 'web' has no at"),
        ("web.json", {"target": "other"}, "the inventory of the target 'other'"),
        ("web.json", {"apiVersion": "reconciler/v2"}, "or a newer one"),
        ("_target.json", {"server": 7}, "its members are not"),
        ("_target.json", {"serial": 7}, "its members are not"),
    ],
)
def test_members_that_do_not_belong_are_an_error(tmp_path, name, members, problem):
    keep(tmp_path, web=entry("1"))
    path = tmp_path / "shop" / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **members}))

    assert problem in refused(tmp_path)


def test_a_file_that_was_renamed_by_hand_is_told(tmp_path):
    keep(tmp_path, web=entry("1"))
    (tmp_path / "shop/web.json").rename(tmp_path / "shop/shop.json")

    told = refused(tmp_path)

    assert "is the record of the client 'web', which belongs in web.json" in told
    assert "`reconciler move`" in told


def test_two_files_that_claim_one_client_are_both_named(tmp_path):
    keep(tmp_path, web=entry("1"))
    branches(
        tmp_path,
        lambda: keep(tmp_path, a=entry("7")),
        lambda: keep(tmp_path, b=entry("7")),
    )
    git(tmp_path, "merge", "-q", "--no-edit", "side")

    told = refused(tmp_path)

    assert f"{tmp_path / 'shop/a.json'} and {tmp_path / 'shop/b.json'} both claim" in told


def test_a_client_that_moves_to_another_key_is_never_under_both(tmp_path):
    keep(tmp_path, web=entry("1"))

    with FileStore(tmp_path).open("shop", lock=True) as session:
        session.move("unknown", "job")
        session.move("web", "shop")
        left = known(tmp_path)

    assert left.entries == known(tmp_path).entries == {"shop": entry("1")}
    assert "shop/web.json" not in content(tmp_path)


def old_record(folder, serial=3, **entries):
    """The one file that earlier versions wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    stated = Inventory(target="shop", entries=entries, serial=serial)
    (folder / "shop.json").write_bytes(codec.encode(stated))


def test_an_old_record_is_read_and_taken_over_by_the_first_run_that_writes(tmp_path):
    old_record(tmp_path, web=entry("1"), job=entry("2"))
    before = content(tmp_path)

    assert sorted(known(tmp_path).entries) == ["job", "web"]
    keep(tmp_path, web=entry("1"))
    assert content(tmp_path) == before

    keep(tmp_path, api=entry("3"))

    assert sorted(content(tmp_path)) == [
        *("shop/_target.json", "shop/api.json", "shop/job.json", "shop/web.json")
    ]
    assert FileStore(tmp_path).targets() == ("shop",)


def test_two_branches_that_both_take_an_old_record_over_merge(tmp_path):
    old_record(tmp_path, web=entry("1"), job=entry("2"))
    branches(
        tmp_path,
        lambda: keep(tmp_path, more=entry("4")),
        lambda: keep(tmp_path, api=entry("3")),
    )

    git(tmp_path, "merge", "-q", "--no-edit", "side")

    assert sorted(known(tmp_path).entries) == ["api", "job", "more", "web"]


def test_an_old_record_that_says_the_same_as_the_folder_is_taken_away_by_the_next_write(tmp_path):
    keep(tmp_path, web=entry("1"), job=entry("2"))
    old_record(tmp_path, web=entry("1"))

    assert sorted(known(tmp_path).entries) == ["job", "web"]
    keep(tmp_path, api=entry("3"))

    assert not (tmp_path / "shop.json").exists()


@pytest.mark.parametrize(
    "old", [{"web": entry("9")}, {"web": entry("1"), "api": entry("3")}, {"other": entry("4")}]
)
def test_an_old_record_that_says_otherwise_is_refused_with_the_clients(tmp_path, old):
    keep(tmp_path, web=entry("1"), job=entry("2"))
    old_record(tmp_path, **old)

    told = refused(tmp_path)

    assert "are both there and differ in" in told
    assert any(key in told for key in old)
    assert "merge again" in told


class Stopped(BaseException):
    """The end of a process, at a place of our choice."""


def acts(session):
    session.intend("job", intent("job"))
    session.record("web", entry("5", superseded=("1",)))
    session.record("job", entry("6"))
    session.move("old", "older")
    session.drop("gone", "4")
    session.record("web", entry("5", applied={"name": "Web"}, superseded=("1",)))


DONE = {
    "web": entry("5", applied={"name": "Web"}, superseded=("1",)),
    "job": entry("6"),
    "older": entry("3"),
}
START = {"web": entry("1"), "old": entry("3"), "gone": entry("4")}


@pytest.mark.parametrize("old", [False, True], ids=["folder", "old file"])
@pytest.mark.parametrize("step", range(14))
def test_a_run_that_dies_at_any_step_of_writing_the_files_costs_nothing(tmp_path, step, old):
    old_record(tmp_path, **START)
    if not old:
        keep(tmp_path, more=entry("8"))
        forget(tmp_path, "more")
    count = itertools.count()
    with (
        pytest.MonkeyPatch.context() as patched,
        contextlib.suppress(Stopped),
        FileStore(tmp_path).open("shop", lock=True) as session,
    ):
        acts(session)
        # Everything by which a name in a folder comes or goes, or a byte gets to the disk.
        for name in ("fsync", "sync", "rename", "replace", "unlink", "rmdir"):
            patched.setattr(os, name, dying(getattr(os, name), count, step))
        try:
            session.flush()
        finally:
            patched.undo()

    # That only the values are older which were last applied, a dead run may cost.
    older = {**DONE, "web": entry("5", superseded=("1",))}
    assert known(tmp_path).entries in (DONE, older)
    keep(tmp_path)
    assert known(tmp_path).entries in (DONE, older)
    assert [name for name in content(tmp_path) if "/" not in name] == []


def dying(act, count, step):
    def once(*args, **facts):
        if next(count) == step:
            raise Stopped
        return act(*args, **facts)

    return once


def test_a_journal_outlives_what_was_merged_of_other_clients(tmp_path):
    keep(tmp_path, web=entry("1"), job=entry("2"))
    with FileStore(tmp_path).open("shop", lock=True) as session:
        session.record("web", entry("5", superseded=("1",)))
        journal = (tmp_path / "shop.journal").read_bytes()
    git_copy = tmp_path.with_name("other")
    shutil.copytree(tmp_path, git_copy)
    keep(tmp_path, web=entry("1"))
    (tmp_path / "shop/web.json").write_bytes(
        codec.encode_client("shop", "web", entry=entry("1"), intent=None)
    )
    keep(tmp_path, job=entry("7", superseded=("2",)), api=entry("8"))
    (tmp_path / "shop.journal").write_bytes(journal)

    assert known(tmp_path).entries == {
        "web": entry("5", superseded=("1",)),
        "job": entry("7", superseded=("2",)),
        "api": entry("8"),
    }


def test_a_journal_whose_own_client_was_merged_otherwise_is_refused_by_its_name(tmp_path):
    keep(tmp_path, web=entry("1"), job=entry("2"))
    with FileStore(tmp_path).open("shop", lock=True) as session:
        session.record("web", entry("5", superseded=("1",)))
        journal = (tmp_path / "shop.journal").read_bytes()
    keep(tmp_path, web=entry("9"))
    (tmp_path / "shop.journal").write_bytes(journal)

    told = refused(tmp_path)

    assert "do not belong together" in told
    assert "the record of web was changed" in told


def test_a_write_that_failed_half_way_can_be_made_again(tmp_path, monkeypatch):
    keep(tmp_path, web=entry("1"), job=entry("2"))
    sync = atomic_files.sync_folder

    def full(path):
        if path.name == "shop":
            raise OSError(28, "No space left on device")
        sync(path)

    with FileStore(tmp_path).open("shop", lock=True) as session:
        session.record("web", entry("5"))
        session.record("job", entry("6"))
        with monkeypatch.context() as patched:
            patched.setattr(atomic_files, "sync_folder", full)
            with pytest.raises(InventoryError, match="No space left"):
                session.flush()
        session.flush()

    assert {key: each.remote_id for key, each in known(tmp_path).entries.items()} == {
        "web": "5",
        "job": "6",
    }
