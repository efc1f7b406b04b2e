import builtins
import io
import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.given import entry, intent
from support.measuring import unmeasured

from reconciler import atomic_files
from reconciler.core.errors import InventoryError
from reconciler.core.model import Secret
from reconciler.inventory import spool
from reconciler.inventory.file import FileStore


def keep(folder, target="shop", **entries):
    with FileStore(folder).open(target, lock=True) as session:
        for key, each in entries.items():
            session.record(key, each)


def on_disk(folder, target="shop"):
    with FileStore(folder).open(target, lock=False) as session:
        return session.inventory.entries


def test_what_is_recorded_is_there_for_the_next_run(tmp_path):
    keep(tmp_path, web=entry("1", applied={"name": "Web"}))

    assert on_disk(tmp_path) == {"web": entry("1", applied={"name": "Web"})}


def test_a_file_that_is_not_there_is_an_inventory_without_clients(tmp_path):
    with FileStore(tmp_path / "new").open("shop", lock=False) as session:
        assert session.inventory.target == "shop"
        assert session.inventory.entries == {}
        assert session.entry("web") is None

    assert not (tmp_path / "new").exists()


def test_targets_do_not_share_a_file(tmp_path):
    keep(tmp_path, "a", web=entry("1"))
    keep(tmp_path, "b", web=entry("2"))

    assert on_disk(tmp_path, "a")["web"].remote_id == "1"
    assert on_disk(tmp_path, "b")["web"].remote_id == "2"


def test_a_targets_name_cannot_lead_out_of_the_folder(tmp_path):
    keep(tmp_path / "inner", "../../etc/passwd", web=entry("1"))

    assert (tmp_path / "inner" / "%2E.%2F..%2Fetc%2Fpasswd" / "web.json").exists()


def test_a_new_id_is_on_disk_before_record_returns(tmp_path):
    with FileStore(tmp_path).open("shop", lock=True) as session:
        session.record("web", entry("1"))

        assert on_disk(tmp_path)["web"].remote_id == "1"

        session.record("web", entry("2", superseded=("1",)))

        assert on_disk(tmp_path)["web"].superseded == ("1",)


def test_what_was_applied_to_a_known_id_may_wait_for_the_end(tmp_path):
    with FileStore(tmp_path).open("shop", lock=True) as session:
        session.record("web", entry("1"))
        session.record("web", entry("1", applied={"name": "Web"}))

        assert on_disk(tmp_path)["web"].applied == {}
        assert session.entry("web").applied == {"name": "Web"}

        session.flush()

        assert on_disk(tmp_path)["web"].applied == {"name": "Web"}


def test_what_waits_is_written_when_the_run_ends_even_by_an_error(tmp_path):
    def run():
        with FileStore(tmp_path).open("shop", lock=True) as session:
            session.record("web", entry("1"))
            session.record("web", entry("1", applied={"name": "Web"}))
            raise KeyError

    with pytest.raises(KeyError):
        run()

    assert on_disk(tmp_path)["web"].applied == {"name": "Web"}


def test_a_client_is_forgotten_from_the_next_write_on(tmp_path):
    keep(tmp_path, web=entry("1"), job=entry("2"))

    with FileStore(tmp_path).open("shop", lock=True) as session:
        session.forget("web")
        session.forget("unknown")

    assert list(on_disk(tmp_path)) == ["job"]


def test_a_deleted_predecessor_is_dropped_and_a_deleted_client_forgotten(tmp_path):
    keep(tmp_path, web=entry("2", superseded=("0", "1")))

    with FileStore(tmp_path).open("shop", lock=True) as session:
        session.drop("web", "1")
        assert on_disk(tmp_path)["web"] == entry("2", superseded=("0",))

        session.drop("unknown", "1")
        session.drop("web", "2")
        assert on_disk(tmp_path) == {}


def test_an_inventory_seen_once_does_not_change_with_later_records(tmp_path):
    with FileStore(tmp_path).open("shop", lock=True) as session:
        before = session.inventory
        session.record("web", entry("1"))

        assert before.entries == {}
        assert list(session.inventory.entries) == ["web"]


