"""Lets one run at a time change a target's inventory in an object store, and says who it is.

A lock is an object with a holder and a time until which it is held. The holder renews it; one that
died does not, and its lock is free a while after that time (docs/decisions/0014).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import InventoryError
from reconciler.inventory.bucket import StoredObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.inventory.bucket import Bucket

# How long a holder that does not renew the lock keeps it.
LEASE_SECONDS: Final = 60.0
# By how much the clocks of two machines may differ.
_SKEW_SECONDS: Final = 30.0
# Nobody takes a lock from a holder that was heard of within this time.
_SILENT_SECONDS: Final = LEASE_SECONDS + _SKEW_SECONDS
_WAY_OUT: Final = (
    f"--lock-timeout {_SILENT_SECONDS * 2:.0f}s takes it over if nobody renews it for "
    f"{_SILENT_SECONDS:.0f} seconds meanwhile"
)
_POLL_SECONDS: Final = 1.0
# What a lock says goes into messages, and anybody may have written it: no more of each word.
_LONGEST_WORD: Final = 80
# A write relies on a renewal that is no older: asking for each of them would cost a request a line.
FRESH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The times that a lock goes by: `wall` in seconds since 1970, `monotonic` never set back."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Lease:
    """A lock that this run holds as long as it is renewed. Threads may share it."""

    def __init__(self, bucket: Bucket, name: str, clock: Clock) -> None:
        self._bucket = bucket
        self._name = name
        self._clock = clock
        self._run = str(uuid.uuid4())
        self._since = clock.wall()
        self._written: StoredObject | None = None
        # By both clocks, from before the request that renewed it.
        self._renewed_at = (0.0, 0.0)
        self._asked_at = 0.0
        self._one_at_a_time = threading.Lock()
        self._lost_because = ""
        self._last_error = ""
        # What another run's lock held when it was last seen to change, and when, by our own clock.
        self._seen: tuple[bytes | None, float] = (None, 0.0)

    def acquire(self, *, timeout: float) -> None:
        """Take the lock; InventoryError, which says who holds it, after `timeout` seconds."""
        until = self._clock.monotonic() + timeout
        while not self._try_to_take():
            if self._clock.monotonic() >= until:
                raise InventoryError(
                    f"{self._bucket.address(self._name)} is locked: {self._describe_holder()}"
                )
            self._clock.sleep(_POLL_SECONDS)
        try:
            self._check_conditions()
        except InventoryError:
            self.release()
            raise

    def renew(self, *, older_than: float = 0.0) -> None:
        """Renew the lock, if the last renewal was asked for longer ago than `older_than` seconds.

        A store that cannot be reached is asked again later.
        """
        with self._one_at_a_time:
            now = self._clock.monotonic()
            if self._lost_because or now - self._asked_at < older_than:
                return
            # Noted before the request: a store that fails is not asked anew by each thread.
            self._asked_at = now
            try:
                if not self._write(self._written):
                    # Set before it is asked who took it: that question may fail.
                    self._lost_because = "another run took it"
                    if who := self._holder(self._bucket.get(self._name)):
                        self._lost_because += f", {who}"
            except InventoryError as error:
                self._last_error = f": {error}"

    def check(self) -> None:
        """Raise InventoryError if another run may hold the lock by now; the store is asked."""
        self.renew(older_than=FRESH_SECONDS)
        if not self._lost_because and self._is_overdue():
            self._lost_because = f"it could not be renewed in time{self._last_error}"
        if self._lost_because:
            raise InventoryError(
                f"this run lost its lock {self._bucket.address(self._name)}, so it writes nothing "
                f"more: {self._lost_because}. What it recorded by then is kept; run again"
            )

    def release(self) -> None:
        """Say that the lock is free, unless it is another's by now."""
        # A lock that cannot be given back is free when its time is over.
        with contextlib.suppress(InventoryError):
            if not self._lost_because:
                # By a write under the condition, not by a delete: that could hit another run's lock.
                self._bucket.put(self._name, self._released_content(), replacing=self._written)

    def _try_to_take(self) -> bool:
        found = self._bucket.get(self._name)
        # Over the very version that was seen to be free: of two runs that see it, one wins.
        if found is None or _is_given_back(found):
            return self._write(found)
        if not (self._is_over(found) or self._is_silent(found)) or not self._write(found):
            return False
        # Its holder may live, by another clock. What that does without asking the store is over
        # after this, so that this run sees it.
        self._clock.sleep(FRESH_SECONDS)
        return True

    def _is_over(self, found: StoredObject) -> bool:
        expires = _expiry(found)
        # One that says nothing is held: it may be from another version of the tool.
        return expires is not None and self._clock.wall() > expires + _SKEW_SECONDS

    def _is_silent(self, found: StoredObject) -> bool:
        """Whether nobody has renewed the lock for as long as it is held, while this run waited for it.

        By this run's clock alone: so there is a way past a lock that cannot be read, and past one
        that another machine's clock has dated into the future.
        """
        now = self._clock.monotonic()
        if found.content != self._seen[0]:
            self._seen = (found.content, now)
        return now - self._seen[1] > _SILENT_SECONDS

    def _write(self, replacing: StoredObject | None) -> bool:
        """Write the lock as ours for another while; whether it was still as `replacing` says."""
        # Before the request: it may take long, and others count from the time in the object.
        began = self._times()
        written = self._bucket.put(self._name, self._held_content(), replacing=replacing)
        if written is None:
            return False
        self._written, self._renewed_at, self._asked_at = written, began, began[0]
        return True

    def _held_content(self) -> bytes:
        now = self._clock.wall()
        members = {
            "holder": f"process {os.getpid()} on {socket.gethostname()}",
            "run": self._run,
            "since": _utc(self._since),
            "renewed": _utc(now),
            "expires": now + LEASE_SECONDS,
        }
        return json.dumps(members, indent=2).encode()

    def _check_conditions(self) -> None:
        """Make sure that the store refuses a write whose condition fails: else a lock is none."""
        # Where the store counts versions, its client wants a number.
        version = "1" if self._written is not None and self._written.version else None
        for wrong in (None, StoredObject(content=b"", tag='"0"', version=version)):
            if self._bucket.put(self._name, self._released_content(), replacing=wrong) is not None:
                raise InventoryError(
                    f"{self._bucket.address(self._name)} cannot be locked: the store does not mind "
                    "If-Match and If-None-Match, so two runs could not be kept apart"
                )

    def _released_content(self) -> bytes:
        released = {"released": _utc(self._clock.wall()), "run": self._run}
        return json.dumps(released, indent=2).encode()

    def _is_overdue(self) -> bool:
        """Whether the lock ran out, on either clock: one may stand while a machine sleeps."""
        passed = (now - then for now, then in zip(self._times(), self._renewed_at, strict=True))
        return max(passed) > LEASE_SECONDS

    def _times(self) -> tuple[float, float]:
        return self._clock.monotonic(), self._clock.wall()

    @staticmethod
    def _holder(found: StoredObject | None) -> str:
        """Who holds a lock and since when, in words, "" where it does not say."""
        members = {} if found is None else _members(found)
        if not {"holder", "since", "renewed"} <= members.keys():
            return ""
        holder, since, renewed = (_word(members[name]) for name in ("holder", "since", "renewed"))
        return f"{holder} since {since}, last heard of at {renewed}"

    def _describe_holder(self) -> str:
        found = self._bucket.get(self._name)
        who = self._holder(found)
        if found is None or not who:
            return f"it does not say by whom. {_WAY_OUT}"
        expires = _expiry(found)
        if expires is None:
            return f"{who}, and it does not say until when. {_WAY_OUT}"
        if expires > self._clock.wall() + _SILENT_SECONDS:
            return f"{who}, by a clock that is ahead of this machine's. {_WAY_OUT}"
        return (
            f"{who}; wait for it, or give --lock-timeout. If it died, its lock is free "
            f"{_SILENT_SECONDS:.0f} seconds after that"
        )


