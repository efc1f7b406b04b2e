import itertools
import json
import threading
from dataclasses import replace

import httpx
import pytest
from support.given import manifest
from support.shop import BOX, FRONT, WEB, Shop, by_method, created, web
from support.targets import Server

from reconciler.core.changes import Action, Refusal, Status
from reconciler.core.errors import InventoryError
from reconciler.core.model import Secret
from reconciler.inventory.file import FileStore


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def test_a_create_stores_its_secret_and_records_its_id(shop):
    server = Server(created())

    (outcome,) = shop.apply(server, manifest(spec=WEB))

    assert (outcome.action, outcome.status) == (Action.CREATE, Status.DONE)
    assert (outcome.remote_id, outcome.requests_sent) == ("1", 1)
    assert outcome.secret_location.endswith("secrets/shop/web.json")
    assert shop.secret("web") == {"client_id": "1", "client_secret": "hunter2-hunter2"}
    assert shop.inventory["web"].remote_id == "1"
    assert shop.inventory["web"].applied_at == "2026-11-23T10:00:00Z"
    assert shop.told == [outcome]


def test_the_secret_is_safe_before_the_id_is_recorded_and_that_before_the_next_request(shop):
    seen = []
    shop = Shop(shop.folder, "provident")
    body = {"id": "7", "clientId": "1", "clientSecret": "hunter2", "isActive": True, **FRONT}

    def put(_request):
        seen.append((shop.secret("web"), shop.inventory["web"].remote_id))
        return httpx.Response(200, json={**body, "isActive": False})

    server = by_method(POST=httpx.Response(201, json=body), PUT=put)
    (outcome,) = shop.apply(server, manifest(spec={**FRONT, "isActive": False}))

    assert seen == [({"client_id": "1", "client_secret": "hunter2"}, "1")]
    assert (outcome.status, outcome.requests_sent) == (Status.DONE, 2)
    assert server.calls == ["POST /oauth2/clients", "PUT /oauth2/clients/1"]
    assert shop.inventory["web"].applied["isActive"] is False


def test_a_follow_up_that_fails_leaves_the_client_recorded_without_the_late_field(shop):
    shop = Shop(shop.folder, "provident")
    body = {"id": "7", "clientId": "1", "clientSecret": "hunter2", "isActive": True, **FRONT}
    server = by_method(POST=httpx.Response(201, json=body), PUT=httpx.Response(422))

    (outcome,) = shop.apply(server, manifest(spec={**FRONT, "isActive": False}))

    assert (outcome.status, outcome.remote_id, outcome.requests_sent) == (Status.FAILED, "1", 2)
    assert outcome.secret_location
    assert "isActive" not in shop.inventory["web"].applied


def test_a_secret_that_the_user_chose_is_not_stored_again(shop):
    shop = Shop(shop.folder, "boruta")
    answer = {"data": {"id": "1", "secret": "chosen-by-them", **BOX}}

    (outcome,) = shop.apply(
        Server(httpx.Response(201, json=answer)),
        manifest(spec={**BOX, "secret": Secret("chosen-by-them")}),
    )

    assert (outcome.status, outcome.secret_location) == (Status.DONE, "")
    assert shop.secret("web") is None


def test_a_client_without_a_secret_needs_no_sink(shop):
    (outcome,) = shop.apply(Server(created(secret=None)), manifest(spec=WEB))

    assert (outcome.status, outcome.secret_location) == (Status.DONE, "")


def break_sink(shop):
    (shop.folder / "secrets").write_text("in the way")


def test_a_secret_that_the_sink_refuses_is_saved_in_a_private_file(shop):
    break_sink(shop)

    (outcome,) = shop.apply(Server(created()), manifest(spec=WEB))

    spooled = shop.folder / "inventory" / ".spool" / "shop@web@1.json"
    assert outcome.status is Status.FAILED
    assert str(spooled) in outcome.message
    assert outcome.secret_location == str(spooled)
    assert json.loads(spooled.read_text())["client_secret"] == "hunter2-hunter2"
    assert spooled.stat().st_mode & 0o777 == 0o600
    assert shop.inventory["web"].remote_id == "1"
    assert "hunter2" not in outcome.message


