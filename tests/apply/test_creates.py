"""A create is remembered before it leaves, and closed by what certainly came of it."""

import json

import httpx
import pytest
from support.given import manifest
from support.shop import BOX, FRONT, WEB, Shop, created, web
from support.targets import Server

from reconciler.core.changes import Status
from reconciler.core.errors import InventoryError
from reconciler.core.model import Secret


def box(remote_id, **facts):
    return {"id": remote_id, "secret": "hunter2-hunter2", "authorized_scopes": [], **BOX, **facts}


def taken_by(**facts):
    """A Boruta that refuses the id as taken, and shows who has it."""

    def answer(request):
        if request.method == "POST":
            return httpx.Response(422, json={"errors": {"id": ["has already been taken"]}})
        remote_id = request.url.path.rpartition("/")[2]
        return httpx.Response(200, json={"data": box(remote_id, **facts)})

    return Server(answer)


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def test_the_intent_is_on_disk_before_the_request_leaves_and_gone_after_it(shop):
    seen = []

    def answer(_request):
        seen.append(dict(shop.pending))
        return created()

    shop.apply(Server(answer), manifest(spec={**WEB, "businessName": "Shop"}))

    (intent,) = seen[0].values()
    assert (intent.key, intent.remote_id, intent.predecessor) == ("web", None, None)
    assert intent.at == "2026-11-23T10:00:00Z"
    assert intent.facts.items() <= WEB.items()
    assert intent.facts["name"] == "Web"
    assert intent.digest.startswith("hmac:")
    assert shop.pending == {}


def test_the_namesakes_that_were_there_before_are_part_of_the_intent(tmp_path):
    others = [web("3"), web("2"), web("4", name="Other")]
    shop = Shop(tmp_path, "sailpoint", *others)

    shop.apply(
        Server(httpx.ReadTimeout("slow")),
        manifest(spec=WEB, allow_namesake=True),
        manifest("api", spec={**WEB, "name": "Api"}),
    )

    assert shop.pending["web"].seen == ("2", "3")
    assert shop.pending["api"].seen == ()


def test_without_a_list_or_a_name_no_namesakes_are_known(tmp_path):
    front, named = Shop(tmp_path, "provident"), Shop(tmp_path / "second", "sailpoint")
    front.listed = False

    front.apply(Server(httpx.ReadTimeout("slow")), manifest(spec=FRONT))
    named.apply(
        Server(httpx.ReadTimeout("slow")), manifest(spec={**WEB, "name": Secret("hush-hush")})
    )

    assert front.pending["web"].seen is None
    assert named.pending["web"].seen is None


def test_a_chosen_id_is_part_of_the_intent(tmp_path):
    shop = Shop(tmp_path, "boruta")

    (outcome,) = shop.apply(Server(httpx.ReadTimeout("slow")), manifest(spec=BOX))

    assert outcome.status is Status.UNKNOWN
    assert shop.pending["web"].remote_id == outcome.remote_id


def test_no_secret_is_among_the_facts_of_an_intent(shop):
    shop.apply(
        Server(httpx.ReadTimeout("slow")), manifest(spec={**WEB, "name": Secret("hush-hush")})
    )

    assert "name" not in shop.pending["web"].facts


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400),
        httpx.Response(401),
        httpx.Response(404, json={}),
        httpx.Response(422),
        httpx.Response(301, headers={"location": "https://elsewhere.example.com"}),
        httpx.ConnectError("refused"),
    ],
)
def test_a_create_that_was_certainly_not_carried_out_is_settled(shop, answer):
    (outcome,) = shop.apply(Server(answer), manifest(spec=WEB))

    assert outcome.status is Status.FAILED
    assert shop.pending == {}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(503),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={}),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("dropped"),
    ],
)
def test_a_create_that_may_have_been_carried_out_is_left_for_the_next_plan(shop, answer):
    (outcome,) = shop.apply(Server(answer), manifest(spec=WEB))

    assert outcome.status is Status.UNKNOWN
    assert list(shop.pending) == ["web"]


