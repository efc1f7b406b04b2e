"""A write is held to the client that it was planned on, and a failed one is looked into."""

import json
from dataclasses import replace
from functools import partial

import httpx
import pytest
from support.given import entry, manifest
from support.shop import BOX, FRONT, WEB, Shop, by_method, web
from support.targets import Server

from reconciler.core.changes import Status
from reconciler.core.model import Secret
from reconciler.core.project import Policy

TTL = {"accessTokenValiditySeconds": 900, "redirectUris": ["https://b.example.com"]}
LIVE = web(redirectUris=["https://a.example.com", "https://z.example.com"])
AFTER = web(**TTL)
REFUSED = httpx.Response(400, json={"messages": [{"text": "The test failed."}]})


def ok(body):
    return httpx.Response(200, json=body)


def sent(server, method):
    return [json.loads(one.content) for one in server.requests if one.method == method]


def patch(shop, server, **facts):
    (outcome,) = shop.apply(
        server, manifest(spec={**WEB, **TTL}), before={"web": entry("1")}, **facts
    )
    return outcome


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path, "sailpoint", LIVE)


def test_a_patch_tests_the_values_that_it_replaces_as_the_server_spelled_them(shop):
    server = by_method(PATCH=ok(AFTER))

    outcome = patch(shop, server)

    assert (outcome.status, outcome.message) == (Status.DONE, "")
    (operations,) = sent(server, "PATCH")
    assert operations[:2] == [
        {"op": "test", "path": "/accessTokenValiditySeconds", "value": 600},
        {"op": "test", "path": "/redirectUris", "value": LIVE["redirectUris"]},
    ]


def test_a_test_that_fails_over_order_alone_is_sent_again_with_the_servers_order(shop):
    turned = {**LIVE, "redirectUris": LIVE["redirectUris"][::-1]}
    server = by_method(PATCH=[REFUSED, ok(AFTER)], GET=ok(turned))

    outcome = patch(shop, server)

    assert (outcome.status, outcome.requests_sent) == (Status.DONE, 2)
    assert server.calls == [
        "PATCH /oauth-clients/v1/1",
        "GET /oauth-clients/v1/1",
        "PATCH /oauth-clients/v1/1",
    ]
    assert sent(server, "PATCH")[1][1]["value"] == turned["redirectUris"]


def test_a_test_that_fails_over_a_value_is_told_as_changed_meanwhile(shop):
    edited = {**LIVE, "redirectUris": ["https://c.example.com"]}
    server = by_method(PATCH=REFUSED, GET=ok(edited))

    outcome = patch(shop, server)

    assert outcome.status is Status.FAILED
    assert "shop/web: changed meanwhile: redirectUris was [" in outcome.message
    assert 'and is ["https://c.example.com"] now. Nothing was written; plan again' in (
        outcome.message
    )
    assert len(sent(server, "PATCH")) == 1
    assert shop.inventory["web"] == entry("1")


def test_a_refusal_of_another_kind_is_told_as_it_is_and_not_sent_again(shop):
    server = by_method(PATCH=REFUSED, GET=ok(LIVE))

    outcome = patch(shop, server)

    assert outcome.status is Status.FAILED
    assert "was answered with 400" in outcome.message
    assert len(sent(server, "PATCH")) == 1


def says(status, text):
    return httpx.Response(status, json={"messages": [{"text": text}]})


@pytest.mark.parametrize(
    "refused",
    [
        says(400, "The patch operation test is not supported."),
        says(400, "Unable to process the request: invalid op."),
        says(422, "op must be one of add, remove, replace"),
        httpx.Response(400),
        httpx.Response(405),
        httpx.Response(415, text="unsupported"),
        httpx.Response(501),
        httpx.Response(501, html="<p>Not Implemented</p>"),
    ],
)
def test_a_patch_that_is_taken_without_its_tests_alone_is_sent_so_and_that_is_said(shop, refused):
    server = by_method(PATCH=[refused, ok(AFTER)], GET=ok(LIVE))

    outcome = patch(shop, server)

    assert (outcome.status, outcome.requests_sent) == (Status.DONE, 2)
    assert f"with its test operations ({refused.status_code})" in outcome.message
    assert "guard: reread" in outcome.message
    # Read in between: what the tests were to make sure of is made sure of all the same.
    assert [call.split()[0] for call in server.calls] == ["PATCH", "GET", "PATCH"]
    first, second = sent(server, "PATCH")
    assert second == [each for each in first if each["op"] != "test"]


