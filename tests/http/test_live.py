import threading

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.given import provider
from support.targets import Server, transport
from support.vendors import vendor

from reconciler.core.errors import BadAnswer, NotFound, ServerFailed, Unauthorized
from reconciler.core.model import Secret
from reconciler.http.listing import numbered
from reconciler.http.live import ClientReader, read_client, read_list, read_state
from reconciler.provider.model import Endpoint, Pagination

SAILPOINT, PROVIDENT, BORUTA = map(vendor, ("sailpoint", "provident", "boruta"))
PAGED = Pagination(limit_parameter="limit", offset_parameter="offset", page_size=3)
COUNTED = Pagination(
    limit_parameter="limit", offset_parameter="offset", page_size=3, total="/total"
)
ITEMS = Endpoint(method="GET", expect=frozenset({200}), item="/items")
SMALL = provider(pagination=PAGED)
WITH_TOTAL = provider(pagination=COUNTED, list=ITEMS)


class PagedList:
    """Lists `count` clients in pages, and keeps count of who is asking; threads may share it."""

    def __init__(self, count, *, most=10**9, state_total=None, lie=None):
        self.clients = [{"id": f"c{number:03}"} for number in range(count)]
        self.most, self.state_total, self.lie = most, state_total, lie or {}
        self.offsets = []

    def __call__(self, request):
        """Answer one request for a page, or for one client."""
        if "limit" not in request.url.params:
            wanted = request.url.path.rpartition("/")[2]
            found = [each for each in self.clients if each["id"] == wanted]
            return httpx.Response(200, json=found[0]) if found else httpx.Response(404, json={})
        limit, offset = (int(request.url.params[name]) for name in ("limit", "offset"))
        self.offsets.append(offset)
        page = self.lie.get(offset, self.clients[offset : offset + min(limit, self.most)])
        if self.state_total is None:
            return httpx.Response(200, json=page)
        return httpx.Response(200, json={"items": page, "total": self.state_total})


def over(handler, vendor=SMALL, ids=(), **how):
    with transport(Server(handler), provider=vendor) as target:
        return read_state(vendor, target, set(ids), **how)


def answering(body):
    return httpx.Response(200, json=body)


@given(count=st.integers(0, 40))
def test_every_client_is_read_once_whatever_the_number_of_pages(count):
    paged = PagedList(count)

    state = over(paged)

    assert list(state.clients) == [each["id"] for each in paged.clients]
    assert state.listed
    assert sorted(set(paged.offsets)) == sorted(paged.offsets)


@given(count=st.integers(0, 60))
def test_at_most_a_third_of_the_requests_is_in_vain(count):
    paged = PagedList(count)

    over(paged)

    needed = count // 3 + 1
    assert len(paged.offsets) - needed <= len(paged.offsets) / 3


def test_a_list_of_one_page_costs_one_request():
    paged = PagedList(2)

    over(paged)

    assert paged.offsets == [0]


