"""Reads a server's whole list of clients, page by page, and proves that it is whole."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from reconciler.core.errors import BadAnswer, NotFound
from reconciler.core.model import EMPTY
from reconciler.core.pointer import resolve
from reconciler.http.links import next_link
from reconciler.provider.identity import id_in

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection, Iterable, Mapping
    from concurrent.futures import Future

    from reconciler.core.model import Json, JsonObject
    from reconciler.http.transport import Transport
    from reconciler.provider.model import Endpoint, Pagination, Provider

# A list that is longer than this many pages is taken for one that never ends.
MOST_PAGES: Final = 4_000
# How often a list is read that contradicts itself: who changes it may be at it for a while.
READINGS: Final = 3
_UNPAGED: Final = (
    "if it does not page, say `pagination: {style: none}` for the target's endpoints.list"
)


class ListMoved(BadAnswer):
    """A list contradicts itself, as one does that is changed between two of its pages."""


def read_listing(
    provider: Provider, endpoint: Endpoint, transport: Transport, stop: threading.Event
) -> Listing:
    """Every client on the server, read page by page until one is short.

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
    listing = Listing(provider, endpoint, transport)
    if provider.pagination is None:
        page = listing.fetch(EMPTY)
        listing.add_page(page)
        listing.check_last(page)
    else:
        _read_pages(listing, provider.pagination, transport.workers, stop)
    return listing


def prove_complete(listing: Listing, ids: Collection[str]) -> None:
    """Make sure of a list that lacks one of `ids`, which are expected: ask for what follows it.

    Raises BadAnswer where the list goes on.
    """
    pagination = listing.provider.pagination
    # One more request, and only where something is missing: a list with all of them needs no proof.
    if pagination is not None and not listing.clients.keys() >= set(ids):
        _check_nothing_follows(listing, pagination)


def _read_pages(
    listing: Listing, pagination: Pagination, workers: int, stop: threading.Event
) -> None:
    """Read pages until a short one, several at once.

    No more are under way than half of those that were read before, so that at most a third of the
    requests is in vain, and none where the server states its total.
    """
    offsets = iter(range(0, MOST_PAGES * pagination.page_size, pagination.page_size))
    asked: deque[Future[Page]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="list") as pool:
        for taken in range(MOST_PAGES):
            if stop.is_set():
                raise listing.error("was not read to its end: the run stops")
            wanted = _pages_in_flight(listing, pagination, taken, workers) - len(asked)
            for offset in islice(offsets, wanted):
                asked.append(pool.submit(_fetch_page, listing, pagination, offset))
            # In the order of the list, whichever answer is here first.
            page = asked.popleft().result()
            if _add_page(listing, pagination, page):
                listing.check_last(page)
                _check_end(listing, pagination, asked)
                return
    raise listing.error(f"did not end after {MOST_PAGES} pages")


