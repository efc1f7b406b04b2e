"""What only an object store promises: its lock, its pieces of journal, its errors."""

import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import obstore
import pytest
from support.given import entry
from support.store_places import SetClock

from reconciler.core.errors import InventoryError
from reconciler.inventory import objects
from reconciler.inventory.bucket import Bucket
from reconciler.inventory.lease import Clock, Lease, renew_until


@pytest.fixture
def objects_of(bucket):
    return Bucket(bucket.url, bucket.options)


def lease_on(objects_of, clock, monotonic=None, sleep=None):
    clock_of_run = Clock(wall=clock, monotonic=monotonic or clock, sleep=sleep or clock.sleep)
    return Lease(objects_of, "shop.lock", clock_of_run)


def taken(objects_of, clock):
    lease = lease_on(objects_of, clock)
    lease.acquire(timeout=0)
    return lease


def test_a_lock_is_held_for_a_while_after_the_last_sign_of_life(objects_of):
    clock = SetClock()
    taken(objects_of, clock)

    clock.seconds += 90
    with pytest.raises(InventoryError) as caught:
        taken(objects_of, clock)

    message = str(caught.value)
    assert f"process {os.getpid()} on " in message
    assert "since 2026-11-23T10:00:00Z, last heard of at 2026-11-23T10:00:00Z" in message
    assert "its lock is free 90 seconds after that" in message


def test_the_lock_of_a_run_that_died_is_free_when_its_time_is_over(objects_of):
    clock = SetClock()
    taken(objects_of, clock)

    clock.seconds += 91
    taken(objects_of, clock).check()


def test_a_lock_that_is_renewed_stays_held(objects_of):
    clock = SetClock()
    lease = taken(objects_of, clock)

    for _ in range(10):
        clock.seconds += 50
        lease.renew()
        lease.check()
        with pytest.raises(InventoryError, match="is locked"):
            taken(objects_of, clock)


def test_a_run_that_waited_in_vain_is_told_after_its_time(objects_of):
    clock = SetClock()
    taken(objects_of, clock)
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        clock.seconds += seconds

    with pytest.raises(InventoryError, match="is locked"):
        lease_on(objects_of, clock, sleep=sleep).acquire(timeout=5)

    assert sum(waited) == 5


def test_a_run_that_another_took_the_lock_from_writes_nothing_more(bucket):
    thief = replace(bucket, clock=SetClock())
    with bucket.store().open("shop", lock=True) as session:
        session.record("web", entry("1"))
        before = bucket.snapshot()
        thief.clock.seconds += 91
        with thief.store().open("shop", lock=True):
            after = bucket.snapshot()
            bucket.clock.seconds += 2
            for write in (
                session.check_lock,
                lambda: session.record("job", entry("2")),
                session.flush,
            ):
                with pytest.raises(InventoryError, match=r"lost its lock .*: another run took it"):
                    write()
            assert bucket.snapshot() == after == before

    # The other run ended, and folded what it found.
    assert list(known(bucket)) == ["web"]


def known(bucket):
    with bucket.store().open("shop", lock=False) as session:
        return session.inventory.entries


def test_a_run_whose_machine_slept_longer_than_its_lock_finds_out(objects_of, monkeypatch):
    clock, steady = SetClock(), SetClock()
    lease = lease_on(objects_of, clock, monotonic=steady)
    lease.acquire(timeout=0)

    monkeypatch.setattr(obstore, "put", broken)
    clock.seconds += 61

    with pytest.raises(InventoryError, match=r"lost its lock .* could not be renewed in time"):
        lease.check()


def test_writes_in_a_row_rely_on_one_sign_of_life(objects_of, monkeypatch):
    clock = SetClock()
    lease = taken(objects_of, clock)
    put, puts = obstore.put, []

    def counted(*args, **facts):
        puts.append(args)
        return put(*args, **facts)

    monkeypatch.setattr(obstore, "put", counted)
    for _ in range(10):
        clock.seconds += 0.3
        lease.check()

    assert len(puts) == 2


def test_a_run_that_another_took_the_lock_from_finds_out_and_leaves_it_alone(objects_of):
    clock = SetClock()
    first = taken(objects_of, clock)
    clock.seconds += 91
    second = taken(objects_of, clock)

    first.renew()
    first.renew()
    with pytest.raises(InventoryError, match=r"another run took it, process .* since 2026"):
        first.check()
    first.release()

    second.renew()
    second.check()
    second.release()
    taken(objects_of, clock).check()


def test_a_lock_that_cannot_be_renewed_for_a_moment_is_still_held(objects_of, monkeypatch):
    clock = SetClock()
    lease = taken(objects_of, clock)

    with monkeypatch.context() as patched:
        patched.setattr(obstore, "put", broken)
        clock.seconds += 50
        lease.renew()
        lease.check()
        clock.seconds += 11
        with pytest.raises(InventoryError, match=r"could not be renewed in time: .* no route"):
            lease.check()

    lease.release()


