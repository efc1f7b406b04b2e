"""Real connections through proxies on loopback: what works, and whose fault it is where nothing does."""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme
from support.proxy import proxy
from support.targets import LOGIN
from support.vendors import vendor

from reconciler.core.errors import Ambiguous, RemoteError, ServerFailed, Unreachable
from reconciler.core.model import Secret
from reconciler.http.connection import Connection
from reconciler.http.transport import Transport

VARIABLES = [
    name
    for stem in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    for name in (stem, stem.upper())
]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in (*VARIABLES, "REQUEST_METHOD", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)


class Empty(BaseHTTPRequestHandler):
    """A server that has no clients, and gives everybody a token."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(b"[]")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer(b'{"access_token": "t", "token_type": "bearer"}')

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Say nothing."""


@contextlib.contextmanager
def serving(context=None):
    with ThreadingHTTPServer(("127.0.0.2", 0), Empty) as listening:
        listening.daemon_threads = True
        if context is not None:
            listening.socket = context.wrap_socket(listening.socket, server_side=True)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield listening.server_port
        listening.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.2", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def https(tls):
    with serving(tls) as port:
        yield f"https://127.0.0.2:{port}"


@pytest.fixture(scope="module")
def http():
    with serving() as port:
        yield f"http://127.0.0.2:{port}"


@pytest.fixture
def bundle(authority, tmp_path):
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def opened(base, **facts):
    lines = []
    stated = {"auth": Secret("token"), "provider": vendor("sailpoint"), "read_timeout": 5.0}
    connection = Connection(target="shop", base_url=base, log=lines.append, **{**stated, **facts})
    made = Transport(connection, sleep=lambda _seconds: None)
    made.lines = lines
    return made


def failure(base, method="GET", kind=Unreachable, **facts):
    with opened(base, **facts) as target, pytest.raises(kind) as caught:
        target.send(method, "/clients", body={} if method == "POST" else None)
    return str(caught.value)


@pytest.mark.parametrize(
    "spelling", ["http://{}", "{}", "//{}", "HTTP://{}/", "http://a:p@s#s/@{}"]
)
def test_a_server_with_tls_is_reached_through_a_tunnel(https, bundle, monkeypatch, spelling):
    with proxy() as through:
        monkeypatch.setenv("HTTPS_PROXY", spelling.format(f"127.0.0.1:{through.port}"))
        with opened(https, ca_bundle=bundle) as target:
            assert target.send("GET", "/clients").body == []

    assert through.heads[0].startswith(f"CONNECT {https.removeprefix('https://')} ".encode())


def test_a_plain_server_is_reached_through_a_proxy_that_passes_requests_on(http, monkeypatch):
    with proxy() as through:
        monkeypatch.setenv("http_proxy", f"http://ann:p%40ss@127.0.0.1:{through.port}")
        with opened(http) as target:
            assert target.send("GET", "/clients").body == []

    assert through.heads[0].startswith(f"GET {http}/clients ".encode())
    # ann:p@ss, by RFC 7617.
    assert b"Proxy-Authorization: Basic YW5uOnBAc3M=\r\n" in through.heads[0]


def test_a_proxy_that_speaks_tls_is_verified_by_the_same_authorities(
    https, bundle, tls, monkeypatch
):
    with proxy(tls=tls) as through:
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{through.port}")
        with opened(https, ca_bundle=bundle) as target:
            assert target.send("GET", "/clients").body == []
        message = failure(https)

    assert len(through.heads) == 1
    assert f"the proxy https://127.0.0.1:{through.port} (HTTPS_PROXY) cannot be reached" in message
    assert "CERTIFICATE_VERIFY_FAILED" in message


@pytest.mark.parametrize(
    "no_proxy", ["127.0.0.2", "127.0.0.0/8,fd07:b51a:cc66:f0::/64", "fe80::/10, 127.0.0.2 ,", "*"]
)
def test_an_exempt_server_is_reached_directly_whatever_the_proxy_is(
    https, bundle, monkeypatch, no_proxy
):
    monkeypatch.setenv("ALL_PROXY", "socks9://[no such proxy")
    monkeypatch.setenv("NO_PROXY", no_proxy)

    with opened(https, ca_bundle=bundle) as target:
        assert target.send("GET", "/clients").body == []


def test_the_token_server_has_a_proxy_of_its_own(http, monkeypatch):
    with serving() as port, proxy() as through:
        monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{through.port}")
        monkeypatch.setenv("NO_PROXY", http.removeprefix("http://"))
        token_url = f"http://127.0.0.2:{port}/token"
        with opened(http, auth=LOGIN, token_url=token_url) as target:
            assert target.send("GET", "/clients").body == []

    assert [head.split()[:2] for head in through.heads] == [[b"POST", token_url.encode()]]


REFUSALS = {
    407: "holds none (407)",
    403: "403 Forbidden",
    502: "502 Bad Gateway",
    503: "503 Service Unavailable",
    504: "504 Gateway Timeout",
}
REASONS = {407: "Auth", 403: "Forbidden", 502: "Bad Gateway", 503: "Service Unavailable"}


