from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from reconciler.sandbox.faults import Faults, parse
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from reconciler.sandbox.handle import Sandbox

PROVIDENT = "/oauth2/clients"


@pytest.fixture
def struck():
    with running() as sandbox, httpx.Client(base_url=sandbox.provident) as client:
        client.headers["authorization"] = f"Bearer {sandbox.token('provident')}"
        sandbox.seed("provident", [{"clientId": "shop"}])
        yield sandbox, client


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("nonsense", "unknown fault 'nonsense'; expected KIND"),
        ("", "unknown fault ''"),
        ("5xx=0", "'0' is not a whole number above 0 in fault '5xx=0'"),
        ("5xx=", "'' is not a whole number"),
        ("5xx@x", "'x' is not a whole number"),
        ("5xx=²", "not a whole number"),
        ("5xx:monday", "unknown word 'monday'"),
        ("latency", "latency needs a duration"),
        ("latency=20", "latency needs a duration"),
        ("repeat-pages=1", "repeat-pages takes no value"),
        ("short-pages=x", "'x' is not a whole number"),
    ],
)
def test_an_option_that_means_nothing_is_a_clear_error(option: str, text: str):
    with pytest.raises(ValueError, match="fault") as caught:
        parse(option)

    assert text in str(caught.value)


@pytest.mark.parametrize(("option", "seconds"), [("latency=20ms", 0.02), ("latency=1.5s", 1.5)])
def test_latency_is_given_as_a_duration(option: str, seconds: float):
    assert parse(option).amount == pytest.approx(seconds)


def test_a_fault_strikes_its_count_of_matching_requests_from_the_first_on():
    faults = Faults(["503=2@2:sailpoint,get"])
    get, other = frozenset({"sailpoint", "get", "read"}), frozenset({"boruta", "get", "read"})

    struck = [bool(faults.strike(words)) for words in (get, other, get, other, get, get)]

    assert struck == [False, False, True, False, True, False]


def test_token_requests_are_spared_unless_they_are_named():
    token = frozenset({"sailpoint", "post", "token"})

    assert not Faults(["5xx"]).strike(token)
    assert Faults(["5xx:token"]).strike(token)
    assert Faults(["latency=1ms"]).strike(token)


@pytest.mark.parametrize(
    ("option", "status"),
    [("429-burst=1", 429), ("5xx", 503), ("500", 500), ("502", 502), ("503", 503), ("504", 504)],
)
def test_an_injected_status_is_answered_and_nothing_is_done(
    struck: tuple[Sandbox, httpx.Client], option: str, status: int
):
    sandbox, client = struck
    sandbox.set_faults(option)

    refused = client.put(f"{PROVIDENT}/shop", json={"name": "web"})
    name = sandbox.client("provident", "shop")["name"]
    accepted = client.put(f"{PROVIDENT}/shop", json={"name": "web"})

    assert refused.status_code == status
    assert ("retry-after" in refused.headers) == (status in (429, 503))
    assert name == ""
    assert accepted.status_code == 200


@pytest.mark.parametrize(
    ("vendor", "path", "member"),
    [
        ("provident", "/oauth2/clients/x", "error"),
        ("sailpoint", "/oauth-clients/v1", "trackingId"),
        ("boruta", "/clients", "code"),
    ],
)
def test_a_500_has_the_vendors_own_shape(sandbox: Sandbox, vendor: str, path: str, member: str):
    sandbox.set_faults("500")

    answer = httpx.get(getattr(sandbox, vendor) + path)
    sandbox.set_faults()

    assert answer.status_code == 500
    assert member in answer.json()


def test_a_gateway_error_is_no_json(struck: tuple[Sandbox, httpx.Client]):
    sandbox, client = struck
    sandbox.set_faults("502")

    answer = client.get(f"{PROVIDENT}/shop")

    assert answer.headers["content-type"] == "text/html"


def test_a_burst_strikes_five_requests_unless_told_otherwise(struck: tuple[Sandbox, httpx.Client]):
    sandbox, client = struck
    sandbox.set_faults("429-burst")

    statuses = [client.get(f"{PROVIDENT}/shop").status_code for _ in range(6)]

    assert statuses == [429] * 5 + [200]


def test_a_write_whose_answer_is_dropped_was_done(struck: tuple[Sandbox, httpx.Client]):
    sandbox, client = struck
    sandbox.set_faults("drop-after-write@2")
    client.put(f"{PROVIDENT}/shop", json={"name": "first"})
    client.get(f"{PROVIDENT}/shop")

    with pytest.raises(httpx.TransportError):
        client.put(f"{PROVIDENT}/shop", json={"name": "second"})

    assert sandbox.client("provident", "shop")["name"] == "second"
    assert client.get(f"{PROVIDENT}/shop").json()["name"] == "second"
    assert [exchange.status for exchange in sandbox.requests] == [200, 200, None, 200]


def test_a_request_that_is_dropped_was_not_done(struck: tuple[Sandbox, httpx.Client]):
    sandbox, client = struck
    sandbox.set_faults("drop:put")

    with pytest.raises(httpx.TransportError):
        client.put(f"{PROVIDENT}/shop", json={"name": "first"})

    assert sandbox.client("provident", "shop")["name"] == ""


def test_broken_json_is_half_of_the_answer(struck: tuple[Sandbox, httpx.Client]):
    sandbox, client = struck
    sandbox.set_faults("broken-json")

    broken = client.get(f"{PROVIDENT}/shop")
    whole = client.get(f"{PROVIDENT}/shop")

    assert broken.status_code == 200
    assert whole.content.startswith(broken.content)
    assert len(broken.content) == len(whole.content) // 2


def test_latency_delays_and_does_no_harm(struck: tuple[Sandbox, httpx.Client]):
    sandbox, client = struck
    sandbox.set_faults("latency=1ms", "latency=2ms")

    assert client.get(f"{PROVIDENT}/shop").status_code == 200


def test_latencies_of_requests_at_the_same_time_overlap(
    struck: tuple[Sandbox, httpx.Client], monkeypatch: pytest.MonkeyPatch
):
    sandbox, client = struck
    sandbox.set_faults("latency=60s")
    asleep, most = 0, 0

    async def sleep(seconds):
        nonlocal asleep, most
        assert seconds == 60
        asleep += 1
        most = max(most, asleep)
        while most < 3:
            await real(0.001)
        asleep -= 1

    real = anyio.sleep
    monkeypatch.setattr(anyio, "sleep", sleep)
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: client.get(f"{PROVIDENT}/shop"), range(3)))

    assert most == 3
    assert {answer.status_code for answer in answers} == {200}


def test_faults_that_cannot_be_read_leave_the_present_ones_in_force(
    struck: tuple[Sandbox, httpx.Client],
):
    sandbox, client = struck
    sandbox.set_faults("5xx=9")

    with pytest.raises(ValueError, match="unknown fault"):
        sandbox.set_faults("nonsense")

    assert client.get(f"{PROVIDENT}/shop").status_code == 503
