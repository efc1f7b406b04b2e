import contextlib
import gzip
import json
import socket
import threading

import httpx
import pytest
from support.targets import Clock, Flood, Server, transport
from support.vendors import vendor

from reconciler.core.errors import (
    Ambiguous,
    BadAnswer,
    NotFound,
    Rejected,
    RemoteError,
    ServerFailed,
    Unauthorized,
    Unreachable,
)
from reconciler.core.model import Secret
from reconciler.http import transport as module
from reconciler.http.connection import Connection, Rate

OK = httpx.Response(200, json={"id": "1"})
REFUSED = httpx.ConnectError("connection refused")
CUT_OFF = httpx.RemoteProtocolError("peer closed the connection")
SLOW = httpx.ReadTimeout("slow")


def status(code, **facts):
    return httpx.Response(code, **facts)


def test_a_request_carries_token_body_and_content_type():
    server = Server(OK)

    with transport(server) as target:
        answer = target.send(
            "PATCH",
            "/clients/a%2Fb",
            body=[{"op": "replace", "path": "/name", "value": "Zoë"}],
            content_type="application/json-patch+json",
        )

    (request,) = server.requests
    assert answer.body == {"id": "1"}
    assert request.url.raw_path == b"/clients/a%2Fb"
    assert request.headers["authorization"] == "Bearer token-1"
    assert request.headers["content-type"] == "application/json-patch+json"
    assert json.loads(request.content) == [{"op": "replace", "path": "/name", "value": "Zoë"}]


def test_secrets_in_a_body_are_revealed_on_the_way_out_only():
    server = Server(OK)

    with transport(server) as target:
        target.send("PUT", "/clients/1", body={"client": {"secret": Secret("hunter2"), "n": [1]}})

    assert json.loads(server.requests[0].content) == {"client": {"secret": "hunter2", "n": [1]}}


def test_a_request_without_a_body_has_no_content_type():
    server = Server(OK)

    with transport(server) as target:
        target.send("GET", "/clients", query={"limit": 250, "offset": 0})

    assert "content-type" not in server.requests[0].headers
    assert server.requests[0].url.query == b"limit=250&offset=0"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("trouble", [REFUSED, CUT_OFF, SLOW, *map(status, (429, 502, 503, 504))])
def test_what_is_safe_to_repeat_is_repeated(method, trouble):
    server = Server(trouble, trouble, OK)

    with transport(server) as target:
        assert target.send(method, "/clients/1").status == 200

    assert len(server.requests) == 3


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("trouble", [REFUSED, httpx.ConnectTimeout("slow"), status(429)])
def test_a_post_is_repeated_when_it_was_certainly_not_carried_out(method, trouble):
    server = Server(trouble, OK)

    with transport(server) as target:
        assert target.send(method, "/clients", body={}).status == 200

    assert len(server.requests) == 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("trouble", [CUT_OFF, SLOW, *map(status, (500, 502, 503, 504))])
def test_a_post_that_may_have_been_carried_out_is_ambiguous_and_never_sent_again(method, trouble):
    server = Server(trouble, OK)

    with transport(server) as target, pytest.raises(Ambiguous, match="may have been carried out"):
        target.send(method, "/clients", body={}, subject="web")

    assert len(server.requests) == 1


def test_tries_are_bounded_and_spaced_by_a_growing_backoff():
    clock, server = Clock(), Server(REFUSED)

    with transport(server, clock) as target, pytest.raises(Unreachable, match="connection refused"):
        target.send("GET", "/clients")

    assert len(server.requests) == 5
    assert clock.sleeps == [0.5, 1, 2, 4]


@pytest.mark.parametrize("trouble", [CUT_OFF, SLOW])
def test_a_read_without_an_answer_is_unreachable_and_a_write_ambiguous(trouble):
    with transport(Server(trouble)) as target:
        with pytest.raises(Unreachable, match="no whole answer"):
            target.send("GET", "/clients/1")
        with pytest.raises(Ambiguous, match="no whole answer"):
            target.send("PUT", "/clients/1", body={})


def test_a_write_stays_ambiguous_when_the_server_is_gone_at_the_second_try():
    with transport(Server(CUT_OFF, REFUSED)) as target, pytest.raises(Ambiguous):
        target.send("PUT", "/clients/1", body={})


