"""Reads a list of which each page names the next: in its Link header (RFC 8288), or in its body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.core.model import EMPTY
from reconciler.http.links import Place
from reconciler.http.listing.parts import MOST_PAGES
from reconciler.provider.model import PageStyle

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from reconciler.http.listing.parts import Listing, Page
    from reconciler.provider.model import Pagination

# After so many pages in a row that hold nothing a list has ended, whatever the last of them names.
_EMPTY_PAGES: Final = 4

# A page, as an address that may be held against another.
_Step: TypeAlias = "tuple[str, tuple[tuple[str, str], ...]]"


def read_chain(listing: Listing, pagination: Pagination, stop: threading.Event) -> None:
    """Read pages until one names no next one. BadAnswer for a chain that goes in a circle, or elsewhere."""
    place = Place(listing.path, _size(pagination))
    seen: set[_Step] = set()
    empty = 0
    for _ in range(MOST_PAGES):
        if stop.is_set():
            raise listing.stopped()
        if (step := _step(place)) in seen:
            raise listing.error("names a page as the next that was read already")
        seen.add(step)
        page = listing.fetch(place.query, path=place.path)
        listing.add_page(page)
        following = _next_place(listing, pagination, page, place.path)
        if following is None:
            listing.check_last(page)
            listing.check_total()
            return
        empty = 0 if listing.items(page) else empty + 1
        if empty >= _EMPTY_PAGES and _step(following) not in seen:
            # Some name another page for ever where there is nothing. A filter may leave a page empty.
            listing.check_total()
            return
        place = following
    raise listing.endless(MOST_PAGES)


def _step(place: Place) -> _Step:
    return place.path, tuple(sorted(place.query.items()))


def _size(pagination: Pagination) -> Mapping[str, str]:
    if not pagination.limit_parameter:
        return EMPTY
    return {pagination.limit_parameter: str(pagination.page_size)}


def _next_place(listing: Listing, pagination: Pagination, page: Page, path: str) -> Place | None:
    """Where the page after `page` is, None after the last."""
    if pagination.style is PageStyle.LINK:
        return None if page.next_link is None else listing.place_of(path, page.next_link)
    named = listing.named_next(page)
    if not named:
        return None
    if not pagination.token_parameter:
        return listing.place_of(path, named)
    return Place(listing.path, {**_size(pagination), pagination.token_parameter: named})