def test_a_run_that_records_nothing_new_does_not_touch_the_file(tmp_path):
    keep(tmp_path, web=entry("1"))
    path = tmp_path / "shop" / "web.json"
    path.write_bytes(b" " + path.read_bytes())
    before = path.stat()

    keep(tmp_path, web=entry("1"))

    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_has_the_same_bytes_whatever_the_order_of_records(tmp_path):
    keep(tmp_path / "a", web=entry("1"), job=entry("2"))
    keep(tmp_path / "b", job=entry("2"), web=entry("1"))

    for name in ("_target.json", "job.json", "web.json"):
        written = [(tmp_path / side / "shop" / name).read_bytes() for side in "ab"]
        assert written[0] == written[1]


def test_without_the_lock_nothing_can_be_recorded(tmp_path):
    with (
        FileStore(tmp_path).open("shop", lock=False) as session,
        pytest.raises(InventoryError, match="open for reading only"),
    ):
        session.record("web", entry("1"))

    assert not (tmp_path / "shop").exists()


def test_a_run_leaves_the_file_and_a_folder_that_git_ignores(tmp_path):
    keep(tmp_path, web=entry("1"))

    assert sorted(path.name for path in tmp_path.iterdir()) == [".locks", "shop"]
    assert (tmp_path / ".locks" / ".gitignore").read_text() == "*\n"
    assert not list((tmp_path / ".locks").glob("*.holder.json"))


def test_the_file_is_for_all_to_read_who_may_read_the_repository(tmp_path):
    before = os.umask(0o022)
    try:
        keep(tmp_path, web=entry("1"))
    finally:
        os.umask(before)

    assert (tmp_path / "shop" / "web.json").stat().st_mode & 0o777 == 0o644


class SlowDisk:
    """Writes through to the disk, and holds the first write up until told to go on."""

    def __init__(self, write):
        self.write, self.writes = write, 0
        self.entered, self.go_on = threading.Event(), threading.Event()

    def __call__(self, path, content, *, offset, mode):
        """Write as `atomic_files.append` does."""
        self.writes += 1
        self.entered.set()
        self.go_on.wait()
        self.write(path, content, offset=offset, mode=mode)


def test_one_write_serves_all_threads_that_wait_for_it(tmp_path, monkeypatch):
    disk = SlowDisk(atomic_files.append)
    waiting = threading.Barrier(9)

    def create(session, number):
        waiting.wait()
        session.record(f"c{number}", entry(str(number)))
        return on_disk(tmp_path)[f"c{number}"].remote_id == str(number)

    with FileStore(tmp_path).open("shop", lock=True) as session, ThreadPoolExecutor(9) as pool:
        monkeypatch.setattr(atomic_files, "append", disk)
        first = pool.submit(session.record, "first", entry("0"))
        disk.entered.wait()
        rest = [pool.submit(create, session, number) for number in range(8)]
        waiting.wait()
        while len(session.inventory.entries) < 9:
            pass
        disk.go_on.set()
        first.result()

        assert all(each.result() for each in rest)

    assert disk.writes == 2


class GatedDisk:
    """Writes through to the disk, each write when it is let."""

    def __init__(self, write):
        self.write, self.began = write, threading.Semaphore(0)
        self.let = threading.Semaphore(0)

    def __call__(self, path, content, *, offset, mode):
        """Write as `atomic_files.append` does."""
        self.began.release()
        self.let.acquire()
        self.write(path, content, offset=offset, mode=mode)


def test_who_is_on_disk_goes_on_while_the_next_write_is_under_way(tmp_path, monkeypatch):
    disk = GatedDisk(atomic_files.append)

    def taken(number):
        while len(session.inventory.entries) < number:
            pass

    with FileStore(tmp_path).open("shop", lock=True) as session, ThreadPoolExecutor(20) as pool:
        monkeypatch.setattr(atomic_files, "append", disk)
        waiting = [pool.submit(session.record, "first", entry("0"))]
        disk.began.acquire()
        waiting += [pool.submit(session.record, f"a{n}", entry(f"a{n}")) for n in range(8)]
        taken(9)
        disk.let.release()
        disk.began.acquire()
        late = [pool.submit(session.record, f"b{n}", entry(f"b{n}")) for n in range(8)]
        taken(17)
        disk.let.release()
        disk.began.acquire()

        for each in waiting:
            each.result(timeout=60)
        assert not any(each.done() for each in late)

        disk.let.release(100)
        for each in late:
            each.result(timeout=60)


def test_many_creates_at_once_are_all_recorded(tmp_path):
    numbers = range(200)

    with FileStore(tmp_path).open("shop", lock=True) as session, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: session.record(f"c{number}", entry(str(number))), numbers))

    assert {each.remote_id for each in on_disk(tmp_path).values()} == set(map(str, numbers))


