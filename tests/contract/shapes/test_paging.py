"""Servers whose lists come in pages of every kind, and lists that lie about their end."""

from __future__ import annotations

import re

import pytest
from support.shapes import WEB, Said, Shape, living

COUNT = 7
SIZE = 3


class Paged(Shape):
    """A list in pages of three, or of what is asked for if that is less; how is for the subclasses."""

    cap = SIZE

    def items(self):
        return [self.shown(one) for one in self.clients]

    def limit(self, asked):
        return min(self.cap, int(asked.query.get("size", self.cap)))


class Counted(Paged):
    """By the number of the page, from `first`."""

    first = 0

    def list(self, asked):
        start = (int(asked.query.get("page", self.first)) - self.first) * self.limit(asked)
        return Said(status=200, body={"items": self.items()[start : start + self.limit(asked)]})


class FromOne(Counted):
    first = 1


class Linked(Paged):
    """The next page is in the Link header; `next` is how its address is written."""

    next = "/clients?cursor={end}&size={size}"

    def list(self, asked):
        start, size = int(asked.query.get("cursor", 0)), self.limit(asked)
        end = start + size
        links = ['</clients>; rel="first"']
        if end < len(self.clients):
            address = self.next.format(end=end, size=size, address=self.address)
            links.append(f'<{address}>; rel="next"')
        body = {"items": self.items()[start:end]}
        return Said(status=200, body=body, headers={"link": ", ".join(links)})


class LinkedWhole(Linked):
    next = "{address}/clients?cursor={end}&size={size}"


class LinkedShort(Linked):
    next = "?cursor={end}&size={size}"


class Named(Paged):
    """The body names the next page."""

    def named(self, end):
        return f"/clients?from={end}"

    last = None

    def list(self, asked):
        start, size = int(asked.query.get("from", 0)), self.limit(asked)
        end = start + size
        more = self.named(end) if end < len(self.clients) else self.last
        body = {"items": self.items()[start:end], "meta": {"next": more, "total": COUNT}}
        return Said(status=200, body=body)


class Tokened(Named):
    last = ""

    def named(self, end):
        return str(end)


class Numbered(Named):
    last = False

    def named(self, end):
        return end


def pages(**words):
    return {"list": {"pagination": words}}


PAGE = {"style": "page", "limitParameter": "size", "pageSize": SIZE, "pageParameter": "page"}
LINK = {"style": "link"}
NEXT = {"style": "next", "next": "/meta/next"}
TOKEN = {**NEXT, "tokenParameter": "from"}
SIZED = {"limitParameter": "size", "pageSize": SIZE}
STYLES = [
    (Counted, {**PAGE, "firstPage": 0}),
    (FromOne, {**PAGE, "firstPage": 1}),
    (Linked, LINK),
    (Linked, {**LINK, **SIZED}),
    (LinkedWhole, LINK),
    (LinkedShort, LINK),
    (Named, NEXT),
    (Named, {**NEXT, **SIZED, "total": "/meta/total"}),
    (Tokened, TOKEN),
    (Numbered, {**TOKEN, **SIZED}),
]


def held(shape, count=COUNT):
    """The ids of `count` clients that the server holds."""
    return [shape.add({**WEB, "name": f"App {index}"}) for index in range(count)]


def imported(life):
    """The result of an import of every client, and the ids that it wrote."""
    done = life.run("import", "mine", "--all")
    return done, sorted(re.findall(r"\((c\d+)\)$", done.output, re.MULTILINE))


@pytest.mark.parametrize(("make", "style"), STYLES)
def test_a_list_in_pages_is_read_to_its_end_and_its_clients_live(tmp_path, make, style):
    shape = make()
    with living(
        tmp_path, shape, target={"policy": {"prune": True}}, endpoints=pages(**style)
    ) as life:
        ids = held(shape)
        done, found = imported(life)
        assert done.exit_code == 0, done.output
        assert found == ids
        life.apply()
        assert life.is_settled()
        life.state("web", WEB)
        life.apply()
        assert len(shape.clients) == COUNT + 1
        life.unstate("web")
        assert life.run("apply", "--auto-approve", "--max-deletes", "1").exit_code == 0
        assert sorted(shape.clients) == ids


