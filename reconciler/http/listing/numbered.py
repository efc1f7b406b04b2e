"""Reads a list whose pages have numbers, by offset or counted, several at once until one is short."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from reconciler.http.listing.parts import MOST_PAGES, UNPAGED
from reconciler.provider.model import PageStyle

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable
    from concurrent.futures import Future

    from reconciler.http.listing.parts import Listing, Page
    from reconciler.provider.model import Pagination


def is_numbered(pagination: Pagination) -> bool:
    """Whether a page can be asked for without the one before it."""
    return pagination.style in (PageStyle.OFFSET, PageStyle.PAGE)


def read_numbered(
    listing: Listing, pagination: Pagination, workers: int, stop: threading.Event
) -> None:
    """Read pages until a short one, several at once.

    No more are under way than half of those that were read before, so that at most a third of the
    requests is in vain, and none where the server states its total.
    """
    numbers = iter(range(MOST_PAGES))
    asked: deque[Future[Page]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="list") as pool:
        for taken in range(MOST_PAGES):
            if stop.is_set():
                raise listing.stopped()
            wanted = _pages_in_flight(listing, pagination, taken, workers) - len(asked)
            for number in islice(numbers, wanted):
                query = _query(pagination, number, number * pagination.page_size)
                asked.append(pool.submit(listing.fetch, query))
            # In the order of the list, whichever answer is here first.
            page = asked.popleft().result()
            if _add_page(listing, pagination, page):
                listing.check_last(page)
                _check_end(listing, pagination, asked)
                return
    raise listing.endless(MOST_PAGES)


def _query(pagination: Pagination, number: int, offset: int) -> dict[str, str | int]:
    """What asks for a page: its `number`, from 0, or the `offset` of its first client."""
    size: dict[str, str | int] = {pagination.limit_parameter: pagination.page_size}
    if pagination.style is PageStyle.PAGE:
        return {**size, pagination.page_parameter: pagination.first_page + number}
    return {**size, pagination.offset_parameter: offset}


def check_nothing_follows(listing: Listing, pagination: Pagination) -> None:
    """Make sure that nothing follows the last page.

    A server whose pages are shorter than what was asked for would make the first of them look
    like the whole list, and every client after it like one that is gone.
    """
    query = _query(pagination, listing.pages, len(listing.clients))
    rest = listing.items(listing.fetch(query))
    # What was read already does not count: a server that does not page lists it all once more.
    if any(listing.remote_id_of(item) not in listing.clients for item in rest):
        raise listing.error(
            f"goes on after a page that was not full: its pages are shorter than "
            f"{pagination.page_size}; give the right pageSize for the target's endpoints.list"
        )


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
    if count > pagination.page_size:
        raise listing.error(
            f"has a page of {count} where {pagination.page_size} were asked for; {UNPAGED}"
        )
    listing.add_page(page)
    return count < pagination.page_size or listing.is_complete


def _is_unpaged(listing: Listing, pagination: Pagination, page: Page) -> bool:
    """Whether an answer shows that the list does not come in pages; then it is whole with it.

    That is so where the first page is longer than was asked for, and where the second is the first
    once more. A server that minds the limit and not the offset repeats its first page as well: of
    that one no more can be seen. Raises BadAnswer for it.
    """
    ids = _ids(listing, page)
    if not listing.clients and len(ids) > pagination.page_size:
        listing.add_page(page)
        return True
    if not ids or listing.clients.keys() != set(ids):
        return False
    fewer = {**_query(pagination, 0, 0), pagination.limit_parameter: pagination.page_size - 1}
    if set(_ids(listing, listing.fetch(fewer))) != set(ids):
        raise listing.error(f"repeats its first page of {len(ids)}: what follows cannot be read")
    return True


def _ids(listing: Listing, page: Page) -> list[str]:
    return [listing.remote_id_of(item) for item in listing.items(page)]


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