def full(*_args, **_facts):
    raise OSError(28, "No space left on device")


def test_a_record_that_cannot_be_written_is_told_and_written_with_the_next(tmp_path, monkeypatch):
    with FileStore(tmp_path).open("shop", lock=True) as session:
        with monkeypatch.context() as patched:
            patched.setattr(atomic_files, "append", full)
            with pytest.raises(
                InventoryError, match=r"shop\.journal cannot be written: No space left"
            ):
                session.record("web", entry("1"))

        session.record("job", entry("2"))

    assert sorted(on_disk(tmp_path)) == ["job", "web"]


def test_a_failed_write_that_was_told_is_not_told_again_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic_files, "append", full)

    with FileStore(tmp_path).open("shop", lock=True) as session, pytest.raises(InventoryError):
        session.record("web", entry("1"))


def test_a_write_that_fails_at_the_end_is_told(tmp_path, monkeypatch):
    keep(tmp_path, web=entry("1"))

    monkeypatch.setattr(os, "fsync", full)

    def run():
        with FileStore(tmp_path).open("shop", lock=True) as session:
            session.record("web", entry("1", applied={"name": "Web"}))

    with pytest.raises(InventoryError, match="No space left"):
        run()


def test_a_write_that_is_broken_off_leaves_the_next_one_free(tmp_path, monkeypatch):
    def interrupted(*_args, **_facts):
        raise KeyboardInterrupt

    with FileStore(tmp_path).open("shop", lock=True) as session:
        with monkeypatch.context() as patched:
            patched.setattr(atomic_files, "append", interrupted)
            with pytest.raises(KeyboardInterrupt):
                session.record("web", entry("1"))

        session.flush()

    assert on_disk(tmp_path)["web"].remote_id == "1"


def test_threads_that_wait_for_a_failing_write_all_hear_of_it(tmp_path, monkeypatch):
    def outcome(session, number):
        try:
            session.record(f"c{number}", entry(str(number)))
        except InventoryError:
            return "told"
        return "silent"

    monkeypatch.setattr(atomic_files, "append", full)
    with FileStore(tmp_path).open("shop", lock=True) as session, ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda number: outcome(session, number), range(20)))

    assert outcomes == ["told"] * 20


def test_a_disk_that_fills_up_leaves_the_old_inventory_whole(tmp_path):
    keep(tmp_path, web=entry("1"))
    script = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from support.given import entry
from reconciler.core.errors import InventoryError
from reconciler.inventory.file import FileStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with FileStore({str(tmp_path)!r}).open("shop", lock=True) as session:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    try:
        session.record("big", entry("2", applied={{"name": "x" * 1000}}))
    except InventoryError as error:
        print(error)