@pytest.mark.parametrize(("make", "style"), STYLES)
@pytest.mark.parametrize("count", [0, 1, SIZE, 2 * SIZE])
def test_a_list_that_ends_with_a_full_page_ends_there(tmp_path, make, style, count):
    shape = make()
    style = {name: word for name, word in style.items() if name != "total"}
    with living(tmp_path, shape, endpoints=pages(**style)) as life:
        ids = held(shape, count)
        done, found = imported(life)
        assert found == ids, done.output


@pytest.mark.parametrize(("make", "_style"), STYLES[2:])
@pytest.mark.parametrize("stated", [{"style": "none", "next": "/meta/next"}, {"style": "none"}])
def test_left_out_a_list_that_goes_on_is_refused_and_nothing_is_gone(
    tmp_path, make, _style, stated
):
    shape = make()
    if not isinstance(shape, Linked) and "next" not in stated:
        stated = {**stated, "total": "/meta/total"}
    with living(tmp_path, shape, endpoints=pages(**stated)) as life:
        held(shape)
        life.state("web", WEB)
        done = life.run("apply", "--auto-approve")
        assert done.exit_code == 1
        assert re.search(r"goes on|ends after 3 clients and states 7", done.output), done.output
        assert shape.writes() == []


@pytest.mark.parametrize("total", ["/meta/total", "/meta"])
def test_a_stated_total_proves_a_list_whole_that_does_not_come_in_pages(tmp_path, total):
    class All(Named):
        cap = COUNT

    shape = All()
    with living(tmp_path, shape, endpoints=pages(style="none", total=total)) as life:
        held(shape)
        done = life.run("import", "mine", "--all")
        assert (done.exit_code == 0) == (total == "/meta/total"), done.output
        assert ("states no total at /meta" in done.output) == (total == "/meta")


def broken(tmp_path, shape, style):
    """What a plan says of a list that cannot be read to its end; nothing may be sent but for lists."""
    with living(tmp_path, shape, endpoints=pages(**style)) as life:
        held(shape)
        life.state("web", WEB)
        done = life.run("plan")
        assert done.exit_code == 1, done.output
        assert {asked.path for asked in shape.requests} <= {"/clients", "/clients/"}
        return done.output


def test_a_next_page_at_another_address_gets_no_request(tmp_path):
    for name, address in enumerate(
        ["https://elsewhere.example.com/clients?cursor=3", "http://[", "//elsewhere.example.com/c"]
    ):

        class Away(Linked):
            next = address

        (tmp_path / str(name)).mkdir()
        assert "outside of baseUrl" in broken(tmp_path / str(name), Away(), LINK)


@pytest.mark.parametrize(("style", "named"), [(NEXT, "/clients?from=0"), (TOKEN, "3")])
def test_pages_that_go_in_a_circle_end_as_an_error(tmp_path, style, named):
    class Circle(Named):
        def named(self, _end):
            return named

        @property
        def last(self):
            return named

    said = broken(tmp_path, Circle(), style)
    assert re.search("repeats a page|names a page as the next that was read already", said)


def test_an_empty_page_that_names_itself_ends_as_an_error(tmp_path):
    class Empty(Named):
        last = "/clients?from=0"

        def items(self):
            return []

    assert "read already" in broken(tmp_path, Empty(), NEXT)


@pytest.mark.parametrize("odd", [True, {"page": 2}, ["2"], 2.5])
def test_what_names_no_page_and_not_that_there_is_none_is_an_error(tmp_path, odd):
    class Odd(Named):
        def named(self, _end):
            return odd

    assert "names no page at /meta/next" in broken(tmp_path, Odd(), NEXT)


def test_a_page_number_that_the_server_does_not_know_is_an_error(tmp_path):
    style = {**PAGE, "pageParameter": "side", "firstPage": 0}
    assert "repeats a page" in broken(tmp_path, Counted(), style)


def test_a_list_of_which_no_paging_is_stated_proves_nothing_gone(tmp_path):
    shape = Counted()
    with living(tmp_path, shape, endpoints={"list": {"pagination": None}}) as life:
        ids = held(shape)
        life.state("last", {**WEB, "name": f"App {COUNT - 1}"}, id=ids[-1])
        life.apply()
        assert life.recorded("last")["id"] == ids[-1]
        assert len(shape.clients) == COUNT