def test_a_delete_that_finds_nothing_after_a_lost_answer_has_done_its_work():
    with transport(Server(CUT_OFF, status(404))) as target:
        answer = target.send("DELETE", "/clients/1", expect={204})

    assert answer.status == 404


def test_a_delete_that_finds_nothing_at_once_is_told():
    with transport(Server(status(404))) as target, pytest.raises(NotFound):
        target.send("DELETE", "/clients/1", expect={204})


def test_retry_after_holds_every_thread_of_the_target():
    clock, server = Clock(), Server(status(429, headers={"Retry-After": "7"}), OK)

    with transport(server, clock) as target:
        target.send("GET", "/clients")

    assert clock.sleeps == [7]


def test_a_429_without_retry_after_backs_off():
    clock, server = Clock(), Server(status(429), status(429), OK)

    with transport(server, clock) as target:
        target.send("POST", "/clients", body={})

    assert clock.sleeps == [0.5, 1]


def test_a_429_that_outlasts_every_try_is_told():
    with transport(Server(status(429))) as target, pytest.raises(ServerFailed, match="429"):
        target.send("POST", "/clients", body={})


def test_a_retry_after_of_a_day_ends_the_run_instead_of_holding_it():
    clock, server = Clock(), Server(status(429, headers={"Retry-After": "86400"}))

    with transport(server, clock) as target:
        for _ in range(3):
            with pytest.raises(ServerFailed, match="86400 s"):
                target.send("GET", "/clients")

    assert len(server.requests) == 1
    assert clock.sleeps == []


def test_requests_keep_to_a_share_of_the_documented_rate():
    clock = Clock()

    with transport(Server(OK), clock, rate=Rate(requests=4, seconds=10, share=0.5)) as target:
        for _ in range(4):
            target.send("GET", "/clients")

    # The login is one of them.
    assert clock.sleeps == [10, 10]


def test_a_redirect_is_not_followed_and_names_only_the_host():
    away = status(302, headers={"Location": "https://sso.example.net/in?token=abc"})

    with transport(Server(away)) as target, pytest.raises(BadAnswer) as caught:
        target.send("GET", "/clients")

    assert "https://sso.example.net" in str(caught.value)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize("location", ["//u:p@sso.example.net/in", "//sso.example.net"])
def test_a_redirect_without_a_scheme_names_the_host_alone(location):
    away = status(302, headers={"Location": location})

    with (
        transport(Server(away)) as target,
        pytest.raises(BadAnswer, match=r"redirect to sso\.example\.net \("),
    ):
        target.send("GET", "/clients")


def test_a_text_of_the_server_is_quoted_on_one_line_without_what_we_log_in_with():
    with transport(Server(OK)) as target:
        assert target.quote("/a\x1b[2J/the-login-secret/b") == "/a [2J/(secret)/b"


def test_a_redirect_to_nowhere_is_still_a_bad_answer():
    with transport(Server(status(304))) as target, pytest.raises(BadAnswer, match="redirect"):
        target.send("GET", "/clients")


WRAPS = [lambda body: [body], lambda body: {"a": body}, lambda body: [1, {"a": [], "b": body}]]


def deep(depth, wrap):
    """JSON in which so many lists and objects stand within each other, or more."""
    body = []
    for _ in range(depth):
        body = wrap(body)
    return body


@pytest.mark.parametrize("code", [200, 400])
@pytest.mark.parametrize("wrap", WRAPS)
def test_an_answer_that_is_nested_deeper_than_any_is_no_bug_of_ours(wrap, code):
    for name in ("sailpoint", "provident", "boruta"):
        body = {"id": "1", "errors": deep(120, wrap), "messages": deep(120, wrap)}
        server = Server(status(code, json=body))
        with transport(server, provider=vendor(name)) as target, pytest.raises(RemoteError):
            target.send("GET", "/clients")


def test_an_answer_may_be_nested_as_deep_as_any_vendor_has_it():
    with transport(Server(status(200, json=deep(63, WRAPS[0])))) as target:
        assert target.send("GET", "/clients").body == deep(63, WRAPS[0])