@pytest.mark.parametrize(
    "refused",
    [
        httpx.Response(409),
        httpx.Response(412),
        says(400, "A test operation failed"),
        says(400, "600 is not equal to tested value 700"),
        says(400, "Test failed at /redirectUris: values do not match"),
    ],
)
def test_a_test_that_failed_is_no_refusal_of_tests(shop, refused):
    server = by_method(PATCH=refused, GET=ok(LIVE))

    outcome = patch(shop, server)

    assert outcome.status is Status.FAILED
    assert f"was answered with {refused.status_code}" in outcome.message
    assert len(sent(server, "PATCH")) == 1


@pytest.mark.parametrize("refused", [httpx.Response(400), httpx.Response(501)])
def test_a_patch_that_is_refused_with_tests_and_without_was_refused_over_something_else(
    shop, refused
):
    server = by_method(PATCH=[refused, says(400, "name is taken")], GET=ok(LIVE))

    outcome = patch(shop, server)

    assert outcome.status is Status.FAILED
    assert "name is taken" in outcome.message
    assert "guard" not in outcome.message


@pytest.mark.parametrize("refused", [httpx.Response(400), httpx.Response(501)])
def test_a_client_that_moved_is_never_written_without_tests(shop, refused):
    server = by_method(PATCH=refused, GET=ok({**LIVE, "accessTokenValiditySeconds": 1}))

    outcome = patch(shop, server)

    assert "changed meanwhile: accessTokenValiditySeconds was 600" in outcome.message
    assert len(sent(server, "PATCH")) == 1


@pytest.mark.parametrize("lost", [httpx.Response(500), httpx.Response(503), httpx.Response(429)])
def test_a_server_that_failed_has_not_refused_the_tests(shop, lost):
    server = by_method(PATCH=lost, GET=ok(LIVE))

    assert patch(shop, server).status is not Status.DONE
    assert all(any(one["op"] == "test" for one in body) for body in sent(server, "PATCH"))


def test_tests_that_fail_over_order_first_and_are_refused_then_are_left_out(shop):
    turned = {**LIVE, "redirectUris": LIVE["redirectUris"][::-1]}
    server = by_method(PATCH=[httpx.Response(400), httpx.Response(400), ok(AFTER)], GET=ok(turned))

    outcome = patch(shop, server)

    assert (outcome.status, outcome.requests_sent) == (Status.DONE, 3)
    assert {one["op"] for one in sent(server, "PATCH")[2]} == {"replace"}


@pytest.mark.parametrize("aged", [False, True])
def test_once_tests_are_refused_the_run_holds_its_writes_by_reading_again(tmp_path, aged):
    names = {"a": "1", "b": "2", "c": "3"}
    shop = Shop(tmp_path, "sailpoint", *map(web, names.values()))
    shop.aged = aged
    shown = {key: web(key) for key in names.values()}

    def answer(request):
        key = request.url.path.rpartition("/")[2]
        if request.method == "PATCH":
            operations = json.loads(request.content)
            if any(one["op"] == "test" for one in operations):
                return httpx.Response(501)
            shown[key] |= {"accessTokenValiditySeconds": 900}
        return ok(shown[key])

    server = Server(answer)
    wanted = {**WEB, "accessTokenValiditySeconds": 900}
    outcomes = shop.apply(
        server,
        *(manifest(name, spec=wanted) for name in names),
        before={name: entry(key) for name, key in names.items()},
        workers=1,
    )

    assert [one.status for one in outcomes] == [Status.DONE] * 3
    assert ["guard: reread" in one.message for one in outcomes] == [True, False, False]
    later = ["GET", "PATCH"] if aged else ["PATCH"]
    assert [call.split()[0] for call in server.calls] == ["PATCH", "GET", "PATCH", *later, *later]


def test_a_quarantine_is_told_without_tests_as_well(tmp_path):
    shop = Shop(tmp_path, "sailpoint", web("1"), web("2"))
    policy = Policy(prune=True, quarantine_days=3)
    shop.context = partial(Shop.context, shop, policy=policy)
    off = httpx.Response(200, json=web("1", enabled=False))
    server = by_method(PATCH=[httpx.Response(501), off], GET=ok(web("1")))

    outcomes = shop.apply(server, manifest(spec=WEB), before={"old": entry("1"), "web": entry("2")})

    assert {one.status for one in outcomes} == {Status.DONE}
    assert sent(server, "PATCH")[1] == [{"op": "replace", "path": "/enabled", "value": False}]