def test_no_further_client_is_created_while_secrets_cannot_be_stored(shop):
    break_sink(shop)
    names = [f"web-{number}" for number in range(30)]
    numbers = itertools.count(1)
    server = Server(lambda _: created(str(next(numbers))))

    outcomes = shop.apply(server, *(manifest(name, spec=WEB) for name in names))

    skipped = [each for each in outcomes if each.status is Status.SKIPPED]
    assert len(server.requests) + len(skipped) == 30
    assert len(skipped) > 20
    assert skipped[0].message == "not started: the secret of an earlier client could not be stored"


class NoSpool:
    """An inventory that cannot save a secret."""

    def __init__(self, session):
        self._session = session

    def __getattr__(self, name):
        return getattr(self._session, name)

    def spool(self, *_args, **_facts):
        """Fail, as on a full disk."""
        raise InventoryError("no space left")


def test_a_secret_that_can_be_kept_nowhere_is_told_as_lost_and_the_client_recorded(shop):
    break_sink(shop)

    (outcome,) = shop.apply(Server(created()), manifest(spec=WEB), recorder=NoSpool)

    assert outcome.status is Status.FAILED
    assert "Nor can it be kept elsewhere: no space left" in outcome.message
    assert "issue a new one" in outcome.message
    assert outcome.secret_location == ""
    assert shop.inventory["web"].remote_id == "1"


@pytest.mark.parametrize("answer", [{}, [], {"id": None}, {"id": 7.5}])
def test_a_create_whose_answer_holds_no_id_is_unknown(shop, answer):
    (outcome,) = shop.apply(Server(httpx.Response(200, json=answer)), manifest(spec=WEB))

    assert outcome.status is Status.UNKNOWN
    assert "no client that has an id" in outcome.message
    assert shop.inventory == {}


def test_a_create_without_an_answer_is_unknown_and_says_what_to_check(shop):
    (outcome,) = shop.apply(Server(httpx.ReadTimeout("slow")), manifest(spec=WEB))

    assert (outcome.status, outcome.requests_sent) == (Status.UNKNOWN, 1)
    assert "if the client was created, it is found in the server's list" in outcome.message
    assert shop.inventory == {}


def test_where_nothing_can_find_it_a_create_without_an_answer_is_for_a_person_to_settle(shop):
    shop = Shop(shop.folder, "provident")

    (outcome,) = shop.apply(Server(httpx.ReadTimeout("slow")), manifest(spec=FRONT))

    assert outcome.status is Status.UNKNOWN
    assert "Look for a new client named 'Front' on the server" in outcome.message
    assert "`reconciler resolve web --id ID`" in outcome.message
    assert "`reconciler resolve web --absent`" in outcome.message


def test_where_the_id_was_chosen_the_next_plan_finds_what_came_of_a_create(shop):
    shop = Shop(shop.folder, "boruta")

    (outcome,) = shop.apply(Server(httpx.ReadTimeout("slow")), manifest(spec=BOX))

    assert outcome.status is Status.UNKNOWN
    assert "found by the id that was chosen" in outcome.message


def test_the_secret_of_a_create_that_a_dead_run_could_not_record_is_stored_when_it_is_found(shop):
    shop = Shop(shop.folder, "boruta")
    with FileStore(shop.folder / "empty").open("shop", lock=False) as session:
        chosen = shop.plan(session, [manifest(spec=BOX)]).changes[0].remote_id
    shop.clients = {chosen: {"id": chosen, "secret": "hunter2", **BOX}}
    server = Server(httpx.Response(500))

    (outcome,) = shop.apply(server, manifest(spec=BOX))

    assert (outcome.action, outcome.status) == (Action.ADOPT, Status.DONE)
    assert shop.secret("web") == {"client_id": chosen, "client_secret": "hunter2"}
    assert shop.inventory["web"].remote_id == chosen
    assert server.requests == []


def test_an_update_is_sent_in_one_request_and_recorded(shop):
    shop.clients = {"1": web(description="old")}
    server = Server(httpx.Response(200, json=web()))

    (adopted,) = shop.apply(server, manifest(spec=WEB, id="1"))

    assert (adopted.action, adopted.status) == (Action.ADOPT, Status.DONE)
    assert server.calls == ["PATCH /oauth-clients/v1/1"]
    assert server.requests[0].headers["content-type"] == "application/json-patch+json"
    assert shop.inventory["web"].applied["description"] == "shop"

    shop.clients = {"1": web(description="drifted")}
    (updated,) = shop.apply(server, manifest(spec=WEB, id="1"))

    assert (updated.action, updated.status) == (Action.UPDATE, Status.DONE)
    assert len(server.requests) == 2