@given(count=st.integers(0, 40))
def test_where_the_total_is_stated_no_page_is_asked_for_in_vain(count):
    paged = PagedList(count, state_total=count)

    state = over(paged, WITH_TOTAL)

    assert len(state.clients) == count
    assert len(paged.offsets) == max(1, -(-count // 3))


def test_pages_are_read_several_at_once():
    inside = threading.Barrier(2)
    paged = PagedList(8)

    def together(request):
        if request.url.params["offset"] in ("3", "6"):
            inside.wait()
        return paged(request)

    assert len(over(together).clients) == 8


@pytest.mark.parametrize(
    ("paged", "problem"),
    [
        (PagedList(9, lie={3: [{"id": f"c00{n}"} for n in range(3)]}), "repeats a page"),
        (
            PagedList(9, lie={3: [{"id": "c002"}, {"id": "c003"}, {"id": "c004"}]}),
            "holds c002 twice",
        ),
        (PagedList(9, lie={0: [{"id": "a"}, {"id": "a"}, {"id": "b"}]}), "holds a twice"),
        (PagedList(9, lie={3: []}), "goes on after a page that was not full"),
        (PagedList(9, lie={0: [{"id": str(n)} for n in range(5)]}), "page of 5 where 3 were asked"),
        (PagedList(9, lie={3: {"error": "no"}}), "has no array at its top"),
        (PagedList(9, lie={3: "none"}), "has no array"),
        (PagedList(2, lie={0: [{"name": "web"}]}), "holds a client without an id"),
        (PagedList(2, lie={0: [{"id": 7.5}]}), "holds a client without an id"),
        (PagedList(2, lie={0: [{"id": ""}]}), "holds a client without an id"),
        (PagedList(2, lie={0: ["web"]}), "holds a client without an id"),
    ],
)
def test_a_list_that_cannot_be_whole_is_a_bad_answer(paged, problem):
    with pytest.raises(BadAnswer, match=f"shop: the list of clients at /clients.*{problem}"):
        over(paged)


@pytest.mark.parametrize(
    ("paged", "problem"),
    [
        (PagedList(2, state_total=9), "ends after 2 clients and states 9"),
        (PagedList(2, state_total="2"), "states no total at /total"),
        (PagedList(2, state_total=True), "states no total"),
    ],
)
def test_a_list_that_is_shorter_than_it_states_is_a_bad_answer(paged, problem):
    with pytest.raises(BadAnswer, match=problem):
        over(paged, WITH_TOTAL)


def test_a_list_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(numbered, "MOST_PAGES", 20)

    def endless(request):
        offset = int(request.url.params["offset"])
        return httpx.Response(200, json=[{"id": str(offset + step)} for step in range(3)])

    with pytest.raises(BadAnswer, match="did not end after 20 pages"):
        over(endless)


def test_a_server_whose_pages_are_shorter_than_asked_for_does_not_make_clients_gone():
    paged = PagedList(9, most=2)

    with pytest.raises(BadAnswer, match="its pages are shorter than 3"):
        over(paged, ids=["c007"])


def test_a_client_that_is_not_listed_costs_one_request_to_be_sure():
    paged = PagedList(2)

    state = over(paged, ids=["c000", "gone"])

    assert paged.offsets == [0, 2]
    assert "gone" not in state.clients


def test_a_server_that_does_not_page_is_taken_at_its_word_when_it_lists_the_same_again():
    def unpaged(request):
        if request.url.path.endswith("/gone"):
            return httpx.Response(404, json={})
        return httpx.Response(200, json=[{"id": "a"}])

    state = over(unpaged, ids=["gone"])

    assert (list(state.clients), state.gone) == (["a"], {"gone"})


def test_a_missing_list_is_an_error_and_not_an_empty_one():
    with pytest.raises(
        BadAnswer, match=r"is not there \(404\); check baseUrl and collection"
    ) as caught:
        over(lambda _: httpx.Response(404, json={}))

    assert caught.value.status == 404
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthorized), (403, Unauthorized), (500, ServerFailed)]
)
def test_an_error_on_the_list_stops_the_read(status, kind):
    with pytest.raises(kind):
        over(lambda _: httpx.Response(status))


def test_a_list_without_pages_is_read_in_one_request_and_its_secrets_are_sealed():
    server = Server(answering({"data": [{"id": "1", "name": "web", "secret": "hunter2"}]}))

    with transport(server, provider=BORUTA) as target:
        state = read_state(BORUTA, target, {"1"})

    assert len(server.requests) == 1
    assert server.requests[0].url.query == b""
    assert state.clients["1"].body["secret"] == Secret("hunter2")


def test_a_list_is_read_by_the_documented_parameters():
    server = Server(answering([]))

    with transport(server) as target:
        read_state(SAILPOINT, target, set())

    assert dict(server.requests[0].url.params) == {"limit": "250", "offset": "0"}


