"""A list whose vendor promises no pages: how much of it is taken for the whole."""

from __future__ import annotations

import httpx
import pytest
from support.given import provider
from support.targets import Server, transport

from reconciler.core.errors import BadAnswer
from reconciler.http.live import read_state
from reconciler.provider.model import Pagination

ASKED = 3
ASSUMED = Pagination(
    limit_parameter="limit", offset_parameter="offset", page_size=ASKED, documented=False
)
VENDOR = provider(pagination=ASSUMED)


def clients(count, first=0):
    return [{"id": f"c{number:03}"} for number in range(first, first + count)]


def listed(answer, ids=()):
    """The ids that are read of a server whose list answers `answer(limit, offset)`."""

    def handler(request):
        if "limit" not in request.url.params:
            return httpx.Response(404, json={})  # a read by the id of one that is gone
        limit, offset = (int(request.url.params[name]) for name in ("limit", "offset"))
        return httpx.Response(200, json=answer(limit, offset))

    with transport(Server(handler), provider=VENDOR) as target:
        return sorted(read_state(VENDOR, target, set(ids)).clients)


@pytest.mark.parametrize("count", [0, 1, ASKED - 1, ASKED, ASKED + 1, 3 * ASKED, 40])
@pytest.mark.parametrize("missing", [(), ("gone",)])
def test_a_server_that_always_lists_everything_has_shown_it_all(count, missing):
    whole = [each["id"] for each in clients(count)]

    assert listed(lambda _limit, _offset: clients(count), missing) == whole


@pytest.mark.parametrize("count", [0, 1, ASKED, ASKED + 1, 2 * ASKED, 3 * ASKED + 2, 40])
def test_a_server_that_pages_all_the_same_is_read_to_its_end(count):
    found = listed(lambda limit, offset: clients(count)[offset : offset + limit])

    assert found == [each["id"] for each in clients(count)]


def test_a_second_page_that_is_the_first_in_another_order_is_the_first():
    found = listed(lambda _limit, offset: clients(ASKED) if not offset else clients(ASKED)[::-1])

    assert found == [each["id"] for each in clients(ASKED)]


@pytest.mark.parametrize(
    ("later", "problem"),
    [
        # The list moved while it was read: what is the whole cannot be known.
        ({3: clients(3, 2)}, "holds c002 twice"),
        ({3: clients(3, 3), 6: clients(3, 3)}, "repeats a page"),
        ({3: clients(5, 3)}, "has a page of 5 where 3 were asked for"),
        ({3: clients(2, 3), 6: clients(1, 9)}, "goes on after a page that was not full"),
    ],
)
def test_a_list_that_contradicts_itself_is_a_bad_answer(later, problem):
    with pytest.raises(BadAnswer, match=problem):
        listed(lambda _limit, offset: later.get(offset, clients(3) if not offset else []))


def test_a_first_page_that_is_too_long_is_the_whole_list_only_where_no_client_is_twice():
    with pytest.raises(BadAnswer, match="holds c000 twice"):
        listed(lambda _limit, _offset: [*clients(4), *clients(1)])


@pytest.mark.parametrize("count", [ASKED + 1, 2 * ASKED, 40])
def test_a_server_that_minds_the_limit_and_not_the_offset_has_not_shown_its_list(count):
    with pytest.raises(BadAnswer, match="repeats its first page of 3: what follows cannot be read"):
        listed(lambda limit, _offset: clients(count)[:limit])