def broken(*_args, **_facts):
    raise obstore.exceptions.GenericError("no route?sig=hunter2\nDebug source: hunter2")


def test_the_lock_is_renewed_until_the_run_is_over(objects_of):
    clock = SetClock()
    lease = taken(objects_of, clock)

    class Over:
        beats = 0

        def wait(self, seconds):
            clock.seconds += seconds
            self.beats += 1
            return self.beats > 9

    renew_until(lease, Over())

    lease.check()


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"holder": "x"}', b'{"expires": "x"}'])
def test_a_lock_that_says_nothing_is_held_all_the_same(bucket, objects_of, content):
    obstore.put(bucket.raw(), "shop.lock", content)

    with pytest.raises(InventoryError, match="is locked: it does not say by whom"):
        taken(objects_of, SetClock())


def test_of_two_runs_that_find_a_lock_free_one_gets_it(objects_of, monkeypatch):
    clock = SetClock()
    taken(objects_of, clock)
    clock.seconds += 91
    get = obstore.get

    def overtaken(store, name):
        found = get(store, name)
        monkeypatch.setattr(obstore, "get", get)
        taken(objects_of, clock)
        return found

    monkeypatch.setattr(obstore, "get", overtaken)

    with pytest.raises(InventoryError, match="is locked: process"):
        taken(objects_of, clock)


def test_a_store_that_minds_no_condition_is_refused(objects_of, monkeypatch):
    put = obstore.put

    def careless(store, name, content, **facts):
        return put(store, name, content, **facts | {"mode": "overwrite"})

    monkeypatch.setattr(obstore, "put", careless)

    with pytest.raises(InventoryError, match="does not mind If-Match and If-None-Match"):
        taken(objects_of, SetClock())


def test_a_write_that_was_carried_out_and_not_answered_is_known_again(objects_of, bucket):
    obstore.put(bucket.raw(), "shop.json", b"same")

    assert objects_of.put("shop.json", b"same", replacing=None) is not None
    assert objects_of.put("shop.json", b"other", replacing=None) is None


def test_a_piece_of_journal_that_was_written_and_not_answered_is_gone_on_from(bucket, monkeypatch):
    put = obstore.put

    def unanswered(*args, **facts):
        put(*args, **facts)
        broken()

    with bucket.store().open("shop", lock=True) as session:
        with monkeypatch.context() as patched:
            patched.setattr(obstore, "put", unanswered)
            with pytest.raises(InventoryError, match="no route"):
                session.record("web", entry("1"))

        session.record("job", entry("2"))
        left = bucket.snapshot()
    bucket.restore(left)

    assert len(left) == 2
    with bucket.store().open("shop", lock=False) as session:
        assert sorted(session.inventory.entries) == ["job", "web"]


def test_a_journal_that_another_run_writes_to_stops_this_one(bucket):
    with bucket.store().open("shop", lock=True) as session:
        obstore.put(bucket.raw(), f"shop.journal/{0:012d}-{0:012d}", b"another's")
        with pytest.raises(InventoryError, match=r"another run writes to .*shop\.journal"):
            session.record("web", entry("1"))


def test_only_the_newest_journal_counts(bucket):
    def crashed(**entries):
        with bucket.store().open("shop", lock=True) as session:
            for key, each in entries.items():
                session.record(key, each)
            return bucket.snapshot()

    old = crashed(web=entry("1"))
    bucket.restore(bucket.snapshot() | old)
    newer = crashed(job=entry("2"))
    bucket.restore(newer)

    assert {name.split("-")[0] for name in newer if "journal" in name} == {
        f"shop.journal/{serial:012d}" for serial in (0, 1)
    }
    with bucket.store().open("shop", lock=False) as session:
        assert sorted(session.inventory.entries) == ["job", "web"]


def test_a_piece_that_is_taken_away_while_it_is_read_has_the_reader_look_again(bucket, monkeypatch):
    with bucket.store().open("shop", lock=True) as session:
        session.record("web", entry("1"))
        get = obstore.get

        def late(store, name):
            if "journal" in name:
                session.flush()
            return get(store, name)

        monkeypatch.setattr(obstore, "get", late)
        with bucket.store().open("shop", lock=False) as reading:
            assert list(reading.inventory.entries) == ["web"]
            assert reading.inventory.serial == 1


def test_a_bucket_that_is_not_there_is_an_error_and_no_empty_inventory(bucket):
    away = replace(bucket, url="s3://no-such-bucket/prefix")

    for lock in (True, False):
        with (
            pytest.raises(InventoryError, match="s3://no-such-bucket/prefix/shop"),
            away.store().open("shop", lock=lock),
        ):
            pass