def answer(status, reason="Gateway Timeout"):
    reason = REASONS.get(status, reason)
    return f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize(("status", "words"), REFUSALS.items())
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_tunnel_is_the_proxys(https, bundle, monkeypatch, status, words, method):
    with proxy(answer(status)) as through:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{through.port}")
        message = failure(https, method, ca_bundle=bundle)

    assert f"the proxy http://127.0.0.1:{through.port} (HTTPS_PROXY)" in message
    assert words in message
    assert ("NO_PROXY" in message) is (status != 407)
    # What waiting may mend is tried again, as often as anything else.
    assert len(through.heads) == (5 if status >= 500 else 1)


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_refused_login_at_the_proxy_is_told_without_it(http, https, monkeypatch, scheme):
    reply = answer(407, "ann-user hunter2 YW5uLXVzZXI6aHVudGVyMg==")
    with proxy(reply) as through:
        monkeypatch.setenv("ALL_PROXY", f"http://ann-user:hunter2@127.0.0.1:{through.port}")
        message = failure(https if scheme == "https" else http)

    assert "refused the user and password that are in the variable (407)" in message
    assert f"http://127.0.0.1:{through.port} (ALL_PROXY)" in message
    assert "hunter2" not in message
    assert "ann-user" not in message


def test_what_a_proxy_repeats_of_its_login_is_masked(https, monkeypatch):
    reason = "denied ann-user hunter2-2 YW5uLXVzZXI6aHVudGVyMi0y"
    with proxy(f"HTTP/1.1 403 {reason}\r\n\r\n".encode()) as through:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann-user:hunter2-2@127.0.0.1:{through.port}")
        message = failure(https)

    assert "403 denied (secret) (secret) (secret)" in message


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_error_of_a_proxy_that_passes_on_names_it(http, monkeypatch, status):
    with proxy(answer(status)) as through:
        monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{through.port}")
        read = failure(http, kind=ServerFailed)
        login = failure(http, kind=ServerFailed, auth=LOGIN, token_url=f"{http}/token")
        write = failure(http, "POST", kind=Ambiguous)

    for message in (read, login, write):
        assert f"through the proxy http://127.0.0.1:{through.port} (HTTP_PROXY)" in message


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("through", ["http://127.0.0.1:{}", "https://127.0.0.1:{}"])
def test_a_proxy_where_nobody_listens_is_named(http, https, monkeypatch, scheme, through):
    address = through.format(free_port())
    monkeypatch.setenv("ALL_PROXY", address)

    message = failure(https if scheme == "https" else http, "POST")

    assert f"the proxy {address} (ALL_PROXY) cannot be reached" in message
    assert "the server" not in message


def test_a_proxy_whose_name_is_unknown_is_named(https, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:hunter2@no-such-proxy.invalid:3128")

    message = failure(https)

    assert "the proxy http://no-such-proxy.invalid:3128 (HTTPS_PROXY) cannot be reached" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("reply", [None, b"SSH-2.0-x\r\n", b"\x15\x03\x01\x00\x02\x02\x46"])
def test_what_is_no_proxy_is_told_and_the_request_never_left(https, monkeypatch, reply):
    with proxy(reply) as through:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{through.port}")
        message = failure(https, "POST")

    assert f"the proxy http://127.0.0.1:{through.port} (HTTPS_PROXY) does not speak http" in message


def test_a_proxy_that_says_nothing_is_not_waited_for_without_end(https, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{silent.getsockname()[1]}")
        message = failure(https, "POST", read_timeout=0.05)

    assert "(HTTPS_PROXY) gave no answer in time" in message


def test_a_certificate_that_a_proxy_may_have_made_is_told_as_such(https, monkeypatch):
    with proxy() as through:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{through.port}")
        message = failure(https)

    assert (
        f"the server 127.0.0.2 cannot be reached through the proxy http://127.0.0.1:{through.port}"
        in message
    )
    assert "Trusted are the public authorities" in message
    assert "A proxy that opens encrypted connections signs with an authority of its own" in message


def test_a_server_that_is_not_there_is_not_the_fault_of_the_proxy_that_says_so(monkeypatch):
    with proxy() as through:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{through.port}")
        message = failure(f"https://127.0.0.2:{free_port()}")

    # This proxy hangs up where it cannot connect.
    assert "(HTTPS_PROXY)" in message


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS5"])
def test_without_the_extra_a_socks_proxy_is_refused_with_its_name(https, monkeypatch, scheme):
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://ann:hunter2@127.0.0.1:1080")

    with pytest.raises(RemoteError) as caught:
        opened(https)

    message = str(caught.value)
    assert "shop: the environment variable ALL_PROXY names a SOCKS proxy" in message
    assert "oauth-client-reconciler[socks]" in message
    assert "hunter2" not in message


def test_a_variable_that_cannot_be_used_is_an_error_of_its_target(https, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://ann:hunter2@proxy:port")

    with pytest.raises(RemoteError, match="shop: the environment variable https_proxy ") as caught:
        opened(https)

    assert "hunter2" not in str(caught.value)


def test_the_log_says_what_is_reached_through_which_proxy_and_no_login(https, bundle, monkeypatch):
    with proxy() as through:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann-user:hunter2@127.0.0.1:{through.port}")
        with opened(https, ca_bundle=bundle) as target:
            target.send("GET", "/clients")

    assert target.lines[0] == (
        f"127.0.0.2 is reached through the proxy http://127.0.0.1:{through.port} (HTTPS_PROXY)"
    )
    assert not any("hunter2" in line or "ann-user" in line for line in target.lines)
