"""Says what every place for new client secrets can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reconciler.core.model import Secret


class Sink(Protocol):
    """A place for new client secrets."""

    def probe(self) -> None:
        """Prove that a secret could be stored, without storing one. Raises SinkError."""

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Store a secret durably before returning, and say where, in words that hold no secret.

        Raises SinkError.
        """