def by_id(request):
    """Provident's clients: those whose id starts with a `g` are gone, with an `x` broken."""
    remote_id = request.url.path.rpartition("/")[2]
    if remote_id.startswith("g"):
        return httpx.Response(404, json={"error": "not found"})
    if remote_id.startswith("x"):
        return httpx.Response(500)
    return httpx.Response(200, json={"id": "7", "clientId": remote_id, "clientSecret": "hunter2"})


def test_without_a_list_each_known_client_is_read_once():
    server = Server(by_id)

    with transport(server, provider=PROVIDENT) as target:
        state = read_state(PROVIDENT, target, ["b", "a", "gone", "a", "c"])

    assert sorted(server.calls) == [
        f"GET /oauth2/clients/{each}" for each in ("a", "b", "c", "gone")
    ]
    assert list(state.clients) == ["a", "b", "c"]
    assert (state.gone, state.listed) == ({"gone"}, False)
    assert state.clients["a"].body["clientSecret"] == Secret("hunter2")


def test_without_a_list_and_without_known_clients_nothing_is_asked():
    server = Server(by_id)

    with transport(server, provider=PROVIDENT) as target:
        state = read_state(PROVIDENT, target, [])

    assert (state.clients, state.gone, state.listed, server.requests) == (
        {},
        frozenset(),
        False,
        [],
    )


def test_a_read_that_fails_fails_all_and_no_other_client_is_asked_for():
    server = Server(by_id)

    with transport(server, provider=PROVIDENT, workers=1) as target, pytest.raises(ServerFailed):
        read_state(PROVIDENT, target, ["a", "x", "y", "z"])

    assert server.calls == [f"GET /oauth2/clients/{each}" for each in ("a", "x")]


def test_once_a_read_failed_the_others_ask_for_nothing_more():
    server = Server(by_id)

    with transport(server, provider=PROVIDENT) as target:
        reader = ClientReader(PROVIDENT, target)
        with pytest.raises(ServerFailed):
            reader.read("x")
        calls = list(server.calls)
        assert reader.read("a") is None

    assert server.calls == calls


def test_the_first_client_is_asked_for_alone_so_that_a_dead_server_costs_one_request():
    server = Server(httpx.Response(403))

    with transport(server, provider=PROVIDENT) as target, pytest.raises(Unauthorized):
        read_state(PROVIDENT, target, ["a", "b", "c", "d"])

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer", [{}, [], {"clientId": 7}, {"clientId": "other"}, {"data": {"clientId": "a"}}]
)
def test_an_answer_that_is_not_the_client_asked_for_is_a_bad_answer(answer):
    with (
        transport(Server(answering(answer)), provider=PROVIDENT) as target,
        pytest.raises(BadAnswer, match="GET /oauth2/clients/a was answered with"),
    ):
        read_client(PROVIDENT, target, "a")


def test_a_404_on_a_read_by_id_means_gone():
    with transport(Server(by_id), provider=PROVIDENT) as target, pytest.raises(NotFound):
        read_client(PROVIDENT, target, "gone")


def test_an_id_is_opaque_and_stays_within_its_segment_of_the_path():
    server = Server(answering({"data": {"id": "A/B?c"}}))

    with transport(server, provider=BORUTA) as target:
        client = read_client(BORUTA, target, "a/b?c")

    assert server.requests[0].url.raw_path == b"/clients/a%2Fb%3Fc"
    assert client.remote_id == "a/b?c"


def test_a_list_that_was_read_ahead_is_not_read_again():
    paged = PagedList(7)
    with transport(Server(paged), provider=SMALL) as target:
        ahead = read_list(SMALL, target, threading.Event())
        asked = len(paged.offsets)
        state = read_state(SMALL, target, ["c001"], ahead)

    assert list(state.clients) == [each["id"] for each in paged.clients]
    assert len(paged.offsets) == asked


def test_a_list_that_was_read_ahead_is_held_to_the_ids_that_turn_out_to_be_expected():
    paged = PagedList(9, most=2)

    with transport(Server(paged), provider=SMALL) as target:
        ahead = read_list(SMALL, target, threading.Event())
        with pytest.raises(BadAnswer, match="pages are shorter than 3"):
            read_state(SMALL, target, ["c007"], ahead)