class Unwritable:
    """An inventory that cannot note what is named in `broken`."""

    def __init__(self, session, *broken):
        self._session, self._broken = session, broken

    def __getattr__(self, name):
        if name in self._broken:
            return self._refuse
        return getattr(self._session, name)

    def _refuse(self, *_arguments):
        raise InventoryError("the disk is full")


def test_without_an_intent_on_disk_nothing_is_sent(shop):
    server = Server(created())

    (outcome,) = shop.apply(
        server, manifest(spec=WEB), recorder=lambda session: Unwritable(session, "intend")
    )

    assert (outcome.status, outcome.message) == (Status.FAILED, "the disk is full")
    assert server.calls == []


def test_a_lost_lock_stops_before_the_next_write(shop):
    server = Server(created())

    first, second = shop.apply(
        server,
        manifest(spec=WEB),
        manifest("zoo", spec=WEB),
        recorder=lambda session: Unwritable(session, "check_lock"),
    )

    assert server.calls == []
    assert "the disk is full" in first.message + second.message


def test_a_refusal_that_cannot_be_noted_is_told_and_stops_the_run(shop):
    outcomes = shop.apply(
        Server(httpx.Response(400)),
        *(manifest(f"web-{number}", spec=WEB) for number in range(9)),
        recorder=lambda session: Unwritable(session, "close_create"),
    )

    assert "was answered with 400" in outcomes[0].message
    assert outcomes[-1].status is Status.SKIPPED
    assert "the inventory could not be written" in outcomes[-1].message


def test_an_id_that_is_taken_by_the_client_as_wanted_is_bound_and_its_secret_stored(tmp_path):
    shop = Shop(tmp_path, "boruta")

    (outcome,) = shop.apply(taken_by(), manifest(spec=BOX))

    assert outcome.status is Status.DONE
    assert shop.inventory["web"].remote_id == outcome.remote_id
    assert shop.inventory["web"].secret == "stored"
    assert shop.secret("web")["client_secret"] == "hunter2-hunter2"
    assert shop.pending == {}


def test_an_id_that_is_taken_by_another_client_is_told_with_what_differs(tmp_path):
    shop = Shop(tmp_path, "boruta")

    (outcome,) = shop.apply(taken_by(name="Other"), manifest(spec=BOX))

    assert outcome.status is Status.FAILED
    assert "was made since this was planned, and differs in name" in outcome.message
    assert (shop.inventory, shop.pending) == ({}, {})


def test_a_422_that_is_about_something_else_is_told_as_it_is(tmp_path):
    shop = Shop(tmp_path, "boruta")
    server = Server(
        lambda request: httpx.Response(
            422 if request.method == "POST" else 404,
            json={"errors": {"redirect_uris": ["`/x` is invalid"]}},
        )
    )

    (outcome,) = shop.apply(server, manifest(spec=BOX))

    assert outcome.status is Status.FAILED
    assert "`/x` is invalid" in outcome.message
    assert shop.pending == {}


def test_a_taken_id_that_cannot_be_read_leaves_the_create_open(tmp_path):
    shop = Shop(tmp_path, "boruta")
    server = Server(lambda request: httpx.Response(422 if request.method == "POST" else 500))

    (outcome,) = shop.apply(server, manifest(spec=BOX))

    assert outcome.status is Status.UNKNOWN
    assert "could not be read" in outcome.message
    assert list(shop.pending) == ["web"]


def test_where_no_id_can_be_chosen_a_conflict_is_no_client(shop):
    server = Server(httpx.Response(409))

    (outcome,) = shop.apply(server, manifest(spec=WEB))

    assert (outcome.status, server.calls) == (Status.FAILED, ["POST /oauth-clients/v1"])


