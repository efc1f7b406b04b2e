import heapq
import math
import threading
import time
from dataclasses import dataclass

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.targets import Clock, transport

from reconciler.http.connection import Rate
from reconciler.http.responses import SendState, send_state
from reconciler.http.retry import Pace, backoff, may_repeat, retry_after

DATE = "Mon, 23 Nov 2026 10:00:00 GMT"


@dataclass
class Sent:
    """One request as a sender and the server see it, in seconds."""

    start: float
    arrived: float
    end: float


def simulate(pace, clock, senders):
    """What `senders` send, each one request after another as (pause, way there, way back), side by side.

    Events happen in the order of their times, by a clock that nothing else moves.
    """
    sent, waiting, under_way = [], [], []
    for number, plan in enumerate(senders):
        heapq.heappush(waiting, (clock.now + plan[0][0], number, 0))
    blocked = []
    while waiting or under_way or blocked:
        ends_first = under_way and (not waiting or under_way[0][0] <= waiting[0][0])
        time, number, place = heapq.heappop(under_way if ends_first else waiting)
        clock.now = max(clock.now, time)
        if ends_first:
            pace.end_turn()
            for each in blocked:
                heapq.heappush(waiting, (clock.now, *each))
            blocked = []
            if place + 1 < len(senders[number]):
                pause = senders[number][place + 1][0]
                heapq.heappush(waiting, (clock.now + pause, number, place + 1))
            continue
        wait = pace.take_turn()
        if math.isinf(wait):
            blocked.append((number, place))
        elif wait > 0:
            heapq.heappush(waiting, (math.nextafter(clock.now + wait, math.inf), number, place))
        else:
            _, there, back = senders[number][place]
            end = clock.now + there + back
            sent.append(Sent(start=clock.now, arrived=clock.now + there, end=end))
            heapq.heappush(under_way, (end, number, place))
    return sent


def most_in_a_window(times, seconds):
    """The largest number of `times` in any window that begins with one of them, its end left out."""
    return max(sum(start <= each < start + seconds for each in times) for start in times)


STEP = st.tuples(st.floats(0, 12), st.floats(0, 3), st.floats(0, 3))
SENDERS = st.lists(st.lists(STEP, min_size=1, max_size=12), min_size=1, max_size=8)


@given(
    requests=st.integers(1, 12),
    share=st.floats(0.1, 1),
    seconds=st.floats(0.5, 20),
    senders=SENDERS,
)
def test_no_window_holds_more_than_the_share_where_they_leave_and_where_they_arrive(
    requests, share, seconds, senders
):
    clock = Clock()
    pace = Pace(requests=requests * share, seconds=seconds, monotonic=clock)

    sent = simulate(pace, clock, senders)

    most = max(1, math.floor(requests * share))
    # A hair less than the window: sums of floats are off by that much.
    assert most_in_a_window([each.start for each in sent], seconds - 1e-6) <= most
    assert most_in_a_window([each.arrived for each in sent], seconds - 1e-6) <= most
    assert len(sent) == sum(map(len, senders))


@given(requests=st.floats(0.05, 1), seconds=st.floats(0.5, 20), senders=SENDERS)
def test_less_than_one_request_a_window_is_one_in_a_longer_window(requests, seconds, senders):
    clock = Clock()
    pace = Pace(requests=requests, seconds=seconds, monotonic=clock)

    starts = [each.start for each in simulate(pace, clock, senders)]

    assert most_in_a_window(starts, seconds / requests - 1e-6) == 1


def test_the_first_window_holds_no_more_than_any_other():
    clock = Clock()
    # As documented by one vendor: 100 in 10 s, of which the tool takes half.
    pace = Pace(requests=50, seconds=10, monotonic=clock)

    sent = simulate(pace, clock, [[(0, 0.01, 0.01)] * 20] * 8)

    arrived = [each.arrived - 1000 for each in sent]
    assert [sum(lo <= each < lo + 10 for each in arrived) for lo in (0, 10, 20)] == [50, 50, 50]
    assert most_in_a_window(arrived, 10) == 50


def sent_at(pace, clock, count):
    """When each of `count` requests leaves whose answers take no time, in seconds from now."""
    begin, times = clock.now, []
    for _ in range(count):
        pace.wait_turn(clock.sleep)
        times.append(clock.now - begin)
        pace.end_turn()
    return times


def test_what_a_window_takes_leaves_at_once_and_the_rest_in_the_next():
    clock = Clock()

    times = sent_at(Pace(requests=3, seconds=2, monotonic=clock), clock, 7)

    assert times == [0, 0, 0, 2, 2, 2, 4]


def test_an_idle_time_makes_room_again():
    clock = Clock()
    pace = Pace(requests=2, seconds=1, monotonic=clock)
    sent_at(pace, clock, 2)

    clock.now += 60

    assert sent_at(pace, clock, 3) == [0, 0, 1]


