"""Reads the clients that a server holds: its list, page by page, or one client after another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from reconciler.core.errors import (
    AccessRefused,
    BadAnswer,
    NotFound,
    Rejected,
    RemoteError,
    ServerFailed,
)
from reconciler.core.model import LiveClient, LiveState
from reconciler.core.pointer import resolve
from reconciler.http.listing.read import READINGS, prove_complete, read_listing
from reconciler.provider.identity import id_in
from reconciler.provider.secrets import seal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from reconciler.core.model import Json, JsonObject
    from reconciler.http.listing.parts import Listing
    from reconciler.http.responses import Answer
    from reconciler.http.transport import Transport
    from reconciler.provider.model import Endpoint, Known, Provider

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
    return _read_whole(provider, provider.list, transport, stop)


def _read_whole(
    provider: Provider, endpoint: Endpoint, transport: Transport, stop: threading.Event
) -> ServerList:
    listing = read_listing(provider, endpoint, transport, stop)
    secrets = transport.secrets
    clients = {
        remote_id: LiveClient(remote_id=remote_id, body=seal(provider, body, secrets))
        for remote_id, body in listing.clients.items()
    }
    return ServerList(listing=listing, clients=clients)


def read_state(
    provider: Provider,
    transport: Transport,
    ids: AbstractSet[str],
    server_list: ServerList | None = None,
    *,
    rests_on_absence: bool = False,
) -> LiveState:
    """What the server holds, secrets sealed: its list where it has one, and each of the clients `ids`.

    `server_list` is its list, where it was read already. Raises the RemoteErrors. Only a 404 on a
    read by id says that a client is gone: those of `ids` that the list lacks are read one by one. A
    list that lacks a client which is there was overtaken by a change, and is read again. With
    `rests_on_absence` something will be made that the list lacks and that has no id to be read by:
    then a list of several pages is read again until nothing has vanished from one time to the next.
    """
    if provider.list is None:
        if not ids:
            check_access(provider, transport)
        return _read_by_id(provider, transport, ids)
    never = threading.Event()
    whole = server_list or _read_whole(provider, provider.list, transport, never)
    seen = _read_missing(provider, transport, ids, _Seen(whole=whole))
    for _ in range(READINGS - 1):
        if not seen.doubt(rests_on_absence=rests_on_absence):
            break
        again = _read_whole(provider, provider.list, transport, never)
        before, seen = seen, replace(seen, whole=again, earlier=seen.whole)
        seen = _read_missing(provider, transport, ids, seen)
        # It lags behind the server, and will for a while: reading it over and over does not help.
        if seen.lacking and seen.lacking == before.lacking:
            break
    return LiveState(
        clients={**seen.beside, **seen.whole.clients},
        gone=seen.gone - seen.whole.clients.keys(),
        listed=True,
        doubt=seen.doubt(rests_on_absence=rests_on_absence),
        barred=seen.barred,
    )


def read_names(known: Known, transport: Transport) -> Sequence[Json] | None:
    """What the server has of the things that a field names, None where it does not let itself be asked.

    Only warnings rest on it: a right that the tool lacks, or a failure here, ends no run.
    """
    try:
        answer = transport.send("GET", str(known.path))
    except RemoteError:
        return None
    found = resolve(answer.body, known.item)
    return found if isinstance(found, list | tuple) else None


def check_access(provider: Provider, transport: Transport) -> None:
    """Make sure of a server of which nothing has to be read: that it is there, and lets the tool in.

    By a login. Where that says nothing of the server itself, by a read of a client that nobody has:
    any answer will do that refuses the id and not the reader. Raises the RemoteErrors.
    """
    # Where each client has a token of its own, the tool's own is good for a create alone.
    if transport.log_in() or provider.registration is not None:
        return
    path = provider.collection + provider.read.path.replace("{id}", _NOBODY)
    try:
        transport.send(
            provider.read.method, path, query=provider.read.query, expect=provider.read.expect
        )
    except (NotFound, Rejected):
        return
    except ServerFailed as error:
        # Some servers stumble over an id that they do not know. They looked for it all the same.
        if error.status != _SERVER_ERROR:
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A list, the one that was read before it, and what was read by its id because one lacked it."""

    whole: ServerList
    earlier: ServerList | None = None
    beside: Mapping[str, LiveClient] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    barred: Mapping[str, str] = field(default_factory=dict)

    @property
    def lacking(self) -> frozenset[str]:
        """The clients that are there and that the list lacks."""
        return frozenset(self.beside.keys() - self.whole.clients.keys())

    def doubt(self, *, rests_on_absence: bool) -> str:
        """Why the list may lack more than it is known to, "" where nothing says so."""
        if self.lacking:
            return f"it lacks {min(self.lacking)}, which is there"
        if not rests_on_absence or self.whole.listing.pages <= 1:
            return ""
        # Whoever is deleted while a list is read moves those behind it up, maybe onto a page that
        # was read already. A list read after that lacks the deleted one.
        if self.earlier is None or self.earlier.clients.keys() - self.whole.clients.keys():
            return "clients vanish from it while it is read"
        return ""


