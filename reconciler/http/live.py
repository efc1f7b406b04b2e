"""Reads the clients that a server holds: its list, page by page, or one client after another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from reconciler.core.errors import BadAnswer, NotFound
from reconciler.core.model import LiveClient, LiveState
from reconciler.core.pointer import resolve
from reconciler.http.pages import listed, prove
from reconciler.provider.secrets import seal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.core.model import JsonObject
    from reconciler.http.pages import Listing
    from reconciler.http.transport import Answer, Transport
    from reconciler.provider.model import Endpoint, Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A server's whole list, before it is known which clients ought to be on it; secrets sealed."""

    listing: Listing
    clients: dict[str, LiveClient]


def look(provider: Provider, transport: Transport, stop: threading.Event) -> Look | None:
    """Read the list of a server that has one, as far as `stop` lets it. Raises the RemoteErrors."""
    if provider.list is None:
        return None
    listing = listed(provider, provider.list, transport, stop)
    clients = {
        remote_id: LiveClient(remote_id=remote_id, body=seal(provider, body))
        for remote_id, body in listing.clients.items()
    }
    return Look(listing=listing, clients=clients)


def read(
    provider: Provider, transport: Transport, ids: Collection[str], ahead: Look | None = None
) -> LiveState:
    """What the server holds, secrets sealed: the whole list where it has one, else the clients `ids`.

    `ahead` is its list, where it was read already. Raises the RemoteErrors. Only a 404 on a read
    by id says that a client is gone.
    """
    seen = ahead or look(provider, transport, threading.Event())
    if seen is None:
        return _by_id(provider, transport, ids)
    prove(seen.listing, ids)
    return LiveState(clients=seen.clients, listed=True)


def read_one(provider: Provider, transport: Transport, remote_id: str) -> LiveClient:
    """The client `remote_id`. Raises NotFound where it is gone, and the other RemoteErrors."""
    endpoint = provider.read
    path = provider.collection + endpoint.path.replace("{id}", quote(remote_id, safe=""))
    answer = transport.send(endpoint.method, path, expect=endpoint.expect)
    body = client_in(provider, endpoint, answer)
    if body is None:
        raise BadAnswer(f"{transport.target}: GET {path} was answered without a client")
    found = resolve(body, provider.identity.pointer)
    if str(found).lower() != remote_id.lower():
        raise BadAnswer(f"{transport.target}: GET {path} was answered with another client")
    return LiveClient(remote_id=remote_id, body=body)


def client_in(provider: Provider, endpoint: Endpoint, answer: Answer) -> JsonObject | None:
    """The client in an answer, out of its envelope and sealed; None where there is none with an id."""
    item = resolve(answer.body, endpoint.item)
    if not isinstance(item, dict) or not isinstance(resolve(item, provider.identity.pointer), str):
        return None
    return seal(provider, item)


def _by_id(provider: Provider, transport: Transport, ids: Iterable[str]) -> LiveState:
    wanted = sorted(set(ids))
    if not wanted:
        return LiveState(clients={}, listed=False)
    first, *rest = wanted
    reader = Reader(provider, transport)
    # One alone, so that a server that is not there or a wrong password costs one request.
    found = {first: reader.look(first)}
    with ThreadPoolExecutor(transport.workers, thread_name_prefix="read") as pool:
        found.update(zip(rest, pool.map(reader.look, rest), strict=True))
    clients = {remote_id: client for remote_id, client in found.items() if client is not None}
    return LiveState(clients=clients, gone=frozenset(found.keys() - clients.keys()), listed=False)


class Reader:
    """Reads clients until the first error: after it, nothing more is asked of the server."""

    def __init__(self, provider: Provider, transport: Transport) -> None:
        self._provider = provider
        self._transport = transport
        self._failed = threading.Event()

    def look(self, remote_id: str) -> LiveClient | None:
        """The client, None where it is gone, or where another read failed."""
        if self._failed.is_set():
            return None
        try:
            return read_one(self._provider, self._transport, remote_id)
        except NotFound:
            return None
        except BaseException:
            self._failed.set()
            raise