def test_where_the_secret_went_is_remembered(shop, tmp_path):
    shop.apply(Server(created()), manifest(spec=WEB))
    stored = shop.inventory["web"].secret
    shop = Shop(tmp_path / "second")
    shop.folder.mkdir()
    (shop.folder / "secrets").write_text("in the way")
    shop.apply(Server(created()), manifest(spec=WEB))
    spooled = shop.inventory["web"].secret

    assert (stored, spooled) == ("stored", "spooled")


def test_a_client_that_was_told_no_secret_has_none_to_remember(shop):
    shop.apply(Server(created(secret=None)), manifest(spec=WEB))

    assert shop.inventory["web"].secret == ""


def test_fail_fast_starts_nothing_after_the_first_failure(shop):
    shop.fail_fast = True
    server = Server(httpx.Response(400))

    outcomes = shop.apply(server, *(manifest(f"web-{n:02}", spec=WEB) for n in range(20)))

    skipped = [outcome for outcome in outcomes if outcome.status is Status.SKIPPED]
    assert len(server.calls) < 20
    assert len(skipped) + len(server.calls) == 20
    assert {outcome.message for outcome in skipped} == {
        "not started: an earlier change failed, and --fail-fast stops there"
    }


def test_without_fail_fast_every_change_is_tried(shop):
    server = Server(httpx.Response(400))

    shop.apply(server, *(manifest(f"web-{n:02}", spec=WEB) for n in range(20)))

    assert len(server.calls) == 20


def test_an_outcome_says_what_the_server_called_the_requests(shop):
    def answer(_request):
        response = created()
        response.headers["x-request-id"] = "req-1"
        return response

    (outcome,) = shop.apply(Server(answer), manifest(spec=WEB))

    assert outcome.tracking == ("req-1",)
    assert outcome.before == ""
    assert outcome.after.startswith("hmac:")


def test_the_tracking_id_of_a_refusal_is_part_of_its_outcome(shop):
    (outcome,) = shop.apply(
        Server(httpx.Response(400, json={"trackingId": "t-1"})), manifest(spec=WEB)
    )

    assert outcome.tracking == ("t-1",)


def test_a_front_without_a_list_is_created_with_an_intent_too(tmp_path):
    shop = Shop(tmp_path, "provident")

    shop.apply(Server(httpx.ReadTimeout("slow")), manifest(spec=FRONT))

    assert list(shop.pending) == ["web"]


class Overrun:
    """A Boruta that fails the first POSTs with `failures`, each carried out where `kept` says so."""

    def __init__(self, *failures, kept=()):
        self.failures, self.kept, self.made, self.calls = list(failures), kept, {}, []

    def __call__(self, request):
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer"})
        self.calls.append(request.method)
        if request.method == "GET":
            found = self.made.get(request.url.path.rpartition("/")[2])
            if found is None:
                return httpx.Response(404, json={"code": "NOT_FOUND"})
            return httpx.Response(200, json={"data": found})
        client = json.loads(request.content)["client"]
        if client["id"] in self.made:
            return httpx.Response(422, json={"errors": {"id": ["has already been taken"]}})
        number = self.calls.count("POST") - 1
        failure = self.failures[number] if number < len(self.failures) else None
        if failure is None or number in self.kept:
            self.made[client["id"]] = box(client["id"], name=client["name"])
        if isinstance(failure, Exception):
            raise failure
        return failure or httpx.Response(201, json={"data": self.made[client["id"]]})


LOST = {
    "500": httpx.Response(500, json={"code": "INTERNAL_SERVER_ERROR"}),
    "502": httpx.Response(502, text="<html>"),
    "503 with a wait": httpx.Response(503, headers={"retry-after": "7"}),
    "timeout": httpx.ReadTimeout("slow"),
    "cut": httpx.ReadError("dropped"),
    "a page": httpx.Response(201, text="<html>"),
    "nothing": httpx.Response(201, json={}),
}