def test_a_turn_is_not_free_while_its_request_is_under_way():
    clock = Clock()
    pace = Pace(requests=1, seconds=2, monotonic=clock)
    pace.take_turn()
    clock.now += 100

    assert math.isinf(pace.take_turn())
    pace.end_turn()
    assert pace.take_turn() == 2


def test_who_waits_for_a_turn_that_is_under_way_gets_it_when_that_ends():
    pace = Pace(requests=1, seconds=0.001, monotonic=time.monotonic)
    pace.take_turn()
    took = threading.Event()

    def take():
        pace.wait_turn(time.sleep)
        took.set()

    waiting = threading.Thread(target=take)
    waiting.start()
    assert not took.is_set()
    pace.end_turn()
    waiting.join()

    assert took.is_set()


def test_after_a_pause_requests_leave_one_by_one():
    clock = Clock()
    pace = Pace(requests=4, seconds=2, monotonic=clock)

    pace.pause(7)

    assert sent_at(pace, clock, 4) == [7, 7.5, 8, 8.5]


def test_a_shorter_pause_does_not_lift_a_longer_one():
    clock = Clock()
    pace = Pace(requests=math.inf, seconds=0, monotonic=clock)

    pace.pause(9)
    pace.pause(1)

    assert sent_at(pace, clock, 1) == [9]


def test_without_a_limit_nobody_waits():
    clock = Clock()
    pace = Pace(requests=math.inf, seconds=0, monotonic=clock)

    assert [pace.take_turn() for _ in range(100)] == [0] * 100


@pytest.mark.parametrize(
    ("answers", "count"),
    [
        ([], 30),
        ([httpx.Response(401)], 30),
        ([httpx.Response(401), httpx.Response(200, json={}), httpx.Response(401)], 25),
        ([httpx.Response(503)] * 3, 20),
        ([httpx.ConnectError("refused")] * 4, 20),
    ],
)
def test_logins_and_repeats_count_like_any_request(answers, count):
    clock, times, left = Clock(), [], list(answers)

    def server(request):
        times.append(clock.now)
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "t", "token_type": "bearer"})
        answer = left.pop(0) if left else httpx.Response(200, json={})
        if isinstance(answer, Exception):
            raise answer
        return answer

    with transport(server, clock, rate=Rate(requests=10, seconds=10, share=0.5)) as target:
        for _ in range(count):
            target.send("GET", "/clients")

    assert len(times) > count
    assert most_in_a_window(times, 10) <= 5


@pytest.mark.parametrize(
    ("method", "reached", "verdict"),
    [
        *((method, SendState.UNKNOWN, True) for method in ("GET", "PUT", "DELETE")),
        *((method, SendState.UNKNOWN, False) for method in ("POST", "PATCH")),
        *((method, SendState.NEVER_SENT, True) for method in ("GET", "PUT", "POST", "PATCH")),
        *((method, SendState.RATE_LIMITED, True) for method in ("GET", "PUT", "POST", "PATCH")),
        *((method, SendState.ANSWERED, False) for method in ("GET", "PUT", "POST", "PATCH")),
        *((method, SendState.UNREADABLE, False) for method in ("GET", "PUT", "POST", "PATCH")),
    ],
)
def test_a_request_is_repeated_only_where_that_cannot_do_it_twice(method, reached, verdict):
    assert may_repeat(method, reached) is verdict


@pytest.mark.parametrize(
    ("status", "reached"),
    [
        (429, SendState.RATE_LIMITED),
        (502, SendState.UNKNOWN),
        (503, SendState.UNKNOWN),
        (504, SendState.UNKNOWN),
        (500, SendState.ANSWERED),
        (200, SendState.ANSWERED),
        (422, SendState.ANSWERED),
    ],
)
def test_a_status_says_how_far_the_request_got(status, reached):
    assert send_state(status) is reached


def test_backoff_doubles_up_to_a_cap_and_is_spread_from_zero():
    longest = [backoff(attempt, lambda: 1.0) for attempt in range(1, 9)]

    assert longest == [0.5, 1, 2, 4, 8, 16, 20, 20]
    assert backoff(4, lambda: 0.25) == 1.0
    assert backoff(4, lambda: 0.0) == 0.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0 "}, 0),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT", "date": DATE}, 30),
        ({"retry-after": "Mon, 23 Nov 2026 09:00:00 GMT", "date": DATE}, 0),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 -0000", "date": DATE}, None),
        ({"retry-after": "soon", "date": DATE}, None),
        ({"retry-after": "-5", "date": DATE}, None),
        ({"retry-after": "9" * 5000}, 999_999_999_999),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_held_against_the_servers_own(headers, seconds):
    assert retry_after(headers) == seconds