AS_JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "answer",
    [
        status(200, html="<p>maintenance</p>"),
        status(200, content=b'{"id": "1"'),
        status(200, content=b'{"id": NaN}', headers={"content-type": "application/json"}),
        *(
            status(200, content=number.join((b'{"ttl": [', b"]}")), headers=AS_JSON)
            for number in (b"1e999", b"-1e999", b"1" * 400 + b".0", b"1" * 5000)
        ),
        status(200, content=b'{"id": "\\ud800"}', headers={"content-type": "application/json"}),
        status(200, content=b'{"id": "\xff"}', headers={"content-type": "application/json"}),
        status(200, content=b"[" * 200_000, headers={"content-type": "application/json"}),
        *(status(200, json=deep(64, wrap)) for wrap in WRAPS),
        *(status(200, json=deep(120, wrap)) for wrap in WRAPS),
        status(200, content=b'"\x1f"', headers={"content-type": "application/json"}),
        status(206, json={"id": "1"}),
        status(204),
    ],
)
def test_an_answer_that_is_not_whole_json_is_bad_for_a_read_and_ambiguous_for_a_write(answer):
    with transport(Server(answer)) as target:
        with pytest.raises(BadAnswer):
            target.send("GET", "/clients")
        with pytest.raises(Ambiguous):
            target.send("PUT", "/clients/1", body={})


EMPTY_BODIES = [b"", b" ", b"\r\n", b"\n\t \n"]


@pytest.mark.parametrize("code", [200, 201, 202, 204, 205])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_an_expected_status_without_a_body_says_that_a_write_was_carried_out(method, code):
    for content in EMPTY_BODIES:
        server = Server(status(code, content=content))

        with transport(server) as target:
            answer = target.send(method, "/clients/1", body={}, expect={200, code})

        assert (answer.status, answer.body) == (code, None)


@pytest.mark.parametrize("code", [200, 202, 204, 205])
@pytest.mark.parametrize("content", EMPTY_BODIES)
def test_a_read_without_a_body_is_named_for_what_it_is(code, content):
    with (
        transport(Server(status(code, content=content))) as target,
        pytest.raises(BadAnswer, match=f"{code} and no body, where one is documented"),
    ):
        target.send("GET", "/clients/1", expect={code})


@pytest.mark.parametrize(
    ("method", "code", "words"),
    [
        ("POST", 202, "202 and no body"),
        ("POST", 204, "204 and no body"),
        ("PUT", 202, "202 where 200 is documented"),
        ("PUT", 204, "204 where 200 is documented"),
        ("PATCH", 205, "205 where 200 is documented"),
    ],
)
def test_a_status_that_is_not_documented_is_told_as_such_and_proves_nothing(method, code, words):
    with transport(Server(status(code))) as target, pytest.raises(Ambiguous, match=words) as caught:
        target.send(method, "/clients/1", body={})

    assert "JSON" not in str(caught.value)


def test_a_whole_surrogate_pair_is_a_text_like_any_other():
    content = b'{"name": "\\ud83d\\ude00"}'
    answer = status(200, content=content, headers={"content-type": "application/scim+json"})

    with transport(Server(answer)) as target:
        assert target.send("GET", "/clients").body == {"name": "\U0001f600"}


def test_a_create_that_answers_another_success_than_documented_is_not_lost():
    with transport(Server(status(201, json={"id": "1"}))) as target:
        assert target.send("POST", "/clients", body={}, expect={200}).body == {"id": "1"}


def test_a_delete_is_done_when_its_documented_status_comes_with_no_body():
    with transport(Server(status(204))) as target:
        assert target.send("DELETE", "/clients/1", expect={204}).body is None


def test_a_404_that_is_a_web_page_says_nothing_of_a_client():
    with (
        transport(Server(status(404, html="<h1>nginx</h1>"))) as target,
        pytest.raises(BadAnswer, match="web page"),
    ):
        target.send("GET", "/clients/1")


@pytest.mark.parametrize(
    ("code", "kind"), [(403, Unauthorized), (404, NotFound), (422, Rejected), (500, ServerFailed)]
)
def test_a_refusal_is_the_error_for_its_status(code, kind):
    with transport(Server(status(code))) as target, pytest.raises(kind, match="shop/web: PUT"):
        target.send("PUT", "/clients/1", body={}, subject="web")