def test_a_client_that_is_as_wanted_is_bound_without_a_request(shop):
    shop.clients = {"1": web()}
    server = Server(httpx.Response(500))

    (outcome,) = shop.apply(server, manifest(spec=WEB, id="1"))

    assert (outcome.action, outcome.status, outcome.requests_sent) == (
        Action.ADOPT,
        Status.DONE,
        0,
    )
    assert server.requests == []
    assert shop.inventory["web"].remote_id == "1"


def test_a_client_that_is_as_wanted_is_recorded_anew_when_git_declares_more_of_it(shop):
    shop.clients = {"1": web()}
    server = Server(httpx.Response(500))
    shop.apply(server, manifest(spec={"name": "Web"}, id="1"))

    (outcome,) = shop.apply(server, manifest(spec=WEB, id="1"))

    assert (outcome.action, outcome.status) == (Action.NOOP, Status.DONE)
    assert shop.inventory["web"].applied["description"] == "shop"
    assert server.requests == []


def test_a_run_without_changes_writes_nothing(shop):
    shop.clients = {"1": web()}
    shop.apply(Server(httpx.Response(500)), manifest(spec=WEB, id="1"))
    path = shop.folder / "inventory" / "shop" / "web.json"
    before = path.stat()

    shop.apply(Server(httpx.Response(500)), manifest(spec=WEB, id="1"))

    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


def test_what_the_server_made_of_a_write_on_its_own_is_reported(shop):
    shop.clients = {"1": web(description="old")}
    server = Server(httpx.Response(200, json=web(description="SHOP")))

    (outcome,) = shop.apply(server, manifest(spec=WEB, id="1"))

    assert outcome.status is Status.DONE
    assert [(each.field, each.before, each.after) for each in outcome.server_changed] == [
        ("description", "SHOP", "shop")
    ]


def test_an_update_that_is_refused_records_nothing(shop):
    shop.clients = {"1": web(description="old")}
    body = {"trackingId": "t-1", "messages": [{"text": "too long"}]}

    (outcome,) = shop.apply(Server(httpx.Response(400, json=body)), manifest(spec=WEB, id="1"))

    assert (outcome.status, outcome.requests_sent) == (Status.FAILED, 1)
    assert "too long" in outcome.message
    assert "t-1" in outcome.message
    assert shop.inventory == {}


def test_an_update_whose_answer_is_no_client_is_a_failure(shop):
    shop.clients = {"1": web(description="old")}

    (outcome,) = shop.apply(Server(httpx.Response(200, json=[])), manifest(spec=WEB, id="1"))

    assert outcome.status is Status.FAILED
    assert "no client that has an id" in outcome.message


def test_an_update_without_an_answer_is_unknown_and_shown_by_the_next_plan(shop):
    shop.clients = {"1": web(description="old")}

    (outcome,) = shop.apply(Server(httpx.ReadTimeout("slow")), manifest(spec=WEB, id="1"))

    assert outcome.status is Status.UNKNOWN
    assert "Plan again" in outcome.message


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login_stops_everything_and_says_why(shop, status):
    names = [f"web-{number:02}" for number in range(30)]
    server = Server(httpx.Response(status))

    outcomes = shop.apply(
        server, *(manifest(name, spec=WEB) for name in names), auth=Secret("a-token")
    )

    skipped = [each for each in outcomes if each.status is Status.SKIPPED]
    assert [each.key for each in outcomes] == names
    assert len(server.requests) <= 8
    assert len(skipped) == 30 - len(server.requests)
    assert skipped[0].message == f"not started: the server turned the tool itself away ({status})"


def test_a_server_that_is_gone_is_not_asked_for_every_client(shop):
    names = [f"web-{number:02}" for number in range(40)]
    server = Server(httpx.ConnectError("refused"))

    outcomes = shop.apply(server, *(manifest(name, spec=WEB) for name in names))

    skipped = [each for each in outcomes if each.status is Status.SKIPPED]
    assert len(skipped) > 25
    assert skipped[0].message == "not started: the server cannot be reached"
    assert all(each.requests_sent == 0 for each in outcomes)


def test_one_clients_failure_is_its_own(shop):
    def answer(request):
        name = json.loads(request.content)["name"]
        return httpx.Response(400) if name == "bad" else created(name, name=name)

    outcomes = shop.apply(
        Server(answer),
        *(manifest(name, spec={**WEB, "name": name}) for name in ("a", "bad", "c")),
    )

    assert [each.status for each in outcomes] == [Status.DONE, Status.FAILED, Status.DONE]
    assert sorted(shop.inventory) == ["a", "c"]


