"""A lock in an object store that is broken, or dated by another clock, has a way out and lets two runs in never."""

import obstore
import pytest
from support.store_places import SetClock

from reconciler.core.errors import InventoryError
from reconciler.inventory.bucket import Bucket
from reconciler.inventory.lease import Clock, Lease

HELD = b'{"holder": "x", "since": "y", "renewed": "z", "expires": %s}'
ODD = {
    "empty": b"",
    "not JSON": b"\xff\xfe",
    "deep": b"[" * 100_000,
    "no object": b"[]",
    "nothing that is known": b"{}",
    "a time in words": HELD % b'"tomorrow"',
    "no time": HELD % b"null",
    "true for a time": HELD % b"true",
    "NaN": HELD % b"NaN",
    "for ever": HELD % b"Infinity",
    "longer than any float": HELD % (b"9" * 4000),
    "a century ahead": HELD % b"4951101600",
    "a word for a time and released": b'{"released": "x", "expires": "x"}',
}


@pytest.fixture
def objects_of(bucket):
    return Bucket(bucket.url, bucket.options)


def lease_on(objects_of, wall, monotonic=None, sleep=None):
    monotonic = monotonic or wall
    clock = Clock(wall=wall, monotonic=monotonic, sleep=sleep or monotonic.sleep)
    return Lease(objects_of, "shop.lock", clock)


def passing(clock, then=lambda: None):
    """Let time pass while a run sleeps."""

    def sleep(seconds):
        clock.seconds += seconds
        then()

    return sleep


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_a_lock_that_says_no_usable_time_is_held_and_taken_over_once_it_was_watched(
    bucket, objects_of, content
):
    obstore.put(bucket.raw(), "shop.lock", content)
    clock = SetClock()

    with pytest.raises(InventoryError, match="takes it over if nobody renews it for 90"):
        lease_on(objects_of, clock).acquire(timeout=0)
    with pytest.raises(InventoryError, match="is locked"):
        lease_on(objects_of, clock, sleep=passing(clock)).acquire(timeout=80)
    lease = lease_on(objects_of, clock, sleep=passing(clock))
    lease.acquire(timeout=120)

    lease.check()


def test_a_lock_that_is_renewed_is_never_abandoned_whatever_its_clock_says(objects_of):
    ahead, clock = SetClock(), SetClock()
    ahead.seconds += 10_000_000
    holder = lease_on(objects_of, ahead)
    holder.acquire(timeout=0)

    def go_on():
        ahead.seconds += 1
        holder.renew(older_than=20)

    with pytest.raises(InventoryError, match="is locked"):
        lease_on(objects_of, clock, sleep=passing(clock, go_on)).acquire(timeout=400)
    holder.check()


@pytest.mark.parametrize("seconds", [-10_000_000, -3600, -91, 91, 3600, 10_000_000])
def test_of_two_runs_whose_clocks_differ_at_most_one_writes(objects_of, seconds):
    clock, other = SetClock(), SetClock()
    other.seconds += seconds
    steady = SetClock()
    first = lease_on(objects_of, clock, steady)
    first.acquire(timeout=0)

    second = lease_on(objects_of, other, steady, passing(steady))
    try:
        second.acquire(timeout=0)
    except InventoryError:
        first.check()
        return

    # It waited until whatever the first did on the strength of its last look was over.
    with pytest.raises(InventoryError, match="lost its lock"):
        first.check()
    second.check()


def test_a_message_repeats_a_broken_lock_on_one_line_and_cut(bucket, objects_of):
    said = b'{"holder": "\\u001b[31m\\n%s", "since": [], "renewed": 1}' % (b"x" * 9000)
    obstore.put(bucket.raw(), "shop.lock", said)

    with pytest.raises(InventoryError) as caught:
        lease_on(objects_of, SetClock()).acquire(timeout=0)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600
