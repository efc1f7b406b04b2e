import threading
from urllib.parse import parse_qs

import httpx
import pytest
from support.targets import LOGIN, Clock, Flood, Server, transport

from reconciler.core import errors
from reconciler.core.errors import (
    BadAnswer,
    ServerFailed,
    Unauthorized,
    Unreachable,
)
from reconciler.core.model import Secret

OK = httpx.Response(200, json={})


class TokenServer:
    """Gives the next of `answers` to a token request, and OK or 401 to any other."""

    def __init__(self, *answers, accepts=None):
        self.answers = list(answers)
        self.accepts = accepts
        self.asked = []
        self.bearers = []

    def __call__(self, request):
        """Answer one request."""
        if request.url.path == "/token":
            self.asked.append(request)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, Exception):
                raise answer
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        bearer = request.headers["authorization"].removeprefix("Bearer ")
        self.bearers.append(bearer)
        return httpx.Response(200 if self.accepts in (None, bearer) else 401, json={})


def granted(token, **facts):
    return httpx.Response(200, json={"access_token": token, "token_type": "bearer", **facts})


def test_a_token_is_asked_for_with_the_credentials_in_a_form():
    server = TokenServer(granted("a"))

    with transport(server, token_scope="clients:manage:all") as target:
        target.send("GET", "/clients")

    (request,) = server.asked
    assert (request.method, request.headers["content-type"]) == (
        "POST",
        "application/x-www-form-urlencoded",
    )
    assert "authorization" not in request.headers
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["reconciler"],
        "client_secret": ["the-login-secret"],
        "scope": ["clients:manage:all"],
    }


def test_no_scope_is_asked_for_where_none_is_given():
    server = TokenServer(granted("a"))

    with transport(server) as target:
        target.send("GET", "/clients")

    assert b"scope" not in server.asked[0].content


def test_a_token_request_has_the_timeouts_of_every_other():
    server = TokenServer(granted("a"))

    with transport(server, connect_timeout=3, read_timeout=7) as target:
        target.send("GET", "/clients")

    assert server.asked[0].extensions["timeout"] == {
        "connect": 3,
        "read": 7,
        "write": 7,
        "pool": 7,
    }


@pytest.mark.parametrize(
    ("expires_in", "good_for"),
    [(749, 688), (100, 79), (10, 7), (10**400, 900_000)],
)
def test_a_token_is_renewed_ahead_of_its_end(expires_in, good_for):
    clock = Clock()
    server = TokenServer(granted("a", expires_in=expires_in), granted("b", expires_in=expires_in))

    with transport(server, clock) as target:
        target.send("GET", "/clients")
        clock.now += good_for
        target.send("GET", "/clients")
        clock.now += 110_000 if expires_in > 749 else 5
        target.send("GET", "/clients")

    assert server.bearers == ["a", "a", "b"]


@pytest.mark.parametrize(
    "facts", [{}, {"expires_in": None}, {"expires_in": "soon"}, {"expires_in": True}]
)
def test_a_token_without_a_stated_end_is_used_until_it_is_refused(facts):
    clock, server = Clock(), TokenServer(granted("a", **facts))

    with transport(server, clock) as target:
        target.send("GET", "/clients")
        clock.now += 10**9
        target.send("GET", "/clients")

    assert len(server.asked) == 1


def test_a_refused_token_is_renewed_once_and_the_request_sent_again():
    server = TokenServer(granted("a"), granted("b"), accepts="b")

    with transport(server) as target:
        assert target.send("POST", "/clients", body={}).status == 200

    assert server.bearers == ["a", "b"]


def test_a_second_401_is_final():
    server = TokenServer(granted("a"), granted("b"), granted("c"), accepts="none")

    with transport(server) as target, pytest.raises(Unauthorized, match="401"):
        target.send("POST", "/clients", body={})

    assert server.bearers == ["a", "b"]


def test_threads_ask_for_one_token_together():
    entered, go_on = threading.Event(), threading.Event()
    server = TokenServer(granted("a"))

    def slow(request):
        if request.url.path == "/token":
            entered.set()
            go_on.wait()
        return server(request)

    with transport(slow) as target:
        threads = [threading.Thread(target=target.send, args=("GET", "/c")) for _ in range(4)]
        for thread in threads:
            thread.start()
        entered.wait()
        go_on.set()
        for thread in threads:
            thread.join()

    assert len(server.asked) == 1
    assert server.bearers == ["a"] * 4