@pytest.mark.parametrize(
    ("headers", "tracking"),
    [
        ({"X-Request-Id": "general", "SLPT-Request-ID": "own"}, "own"),
        ({"X-Request-Id": "general"}, "general"),
        ({"X-Correlation-Id": "general"}, "general"),
        ({"Request-Id": "general", "SLPT-Request-ID": ""}, "general"),
        ({}, ""),
    ],
)
def test_a_request_is_known_by_the_header_of_the_descriptor_before_the_usual_ones(
    headers, tracking
):
    answers = [status(200, json={}, headers=headers), status(400, headers=headers)]

    with transport(Server(*answers), provider=vendor("sailpoint")) as target:
        answer = target.send("GET", "/clients/1")
        with pytest.raises(Rejected) as refused:
            target.send("PUT", "/clients/1", body={})

    assert answer.tracking == tracking
    assert refused.value.tracking == tracking


def test_the_header_of_another_vendor_means_nothing():
    ours = status(200, json={}, headers={"SLPT-Request-ID": "of another"})

    with transport(Server(ours), provider=vendor("boruta")) as target:
        answer = target.send("GET", "/clients/1")

    assert answer.tracking == ""


def test_an_error_page_of_any_size_is_not_looked_at():
    page = status(422, json={"message": "x" * 100_000})

    with (
        transport(Server(page), provider=vendor("boruta")) as target,
        pytest.raises(Rejected) as caught,
    ):
        target.send("PUT", "/clients/1", body={})

    assert "xxx" not in str(caught.value)


def test_secrets_of_the_request_and_of_the_login_are_masked_in_what_the_server_says():
    said = {"messages": [{"text": "no: hunter2-hunter2 the-login-secret"}]}

    with transport(Server(status(400, json=said))) as target, pytest.raises(Rejected) as caught:
        target.send("PUT", "/clients/1", body={"secret": Secret("hunter2-hunter2")})

    assert "no: (secret) (secret)" in str(caught.value)


def renewed(server):
    """A server that says 401 to the first token, so that another one is asked for."""

    def answer(request):
        if request.url.path == "/token":
            server.tokens += 1
            token = {"access_token": f"a-token-of-{server.tokens}-for-all", "token_type": "Bearer"}
            return status(200, json=token)
        return server(request)

    return answer


@pytest.mark.parametrize("said", ["a-token-of-1-for-all", "A-TOKEN-OF-2-FOR-ALL"])
def test_a_token_is_masked_also_after_another_took_its_place(said):
    server = Server(status(401), status(400, json={"messages": [{"text": f"no: {said}"}]}))

    with transport(renewed(server)) as target, pytest.raises(Rejected, match=r"no: \(secret\)"):
        target.send("PUT", "/clients/1", body={})


SAYS_THE_TOKEN = {
    "its id of a request": {"headers": {"X-Request-Id": "of t0ken/of+the"}, "json": {}},
    "its id of a request, encoded": {
        "headers": {"X-Request-Id": "of dDBrZW4vb2YrdGhl"},
        "json": {},
    },
    "its type": {"headers": {"Content-Type": "t0ken/of+the"}, "content": b"x"},
}


@pytest.mark.parametrize("code", [200, 400])
@pytest.mark.parametrize("facts", SAYS_THE_TOKEN.values(), ids=SAYS_THE_TOKEN)
def test_a_secret_is_masked_in_the_headers_of_an_answer(facts, code):
    server = Server(status(code, **facts))

    with transport(server, auth=Secret("t0ken/of+the")) as target:
        try:
            shown = target.send("GET", "/clients").tracking
        except RemoteError as error:
            shown = f"{error} {error.tracking}"

    assert "t0ken" not in shown
    assert "dDBrZW4" not in shown


def test_a_secret_is_masked_in_the_host_of_a_redirect():
    away = status(302, headers={"Location": "https://t0ken-of-the-user.example.net/"})

    with (
        transport(Server(away), auth=Secret("t0ken-of-the-user")) as target,
        pytest.raises(BadAnswer, match=r"redirect to https://\(secret\)\.example\.net"),
    ):
        target.send("GET", "/clients")


@pytest.mark.parametrize("trouble", [REFUSED, CUT_OFF, SLOW, status(500), status(302)])
def test_no_error_leads_back_to_the_request_and_its_headers(trouble):
    with transport(Server(trouble)) as target, pytest.raises(RemoteError) as caught:
        target.send("POST", "/clients", body={})

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_each_request_is_logged_in_one_line_without_headers_or_bodies():
    lines = []

    with transport(Server(CUT_OFF, OK), log=lines.append) as target:
        target.send("PUT", "/clients/1", query={"a": "b"}, body={"secret": Secret("hunter2")})

    assert lines == [
        "POST /token 200 0 ms",
        "PUT /clients/1?a=b RemoteProtocolError 0 ms",
        "PUT /clients/1?a=b 200 0 ms",
    ]