"""

    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env=unmeasured(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert "shop.journal cannot be written: File too large" in told.stdout
    assert list(on_disk(tmp_path)) == ["web"]
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_folder_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "inventory").write_text("in the way")

    with pytest.raises(InventoryError, match="cannot be locked"):
        keep(tmp_path / "inventory")
    with pytest.raises(InventoryError, match="cannot be read: Not a directory"):
        on_disk(tmp_path / "inventory")


def test_an_inventory_that_is_a_folder_is_an_error(tmp_path):
    (tmp_path / "shop.json").mkdir()

    with pytest.raises(InventoryError, match=r"shop\.json cannot be read: Is a directory"):
        on_disk(tmp_path)


def test_a_damaged_inventory_is_not_opened_and_its_lock_is_free_again(tmp_path):
    keep(tmp_path, web=entry("1"))
    (tmp_path / "shop" / "web.json").write_text("{")

    for _ in range(2):
        with pytest.raises(InventoryError, match="not whole JSON"):
            keep(tmp_path)


def test_a_second_run_is_told_who_holds_the_lock_and_since_when(tmp_path):
    first = FileStore(tmp_path, now=lambda: "2026-11-23T10:00:00Z")

    with first.open("shop", lock=True):
        with pytest.raises(InventoryError) as caught:
            keep(tmp_path)
        with FileStore(tmp_path).open("other", lock=True):
            pass

    assert f"process {os.getpid()} on " in str(caught.value)
    assert "since 2026-11-23T10:00:00Z" in str(caught.value)


def test_reading_needs_no_lock(tmp_path):
    keep(tmp_path, web=entry("1"))

    with FileStore(tmp_path).open("shop", lock=True):
        assert list(on_disk(tmp_path)) == ["web"]


@pytest.mark.parametrize("note", [None, "", "[]", "{}", '{"pid": 1}'])
def test_a_lock_whose_holder_left_no_note_is_held_all_the_same(tmp_path, note):
    with FileStore(tmp_path).open("shop", lock=True):
        path = tmp_path / ".locks" / "shop.holder.json"
        path.unlink()
        if note is not None:
            path.write_text(note)
        with pytest.raises(InventoryError, match="it does not say which"):
            keep(tmp_path)


def test_the_note_of_a_process_that_died_does_not_hold_the_lock(tmp_path):
    keep(tmp_path)
    (tmp_path / ".locks" / "shop.holder.json").write_text('{"pid": 1, "host": "h", "since": "s"}')

    keep(tmp_path, web=entry("1"))

    assert list(on_disk(tmp_path)) == ["web"]


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path):
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from support.given import entry
from reconciler.inventory.file import FileStore
with FileStore({str(tmp_path)!r}).open("shop", lock=True) as session:
    session.record("web", entry("1"))
    print("held", flush=True)
    sys.stdin.read()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env=unmeasured(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(InventoryError, match=f"process {holder.pid} on .* since .*"):
        keep(tmp_path)

    holder.kill()
    holder.communicate()
    keep(tmp_path, job=entry("2"))

    assert sorted(on_disk(tmp_path)) == ["job", "web"]
    assert not (tmp_path / "shop.journal").exists()


def test_a_journal_that_cannot_be_taken_away_is_told_and_costs_nothing(tmp_path, monkeypatch):
    unlink = Path.unlink

    def stuck(path, **facts):
        return full() if path.suffix == ".journal" else unlink(path, **facts)

    def run():
        with FileStore(tmp_path).open("shop", lock=True) as session:
            session.record("web", entry("1"))
            monkeypatch.setattr(Path, "unlink", stuck)

    with pytest.raises(InventoryError, match=r"shop\.journal cannot be written: No space left"):
        run()
    monkeypatch.undo()

    assert list(on_disk(tmp_path)) == ["web"]
    keep(tmp_path)
    assert not (tmp_path / "shop.journal").exists()


def test_a_create_whose_intent_cannot_be_written_is_not_pending(tmp_path, monkeypatch):
    with FileStore(tmp_path).open("shop", lock=True) as session:
        with monkeypatch.context() as patched:
            patched.setattr(atomic_files, "append", full)
            with pytest.raises(InventoryError, match="No space left"):
                session.intend("web", intent())
        assert session.inventory.pending == {}
        session.record("job", entry("1"))

    with FileStore(tmp_path).open("shop", lock=False) as session:
        assert session.inventory.pending == {}


def test_a_record_that_is_replaced_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    keep(tmp_path, web=entry("1"))
    opened = builtins.open

    def overtaken(path, *arguments, **options):
        with opened(path, *arguments, **options) as file:
            content = file.read()
        monkeypatch.setattr(builtins, "open", opened)
        keep(tmp_path, job=entry("2"))
        return io.BytesIO(content)

    monkeypatch.setattr(builtins, "open", overtaken)

    assert sorted(on_disk(tmp_path)) == ["job", "web"]


def test_the_time_of_the_lock_is_utc_by_default(tmp_path):
    with FileStore(tmp_path).open("shop", lock=True):
        note = (tmp_path / ".locks" / "shop.holder.json").read_text()

    assert note.rstrip().endswith('Z"}')


def test_a_spooled_secret_is_private_and_out_of_git(tmp_path):
    with FileStore(tmp_path).open("shop", lock=True) as session:
        path = Path(session.spool("web", "id/1", Secret("hunter2")))

    assert path == tmp_path / ".spool" / "shop@web@id%2F1.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (path.parent / ".gitignore").read_text() == "*\n"
    assert '"client_secret": "hunter2"' in path.read_text()


def test_a_secret_that_cannot_be_spooled_is_told_without_showing_it(tmp_path):
    (tmp_path / ".spool").write_text("in the way")

    with pytest.raises(InventoryError, match="cannot be written") as caught:
        spool.save_secret(tmp_path, "shop", "web", "1", Secret("hunter2"))

    assert "hunter2" not in str(caught.value)
