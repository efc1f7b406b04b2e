import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.targets import Clock

from reconciler.http.responses import SendState, send_state
from reconciler.http.retry import Pace, backoff, may_repeat, retry_after

DATE = "Mon, 23 Nov 2026 10:00:00 GMT"
WAITS = st.lists(st.floats(0, 30), min_size=1, max_size=60)


def departures(pace, clock, pauses):
    """When each of a row of requests leaves, one after `pauses` each, by a sender that obeys."""
    left = []
    for pause in pauses:
        clock.now += pause
        left.append(clock.now + pace.reserve())
    return left


@given(burst=st.floats(0.1, 20), per_second=st.floats(0.05, 50), pauses=WAITS)
def test_no_window_of_time_ever_holds_more_requests_than_the_bucket_gives(
    burst, per_second, pauses
):
    clock = Clock()

    left = departures(Pace(burst=burst, per_second=per_second, monotonic=clock), clock, pauses)

    for first, start in enumerate(left):
        for last in range(first, len(left)):
            allowed = max(1.0, burst) + (left[last] - start) * per_second
            assert last - first + 1 <= allowed + 1e-6


@given(pauses=WAITS)
def test_a_share_of_one_half_never_uses_up_the_documented_limit(pauses):
    clock = Clock()

    left = departures(
        Pace(burst=50, per_second=5, monotonic=clock), clock, [each / 30 for each in pauses * 4]
    )

    assert all(sum(start <= each < start + 10 for each in left) <= 100 for start in left)


def test_a_burst_leaves_at_once_and_the_rest_at_the_rate():
    pace = Pace(burst=3, per_second=2, monotonic=Clock())

    waits = [pace.reserve() for _ in range(5)]

    assert waits == [0, 0, 0, 0.5, 1.0]


def test_an_idle_time_fills_the_bucket_again():
    clock = Clock()
    pace = Pace(burst=2, per_second=1, monotonic=clock)
    for _ in range(3):
        pace.reserve()

    clock.now += 60

    assert [pace.reserve() for _ in range(3)] == [0, 0, 1]


def test_after_a_pause_requests_leave_one_by_one():
    clock = Clock()
    pace = Pace(burst=3, per_second=2, monotonic=clock)

    pace.pause(7)

    assert [pace.reserve() for _ in range(3)] == [7, 7.5, 8]


def test_a_shorter_pause_does_not_lift_a_longer_one():
    pace = Pace(burst=1, per_second=float("inf"), monotonic=Clock())

    pace.pause(9)
    pace.pause(1)

    assert pace.reserve() == 9


def test_without_a_limit_nobody_waits():
    pace = Pace(burst=1, per_second=float("inf"), monotonic=Clock())

    assert [pace.reserve() for _ in range(100)] == [0] * 100


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
