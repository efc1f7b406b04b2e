"""Keeps what single clients are read and changed by (RFC 7592) in the sink of their target, beside their secrets."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.apply.secrets import keep_secret, second_key
from reconciler.core.errors import SinkError
from reconciler.core.places import split_place
from reconciler.http.registration.grants import Grants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.model import Manifest, Secret
    from reconciler.core.places import Place
    from reconciler.inventory.open_inventory import OpenInventory
    from reconciler.provider.model import Provider
    from reconciler.sinks.registry import SafeSink

# No client has this key: what is kept of one that has none yet, as while it is imported, is here.
_NO_KEY = "-"


def open_grants(
    provider: Provider,
    target: str,
    session: OpenInventory,
    sink: SafeSink,
    manifests: Iterable[Manifest],
    *,
    is_asked: bool,
) -> Grants | None:
    """The grants of a target's clients, None where its server gives none.

    Raises SinkError where the sink gives nothing back, so that no client could be read again.
    """
    if provider.registration is None:
        return None
    if is_asked and not sink.gives_back:
        raise SinkError(
            f"{provider.title} gives each client a token of its own (RFC 7592), by which alone it is read and "
            f"changed, and {sink.place} gives back nothing that it is given: state a sink that does, `exec` with "
            "`load`, `age` with `identity`, `file` or `aws-secretsmanager`"
        )
    keeper = _Keeper(target, session, sink, manifests)
    return Grants(provider, keeper.load, keeper.save)


class _Keeper:
    """Finds and stores grants by the keys of their clients."""

    def __init__(
        self,
        target: str,
        session: OpenInventory,
        sink: SafeSink,
        manifests: Iterable[Manifest],
    ) -> None:
        self._target = target
        self._session = session
        self._sink = sink
        self._manifests = manifests

    def load(self, remote_id: str) -> Secret | None:
        """What is kept of a client: what waits for the sink, else what the sink has. Raises SinkError."""
        places = self._places_of(remote_id)
        for _, key in places:
            if (waiting := self._waiting.get((key, remote_id))) is not None:
                return waiting
        found = (self._sink.load(target, key) for target, key in places)
        return next((one for one in found if one is not None), None)

    def save(self, key: str, remote_id: str, grant: Secret) -> None:
        """Keep what a server has told of a client. Raises SinkError where it is kept nowhere."""
        own = key or next((one for _, one in self._places.get(remote_id, ())), _NO_KEY)
        kept = keep_secret(
            self._target,
            self._session,
            self._sink,
            key=_slot(own, remote_id),
            remote_id=remote_id,
            secret=grant,
        )
        if kept.place == "lost":
            raise SinkError(
                f"the token by which alone {remote_id} is read and changed could not be kept: {kept.trouble}"
            )

    def _places_of(self, remote_id: str) -> list[Place]:
        places = [*self._places.get(remote_id, ()), (self._target, _NO_KEY)]
        return [(target, _slot(key, remote_id)) for target, key in places]

    @cached_property
    def _places(self) -> Mapping[str, list[Place]]:
        """Where the grant of each known client may be, by its remote id, the likeliest first."""
        found: dict[str, list[Place]] = {}
        for remote_id, place in self._known_places():
            found.setdefault(remote_id, []).append(place)
        return found

    def _known_places(self) -> Iterator[tuple[str, Place]]:
        inventory = self._session.inventory
        for key, entry in inventory.entries.items():
            for remote_id in (entry.remote_id, *entry.superseded):
                yield remote_id, (self._target, key)
                # A client that moved has it where it was.
                if entry.secret_at:
                    yield remote_id, split_place(entry.secret_at)
        for key, intent in inventory.pending.items():
            if intent.remote_id is not None:
                yield intent.remote_id, (self._target, key)
        for manifest in self._manifests:
            if manifest.id is not None:
                yield manifest.id, (self._target, manifest.name)

    @cached_property
    def _waiting(self) -> Mapping[Place, Secret]:
        return {(each.key, each.remote_id): each.secret for each in self._session.spooled_secrets()}


def _slot(key: str, remote_id: str) -> str:
    """The key in a sink of the grant of a client: a replace makes a second client under the same key."""
    return second_key(key, f"registration-{hashlib.sha256(remote_id.encode()).hexdigest()[:12]}")
