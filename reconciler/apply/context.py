"""Says what the changes of a target are carried out with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.apply.stop import Brake
    from reconciler.core.model import Intent, InventoryEntry, Secret
    from reconciler.core.project import ConflictCheck
    from reconciler.http.transport import Transport
    from reconciler.provider.model import Provider


class Recorder(Protocol):
    """The record of what is ours, as a run writes to it (see `inventory.open_inventory.OpenInventory`)."""

    def entry(self, key: str) -> InventoryEntry | None:
        """What is recorded now of one client."""

    def record(self, key: str, entry: InventoryEntry) -> None:
        """Remember `entry`, durably where it binds a new id."""

    def check_lock(self) -> None:
        """Raise InventoryError where another run may work on the target by now."""

    def intend(self, key: str, intent: Intent) -> None:
        """Remember, durably, that a create is about to be sent."""

    def close_create(self, key: str) -> None:
        """Remember that the create which was pending came to nothing."""

    def forget(self, key: str) -> None:
        """Remember nothing more of a client."""

    def drop(self, key: str, remote_id: str) -> None:
        """Remember that the server deleted one remote id of a client."""

    def spool(self, key: str, client_id: str, secret: Secret) -> str:
        """Save a secret that its sink would not take, and give its place."""

    def flush(self) -> None:
        """Have everything on disk."""


class Sink(Protocol):
    """The place for new secrets, as a run writes to it (see `sinks.file.FileSink`)."""

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Store a secret durably, and say where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What all changes of a target are carried out with. `key` is for fingerprints.

    `aged` says whether the plan's look at the server is too old to write on.
    """

    target: str
    provider: Provider
    transport: Transport
    recorder: Recorder
    sink: Sink
    key: bytes
    now: Callable[[], str]
    brake: Brake
    guard: ConflictCheck
    aged: Callable[[], bool]
