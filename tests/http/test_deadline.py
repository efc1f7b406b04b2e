"""Every exchange ends. The clock of these tests moves when their server says so, and never by itself."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import trustme
from support.listening import listening
from support.targets import LOGIN, Clock, transport
from support.vendors import vendor

from reconciler.core.errors import Ambiguous, BadAnswer, RemoteError, Unreachable
from reconciler.core.model import Secret
from reconciler.http.connection import Connection, Rate
from reconciler.http.retry import ATTEMPTS
from reconciler.http.transport import Transport
from reconciler.http.wire.answer import LARGEST_ANSWER, AnswerSize, TooLarge
from reconciler.http.wire.deadline import Deadline

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
TOKEN = OK + b'content-length: 48\r\n\r\n{"access_token":"t0ken-1","token_type":"Bearer"}'
EMPTY_LIST = OK + b"content-length: 2\r\n\r\n[]"
# What comes at once, and what drips in after it for ever.
DRIPS = {
    "nothing but a byte of the status line": (b"", b"H"),
    "a status line": (b"HTTP/1.1 200 ", b"O"),
    "a header": (b"HTTP/1.1 200 OK\r\nx-a: ", b"a"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
    "an interim answer": (b"HTTP/1.1 103 Early Hints\r\nlink: ", b"a"),
    "headers of an interim answer": (b"HTTP/1.1 102 Processing\r\n", b"a: b\r\n"),
    "a body by its length": (OK + b"content-length: 1000000\r\n\r\n", b" "),
    "a body until the end": (OK + b"\r\n", b" "),
    "chunks": (CHUNKED, b"1\r\n \r\n"),
    "the size of a chunk": (CHUNKED, b"0"),
    "the extension of a chunk": (CHUNKED + b"1;", b"x"),
    "extensions of chunks": (CHUNKED, b"1;x=yyyyyyyyyyyyyyyyyy\r\n \r\n"),
    "trailers": (CHUNKED + b"2\r\n[]\r\n0\r\n", b"x: y\r\n"),
    "a trailer": (CHUNKED + b"2\r\n[]\r\n0\r\nx: ", b"y"),
    "compressed nothing": (
        CHUNKED[:-2] + b"content-encoding: gzip\r\n\r\na\r\n" + gzip.compress(b"")[:10] + b"\r\n",
        b"5\r\n\x00\x00\x00\xff\xff\r\n",
    ),
    "the body of an error": (b"HTTP/1.1 500 No\r\ncontent-length: 9999999\r\n\r\n", b" "),
}


class SteppingClock(Clock):
    """One that moves a `step` each time that it is looked at."""

    step = 0.0

    def __call__(self) -> float:
        """Give the time, as `time.monotonic` would."""
        self.now += self.step
        return super().__call__()


class Dripper:
    """A server that answers each token request at once and drips at the others, or the other way round.

    `closed` is set when the other side has closed the connection of a drip.
    """

    def __init__(self, first: bytes, drip: bytes, clock: Clock, *, tokens: bool = False) -> None:
        self.first, self.drip, self.clock, self.tokens = first, drip, clock, tokens
        self.asked: list[bytes] = []
        self.closed = threading.Event()
        self.url = ""

    def __call__(self, connection: socket.socket) -> None:
        """Answer the requests of one connection."""
        while request := read_request(connection):
            self.asked.append(request.split(b" HTTP")[0])
            if (b"/token" in self.asked[-1]) == self.tokens:
                self._drip(connection)
                return
            connection.sendall(EMPTY_LIST if self.tokens else TOKEN)

    def _drip(self, connection: socket.socket) -> None:
        try:
            connection.sendall(self.first)
            while True:
                self.clock.now += 1
                connection.sendall(self.drip)
        except OSError:
            self.closed.set()


def read_request(connection: socket.socket) -> bytes:
    """The next request, b"" at the end of the connection."""
    content = b""
    while b"\r\n\r\n" not in content:
        piece = connection.recv(65536)
        if not piece:
            return b""
        content += piece
    head, _, body = content.partition(b"\r\n\r\n")
    lengths = [
        int(line.partition(b":")[2])
        for line in head.splitlines()
        if line.lower().startswith(b"content-length:")
    ]
    while len(body) < sum(lengths):
        body += connection.recv(65536)
    return head


@contextlib.contextmanager
def serving(handle):
    """The address of a server that has `handle` answer each of its connections in a thread."""

    def serve(connection):
        with connection, contextlib.suppress(OSError):
            handle(connection)

    with listening(serve) as port:
        yield f"http://127.0.0.1:{port}"


def connected(url, clock, **facts):
    stated = {"auth": LOGIN, "token_url": f"{url}/token", "read_timeout": 30.0, **facts}
    return Transport(
        Connection(target="shop", provider=vendor("sailpoint"), base_url=url, **stated),
        sleep=clock.sleep,
        monotonic=clock,
        jitter=lambda: 0.0,
    )


@pytest.mark.parametrize(
    ("method", "kind"), [("GET", BadAnswer), ("POST", Ambiguous), ("PUT", Ambiguous)]
)
@pytest.mark.parametrize(("first", "drip"), DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_in_for_ever_is_given_up_once_and_its_socket_closed(
    first, drip, method, kind
):
    clock = Clock()
    server = Dripper(first, drip, clock)

    with serving(server) as url, connected(url, clock) as target:
        with pytest.raises(kind) as caught:
            target.send(method, "/clients", body=None if method == "GET" else {})
        assert server.closed.wait(60)

    assert "no whole answer within 150 s" in str(caught.value) or "too long" in str(caught.value)
    assert [line.split()[0] for line in server.asked] == [b"POST", method.encode()]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("first", "drip"), DRIPS.values(), ids=DRIPS)
def test_a_token_that_drips_in_for_ever_is_given_up_and_nothing_else_is_sent(first, drip, method):
    clock = Clock()
    server = Dripper(first, drip, clock, tokens=True)

    with serving(server) as url, connected(url, clock) as target:
        with pytest.raises(RemoteError) as caught:
            target.send(method, "/clients", body=None if method == "GET" else {})
        assert server.closed.wait(60)

    assert "the token server" in str(caught.value)
    assert server.asked == [b"POST /token"]


def test_a_refusal_that_drips_in_for_ever_is_given_up_before_another_token_is_asked_for():
    clock = Clock()
    server = Dripper(b"HTTP/1.1 401 No\r\ncontent-length: 60000\r\n\r\n", b" ", clock)

    with serving(server) as url, connected(url, clock) as target:
        with pytest.raises(RemoteError, match=r"within 150 s|too large"):
            target.send("GET", "/clients")
        assert server.closed.wait(60)

    assert len(server.asked) == 2


def test_a_login_that_drips_in_for_ever_is_given_up():
    clock = Clock()
    server = Dripper(OK, b"a: b\r\n", clock, tokens=True)

    with (
        serving(server) as url,
        connected(url, clock) as target,
        pytest.raises(RemoteError, match="the token server"),
    ):
        target.log_in()


@pytest.mark.parametrize(("slow_token", "slow_answer", "ends"), [(100, 49, False), (100, 51, True)])
def test_one_time_is_for_the_token_and_the_answer_together(slow_token, slow_answer, ends):
    clock = Clock()

    def handle(connection):
        while request := read_request(connection):
            is_token = b"/token" in request
            clock.now += slow_token if is_token else slow_answer
            answer = TOKEN if is_token else EMPTY_LIST
            connection.sendall(answer if is_token or not ends else CHUNKED)
            while ends and not is_token:
                connection.sendall(b"1\r\n \r\n")

    with serving(handle) as url, connected(url, clock) as target:
        outcome = pytest.raises(BadAnswer, match="within 150 s")
        with outcome if ends else contextlib.nullcontext():
            target.send("GET", "/clients")


def test_the_wait_for_our_own_pace_is_not_held_against_the_server():
    clock = Clock()

    def handle(connection):
        while request := read_request(connection):
            connection.sendall(TOKEN if b"/token" in request else EMPTY_LIST)

    rate = Rate(requests=1, seconds=1000, share=1.0)
    with serving(handle) as url, connected(url, clock, rate=rate) as target:
        assert target.send("GET", "/clients").body == []

    assert clock.sleeps == [1000]


def test_a_token_that_another_thread_waits_for_is_not_waited_for_for_ever():
    clock, asked, end = SteppingClock(), threading.Event(), threading.Event()

    def handle(request):
        if request.url.path == "/token":
            asked.set()
            assert end.wait(60)
            return httpx.Response(200, json={"access_token": "t0ken-1", "token_type": "Bearer"})
        return httpx.Response(200, json=[])

    with transport(handle, clock) as target, ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: target.send("GET", "/clients"))
        assert asked.wait(60)
        # Between the beginning of the second exchange and the wait for the first nearly all is over.
        clock.step = 149.95
        with pytest.raises(Unreachable, match=r"gave no token within 150 s"):
            target.send("GET", "/clients")
        clock.step = 0
        end.set()
        assert first.result().body == []


def test_the_time_that_is_left_is_that_of_a_threads_own_exchange():
    clock = Clock()
    deadline = Deadline(150, clock)

    assert not deadline.is_over()
    deadline.start()
    assert deadline.limit(None, TimeoutError) == 150
    assert deadline.limit(30, TimeoutError) == 30
    clock.now += 130
    assert deadline.limit(30, TimeoutError) == 20
    deadline.without(lambda: clock.sleep(1000))
    assert deadline.left() == 20
    clock.now += 20
    assert deadline.is_over()
    with pytest.raises(TimeoutError):
        deadline.limit(None, TimeoutError)
    with ThreadPoolExecutor(1) as pool:
        assert not pool.submit(deadline.is_over).result()


INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"


@pytest.mark.parametrize("times", [0, 1, 2, 32])
def test_a_few_interim_answers_are_passed_over(times):
    def handle(connection):
        while read_request(connection):
            connection.sendall(INTERIM * times + EMPTY_LIST)

    with serving(handle) as url, connected(url, Clock(), auth=Secret("token")) as target:
        assert target.send("GET", "/clients").body == []
        assert target.send("GET", "/clients").body == []


ENDLESS = {
    "interim answers": (INTERIM * 33 + EMPTY_LIST, "more than 32 interim answers"),
    "interim answers without headers": (b"HTTP/1.1 100 C\n\n" * 33, "more than 32 interim answers"),
    "interim answers for ever": (b"HTTP/1.1 102 P\r\n\r\n" * 9999, "more than 32 interim answers"),
    "headers of interim answers": (
        (b"HTTP/1.1 103 E\r\nx: " + b"a" * 20_000 + b"\r\n\r\n") * 8,
        "its headers are too long",
    ),
    "one header": (OK + b"x: " + b"a" * 200_000, "its headers are too long"),
    "many headers": (OK + b"a: b\r\n" * 40_000, "its headers are too long"),
}


@pytest.mark.parametrize(("answer", "why"), ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("whose", ["the server", "the token server"])
def test_more_before_an_answer_than_any_server_sends_is_not_read(answer, why, whose):
    asked = []

    def handle(connection):
        while request := read_request(connection):
            asked.append(request)
            is_token = b"/token" in request
            connection.sendall(answer if is_token == (whose == "the token server") else TOKEN)

    with (
        serving(handle) as url,
        connected(url, Clock()) as target,
        pytest.raises(RemoteError, match=f"{whose} sent an answer that cannot be read: {why}"),
    ):
        target.send("GET", "/clients")


@pytest.mark.parametrize(
    "after",
    [
        b"2\r\n[]\r\n0\r\n" + b"x: y\r\n" * 40_000,
        b"2;" + b"x" * 200_000,
        b"0" * 200_000,
    ],
)
def test_trailers_and_extensions_that_are_too_long_are_not_read(after):
    def handle(connection):
        while read_request(connection):
            connection.sendall(CHUNKED + after)

    with (
        serving(handle) as url,
        connected(url, Clock(), auth=Secret("token")) as target,
        pytest.raises(RemoteError, match="no whole answer"),
    ):
        target.send("GET", "/clients")


def test_what_surrounds_a_body_is_counted_as_well():
    size = AnswerSize()
    size.add(CHUNKED)
    piece = b"1;" + b"x" * 2**20

    for _ in range(LARGEST_ANSWER // len(piece)):
        size.add(piece)
    with pytest.raises(TooLarge, match="it never ends"):
        size.add(piece)

    size.begin()
    size.add(EMPTY_LIST)


@pytest.mark.parametrize("width", [1, 2, 3, 5, 17])
def test_a_head_is_found_however_it_is_cut(width):
    answers = INTERIM * 32 + EMPTY_LIST
    size = AnswerSize()

    for start in range(0, len(answers), width):
        size.add(answers[start : start + width])
    size.add(b"\r\n\r\n" * 100_000)

    size.begin()
    last = len(INTERIM) * 33 - 1
    for start in range(0, last, width):
        size.add((INTERIM * 33)[start : min(start + width, last)])
    with pytest.raises(TooLarge, match="interim"):
        size.add(b"\n")


def test_a_name_with_many_addresses_takes_no_longer_than_one(monkeypatch):
    clock = Clock()
    tried = []

    def addresses(_host, port, **_facts):
        return [(0, 0, 0, "", (f"127.0.0.{number}", port)) for number in range(2, 200)]

    def connect(address, *_facts, **_more):
        tried.append(address)
        clock.now += 10
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", addresses)
    monkeypatch.setattr(socket, "create_connection", connect)
    with (
        connected("http://many.example.com", clock) as target,
        pytest.raises(Unreachable, match="cannot be reached"),
    ):
        target.send("GET", "/clients")

    assert len(tried) == 15


def test_the_first_address_that_takes_a_connection_is_taken(monkeypatch):
    with serving(lambda connection: connection.sendall(EMPTY_LIST)) as url:
        port = int(url.rpartition(":")[2])
        found = [(0, 0, 0, "", (address, port)) for address in ("127.0.0.77", "127.0.0.1")]
        resolve = socket.getaddrinfo

        def addresses(host, *facts, **more):
            return found if host == "two.example.com" else resolve(host, *facts, **more)

        monkeypatch.setattr(socket, "getaddrinfo", addresses)
        name = f"http://two.example.com:{port}"
        with connected(name, Clock(), auth=Secret("token")) as target:
            assert target.send("GET", "/clients").body == []


def test_a_server_that_does_not_read_is_given_up():
    clock = Clock()
    begun = threading.Event()

    def handle(connection):
        connection.recv(1)
        clock.now += 151
        begun.wait(60)

    with (
        serving(handle) as url,
        connected(url, clock, auth=Secret("token"), read_timeout=30.0) as target,
        pytest.raises(Ambiguous, match="within 150 s"),
    ):
        target.send("PUT", "/clients/1", body={"name": "x" * 50_000_000})
    begun.set()


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def bundle(authority, tmp_path):
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.mark.parametrize("drip", [b"\x00", b""])
def test_a_handshake_that_drips_in_through_a_proxy_with_tls_is_given_up(
    tls, bundle, monkeypatch, drip
):
    clock, heads = Clock(), []

    def handle(connection):
        with tls.wrap_socket(connection, server_side=True) as tunnel:
            heads.append(read_request(tunnel))
            tunnel.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            assert tunnel.recv(65536)
            # The beginning of a long record (RFC 8446 section 5.1), and then byte by byte, or no more.
            tunnel.sendall(b"\x16\x03\x03\x40\x00")
            while drip:
                clock.now += 1
                tunnel.sendall(drip)

    with serving(handle) as url:
        monkeypatch.setenv("HTTPS_PROXY", url.replace("http://127.0.0.1", "https://localhost"))
        facts = {"auth": Secret("token"), "ca_bundle": bundle}
        with (
            connected("https://shop.example.com", clock, **facts) as target,
            pytest.raises(Unreachable, match=r"shop\.example\.com cannot be reached through"),
        ):
            target.send("GET", "/clients")

    assert {head.split()[0] for head in heads} == {b"CONNECT"}
    assert len(heads) == (1 if drip else ATTEMPTS)


def test_httpx_knows_what_a_limit_raises():
    assert issubclass(TooLarge, httpx.RequestError)
    assert not issubclass(TooLarge, httpx.TransportError)