def test_an_interrupt_lets_what_is_under_way_end_and_starts_nothing_more(shop):
    numbers = itertools.count(1)

    def interrupting(_request):
        shop.stop.set()
        return created(str(next(numbers)))

    names = [f"web-{number:02}" for number in range(20)]
    server = Server(interrupting)
    outcomes = shop.apply(server, *(manifest(name, spec=WEB) for name in names))

    done = [each for each in outcomes if each.status is Status.DONE]
    skipped = [each for each in outcomes if each.status is Status.SKIPPED]
    assert 1 <= len(done) <= 4
    assert len(done) + len(skipped) == 20
    assert skipped[0].message == "not started: the run was interrupted"
    assert sorted(shop.inventory) == sorted(each.key for each in done)


def test_an_error_of_the_caller_starts_nothing_more_and_is_raised(shop):
    def broken(_outcome):
        raise KeyboardInterrupt

    shop.told = type("Told", (), {"append": staticmethod(broken)})
    names = [f"web-{number:02}" for number in range(50)]
    numbers = itertools.count(1)
    server = Server(lambda _: created(str(next(numbers))))

    with pytest.raises(KeyboardInterrupt):
        shop.apply(server, *(manifest(name, spec=WEB) for name in names))

    assert shop.stop.is_set()
    assert sorted(shop.inventory) == names[: len(server.requests)]


def test_what_a_guard_refuses_is_skipped(shop):
    refusal = Refusal(rule="protected", message="it is protected")
    server = Server(created())

    (outcome,) = shop.apply(
        server,
        manifest(spec=WEB),
        edit=lambda plan: replace(
            plan, changes=tuple(replace(each, refusal=refusal) for each in plan.changes)
        ),
    )

    assert (outcome.status, outcome.message) == (Status.SKIPPED, "it is protected")
    assert server.requests == []


def replaced(shop):
    """A client whose scope cannot be changed in place, and its manifest."""
    shop.clients = {"old": web("old", scope=["sp:read"])}
    return manifest(spec=WEB, allow_replace=True)


def bound(shop):
    shop.clients = {"old": web("old")}
    shop.apply(Server(httpx.Response(500)), manifest(spec=WEB, id="old"))
    shop.told.clear()


def test_a_replace_creates_the_new_client_before_it_deletes_the_old_one(shop):
    bound(shop)
    server = by_method(POST=created("new"), DELETE=httpx.Response(204))

    (outcome,) = shop.apply(server, replaced(shop))

    assert server.calls == ["POST /oauth-clients/v1", "DELETE /oauth-clients/v1/old"]
    assert (outcome.action, outcome.status) == (Action.REPLACE, Status.DONE)
    assert (outcome.remote_id, outcome.requests_sent) == ("new", 2)
    assert (shop.inventory["web"].remote_id, shop.inventory["web"].superseded) == ("new", ())
    assert shop.secret("web")["client_id"] == "new"
    assert shop.told == [outcome]


def test_the_old_client_is_remembered_until_it_is_deleted(shop):
    bound(shop)
    seen = []

    def delete(_request):
        seen.append(shop.inventory["web"].superseded)
        return httpx.Response(500)

    (outcome,) = shop.apply(by_method(POST=created("new"), DELETE=delete), replaced(shop))

    assert seen == [("old",)]
    assert outcome.status is Status.FAILED
    assert "the new client new is in place, the old one old may still be there" in outcome.message
    assert shop.inventory["web"].superseded == ("old",)


def test_the_predecessor_of_a_failed_replace_is_not_deleted(shop):
    bound(shop)
    server = by_method(POST=httpx.Response(400))

    (outcome,) = shop.apply(server, replaced(shop))

    assert outcome.status is Status.FAILED
    assert server.calls == ["POST /oauth-clients/v1"]
    assert shop.inventory["web"].remote_id == "old"


def test_a_replace_that_is_interrupted_says_that_the_old_client_is_still_there(shop):
    bound(shop)

    def post(_request):
        shop.stop.set()
        return created("new")

    (outcome,) = shop.apply(by_method(POST=post), replaced(shop))

    assert outcome.status is Status.FAILED
    assert outcome.message == (
        "the new client is in place, the old one old not deleted: the run was interrupted"
    )
    assert shop.inventory["web"].superseded == ("old",)