def _pages_in_flight(listing: Listing, pagination: Pagination, taken: int, workers: int) -> int:
    """How many pages may be under way when `taken` were added, the next one among them."""
    if listing.total is None:
        return min(1 + (taken + 1) // 2, workers)
    left = -(-listing.total // pagination.page_size) - taken
    return max(1, min(workers, left))


def _add_page(listing: Listing, pagination: Pagination, page: Page) -> bool:
    """Add the next page to the list; the value is whether it is the last."""
    count = len(listing.items(page))
    if not pagination.documented and _is_unpaged(listing, pagination, page):
        return True
    # Such a server does not know the parameters: it would answer every offset with its whole list.
    if count > pagination.page_size:
        raise listing.error(
            f"has a page of {count} where {pagination.page_size} were asked for; {_UNPAGED}"
        )
    listing.add_page(page)
    return count < pagination.page_size or listing.is_complete


def _is_unpaged(listing: Listing, pagination: Pagination, page: Page) -> bool:
    """Whether an answer shows that the list does not come in pages; then it is whole with it.

    That is so where the first page is longer than was asked for, and where the second is the first
    once more.
    """
    ids = [listing.remote_id_of(item) for item in listing.items(page)]
    if not listing.clients and len(ids) > pagination.page_size:
        listing.add_page(page)
        return True
    return bool(ids) and listing.clients.keys() == set(ids)


def _check_end(listing: Listing, pagination: Pagination, asked: Iterable[Future[Page]]) -> None:
    """Make sure that there is nothing on the pages that were asked for in vain."""
    rest = [item for page in asked for item in listing.items(page.result())]
    # Where nobody promised pages, each of them may be the whole list once more.
    if rest and (
        pagination.documented
        or any(listing.remote_id_of(item) not in listing.clients for item in rest)
    ):
        raise listing.moved("goes on after a page that was not full; run again")
    listing.check_total()


def _fetch_page(listing: Listing, pagination: Pagination, offset: int) -> Page:
    query = {pagination.limit_parameter: pagination.page_size, pagination.offset_parameter: offset}
    return listing.fetch(query)


def _check_nothing_follows(listing: Listing, pagination: Pagination) -> None:
    """Make sure that nothing follows the last page.

    A server whose pages are shorter than what was asked for would make the first of them look
    like the whole list, and every client after it like one that is gone.
    """
    rest = listing.items(_fetch_page(listing, pagination, len(listing.clients)))
    # What was read already does not count: a server that does not page lists it all once more.
    if any(listing.remote_id_of(item) not in listing.clients for item in rest):
        raise listing.error(
            f"goes on after a page that was not full: its pages are shorter than "
            f"{pagination.page_size}; give the right pageSize for the target's endpoints.list"
        )


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a list: its body, and the address of the next page where a Link header has one."""

    body: Json
    next_link: str | None = None


class Listing:
    """The part of a list that was read so far: `clients` by remote id, secrets not sealed yet.

    `pages` is how many there were. A list of one is what the server held at one moment.
    """

    def __init__(self, provider: Provider, endpoint: Endpoint, transport: Transport) -> None:
        self.provider = provider
        self._endpoint = endpoint
        self._transport = transport
        self._path = provider.collection + endpoint.path
        self.clients: dict[str, JsonObject] = {}
        self.total: int | None = None
        self.pages = 0

    def fetch(self, query: Mapping[str, str | int]) -> Page:
        """The answer for one page, or for the whole list where `query` is empty."""
        try:
            answer = self._transport.send(
                self._endpoint.method, self._path, query=query, expect=self._endpoint.expect
            )
        except NotFound:
            # Not "no clients": the errors of one read by id, and only those, say that one is gone.
            problem = self.error("is not there (404); check baseUrl and collection", status=404)
        else:
            return Page(answer.body, next_link(answer.headers.get("link", "")))
        raise problem

    def check_last(self, page: Page) -> None:
        """Raise BadAnswer where the page that should be the last names another one behind it."""
        if page.next_link is not None:
            # Without the query: a cursor in it may be somebody's data.
            where = self._transport.quote(page.next_link.partition("?")[0])
            raise self.error(
                f"goes on at {where} (Link: rel=next, RFC 8288), where nothing reads it: describe how "
                "it pages for the target's endpoints.list"
            )

    def items(self, page: Page) -> list[Json]:
        """The clients in an answer; BadAnswer where they are not in an array."""
        items = resolve(page.body, self._endpoint.item)
        if not isinstance(items, list):
            raise self.error(f"has no array at {self._endpoint.item or 'its top'}")
        return items

    def add_page(self, page: Page) -> None:
        """Add the clients of a page; BadAnswer for a client that is there twice, or a whole page."""
        items = self.items(page)
        identified = [(self.remote_id_of(item), item) for item in items]
        if items and all(remote_id in self.clients for remote_id, _ in identified):
            raise self.moved(f"repeats a page; {_UNPAGED}")
        for remote_id, item in identified:
            # A client that was added or deleted meanwhile moves the others from page to page: where
            # one is read twice, another may have been read not at all.
            if remote_id in self.clients:
                title = self._transport.quote(remote_id)
                raise self.moved(f"holds {title} twice: it changed while it was read; run again")
            self.clients[remote_id] = cast("JsonObject", item)
        self.pages += 1
        self._note_total(page.body)

    def remote_id_of(self, item: Json) -> str:
        """The remote id of a client; BadAnswer where it has none."""
        remote_id = id_in(self.provider, item)
        if remote_id is None:
            raise self.error("holds a client without an id")
        return remote_id

    @property
    def is_complete(self) -> bool:
        """Whether as many clients were read as the server states that there are."""
        return self.total is not None and len(self.clients) >= self.total

    def check_total(self) -> None:
        """Hold what was read to the number that the server states, if it does."""
        if self.total is not None and not self.is_complete:
            raise self.moved(f"ends after {len(self.clients)} clients and states {self.total}")

    def error(self, how: str, *, status: int | None = None) -> BadAnswer:
        """The error that says what is wrong with the list."""
        return BadAnswer(f"{self._where} {how}", status=status)

    def moved(self, how: str) -> ListMoved:
        """The error that says how the list contradicts itself."""
        return ListMoved(f"{self._where} {how}")

    @property
    def _where(self) -> str:
        return f"{self._transport.target}: the list of clients at {self._path}"

    def _note_total(self, answer: Json) -> None:
        pagination = self.provider.pagination
        if pagination is None or pagination.total is None:
            return
        total = resolve(answer, pagination.total)
        if not isinstance(total, int) or isinstance(total, bool):
            raise self.error(f"states no total at {pagination.total}")
        self.total = total