@pytest.mark.parametrize(("stated", "doubted"), [({"style": "none"}, False), (None, True)])
def test_where_no_paging_is_stated_a_create_says_that_the_list_may_lack_its_namesake(
    tmp_path, stated, doubted
):
    with living(tmp_path, Shape(), endpoints={"list": {"pagination": stated}}) as life:
        life.state("web", WEB)
        done = life.run("plan")

        assert ("nothing says whether it comes in pages" in done.output) == doubted


QUERY = {"list": {"query": {"view": "all"}}, "read": {"query": {"view": "all"}}}


class Veiled(Shape):
    """Shows, and changes, the lifetimes of tokens only where it is asked to."""

    def shown(self, remote_id):
        client = super().shown(remote_id)
        if self.requests[-1].query.get("view") != "all":
            client.pop("ttl")
        return client


@pytest.mark.parametrize("style", [{}, {"pagination": {**PAGE, "firstPage": 0}}])
def test_fixed_query_parameters_go_along_with_every_request(tmp_path, style):
    shape = Veiled()
    whole = {name: {"query": {"view": "all"}} for name in ("create", "update", "delete")}
    endpoints = {**QUERY, **whole, "list": {**QUERY["list"], **style}}
    with living(tmp_path, shape, target={"policy": {"prune": True}}, endpoints=endpoints) as life:
        life.state("web", WEB)
        life.state("api", {**WEB, "name": "Api"})
        life.apply()
        life.state("web", {**WEB, "ttl": 90})
        life.apply()
        assert life.is_settled()
        life.unstate("api")
        life.run("apply", "--auto-approve", "--max-deletes", "1")
        assert len(shape.clients) == 1
        assert all(asked.query["view"] == "all" for asked in shape.requests)


def test_left_out_what_the_server_does_not_show_is_sent_again_and_again(tmp_path):
    with living(tmp_path, Veiled()) as life:
        life.state("web", WEB)
        life.run("apply", "--auto-approve")
        assert not life.is_settled()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({**PAGE}, "`firstPage` is missing"),
        ({**PAGE, "firstPage": 0, "offsetParameter": "o"}, "paging by `page` does not take this"),
        ({"style": "next"}, "`next` is missing"),
        ({**LINK, "tokenParameter": "t"}, "paging by `link` does not take this member"),
        ({**NEXT, "pageParameter": "p"}, "paging by `next` does not take this member"),
        ({**LINK, "pageSize": 3}, "limitParameter"),
        ({"style": "cursor"}, "cursor"),
        ({**NEXT, "next": "meta.next"}, "a JSON Pointer is empty or begins with a slash"),
    ],
)
def test_what_does_not_go_together_is_refused_at_its_place(tmp_path, words, problem):
    with living(tmp_path, Shape(), endpoints={"list": {"pagination": words}}) as life:
        done = life.run("validate")
        assert done.exit_code != 0
        line = next(one for one in done.output.splitlines() if problem in one)
        assert re.match(r"\S*provider/provider\.yaml:\d+:\d+: error", line)


def test_a_fixed_parameter_that_asks_for_a_page_is_refused(tmp_path):
    words = {"query": {"page": "1"}, "pagination": {**PAGE, "firstPage": 0}}
    with living(tmp_path, Shape(), endpoints={"list": words}) as life:
        done = life.run("validate")
        assert done.exit_code != 0
        assert re.search(
            r"provider/provider\.yaml:\d+:\d+: error: `page` is what asks for a page already",
            done.output,
        )


class Endless(Paged):
    """Names a page behind each, also behind those that hold nothing."""

    def list(self, asked):
        start = int(asked.query.get("from", "0"))
        clients = [*self.clients][start : start + 2]
        link = f'</clients?from={start + 2}>; rel="next"'
        body = {"items": [self.shown(one) for one in clients]}
        return Said(status=200, body=body, headers={"link": link})


@pytest.mark.parametrize("count", [0, 1, 4])
def test_pages_that_hold_nothing_end_a_list_whatever_they_name(tmp_path, count):
    shape = Endless()
    pages = {"pagination": {"style": "link"}}
    with living(tmp_path, shape, endpoints={"list": pages}) as life:
        for number in range(count):
            life.state(f"c{number}", {**WEB, "name": f"c{number}"})
        life.apply()

        assert life.is_settled()
        assert len(shape.clients) == count
