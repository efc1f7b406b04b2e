"""Says what a sink, a place for secrets, must promise, and what it is made from.

Packages of others import this module: its names stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from reconciler.core.decode import Accepted
    from reconciler.core.model import Secret


class Sink(Protocol):
    """A place for the secrets of clients. Several threads call it at once, each for its own client.

    It raises `reconciler.core.errors.SinkError` with a message that holds no secret. Of what else
    it raises, only the type is shown.

    It may also have `holder(target, key) -> str | None`: the id of the client whose secret it has
    there. Then a run that died between the sink and the record costs no secret; without it, the
    secret is reported as lost.

    And it may have `missing(clients: Mapping[tuple[str, str], str]) -> Mapping[tuple[str, str], str]`,
    quick for thousands: of clients, given as their id by target and key, those whose secret it does
    not have, each with why, in words. Without it, nobody says of a secret that the sink still has it.

    And it may have `load(target, key) -> str | None`: the secret that it has there, None for none.
    A server that gives each client a token of its own (RFC 7592) needs a sink that has it.
    """

    @property
    def place(self) -> str:
        """Where the secrets go, in words for people: it holds nothing that is secret."""

    def probe(self) -> None:
        """Prove, as far as that goes without writing a secret, that one could be stored."""

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Store the secret of a client, safe once this returns; the value says where, for people.

        What was stored for `target` and `key` before is replaced. Where what was stored can be
        read back, it is, and compared.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a sink is made from: the `secrets` of one target in the project file.

    `options` are its members but for `sink`. `root` is the folder that relative paths start from.
    `withheld` are names of environment variables that hold the tool's own credentials: what the
    sink starts must not inherit them.
    """

    target: str
    root: str
    options: Accepted = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()

    def path(self, stated: str) -> str:
        """A path of the options, absolute or relative to the project's folder."""
        return stated if stated.startswith("/") else f"{self.root}/{stated}"


Factory: TypeAlias = Callable[[Setting], Sink]