def test_threads_that_are_refused_together_renew_once():
    refused = threading.Barrier(3)
    server = TokenServer(granted("a"), granted("b"), accepts="b")

    def together(request):
        answer = server(request)
        if request.headers.get("authorization") == "Bearer a":
            refused.wait()
        return answer

    with transport(together) as target:
        threads = [threading.Thread(target=target.send, args=("GET", "/c")) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, {"error": "invalid_client"}, "invalid_client, the client id or the client secret"),
        (400, {"error": "invalid_scope"}, "invalid_scope, the scope is unknown"),
        (403, {"error": "the-login-secret"}, "403: check auth in the project file"),
        (400, {"error": ["x"]}, "400: check auth"),
        (401, None, "401: check auth"),
        (404, None, r"answered 404: there is no token to be had; check baseUrl and auth\.tokenUrl"),
    ],
)
def test_refused_credentials_are_unauthorized_and_say_where_and_why(status, body, sentence):
    server = TokenServer(httpx.Response(status, json=body))

    with transport(server) as target, pytest.raises(Unauthorized, match=sentence) as caught:
        target.send("POST", "/clients", body={})

    assert "shop: the token server https://id.example.com/token" in str(caught.value)
    assert "the-login-secret" not in str(caught.value)
    assert server.bearers == []
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "named"),
    [
        (401, {"error": "invalid_client"}, True),
        (400, {"error": "invalid_grant"}, True),
        (401, None, True),
        (403, {"message": "no"}, True),
        # Credentials that were refused over something else need no other ones.
        (400, {"error": "invalid_scope"}, False),
        (400, {"error": "unsupported_grant_type"}, False),
        (404, None, False),
        (500, {"error": "invalid_client"}, False),
    ],
)
def test_what_the_vendor_says_of_refused_credentials_is_said_of_them_alone(status, body, named):
    server = TokenServer(httpx.Response(status, json=body))

    with transport(server) as target, pytest.raises(errors.RemoteError) as caught:
        target.send("GET", "/clients")

    assert ("A personal access token that has expired" in str(caught.value)) is named


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<p>log in</p>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"access_token": ""}),
        httpx.Response(200, json={"access_token": "a\r\nx-injected: 1"}),
        httpx.Response(200, json={"access_token": 5}),
        httpx.Response(200, json={"access_token": "a", "token_type": "mac"}),
        httpx.Response(302, headers={"location": "https://other.example.com"}),
        httpx.Response(200, content=b"[" * 60_000),
    ],
)
def test_a_token_answer_of_the_wrong_shape_is_a_bad_answer(answer):
    with transport(TokenServer(answer)) as target, pytest.raises(BadAnswer, match="token server"):
        target.send("GET", "/clients")


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.Response(500),
        httpx.Response(503),
        httpx.Response(429, headers={"retry-after": "3"}),
    ],
)
def test_trouble_at_the_token_server_is_waited_out_even_for_a_post(trouble):
    server = TokenServer(trouble, trouble, granted("a"))

    with transport(server) as target:
        assert target.send("POST", "/clients", body={}).status == 200

    assert server.bearers == ["a"]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (httpx.ConnectError("refused"), Unreachable),
        (httpx.ReadTimeout("slow"), Unreachable),
        (httpx.Response(500), ServerFailed),
        (httpx.Response(429), ServerFailed),
    ],
)
def test_trouble_at_the_token_server_is_never_ambiguous(trouble, kind):
    with (
        transport(TokenServer(trouble)) as target,
        pytest.raises(kind, match="token server") as caught,
    ):
        target.send("POST", "/clients", body={})

    assert caught.value.__context__ is None


def test_a_static_token_is_sent_as_it_is_and_not_renewed():
    server = TokenServer(granted("other"), accepts="other")

    with transport(server, auth=Secret("mine")) as target, pytest.raises(Unauthorized):
        target.send("GET", "/clients")

    assert server.bearers == ["mine"]
    assert server.asked == []


@pytest.mark.parametrize("value", ["two\nlines", "", "with blank"])
def test_a_static_token_that_cannot_stand_in_a_header_is_refused_without_showing_it(value):
    with pytest.raises(Unauthorized, match=r"auth\.token is no bearer token") as caught:
        transport(Server(OK), auth=Secret(value))

    assert not value or value not in str(caught.value)


def test_credentials_and_connections_do_not_show_their_secrets():
    assert "the-login-secret" not in repr(LOGIN)


def test_a_huge_token_answer_is_not_taken_in():
    def flooding(_request):
        return httpx.Response(200, stream=Flood(b" " * 10_000))

    with (
        transport(flooding) as target,
        pytest.raises(Unreachable, match=r"token server .*too large"),
    ):
        target.send("GET", "/clients")