def test_a_move_of_a_field_that_was_not_tested_is_no_reason_for_a_failed_test(shop):
    server = by_method(PATCH=REFUSED, GET=ok({**LIVE, "description": "edited"}))

    assert "was answered with 400" in patch(shop, server).message


def test_a_client_that_went_between_plan_and_write_is_told_as_gone(shop):
    outcome = patch(shop, by_method(PATCH=httpx.Response(404), GET=httpx.Response(404)))

    assert outcome.status is Status.FAILED
    assert "changed meanwhile: 1 is gone from the server" in outcome.message


def test_a_404_on_a_write_alone_does_not_make_a_client_gone(shop):
    outcome = patch(shop, by_method(PATCH=httpx.Response(404), GET=ok(LIVE)))

    assert outcome.status is Status.FAILED
    assert "was answered with 404" in outcome.message


def test_without_a_guard_nothing_is_tested_and_a_refusal_is_not_looked_into(shop):
    shop.conflict_check = "none"
    server = by_method(PATCH=REFUSED)

    outcome = patch(shop, server)

    assert outcome.status is Status.FAILED
    assert {one["op"] for one in sent(server, "PATCH")[0]} == {"replace"}


def test_a_patch_can_be_guarded_by_reading_again(shop):
    shop.conflict_check, shop.aged = "reread", True
    server = by_method(GET=ok(LIVE), PATCH=ok(AFTER))

    outcome = patch(shop, server)

    assert outcome.status is Status.DONE
    assert server.calls == ["GET /oauth-clients/v1/1", "PATCH /oauth-clients/v1/1"]
    assert {one["op"] for one in sent(server, "PATCH")[0]} == {"replace"}


def test_a_field_that_a_secret_stands_for_is_tested_and_never_told(shop):
    shop = Shop(shop.folder, "sailpoint", web(description="hush-hush"))
    edited = web(description="other-hush")
    server = by_method(PATCH=REFUSED, GET=ok(edited))

    (outcome,) = shop.apply(
        server,
        manifest(spec={**WEB, "description": Secret("the-new-hush")}),
        before={"web": entry("1", fingerprints={"description": "hmac:0"})},
    )

    assert sent(server, "PATCH")[0][0]["value"] == "hush-hush"
    assert "changed meanwhile: description was changed" in outcome.message
    assert "hush-hush" not in outcome.message
    assert "other-hush" not in outcome.message


PUT_BODY = {"id": "7", "clientId": "1", "rateLimitCount": 5, "isActive": True, **FRONT}


@pytest.fixture
def front(tmp_path):
    return Shop(tmp_path, "provident", PUT_BODY)


def put(shop, server, **spec):
    spec = spec or {"rateLimitCount": 9}
    (outcome,) = shop.apply(server, manifest(spec={**FRONT, **spec}), before={"web": entry("1")})
    return outcome


def test_a_put_on_a_fresh_plan_reads_nothing_again(front):
    server = by_method(PUT=ok({**PUT_BODY, "rateLimitCount": 9}))

    assert put(front, server).status is Status.DONE
    assert server.calls == ["PUT /oauth2/clients/1"]


def test_a_put_on_an_old_plan_reads_the_client_right_before_it(front):
    front.aged = True
    turned = {**PUT_BODY, "redirectUris": FRONT["redirectUris"]}
    server = by_method(GET=ok(turned), PUT=ok({**PUT_BODY, "rateLimitCount": 9}))

    assert put(front, server).status is Status.DONE
    assert server.calls == ["GET /oauth2/clients/1", "PUT /oauth2/clients/1"]


@pytest.mark.parametrize(
    ("field", "value"), [("rateLimitCount", 6), ("allowedScopes", ["b"]), ("isActive", False)]
)
def test_a_managed_or_carried_field_that_moved_keeps_an_old_put_from_being_sent(
    front, field, value
):
    front.aged = True
    server = by_method(GET=ok({**PUT_BODY, field: value}))

    outcome = put(front, server)

    assert outcome.status is Status.FAILED
    assert f"changed meanwhile: {field} was " in outcome.message
    assert (server.calls, outcome.requests_sent) == (["GET /oauth2/clients/1"], 0)