def test_reading_a_list_ends_when_the_run_stops():
    paged, stop = PagedList(100), threading.Event()

    def stops_after_two(request):
        if len(paged.offsets) == 2:
            stop.set()
        return paged(request)

    with (
        transport(Server(stops_after_two), provider=SMALL) as target,
        pytest.raises(BadAnswer, match="not read to its end"),
    ):
        read_list(SMALL, target, stop)

    assert len(paged.offsets) < 10


def test_a_server_without_a_list_is_not_looked_at():
    server = Server(answering([]))

    with transport(server, provider=PROVIDENT) as target:
        assert read_list(PROVIDENT, target, threading.Event()) is None

    assert server.requests == []


class Raced(PagedList):
    """A list that a change overtakes: once, before the page at `offset`, `change` is made to it."""

    def __init__(self, count, offset, change):
        super().__init__(count)
        self.offset, self.change = offset, change

    def __call__(self, request):
        if self.change and int(request.url.params.get("offset", -1)) == self.offset:
            self.change(self.clients)
            self.change = None
        return super().__call__(request)


@pytest.mark.parametrize("deleted", range(3))
@pytest.mark.parametrize("offset", [3, 6])
def test_a_client_that_moves_up_a_page_while_the_list_is_read_is_there(deleted, offset):
    raced = Raced(8, offset, lambda clients: clients.pop(deleted))
    ours = {f"c{number:03}" for number in range(3, 8)}

    state = over(raced, ids=ours)

    assert state.clients.keys() >= ours
    assert (state.gone, state.doubt) == (frozenset(), "")


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("offset", [3, 6])
@pytest.mark.parametrize("count", [6, 7, 8])
def test_a_client_that_is_added_while_the_list_is_read_makes_no_second_one(count, offset, place):
    raced = Raced(count, offset, lambda clients: clients.insert(place, {"id": "new"}))

    state = over(raced, ids={"c001"})

    assert state.clients.keys() >= {f"c{number:03}" for number in range(count)}
    assert (state.gone, state.doubt) == (frozenset(), "")


@pytest.mark.parametrize("deleted", range(3))
@pytest.mark.parametrize("offset", [3, 6])
def test_a_list_that_something_is_made_for_want_of_is_read_until_nobody_vanishes(deleted, offset):
    raced = Raced(8, offset, lambda clients: clients.pop(deleted))

    state = over(raced, rests_on_absence=True)

    assert sorted(state.clients) == [each["id"] for each in raced.clients]
    assert state.doubt == ""


def test_a_list_that_somebody_is_deleted_from_each_time_is_doubted():
    class Shrinking(PagedList):
        def __call__(self, request):
            if request.url.params.get("offset") == "3":
                self.clients.pop(0)
            return super().__call__(request)

    assert over(Shrinking(12), rests_on_absence=True).doubt == (
        "clients vanish from it while it is read"
    )


@pytest.mark.parametrize(("count", "readings"), [(2, 1), (3, 2), (7, 2)])
def test_only_a_list_of_several_pages_is_read_twice(count, readings):
    paged = PagedList(count)

    over(paged, rests_on_absence=True)

    assert paged.offsets.count(0) == readings


@pytest.mark.parametrize("offset", [3, 6])
@pytest.mark.parametrize("ours", [2, 3, 6])
def test_a_client_that_only_the_second_reading_lacks_is_read_by_its_id(offset, ours):
    class TwiceRaced(PagedList):
        """Somebody is deleted in the first reading, and another one in the second."""

        def __call__(self, request):
            if request.url.params.get("offset") == str(offset) and len(self.clients) > 7:
                self.clients.pop(0)
            return super().__call__(request)

    state = over(TwiceRaced(9), ids={f"c{number:03}" for number in range(ours, 9)})

    assert state.clients.keys() >= {f"c{number:03}" for number in range(ours, 9)}
    assert state.gone == frozenset()


