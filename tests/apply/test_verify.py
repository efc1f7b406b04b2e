"""A change is done where the server shows it, and not where it says so."""

import httpx
import pytest
from support.given import manifest
from support.shop import WEB, Shop, web
from support.targets import Server

from reconciler.core.changes import Action, Status


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def answers(*bodies):
    return Server(*(httpx.Response(200, json=body) for body in bodies))


def updated(shop, server, **spec):
    (outcome,) = shop.apply(server, manifest(spec={**WEB, **spec}, id="1"))
    return outcome


def test_an_answer_with_the_value_from_before_is_read_again_and_fails(shop):
    shop.clients = {"1": web(description="old")}

    outcome = updated(shop, answers(web(description="old"), web(description="old")))

    assert (outcome.status, outcome.accepted) == (Status.FAILED, True)
    assert 'still shows description as it was before, "old" in place of "shop"' in outcome.message
    assert [each.field for each in outcome.server_changed] == ["description"]
    # What was taken is on record, and what was not is asked for again.
    assert "description" not in shop.inventory["web"].applied
    assert shop.inventory["web"].applied["name"] == "Web"


def test_an_answer_of_before_is_no_failure_where_the_server_shows_the_new_value(shop):
    shop.clients = {"1": web(description="old")}

    outcome = updated(shop, answers(web(description="old"), web()))

    assert (outcome.status, outcome.server_changed) == (Status.DONE, ())
    assert shop.inventory["web"].applied["description"] == "shop"


def test_where_the_client_cannot_be_read_again_the_answer_counts(shop):
    shop.clients = {"1": web(description="old")}
    server = Server(
        httpx.Response(200, json=web(description="old")), *[httpx.Response(404, json={})] * 3
    )

    assert updated(shop, server).status is Status.FAILED


@pytest.mark.parametrize(
    ("wanted", "now"),
    [
        ({"grantTypes": ["CLIENT_CREDENTIALS"]}, ["CLIENT_CREDENTIALS", "REFRESH_TOKEN"]),
        ({"accessTokenValiditySeconds": 700}, 650),
        ({"enabled": True}, False),
    ],
)
def test_what_comes_back_wider_clamped_or_turned_is_not_done(shop, wanted, now):
    (name,) = wanted
    shop.clients = {"1": web(**{name: ["REFRESH_TOKEN"] if isinstance(now, list) else None})}

    outcome = updated(shop, answers(web(**{name: now}), web(**{name: now})), **wanted)

    assert outcome.status is Status.FAILED
    assert name in outcome.message


def test_a_create_that_comes_back_wider_is_recorded_and_not_replaced_in_vain(shop):
    stated = manifest(spec=WEB, allow_replace=True)
    wide = web(scope=["a:b", "sp:scopes:all"], secret="s3cr3t")
    server = Server(httpx.Response(201, json=wide), httpx.Response(200, json=wide))

    (outcome,) = shop.apply(server, stated)

    assert (outcome.action, outcome.status) == (Action.CREATE, Status.FAILED)
    assert "was created, and is not as asked" in outcome.message
    assert outcome.secret_location
    assert shop.inventory["web"].remote_id == "1"
    shop.clients = {"1": wide}
    (again,) = shop.apply(answers(), stated)
    assert again.status is Status.SKIPPED
    assert "would do the same" in again.message