def _read_missing(
    provider: Provider, transport: Transport, ids: AbstractSet[str], seen: _Seen
) -> _Seen:
    """The same, with those of `ids` that the list lacks read by their ids, each of them once."""
    prove_complete(seen.whole.listing, ids)
    missing = ids - seen.whole.clients.keys() - seen.beside.keys() - seen.gone - seen.barred.keys()
    found = _read_by_id(provider, transport, missing)
    # Where a server takes an id in capitals for the same, the client is on the list as it spells it.
    beside = {
        remote_id: client
        for remote_id, client in found.clients.items()
        if id_in(provider, client.body) not in seen.whole.clients
    }
    gone = missing - beside.keys() - found.barred.keys()
    barred = {**seen.barred, **found.barred}
    return replace(seen, beside={**seen.beside, **beside}, gone=seen.gone | gone, barred=barred)


def read_client(
    provider: Provider, transport: Transport, remote_id: str, secrets: Iterable[str] = ()
) -> LiveClient:
    """The client `remote_id`. Raises NotFound where it is gone, and the other RemoteErrors.

    `secrets` are those that are known of it: what repeats one is sealed.
    """
    endpoint = provider.read
    path = provider.collection + endpoint.path.replace("{id}", quote(remote_id, safe=""))
    answer = transport.send(
        endpoint.method, path, query=endpoint.query, expect=endpoint.expect, about=remote_id
    )
    body = client_in_answer(provider, endpoint, answer, (*transport.secrets, *secrets))
    if body is None:
        raise BadAnswer(f"{transport.target}: GET {path} was answered without a client")
    found = id_in(provider, body) or ""
    # Servers may answer a UUID in lower case that was asked for in upper case (RFC 9562 section 4).
    if found.lower() != remote_id.lower():
        raise BadAnswer(f"{transport.target}: GET {path} was answered with another client")
    return LiveClient(remote_id=remote_id, body=body)


def client_in_answer(
    provider: Provider,
    endpoint: Endpoint,
    answer: Answer,
    secrets: Iterable[str],
    *,
    is_new: bool = False,
) -> JsonObject | None:
    """The client in an answer, out of its envelope and sealed; None where there is none with an id.

    `is_new` says that it is a create's.
    """
    item = resolve(answer.body, endpoint.item)
    if not isinstance(item, dict) or id_in(provider, item) is None:
        return None
    return seal(provider, item, secrets, is_new=is_new)


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
    gone = frozenset(found.keys() - clients.keys() - reader.barred.keys())
    return LiveState(clients=clients, gone=gone, listed=False, barred=reader.barred)


class ClientReader:
    """Reads clients until the first error: after it, nothing more is asked of the server.

    One that the server bars us from is no such error: it says nothing of the others.
    """

    def __init__(self, provider: Provider, transport: Transport) -> None:
        self._provider = provider
        self._transport = transport
        self._failed = threading.Event()
        self.barred: dict[str, str] = {}

    def read(self, remote_id: str) -> LiveClient | None:
        """The client, None where it is gone, or in `barred` with why, or where another read failed.

        The second does not pass for the first: the error of that other read ends the whole.
        """
        if self._failed.is_set():
            return None
        try:
            return read_client(self._provider, self._transport, remote_id)
        except NotFound:
            return None
        except AccessRefused as error:
            self.barred[remote_id] = str(error)
            return None
        except BaseException:
            self._failed.set()
            raise