@pytest.mark.parametrize("call", ["get", "head", "put", "list", "delete"])
def test_a_store_that_fails_is_told_in_one_line_without_what_its_address_holds(
    objects_of, monkeypatch, call
):
    calls = {
        "get": lambda: objects_of.get("a"),
        "head": lambda: objects_of.is_unchanged("a", None),
        "put": lambda: objects_of.put("a", b"", replacing=None),
        "list": lambda: objects_of.names("a"),
        "delete": lambda: objects_of.delete(["a"]),
    }
    monkeypatch.setattr(obstore, call, broken)

    with pytest.raises(InventoryError) as caught:
        calls[call]()

    assert "cannot be" in str(caught.value)
    assert str(caught.value).endswith(": no route")


def test_an_object_that_is_gone_already_is_deleted(objects_of, monkeypatch):
    def gone(*_args):
        raise FileNotFoundError

    monkeypatch.setattr(obstore, "delete", gone)

    objects_of.delete(["a"])


@pytest.mark.parametrize(
    ("url", "options", "problem"),
    [
        ("s3://records/x", {"account_name": "me"}, "account_name"),
        ("nope://records/x", {}, "nope"),
    ],
)
def test_an_address_or_a_setting_that_the_store_does_not_know_is_told(url, options, problem):
    with pytest.raises(InventoryError, match=f"cannot be opened: .*{problem}"):
        Bucket(url, options)


def test_without_the_extra_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore", None)

    with pytest.raises(InventoryError, match=r"pip install 'oauth-client-reconciler\[object\]'"):
        Bucket("s3://records/x", {})


def test_the_thread_that_renews_ends_with_the_run(bucket):
    before = threading.active_count()

    store = objects.ObjectStore(bucket.url, private=Path("unused"), options=bucket.options)
    with store.open("shop", lock=True):
        assert threading.active_count() == before + 1

    assert threading.active_count() == before


FAR = b'{"holder": "x", "since": "2999", "renewed": "2999", "expires": 4e10}'


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[]", b"[" * 100_000, b'{"holder": "x"}', b'{"expires": "x"}', FAR],
)
def test_a_lock_that_says_nothing_or_is_from_the_future_is_taken_when_nobody_renews_it(
    bucket, objects_of, content
):
    obstore.put(bucket.raw(), "shop.lock", content)
    clock, waited = SetClock(), []

    def sleep(seconds):
        waited.append(seconds)
        clock.seconds += seconds

    with pytest.raises(InventoryError, match="--lock-timeout 180s takes it over"):
        taken(objects_of, clock)
    lease_on(objects_of, clock, sleep=sleep).acquire(timeout=180)

    assert 90 <= sum(waited) <= 92


def test_a_lock_from_the_future_that_is_renewed_stays_held(objects_of):
    clock, ahead = SetClock(), SetClock()
    ahead.seconds += 1e6
    holder = taken(objects_of, ahead)

    def sleep(seconds):
        clock.seconds += seconds
        ahead.seconds += seconds
        holder.renew(older_than=20)

    with pytest.raises(InventoryError, match="by a clock that is ahead of this machine's"):
        lease_on(objects_of, clock, sleep=sleep).acquire(timeout=400)

    holder.check()


def test_a_run_that_ends_takes_no_piece_of_journal_away_that_another_run_put_there(bucket):
    theirs = "shop.journal/000000000001-000000000000"
    with bucket.store().open("shop", lock=True) as session:
        session.record("web", entry("1"))
        obstore.put(bucket.raw(), theirs, b"of a run that took the lock meanwhile")

    assert [name for name in bucket.snapshot() if ".journal" in name] == [theirs]


def test_a_piece_that_arrives_after_its_journal_was_folded_by_another_run_counts_no_more(bucket):
    with bucket.store().open("shop", lock=True) as session:
        session.record("web", entry("1"))
        first = [name for name in bucket.snapshot() if ".journal" in name]
    late = first[0][:-1] + "9"
    obstore.put(bucket.raw(), late, b'["00000000",9,{}]\n')

    assert list(known(bucket)) == ["web"]
    with bucket.store().open("shop", lock=True) as session:
        session.record("job", entry("2"))

    assert sorted(known(bucket)) == ["job", "web"]
    assert late not in bucket.snapshot()


def test_a_run_takes_a_piece_back_that_it_put_after_another_run_wrote_the_record(
    bucket, monkeypatch
):
    put = obstore.put

    def paused(store, name, *about, **facts):
        if "journal" in name:
            monkeypatch.setattr(obstore, "put", put)
            thief.clock.seconds += 91
            with thief.store().open("shop", lock=True) as other:
                other.record("web", entry("theirs"))
            bucket.clock.seconds += 91
        return put(store, name, *about, **facts)

    thief = replace(bucket, clock=SetClock())
    with (  # noqa: PT012 - to end the run raises as well
        pytest.raises(InventoryError, match="lost its lock"),
        bucket.store().open("shop", lock=True) as session,
    ):
        monkeypatch.setattr(obstore, "put", paused)
        session.record("web", entry("ours"))

    assert not [name for name in bucket.snapshot() if ".journal" in name]
    assert known(bucket)["web"].remote_id == "theirs"