@contextlib.contextmanager
def hold_lease(bucket: Bucket, name: str, *, timeout: float, clock: Clock) -> Iterator[Lease]:
    """Hold the lock while the block runs, renewed by a thread."""
    lease = Lease(bucket, name, clock)
    lease.acquire(timeout=timeout)
    is_over = threading.Event()
    renewing = threading.Thread(target=renew_until, args=(lease, is_over), name="lock", daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        is_over.set()
        # A renewal that is under way would take the lock back after it was released.
        renewing.join()
        lease.release()


def renew_until(lease: Lease, is_over: threading.Event) -> None:
    """Renew the lock until the run is over: two renewals in a row may fail."""
    while not is_over.wait(LEASE_SECONDS / 3):
        lease.renew()


def _members(found: StoredObject) -> dict[str, object]:
    """What a lock says, nothing where it is no JSON object; its numbers are floats."""
    try:
        # A whole number may be larger than any float: so it is infinite.
        document = json.loads(found.content, parse_int=float)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _expiry(found: StoredObject) -> float | None:
    """Until when a lock says that it is held, in seconds since 1970; None where it does not."""
    expires = _members(found).get("expires")
    return expires if isinstance(expires, float) and not math.isnan(expires) else None


def _is_given_back(found: StoredObject) -> bool:
    members = _members(found)
    return "released" in members and members.get("expires") is None


def _word(value: object) -> str:
    return "".join(each for each in str(value) if each.isprintable())[:_LONGEST_WORD]


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
