"""Reads the clients that a server holds: its list, page by page, or one client after another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from reconciler.core.errors import BadAnswer, NotFound, Rejected, ServerFailed
from reconciler.core.model import LiveClient, LiveState
from reconciler.core.pointer import resolve
from reconciler.http.pages import prove_complete, read_listing
from reconciler.provider.secrets import seal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from reconciler.core.model import JsonObject
    from reconciler.http.pages import Listing
    from reconciler.http.responses import Answer
    from reconciler.http.transport import Transport
    from reconciler.provider.model import Endpoint, Provider

# A UUID of version 8 (RFC 9562 section 5.8), which no server makes by itself.
_NOBODY: Final = "00000000-0000-8000-8000-000000000000"
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerList:
    """A server's whole list, read before it is known which clients ought to be on it; secrets sealed.

    `listing` is kept, since only it can ask for what follows where one of those is missing.
    """

    listing: Listing
    clients: dict[str, LiveClient]


def read_list(provider: Provider, transport: Transport, stop: threading.Event) -> ServerList | None:
    """The list of a server, None where it has none. Raises the RemoteErrors, BadAnswer after `stop`."""
    if provider.list is None:
        return None
    listing = read_listing(provider, provider.list, transport, stop)
    clients = {
        remote_id: LiveClient(remote_id=remote_id, body=seal(provider, body))
        for remote_id, body in listing.clients.items()
    }
    return ServerList(listing=listing, clients=clients)


def read_state(
    provider: Provider,
    transport: Transport,
    ids: AbstractSet[str],
    server_list: ServerList | None = None,
) -> LiveState:
    """What the server holds, secrets sealed: its list where it has one, and each of the clients `ids`.

    `server_list` is its list, where it was read already. Raises the RemoteErrors. Only a 404 on a
    read by id says that a client is gone: those of `ids` that the list lacks are read one by one. A
    list that lacks a client which is there was overtaken by a change; it is read once more.
    """
    whole = server_list or read_list(provider, transport, threading.Event())
    if whole is None:
        if not ids:
            check_access(provider, transport)
        return _read_by_id(provider, transport, ids)
    prove_complete(whole.listing, ids)
    beside = _read_by_id(provider, transport, ids - whole.clients.keys())
    if beside.clients:
        again = read_list(provider, transport, threading.Event())
        whole = again or whole
    lacking = sorted(beside.clients.keys() - whole.clients.keys())
    doubt = f"it lacks {lacking[0]}, which is there" if lacking else ""
    if not provider.list_is_described:
        doubt = doubt or "nothing says whether it comes in pages"
    return LiveState(
        clients={**beside.clients, **whole.clients},
        gone=beside.gone - whole.clients.keys(),
        listed=True,
        doubt=doubt,
    )


def check_access(provider: Provider, transport: Transport) -> None:
    """Make sure of a server of which nothing has to be read: that it is there, and lets the tool in.

    By a login. Where that says nothing of the server itself, by a read of a client that nobody has:
    any answer will do that refuses the id and not the reader. Raises the RemoteErrors.
    """
    if transport.log_in():
        return
    path = provider.collection + provider.read.path.replace("{id}", _NOBODY)
    try:
        transport.send(provider.read.method, path, expect=provider.read.expect)
    except (NotFound, Rejected):
        return
    except ServerFailed as error:
        # Some servers stumble over an id that they do not know. They looked for it all the same.
        if error.status != _SERVER_ERROR:
            raise


def read_client(provider: Provider, transport: Transport, remote_id: str) -> LiveClient:
    """The client `remote_id`. Raises NotFound where it is gone, and the other RemoteErrors."""
    endpoint = provider.read
    path = provider.collection + endpoint.path.replace("{id}", quote(remote_id, safe=""))
    answer = transport.send(endpoint.method, path, expect=endpoint.expect)
    body = client_in_answer(provider, endpoint, answer)
    if body is None:
        raise BadAnswer(f"{transport.target}: GET {path} was answered without a client")
    found = resolve(body, provider.identity.pointer)
    # Servers may answer a UUID in lower case that was asked for in upper case (RFC 9562 section 4).
    if str(found).lower() != remote_id.lower():
        raise BadAnswer(f"{transport.target}: GET {path} was answered with another client")
    return LiveClient(remote_id=remote_id, body=body)


def client_in_answer(provider: Provider, endpoint: Endpoint, answer: Answer) -> JsonObject | None:
    """The client in an answer, out of its envelope and sealed; None where there is none with an id."""
    item = resolve(answer.body, endpoint.item)
    if not isinstance(item, dict) or not isinstance(resolve(item, provider.identity.pointer), str):
        return None
    return seal(provider, item)


def _read_by_id(provider: Provider, transport: Transport, ids: Iterable[str]) -> LiveState:
    wanted = sorted(set(ids))
    if not wanted:
        return LiveState(clients={}, listed=False)
    first, *rest = wanted
    reader = ClientReader(provider, transport)
    # One alone, so that a server that is not there or a wrong password costs one request.
    found = {first: reader.read(first)}
    with ThreadPoolExecutor(transport.workers, thread_name_prefix="read") as pool:
        found.update(zip(rest, pool.map(reader.read, rest), strict=True))
    clients = {remote_id: client for remote_id, client in found.items() if client is not None}
    return LiveState(clients=clients, gone=frozenset(found.keys() - clients.keys()), listed=False)


class ClientReader:
    """Reads clients until the first error: after it, nothing more is asked of the server."""

    def __init__(self, provider: Provider, transport: Transport) -> None:
        self._provider = provider
        self._transport = transport
        self._failed = threading.Event()

    def read(self, remote_id: str) -> LiveClient | None:
        """The client, None where it is gone, or where another read failed.

        The second does not pass for the first: the error of that other read ends the whole.
        """
        if self._failed.is_set():
            return None
        try:
            return read_client(self._provider, self._transport, remote_id)
        except NotFound:
            return None
        except BaseException:
            self._failed.set()
            raise
