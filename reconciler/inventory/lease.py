"""Lets one run at a time change a target's inventory in an object store, and says who it is.

A lock is an object with a holder and a time until which it is held. The holder renews it; one that
died does not, and its lock is free a while after that time.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import InventoryError
from reconciler.inventory.bucket import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.inventory.bucket import Bucket

# How long a holder that is not heard of keeps the lock, in seconds.
LEASE: Final = 60.0
# By how much the clocks of two machines may differ, in seconds.
_SKEW: Final = 30.0
_POLL: Final = 1.0
# A write relies on a sign of life that is no older, in seconds.
FRESH: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The times that a lock goes by: `wall` in seconds since 1970, `monotonic` never set back."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Lease:
    """A lock that this run holds as long as it is renewed."""

    def __init__(self, bucket: Bucket, name: str, clock: Clock) -> None:
        self._bucket = bucket
        self._name = name
        self._clock = clock
        self._run = str(uuid.uuid4())
        self._since = clock.wall()
        self._held: Stored | None = None
        self._renewed = (0.0, 0.0)
        self._asked = 0.0
        self._one_at_a_time = threading.Lock()
        self._lost = ""
        self._trouble = ""

    def acquire(self, *, timeout: float) -> None:
        """Take the lock; InventoryError, which says who holds it, after `timeout` seconds."""
        until = self._clock.monotonic() + timeout
        while not self._taken():
            if self._clock.monotonic() >= until:
                raise InventoryError(
                    f"{self._bucket.where(self._name)} is locked: {self._holder()}"
                )
            self._clock.sleep(_POLL)
        try:
            self._probe()
        except InventoryError:
            self.release()
            raise

    def renew(self, *, older_than: float = 0.0) -> None:
        """Hold the lock for another while, if that was said longer ago than so many seconds.

        A store that cannot be reached is asked again later.
        """
        with self._one_at_a_time:
            now = self._clock.monotonic()
            if self._lost or now - self._asked < older_than:
                return
            self._asked = now
            try:
                if not self._write(self._held):
                    self._lost = "another run took it"
                    self._lost += f", {self._holder()}"
            except InventoryError as error:
                self._trouble = f": {error}"

    def check(self) -> None:
        """Raise InventoryError if another run may hold the lock by now; the store is asked."""
        self.renew(older_than=FRESH)
        if not self._lost and self._overdue():
            self._lost = f"it could not be renewed in time{self._trouble}"
        if self._lost:
            raise InventoryError(
                f"this run lost its lock {self._bucket.where(self._name)}, so it writes nothing "
                f"more: {self._lost}. What it did is in the journal; run again"
            )

    def release(self) -> None:
        """Say that the lock is free, unless it is another's by now."""
        # A lock that cannot be given back is free when its time is over.
        with contextlib.suppress(InventoryError):
            if not self._lost:
                self._bucket.put(self._name, self._free_again(), over=self._held)

    def _taken(self) -> bool:
        found = self._bucket.get(self._name)
        return (found is None or self._free(found)) and self._write(found)

    def _free(self, found: Stored) -> bool:
        expires = _stated(found).get("expires")
        if not isinstance(expires, int | float):
            return "released" in _stated(found)
        return self._clock.wall() > expires + _SKEW

    def _write(self, over: Stored | None) -> bool:
        began = self._times()
        held = self._bucket.put(self._name, self._content(), over=over)
        if held is None:
            return False
        self._held, self._renewed, self._asked = held, began, began[0]
        return True

    def _content(self) -> bytes:
        now = self._clock.wall()
        members = {
            "holder": f"process {os.getpid()} on {socket.gethostname()}",
            "run": self._run,
            "since": _utc(self._since),
            "renewed": _utc(now),
            "expires": now + LEASE,
        }
        return json.dumps(members, indent=2).encode()

    def _probe(self) -> None:
        """Make sure that the store minds conditions: without that, a lock is none."""
        # Where writings are told apart by version, a number is wanted.
        version = "1" if self._held is not None and self._held.version else None
        for over in (None, Stored(content=b"", tag='"0"', version=version)):
            if self._bucket.put(self._name, self._free_again(), over=over) is not None:
                raise InventoryError(
                    f"{self._bucket.where(self._name)} cannot be locked: the store does not mind "
                    "If-Match and If-None-Match, so two runs could not be kept apart"
                )

    def _free_again(self) -> bytes:
        released = {"released": _utc(self._clock.wall()), "run": self._run}
        return json.dumps(released, indent=2).encode()

    def _overdue(self) -> bool:
        """Whether the lock ran out, on either clock: one may stand while a machine sleeps."""
        passed = (now - then for now, then in zip(self._times(), self._renewed, strict=True))
        return max(passed) > LEASE

    def _times(self) -> tuple[float, float]:
        return self._clock.monotonic(), self._clock.wall()

    def _holder(self) -> str:
        found = self._bucket.get(self._name)
        stated = {} if found is None else _stated(found)
        if not {"holder", "since", "renewed"} <= stated.keys():
            return "it does not say by whom"
        return (
            f"{stated['holder']} since {stated['since']}, last heard of at {stated['renewed']}; "
            f"wait for it, or give --lock-timeout. If it died, its lock is free {LEASE + _SKEW:.0f} "
            "seconds after that"
        )


@contextlib.contextmanager
def held(bucket: Bucket, name: str, *, timeout: float, clock: Clock) -> Iterator[Lease]:
    """Hold the lock while the block runs, renewed by a thread."""
    lease = Lease(bucket, name, clock)
    lease.acquire(timeout=timeout)
    over = threading.Event()
    beat = threading.Thread(target=keep, args=(lease, over), name="lock", daemon=True)
    beat.start()
    try:
        yield lease
    finally:
        over.set()
        beat.join()
        lease.release()


def keep(lease: Lease, over: threading.Event) -> None:
    """Renew the lock until the run is over."""
    while not over.wait(LEASE / 3):
        lease.renew()


def _stated(found: Stored) -> dict[str, object]:
    try:
        stated = json.loads(found.content)
    except ValueError:
        return {}
    return stated if isinstance(stated, dict) else {}


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
