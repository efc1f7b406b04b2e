"""Gives sinks the secrets that they would not take before, and says what became of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from reconciler.core.errors import InventoryError, SinkError
from reconciler.core.model import Delivery, Refusal, SecretPlace, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from reconciler.apply.context import Sink
    from reconciler.core.model import Change, Inventory, InventoryEntry, Secret, TargetPlan


# A name, since as a literal it looks like a password to those who search for such.
_STORED: Final[SecretPlace] = "stored"
S = TypeVar("S", bound="Waiting")


class Waiting(Protocol):
    """A secret that waits in a private file (see `inventory.spool.SpooledSecret`)."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def key(self) -> str:
        """The client's key."""

    @property
    def client_id(self) -> str:
        """The client's remote id."""

    @property
    def secret(self) -> Secret:
        """Its secret."""


class Recorder(Protocol[S]):
    """The record of what is ours, as far as secrets go (see `inventory.open_inventory.OpenInventory`)."""

    @property
    def inventory(self) -> Inventory:
        """What is recorded now."""

    def entry(self, key: str) -> InventoryEntry | None:
        """What is recorded now of one client."""

    def record(self, key: str, entry: InventoryEntry) -> None:
        """Remember `entry`, durably where it says where a secret is."""

    def spooled_secrets(self) -> tuple[S, ...]:
        """The secrets that wait."""

    def spool(self, key: str, client_id: str, secret: Secret) -> str:
        """Save a secret that its sink would not take, and give its place."""

    def unspool(self, spooled: S) -> None:
        """Delete the file of a secret that its sink has taken."""


def deliver(target: str, recorder: Recorder[S], sink: Sink) -> tuple[Delivery, ...]:
    """Give `sink` every secret of `target` that waits for it, and delete the file of each that it took.

    A secret whose client is not the one of its key any more stays where it is: it would take the
    place of another one's. Raises InventoryError for files that cannot be read.
    """
    waiting = recorder.spooled_secrets()
    inventory = recorder.inventory if waiting else None
    # A pending create is newer than what is recorded, so that its secret has the last word.
    ordered = sorted(
        waiting, key=lambda each: inventory is not None and not _is_bound(inventory, each)
    )
    return tuple(
        _delivered(target, recorder, sink, each)
        if inventory is not None and belongs(inventory, each)
        else _ended(target, each, Status.SKIPPED, message=_nobodys(each))
        for each in ordered
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where a secret is now: in its sink, in a private file, or nowhere; `trouble` says why."""

    place: SecretPlace
    location: str = ""
    trouble: str = ""


def keep(
    target: str, recorder: Recorder[S], sink: Sink, *, key: str, remote_id: str, secret: Secret
) -> Kept:
    """Store the secret of a client, in its sink or else in a private file, durably.

    Once the sink has it, no older one of that client waits for it any more.
    """
    try:
        location = sink.store(target, key, remote_id, secret)
    except SinkError as error:
        trouble = str(error)
    else:
        return Kept(place="stored", location=location, trouble=_overtaken(recorder, key, remote_id))
    try:
        location = recorder.spool(key, remote_id, secret)
    except InventoryError as error:
        return Kept(place="lost", trouble=f"{trouble}; nor can it be kept elsewhere: {error}")
    return Kept(place="spooled", location=location, trouble=trouble)


def _overtaken(recorder: Recorder[S], key: str, remote_id: str) -> str:
    """Delete what waits for the sink of a client whose newest secret is there; what went wrong."""
    try:
        for waiting in recorder.spooled_secrets():
            if (waiting.key, waiting.client_id) == (key, remote_id):
                recorder.unspool(waiting)
    except InventoryError as error:
        return str(error)
    return ""


def belongs(inventory: Inventory, waiting: Waiting) -> bool:
    """Whether a secret is of the client of its key, or of one that a pending create made."""
    if _is_bound(inventory, waiting):
        return True
    pending = inventory.pending.get(waiting.key)
    return pending is not None and pending.remote_id in (None, waiting.client_id)


def settle(recorder: Recorder[S], deliveries: Sequence[Delivery]) -> None:
    """Have the record say that delivered secrets are stored, also of clients that it knows only now."""
    for delivery in deliveries:
        if delivery.status is Status.DONE:
            mark(recorder, delivery.key, delivery.remote_id)


def mark(recorder: Recorder[S], key: str, remote_id: str) -> None:
    """Have the record say that the secret of a client is in its sink. Raises InventoryError."""
    entry = recorder.entry(key)
    if entry is not None and entry.remote_id == remote_id and entry.secret != _STORED:
        recorder.record(key, replace(entry, secret=_STORED))


def held_back(plan: TargetPlan, brings_secret: Callable[[Change], bool]) -> TargetPlan:
    """The plan without what would bring a secret: its sink has just refused one."""
    refused = Refusal(rule="sink-failed", message="its secret could not be stored: the sink fails")
    changes = tuple(
        replace(change, refusal=change.refusal or refused) if brings_secret(change) else change
        for change in plan.changes
    )
    return replace(plan, changes=changes)


def _is_bound(inventory: Inventory, waiting: Waiting) -> bool:
    entry = inventory.entries.get(waiting.key)
    return entry is not None and entry.remote_id == waiting.client_id


def _delivered(target: str, recorder: Recorder[S], sink: Sink, waiting: S) -> Delivery:
    try:
        location = sink.store(target, waiting.key, waiting.client_id, waiting.secret)
    except SinkError as error:
        return _ended(target, waiting, Status.FAILED, message=str(error))
    try:
        mark(recorder, waiting.key, waiting.client_id)
        recorder.unspool(waiting)
    except InventoryError as error:
        # It is where it belongs; a file that is left is delivered once more.
        return _ended(target, waiting, Status.DONE, location, message=str(error))
    return _ended(target, waiting, Status.DONE, location)


def _ended(
    target: str, waiting: Waiting, status: Status, location: str = "", *, message: str = ""
) -> Delivery:
    return Delivery(
        target=target,
        key=waiting.key,
        remote_id=waiting.client_id,
        path=str(waiting.path),
        status=status,
        location=location,
        message=message,
    )


def _nobodys(waiting: Waiting) -> str:
    return (
        f"{waiting.client_id} is not the client of {waiting.key} any more: if nobody needs its "
        "secret, delete the file"
    )