@pytest.mark.parametrize("path", ["/clients/..", "/clients/.", "/../clients", "/clients/./1"])
def test_a_path_that_would_be_folded_to_another_address_is_not_sent(path):
    server = Server(OK)

    with transport(server) as target, pytest.raises(Unreachable, match="cannot be used"):
        target.send("DELETE", path)

    assert server.requests == []


def test_an_id_with_dots_in_it_is_sent():
    with transport(Server(OK)) as target:
        assert target.send("GET", "/clients/..a/.b").status == 200


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(("method", "kind"), [("GET", BadAnswer), ("POST", Ambiguous)])
def test_an_answer_is_read_up_to_a_limit(method, kind):
    flood = Flood(b" " * 1_000_000)

    with (
        transport(Server(lambda _: status(200, stream=flood, headers=JSON))) as target,
        pytest.raises(kind, match="too large"),
    ):
        target.send(method, "/clients")

    assert flood.taken <= module.LARGEST_ANSWER + 1_000_000


def test_a_small_answer_that_unfolds_to_a_huge_one_is_not_unfolded(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_ANSWER", 1_000_000)
    bomb = gzip.compress(b" " * 5_000_000)
    headers = {**JSON, "content-encoding": "gzip"}

    with (
        transport(Server(lambda _: status(200, content=bomb, headers=headers))) as target,
        pytest.raises(BadAnswer, match="too large"),
    ):
        target.send("GET", "/clients")


def test_broken_compression_is_a_bad_answer():
    headers = {**JSON, "content-encoding": "gzip"}

    def broken(_request):
        return httpx.Response(200, stream=httpx.ByteStream(b"no gzip"), headers=headers)

    with transport(Server(broken)) as target, pytest.raises(BadAnswer):
        target.send("GET", "/clients")


def test_a_401_of_any_size_does_not_fill_the_memory():
    flood = Flood(b" " * 10_000)

    with (
        transport(Server(lambda _: status(401, stream=flood))) as target,
        pytest.raises(BadAnswer, match="too large"),
    ):
        target.send("GET", "/clients")

    assert flood.taken < 100_000


@contextlib.contextmanager
def raw_server(answer):
    """The address of a server that gives `answer` to its one connection, and hangs up."""

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join()


def over_a_socket(base):
    connection = Connection(
        target="shop", provider=vendor("boruta"), base_url=base, auth=Secret("a-token")
    )
    return module.Transport(connection, sleep=lambda _: None)


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n"


def test_a_loopback_server_is_reached_past_a_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    with raw_server(HEAD + b'{"id": "1"} ') as base, over_a_socket(base) as target:
        assert target.send("GET", "/clients").body == {"id": "1"}


@pytest.mark.parametrize("answer", [b"", HEAD[:30], HEAD, HEAD + b'{"id":'])
def test_a_connection_that_breaks_at_any_point_of_the_answer_makes_a_create_ambiguous(answer):
    with (
        raw_server(answer) as base,
        over_a_socket(base) as target,
        pytest.raises(Ambiguous, match="no whole answer"),
    ):
        target.send("POST", "/clients", body={})


def test_a_port_where_nobody_listens_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"

    with over_a_socket(base) as target, pytest.raises(Unreachable, match="cannot be reached"):
        target.send("POST", "/clients", body={})


def test_a_certificate_that_nobody_vouches_for_is_told_with_the_way_out():
    unknown = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")
    server = Server(unknown)

    with transport(server) as target, pytest.raises(Unreachable, match="caBundle"):
        target.send("GET", "/clients")

    assert len(server.requests) == 1


def test_threads_share_one_transport():
    server = Server(OK)
    with transport(server) as target:
        threads = [
            threading.Thread(target=target.send, args=("GET", f"/clients/{each}"))
            for each in range(target.workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(server.calls) == [f"GET /clients/{each}" for each in range(4)]
    assert server.tokens == 1
    assert target.target == "shop"
