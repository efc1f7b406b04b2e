"""What comes of a request for a new secret, whatever the server answers to it."""

import json

import httpx
import pytest
from support.targets import Server, transport
from support.vendors import vendor

from reconciler.apply import rotation
from reconciler.core.errors import Ambiguous, BadAnswer, Rejected, Unauthorized, Unreachable
from reconciler.core.model import LiveClient, Secret
from reconciler.provider.secrets import seal

OLD, NEW = "the-old-secret", "the-new-secret"


def client(name, secret=OLD):
    bodies = {
        "provident": {"id": "7", "clientId": "1", "clientSecret": secret},
        "boruta": {"id": "1", "secret": secret, "authorized_scopes": [{"id": "s", "name": "read"}]},
    }
    return bodies[name]


def shows(name, secret):
    body = client(name, secret)
    return httpx.Response(200, json=body if name == "provident" else {"data": body})


def rotate(name, *answers, **facts):
    """Rotate a client that has the old secret; the one that it has then, and what was sent."""
    server = Server(*answers)
    provider = vendor(name)
    live = LiveClient(remote_id="1", body=seal(provider, client(name)))
    with transport(server, provider=provider, **facts) as target:
        return rotation.rotate(provider, target, live, key="web"), server


@pytest.mark.parametrize(
    "answer",
    [
        {"clientSecret": NEW},
        {"data": {"clientSecret": NEW}},
        {"success": True, "client": {"clientId": "1", "clientSecret": NEW}},
    ],
)
def test_the_secret_is_taken_out_of_the_answer_wherever_it_stands(answer):
    secret, server = rotate("provident", httpx.Response(200, json=answer))

    assert secret == Secret(NEW)
    assert server.calls == ["POST /oauth2/clients/1/rotate-secret"]
    assert server.requests[0].content == b""


@pytest.mark.parametrize(
    "answer", [{}, {"secret": NEW}, {"message": "done"}, [], None, {"clientSecret": OLD}]
)
def test_an_answer_that_does_not_tell_it_has_the_client_read_again(answer):
    secret, server = rotate("provident", httpx.Response(200, json=answer), shows("provident", NEW))

    assert secret == Secret(NEW)
    assert server.calls[1:] == ["GET /oauth2/clients/1"]


def test_where_the_client_still_shows_the_old_one_that_is_an_error():
    with pytest.raises(BadAnswer, match="was answered with 200 and no new secret"):
        rotate("provident", httpx.Response(200, json={}), shows("provident", OLD))


def test_where_the_client_shows_none_that_is_an_error_too():
    with pytest.raises(BadAnswer, match="no new secret"):
        rotate("provident", httpx.Response(200, json={}), shows("provident", None))


@pytest.mark.parametrize("name", ["provident", "boruta"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(422), Rejected),
        (httpx.Response(403), Unauthorized),
        (httpx.ConnectError("no"), Unreachable),
    ],
)
def test_a_certain_refusal_is_told_and_nothing_is_read(name, answer, kind):
    with pytest.raises(kind) as caught:
        rotate(name, answer)

    assert isinstance(caught.value, rotation.CERTAIN)


def test_the_tools_secret_is_sent_with_the_scopes_and_is_the_one_that_holds():
    secret, server = rotate("boruta", shows("boruta", NEW))

    (request,) = server.requests
    sent = json.loads(request.content)["client"]
    assert request.method == "PUT"
    assert sent == {"secret": secret.value, "authorized_scopes": [{"id": "s"}]}
    assert len(secret.value) == 86


def test_no_two_secrets_of_the_tools_are_alike():
    secrets = {rotate("boruta", shows("boruta", NEW))[0].value for _ in range(5)}

    assert len(secrets) == 5


@pytest.mark.parametrize("name", ["provident", "boruta"])
def test_an_answer_that_was_lost_is_settled_by_the_secret_that_the_client_shows(name):
    def answer(request):
        if request.method == "GET":
            return shows(name, NEW)
        return httpx.Response(500)

    secret, _ = rotate(name, answer)

    assert secret == Secret(NEW)


@pytest.mark.parametrize("name", ["provident", "boruta"])
def test_where_nothing_tells_which_secret_holds_that_is_ambiguous(name):
    with pytest.raises(Ambiguous, match="Which secret the client has now could not be read"):
        rotate(name, httpx.Response(500))


def test_a_vendor_without_a_way_is_not_asked():
    provider = vendor("sailpoint")
    with (
        transport(Server(httpx.Response(500)), provider=provider) as target,
        pytest.raises(ValueError, match="no way to change a secret"),
    ):
        rotation.rotate(provider, target, LiveClient(remote_id="1", body={}), key="web")