@pytest.mark.parametrize("failure", LOST.values(), ids=LOST)
def test_with_a_chosen_id_a_lost_create_that_made_nothing_is_sent_again_in_the_same_run(
    tmp_path, failure
):
    shop, server = Shop(tmp_path, "boruta"), Overrun(failure)

    (outcome,) = shop.apply(server, manifest(spec=BOX))

    assert outcome.status is Status.DONE, outcome.message
    assert server.calls == ["POST", "GET", "POST"]
    assert list(server.made) == [outcome.remote_id]
    assert shop.pending == {}
    assert outcome.secret_location


@pytest.mark.parametrize("failure", LOST.values(), ids=LOST)
def test_with_a_chosen_id_a_lost_create_that_made_the_client_is_bound_with_its_secret(
    tmp_path, failure
):
    shop, server = Shop(tmp_path, "boruta"), Overrun(failure, kept=(0,))

    (outcome,) = shop.apply(server, manifest(spec=BOX))

    assert outcome.status is Status.DONE, outcome.message
    assert server.calls == ["POST", "GET"]
    assert shop.pending == {}
    assert outcome.secret_location


def test_a_create_that_is_seen_only_after_its_read_is_bound_and_not_refused_as_taken(tmp_path):
    server = Overrun(httpx.ReadTimeout("slow"))

    def late(request):
        reply = server(request)
        remote_id = request.url.path.rpartition("/")[2]
        if request.method == "GET" and remote_id not in server.made:
            server.made[remote_id] = box(remote_id, name=BOX["name"].upper())
        return reply

    shop = Shop(tmp_path, "boruta")
    (outcome,) = shop.apply(late, manifest(spec=BOX))

    assert outcome.status is Status.DONE, outcome.message
    assert server.calls == ["POST", "GET", "POST", "GET"]


def test_tries_are_bounded_and_a_server_that_gave_up_each_time_made_nothing(tmp_path):
    shop, server = Shop(tmp_path, "boruta"), Overrun(*[LOST["500"]] * 9)

    (outcome,) = shop.apply(server, manifest(spec=BOX))

    assert outcome.status is Status.FAILED
    assert "sent 5 times" in outcome.message
    assert server.calls == ["POST", "GET"] * 5
    assert shop.pending == {}


def test_what_a_gateway_gave_up_on_each_time_stays_unknown(tmp_path):
    shop, server = Shop(tmp_path, "boruta"), Overrun(*[LOST["502"]] * 9)

    (outcome,) = shop.apply(server, manifest(spec=BOX))

    assert outcome.status is Status.UNKNOWN
    assert server.calls == ["POST", "GET"] * 5
    assert list(shop.pending) == ["web"]


def test_a_wait_that_is_longer_than_a_run_ends_it(tmp_path):
    failure = httpx.Response(503, headers={"retry-after": "7200"})
    shop, server = Shop(tmp_path, "boruta"), Overrun(failure)

    (outcome,) = shop.apply(server, manifest(spec=BOX))

    assert outcome.status is Status.FAILED
    assert "Retry-After" in outcome.message
    assert server.calls == ["POST", "GET"]


def test_a_run_that_is_stopped_sends_nothing_again(tmp_path):
    shop, server = Shop(tmp_path, "boruta"), Overrun(LOST["500"])

    def interrupted(request):
        if request.method == "POST" and request.url.path != "/token":
            shop.stop.set()
        return server(request)

    (outcome,) = shop.apply(interrupted, manifest(spec=BOX))

    assert server.calls == ["POST", "GET"]
    assert outcome.status is Status.FAILED


def test_without_a_chosen_id_nothing_is_sent_twice(shop):
    server = Server(httpx.Response(500))

    (outcome,) = shop.apply(server, manifest(spec=WEB))

    assert outcome.status is Status.UNKNOWN
    assert len(server.calls) == 1