def test_an_old_put_that_is_not_guarded_is_sent(front):
    front.conflict_check, front.aged = "none", True
    server = by_method(PUT=ok({**PUT_BODY, "rateLimitCount": 9}))

    assert put(front, server).status is Status.DONE


def test_an_old_delete_is_held_to_the_client_that_was_reviewed(tmp_path):
    shop = Shop(tmp_path, "sailpoint", web("1"), web("0"))
    shop.aged = True
    server = by_method(GET=ok(web("0", description="in use again")))

    outcomes = shop.apply(server, manifest(spec=WEB), before={"web": entry("1", superseded=("0",))})

    deleted = outcomes[-1]
    assert deleted.status is Status.FAILED
    assert "changed meanwhile: description was" in deleted.message
    assert server.calls == ["GET /oauth-clients/v1/0"]


def test_an_old_delete_of_a_client_that_is_gone_is_done(tmp_path):
    shop = Shop(tmp_path, "sailpoint", web("1"), web("0"))
    shop.aged = True
    server = by_method(GET=httpx.Response(404))

    outcomes = shop.apply(server, manifest(spec=WEB), before={"web": entry("1", superseded=("0",))})

    assert outcomes[-1].status is Status.DONE
    assert shop.inventory["web"].superseded == ()


def replaced(tmp_path, answer):
    """An old plan that replaces a client, whose server shows this of it now."""
    shop = Shop(tmp_path, "sailpoint", web())
    shop.aged = True
    server = by_method(GET=answer)
    wanted = manifest(spec={**WEB, "scope": ["sp:read"]}, allow_replace=True)
    (outcome,) = shop.apply(server, wanted, before={"web": entry("1")})
    return outcome, server


def test_an_old_replace_does_not_carry_over_what_has_moved_since(tmp_path):
    outcome, server = replaced(tmp_path, ok(web(businessName="New")))

    assert outcome.status is Status.FAILED
    assert 'businessName was null, and is "New" now' in outcome.message
    assert outcome.before != outcome.after
    assert server.calls == ["GET /oauth-clients/v1/1"]


def test_an_old_replace_of_a_client_that_is_gone_is_planned_again(tmp_path):
    outcome, server = replaced(tmp_path, httpx.Response(404))

    assert "changed meanwhile: 1 is gone from the server" in outcome.message
    assert server.calls == ["GET /oauth-clients/v1/1"]


def box(**facts):
    return {"id": "1", "secret": "hunter2", "authorized_scopes": [], "pkce": False, **BOX, **facts}


@pytest.fixture
def boxes(tmp_path):
    return Shop(tmp_path, "boruta", box())


def half(shop, answer, now, **spec):
    server = by_method(PUT=answer, GET=now)
    (outcome,) = shop.apply(
        server,
        manifest(spec={**BOX, **(spec or {"name": "Crate", "pkce": True})}),
        before={"web": entry("1")},
    )
    return outcome


def shown(**facts):
    return ok({"data": box(**facts)})


def test_what_a_refused_put_has_changed_all_the_same_is_told(boxes):
    outcome = half(boxes, httpx.Response(422), shown(name="Crate"))

    assert outcome.status is Status.FAILED
    assert "Read again, name changed all the same, and pkce did not" in outcome.message
    assert outcome.before != outcome.after


def test_a_refused_put_that_changed_nothing_says_so(boxes):
    outcome = half(boxes, httpx.Response(422), shown())

    assert outcome.status is Status.FAILED
    assert "Read again, nothing of it was changed" in outcome.message
    assert outcome.before == outcome.after


def test_a_put_that_failed_and_yet_was_carried_out_is_done_and_recorded(boxes):
    outcome = half(boxes, httpx.Response(500), shown(name="Crate", pkce=True))

    assert outcome.status is Status.DONE
    assert "was answered with 500" in outcome.message
    assert outcome.message.endswith("Read again, the client is as wanted")
    assert boxes.inventory["web"].applied["name"] == "Crate"


def test_a_field_that_no_answer_shows_is_never_taken_for_carried_out(boxes):
    outcome = half(
        boxes, httpx.Response(500), shown(name="Crate"), name="Crate", agent_token_ttl=60
    )

    assert outcome.status is Status.FAILED
    assert "name changed all the same, and agent_token_ttl did not" in outcome.message