def leftovers(shop):
    """An inventory whose client `web` has a predecessor that is still there."""
    bound(shop)
    shop.apply(by_method(POST=created("new"), DELETE=httpx.Response(500)), replaced(shop))
    shop.clients = {"old": web("old"), "new": web("new")}
    return manifest(spec=WEB)


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({"DELETE": httpx.Response(204)}, Status.DONE),
        ({"DELETE": httpx.Response(404), "GET": httpx.Response(404)}, Status.DONE),
        ({"DELETE": [httpx.ReadTimeout("slow"), httpx.Response(404)]}, Status.DONE),
        (
            {"DELETE": httpx.Response(404), "GET": httpx.Response(200, json=web("old"))},
            Status.FAILED,
        ),
        ({"DELETE": httpx.Response(400)}, Status.FAILED),
        ({"DELETE": httpx.ReadTimeout("slow")}, Status.UNKNOWN),
    ],
)
def test_a_left_over_predecessor_is_deleted_and_then_forgotten(shop, answers, status):
    wanted = leftovers(shop)

    outcomes = shop.apply(by_method(**answers), wanted)

    assert [(each.action, each.status) for each in outcomes] == [
        (Action.NOOP, Status.DONE),
        (Action.DELETE, status),
    ]
    assert shop.inventory["web"].superseded == (() if status is Status.DONE else ("old",))


class NoDisk:
    """An inventory that cannot be written any more."""

    def __init__(self, session):
        self._session = session

    def __getattr__(self, name):
        return getattr(self._session, name)

    def record(self, *_args):
        """Fail where it would have to be durable."""
        raise InventoryError("no space left")

    def flush(self):
        """Fail, as on a full disk."""
        raise InventoryError("no space left")


def test_an_inventory_that_cannot_be_written_stops_the_run(shop):
    names = [f"web-{number:02}" for number in range(30)]
    numbers = itertools.count(1)
    server = Server(lambda _: created(str(next(numbers))))

    outcomes = shop.apply(server, *(manifest(name, spec=WEB) for name in names), recorder=NoDisk)

    failed = [each for each in outcomes if each.status is Status.FAILED]
    skipped = [each for each in outcomes if each.status is Status.SKIPPED]
    assert len(failed) + len(skipped) == 30
    assert len(skipped) > 20
    # Which of those under way the server numbered first is for the threads to say.
    assert failed[0].remote_id in {str(number) for number in range(1, len(failed) + 1)}
    assert failed[0].secret_location
    assert skipped[0].message == "not started: the inventory could not be written"


class NoFlush(NoDisk):
    """An inventory whose last records cannot be written."""

    def record(self, *_args):
        """Keep it for later."""


def test_updates_that_could_not_be_recorded_are_not_told_as_done(shop):
    shop.clients = {"1": web(description="old"), "2": web("2", name="Two")}
    two = manifest("two", spec={**WEB, "name": "Two"}, id="2")
    shop.apply(Server(httpx.Response(500)), two)

    outcomes = shop.apply(
        Server(httpx.Response(200, json=web())),
        manifest("one", spec=WEB, id="1"),
        two,
        recorder=NoFlush,
    )

    assert [(each.key, each.status) for each in outcomes] == [
        ("one", Status.FAILED),
        ("two", Status.DONE),
    ]
    assert outcomes[0].message == "done on the server, and not recorded: no space left"


def test_outcomes_are_told_as_they_end_and_given_in_the_plans_order(shop):
    first = threading.Event()

    def answer(request):
        name = json.loads(request.content)["name"]
        if name == "a":
            first.wait()
        else:
            first.set()
        return created(name, name=name)

    outcomes = shop.apply(
        Server(answer), *(manifest(name, spec={**WEB, "name": name}) for name in "ab")
    )

    assert [each.key for each in outcomes] == ["a", "b"]
    assert {each.key for each in shop.told} == {"a", "b"}


def test_no_secret_is_in_any_outcome(shop):
    break_sink(shop)

    outcomes = shop.apply(Server(created()), manifest(spec=WEB))

    assert "hunter2" not in repr(outcomes)


def test_a_change_to_apply_has_a_manifest(shop):
    def without(plan):
        return replace(plan, changes=tuple(replace(each, manifest=None) for each in plan.changes))

    with pytest.raises(ValueError, match="has no manifest"):
        shop.apply(Server(created()), manifest(spec=WEB), edit=without)
