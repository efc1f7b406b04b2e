"""Puts the pages of a list together, and finds where it contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from reconciler.core.errors import BadAnswer, NotFound
from reconciler.core.model import EMPTY, MISSING
from reconciler.core.pointer import resolve
from reconciler.http.links import next_link, place_of
from reconciler.provider.identity import id_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.model import Json, JsonObject
    from reconciler.http.links import Place
    from reconciler.http.transport import Transport
    from reconciler.provider.model import Endpoint, Provider

# A list that is longer than this many pages is taken for one that never ends.
MOST_PAGES: Final = 4_000
UNPAGED: Final = (
    "if it does not page, say `pagination: {style: none}` for the target's endpoints.list"
)


class ListMoved(BadAnswer):
    """A list contradicts itself, as one does that is changed between two of its pages."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a list: its body, and the address of the next page where a Link header has one."""

    body: Json
    next_link: str | None = None


class Listing:
    """The part of a list that was read so far: `clients` by remote id, secrets not sealed yet.

    `pages` is how many there were. A list of one is what the server held at one moment. `path` is
    that of the list.
    """

    def __init__(self, provider: Provider, endpoint: Endpoint, transport: Transport) -> None:
        self.provider = provider
        self._endpoint = endpoint
        self._transport = transport
        self.path = provider.collection + endpoint.path
        self.clients: dict[str, JsonObject] = {}
        self.total: int | None = None
        self.pages = 0

    def fetch(self, query: Mapping[str, str | int] = EMPTY, *, path: str = "") -> Page:
        """The answer for one page, or for the whole list where nothing is asked for; at another `path` if given."""
        try:
            answer = self._transport.send(
                self._endpoint.method,
                path or self.path,
                query={**self._endpoint.query, **query},
                expect=self._endpoint.expect,
            )
        except NotFound:
            # Not "no clients": the errors of one read by id, and only those, say that one is gone.
            problem = self.error("is not there (404); check baseUrl and collection", status=404)
        else:
            return Page(answer.body, next_link(answer.headers.get("link", "")))
        raise problem

    def place_of(self, path: str, address: str) -> Place:
        """The next page, at an address in the answer for `path`; BadAnswer where that leaves the target."""
        place = place_of(self._transport.base_url, path, address)
        if place is None:
            raise self.error("goes on at an address outside of baseUrl, where nothing is sent")
        return place

    def named_next(self, page: Page) -> str:
        """The address or the token of the next page that a body names, "" for none."""
        pagination = self.provider.pagination
        pointer = None if pagination is None else pagination.next
        found = None if pointer is None else resolve(page.body, pointer)
        if found in (None, MISSING, "", False):
            return ""
        # A number is no address, and may be a token.
        if isinstance(found, str) or (isinstance(found, int) and not isinstance(found, bool)):
            return str(found)
        raise self.error(f"names no page at {pointer}, and not that there is none")

    def stopped(self) -> BadAnswer:
        """The error of a list that was not read to its end, since the run stops."""
        return self.error("was not read to its end: the run stops")

    def endless(self, pages: int) -> BadAnswer:
        """The error of a list that goes on and on, after so many pages."""
        return self.error(f"did not end after {pages} pages")

    def check_last(self, page: Page) -> None:
        """Raise BadAnswer where the page that should be the last names another one behind it."""
        if self.named_next(page):
            raise self.error(
                "goes on after what should be its last page: say how it pages for the target's "
                "endpoints.list"
            )
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
            raise self.moved(f"repeats a page; {UNPAGED}")
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
        return f"{self._transport.target}: the list of clients at {self.path}"

    def _note_total(self, answer: Json) -> None:
        pagination = self.provider.pagination
        if pagination is None or pagination.total is None:
            return
        total = resolve(answer, pagination.total)
        if not isinstance(total, int) or isinstance(total, bool):
            raise self.error(f"states no total at {pagination.total}")
        self.total = total