def test_what_cannot_be_read_again_is_told_as_well(boxes):
    outcome = half(boxes, httpx.Response(422), httpx.Response(500))

    assert outcome.status is Status.FAILED
    assert "What is live now could not be read: " in outcome.message


def test_a_patch_that_is_refused_was_not_half_done(shop):
    shop.conflict_check = "reread"
    server = by_method(PATCH=httpx.Response(422))

    patch(shop, server)

    assert server.calls == ["PATCH /oauth-clients/v1/1"]


def test_a_patch_without_an_answer_is_looked_into(shop):
    done = patch(shop, by_method(PATCH=httpx.ReadTimeout("slow"), GET=ok(AFTER)))

    assert done.status is Status.DONE
    assert "Read again, the client is as wanted" in done.message


def test_a_patch_without_an_answer_that_changed_nothing_yet_stays_unknown(shop):
    outcome = patch(shop, by_method(PATCH=httpx.ReadTimeout("slow"), GET=ok(LIVE)))

    assert outcome.status is Status.UNKNOWN
    assert "Read again, nothing of it was changed" in outcome.message


def test_a_secret_that_the_client_has_is_masked_where_the_server_refuses_a_change_of_it(tmp_path):
    shop = Shop(tmp_path, "sailpoint", {**LIVE, "clientSecret": "the-old/secret"})
    said = {"messages": [{"text": "no: THE-OLD/SECRET and the-old%2Fsec..."}]}

    outcome = patch(shop, by_method(PATCH=httpx.Response(400, json=said), GET=ok(LIVE)))

    assert outcome.status is Status.FAILED
    assert "no: (secret) and (secret)" in outcome.message


def test_a_server_that_turns_writes_away_is_not_asked_what_it_did(shop):
    server = by_method(PATCH=httpx.Response(429))

    outcome = patch(shop, server)

    assert outcome.status is Status.FAILED
    assert {one.method for one in server.requests} == {"PATCH"}


NO_CONTENT = [httpx.Response(204), httpx.Response(202), httpx.Response(200, content=b"\n")]


def lenient(shop):
    """Let the vendor document updates and creates without a body too."""
    every = frozenset({200, 201, 202, 204})
    shop.vendor = replace(
        shop.vendor,
        update=replace(shop.vendor.update, expect=every),
        create=replace(shop.vendor.create, expect=every),
    )


@pytest.mark.parametrize("answer", NO_CONTENT, ids=["204", "202", "200"])
def test_an_update_that_is_answered_without_a_body_is_read_and_done(shop, answer):
    lenient(shop)
    server = by_method(PATCH=answer, GET=ok(AFTER))

    outcome = patch(shop, server)

    assert (outcome.status, outcome.message) == (Status.DONE, "")
    assert server.calls == ["PATCH /oauth-clients/v1/1", "GET /oauth-clients/v1/1"]


@pytest.mark.parametrize("answer", NO_CONTENT, ids=["204", "202", "200"])
@pytest.mark.parametrize(
    "read", [httpx.Response(404, json={}), httpx.Response(503), httpx.Response(200, json={})]
)
def test_an_update_without_a_body_and_without_a_read_is_no_success(shop, answer, read):
    lenient(shop)

    outcome = patch(shop, by_method(PATCH=answer, GET=read))

    assert outcome.status is Status.FAILED
    assert f"answered with {answer.status_code} and no body" in outcome.message
    assert "JSON" not in outcome.message


@pytest.mark.parametrize("answer", NO_CONTENT, ids=["204", "202", "200"])
def test_a_create_whose_id_was_chosen_is_read_where_it_is_answered_without_a_body(tmp_path, answer):
    shop = Shop(tmp_path, "boruta")
    lenient(shop)
    made = []

    def server(request):
        if request.method == "POST":
            made.append(json.loads(request.content)["client"])
            return answer
        return ok({"data": {**made[0], "secret": "told-later"}})

    (outcome,) = shop.apply(Server(server), manifest(spec=BOX))

    assert (outcome.status, outcome.remote_id) == (Status.DONE, made[0]["id"])


@pytest.mark.parametrize("answer", NO_CONTENT, ids=["204", "202", "200"])
def test_a_create_without_a_body_and_without_an_id_stays_open(shop, answer):
    lenient(shop)
    shop.clients = {}

    (outcome,) = shop.apply(by_method(POST=answer), manifest(spec=WEB))

    assert outcome.status is Status.UNKNOWN
    assert f"answered with {answer.status_code} and no body" in outcome.message