def test_an_id_in_another_spelling_than_the_servers_is_no_second_client():
    def handler(request):
        if "limit" in request.url.params:
            return httpx.Response(200, json=[{"id": "abc"}])
        return httpx.Response(200, json={"id": "abc"})

    state = over(handler, ids={"ABC"})

    assert (state.clients.keys(), state.gone, state.doubt) == ({"abc"}, {"ABC"}, "")


def test_a_list_that_lags_is_doubted_and_takes_nobody_away():
    class Lagging(PagedList):
        def __call__(self, request):
            if "limit" in request.url.params:
                return httpx.Response(200, json=self.clients[:1])
            return super().__call__(request)

    state = over(Lagging(2), ids={"c000", "c001", "gone"})

    assert state.clients.keys() == {"c000", "c001"}
    assert (state.gone, state.listed) == ({"gone"}, True)
    assert "c001" in state.doubt


@pytest.mark.parametrize("status", [401, 403, 500, 200])
def test_only_a_404_says_that_a_client_which_the_list_lacks_is_gone(status):
    def handler(request):
        listed = "limit" in request.url.params
        return httpx.Response(200 if listed else status, json=[])

    with pytest.raises((BadAnswer, ServerFailed, Unauthorized)):
        over(handler, ids={"ours"})


def test_a_list_whose_paging_nobody_described_shows_only_what_is_there():
    undescribed = provider(pagination=None, list_is_described=False)

    def handler(request):
        found = request.url.path.endswith("/beside")
        if request.url.path.endswith("/clients"):
            return httpx.Response(200, json=[{"id": "a"}])
        return httpx.Response(200 if found else 404, json={"id": "beside"} if found else {})

    state = over(handler, undescribed, ids={"a", "beside", "gone"})

    assert (state.clients.keys(), state.gone) == ({"a", "beside"}, {"gone"})
    assert state.doubt == "it lacks beside, which is there"
    assert over(handler, undescribed, ids={"a"}).doubt == ""


NEXT = [
    '<https://id.example.com/clients?page=2>; rel="next"',
    "<?page=2>; rel=next",
    '<a>; rel="prev", <b>; title="a, b; rel=last"; rel="next"',
    '<a>; REL="first NEXT"',
    "<a>;rel = next ;type=text",
    '<a>; title="x\\"y", <b>; rel=next',
]
NO_NEXT = [
    "",
    '<a>; rel="prev"',
    '<a>; title="rel=next"',
    '<a>; rel="last"; rel="next"',
    "rel=next",
    '<a>; rel="nextish"',
]


@pytest.mark.parametrize("header", NEXT)
@pytest.mark.parametrize("vendor", [SMALL, provider(pagination=None)])
def test_a_list_that_goes_on_by_a_link_which_nobody_reads_is_an_error(header, vendor):
    def handler(_request):
        return httpx.Response(200, json=[{"id": "a"}], headers={"link": header})

    with pytest.raises(BadAnswer, match=r"rel=next, RFC 8288") as caught:
        over(handler, vendor)

    assert "page=2" not in str(caught.value)


@pytest.mark.parametrize("header", NO_NEXT)
def test_another_link_is_no_next_page(header):
    def handler(_request):
        return httpx.Response(200, json=[{"id": "a"}], headers={"link": header})

    assert list(over(handler).clients) == ["a"]


def test_links_in_several_headers_are_one_list():
    headers = [("link", "<a>; rel=prev"), ("link", "<b>; rel=next")]

    with pytest.raises(BadAnswer, match="goes on at b"):
        over(lambda _: httpx.Response(200, json=[], headers=headers))


def test_a_page_in_the_middle_may_name_the_next():
    class Linked(PagedList):
        def __call__(self, request):
            answer = super().__call__(request)
            is_last = len(answer.json()) < 3
            return httpx.Response(
                200, json=answer.json(), headers={} if is_last else {"link": "<n>; rel=next"}
            )

    assert len(over(Linked(7)).clients) == 7
