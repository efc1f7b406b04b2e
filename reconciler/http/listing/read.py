"""Reads a server's whole list of clients, and proves that it is whole."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from reconciler.http.listing.chain import read_chain
from reconciler.http.listing.numbered import check_nothing_follows, is_numbered, read_numbered
from reconciler.http.listing.parts import Listing, ListMoved
from reconciler.provider.model import PageStyle

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection

    from reconciler.http.transport import Transport
    from reconciler.provider.model import Endpoint, Provider

# How often a list is read that contradicts itself: who changes it may be at it for a while.
READINGS: Final = 3


def read_listing(
    provider: Provider, endpoint: Endpoint, transport: Transport, stop: threading.Event
) -> Listing:
    """Every client on the server, read page by page to the end.

    A list that was changed meanwhile is read again from its beginning, READINGS times in all.
    Raises BadAnswer for a list that is not whole, and also when `stop` is set before its end.
    """
    for _ in range(READINGS - 1):
        with suppress(ListMoved):
            return _read_once(provider, endpoint, transport, stop)
    return _read_once(provider, endpoint, transport, stop)


def _read_once(
    provider: Provider, endpoint: Endpoint, transport: Transport, stop: threading.Event
) -> Listing:
    listing, pagination = Listing(provider, endpoint, transport), provider.pagination
    if pagination is not None and is_numbered(pagination):
        read_numbered(listing, pagination, transport.workers, stop)
    elif pagination is not None and pagination.style is not PageStyle.NONE:
        read_chain(listing, pagination, stop)
    else:
        page = listing.fetch()
        listing.add_page(page)
        listing.check_last(page)
        listing.check_total()
    return listing


def prove_complete(listing: Listing, ids: Collection[str]) -> None:
    """Make sure of a list that lacks one of `ids`, which are expected: ask for what follows it.

    Raises BadAnswer where the list goes on.
    """
    pagination = listing.provider.pagination
    # One more request, and only where something is missing: a list with all of them needs no proof.
    # Where each page names the next, the last one has said that there is none.
    if (
        pagination is not None
        and is_numbered(pagination)
        and not listing.clients.keys() >= set(ids)
    ):
        check_nothing_follows(listing, pagination)
