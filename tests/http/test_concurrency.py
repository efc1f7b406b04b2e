"""What is in flight shrinks when the server fails under it, and grows again while all goes well."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.targets import Server, transport

from reconciler.core.errors import ServerFailed
from reconciler.http.concurrency import Gate, Window, overloads
from reconciler.http.responses import Reply, SendState


def room(window):
    """How many more requests the window lets out, without any of them staying out."""
    numbers = []
    while window.is_open:
        numbers.append(window.begin())
    size = len(numbers)
    for number in numbers:
        window.end(number, overloaded=False)
    return size


def test_a_window_begins_whole():
    assert room(Window(8)) == 8


def test_the_first_failure_halves_it():
    window = Window(8)

    window.end(window.begin(), overloaded=True)

    assert room(window) == 4


def test_requests_that_were_out_together_and_fail_together_are_one_sign():
    window = Window(8)
    numbers = [window.begin() for _ in range(8)]

    for number in numbers:
        window.end(number, overloaded=True)

    assert room(window) == 4


def test_a_failure_of_what_left_after_it_halves_it_again_and_one_is_always_let_out():
    window = Window(8)
    sizes = []
    for _ in range(5):
        numbers = []
        while window.is_open:
            numbers.append(window.begin())
        sizes.append(len(numbers))
        for number in numbers:
            window.end(number, overloaded=True)

    assert sizes == [8, 4, 2, 1, 1]


def test_a_round_that_goes_well_widens_it_by_one_and_never_beyond_its_beginning():
    window = Window(4)
    for _ in range(2):
        window.end(window.begin(), overloaded=True)

    # `room` is itself a round that goes well.
    assert [room(window) for _ in range(6)] == [1, 2, 3, 4, 4, 4]


@given(
    most=st.integers(1, 32),
    ends=st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=200),
)
def test_there_is_never_more_out_than_at_most_and_never_room_for_none(most, ends):
    window, out = Window(most), []
    for overloaded, place in ends:
        while window.is_open:
            out.append(window.begin())
        assert 1 <= len(out) <= most
        window.end(out.pop(place % len(out)), overloaded=overloaded)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(state=SendState.ANSWERED, status=200), False),
        (Reply(state=SendState.ANSWERED, status=422), False),
        (Reply(state=SendState.RATE_LIMITED, status=429), False),
        (Reply(state=SendState.ANSWERED, status=500), True),
        (Reply(state=SendState.UNKNOWN, status=502), True),
        (Reply(state=SendState.UNKNOWN, status=503), True),
        (Reply(state=SendState.UNKNOWN), True),
        (Reply(state=SendState.NEVER_SENT), False),
        (Reply(state=SendState.UNREADABLE), False),
    ],
)
def test_what_is_a_sign_of_too_much(reply, expected):
    assert overloads(reply) is expected


def test_a_place_is_given_back_also_after_an_error_that_nobody_foresaw():
    gate = Gate(1)

    def broken():
        raise RuntimeError("nobody foresaw it")

    with pytest.raises(RuntimeError):
        gate.send(broken)

    reply = Reply(state=SendState.ANSWERED, status=200)
    assert gate.send(lambda: reply) is reply


def test_no_more_requests_are_out_than_the_target_allows():
    lock, out, most = threading.Lock(), [0], [0]
    meet = threading.Barrier(2)

    def answer(_request):
        with lock:
            out[0] += 1
            most[0] = max(most[0], out[0])
        # Two of them meet here each time: with one at a time nobody would, and it would break.
        meet.wait(20)
        with lock:
            out[0] -= 1
        return httpx.Response(200, json={})

    with transport(Server(answer), workers=2) as target:
        threads = [threading.Thread(target=target.send, args=("GET", "/x")) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert most == [2]


def test_a_failing_server_is_asked_by_fewer_at_once():
    lock, out, most = threading.Lock(), [0], [0]
    failing = Server(*[httpx.Response(500)] * 3, lambda _request: counted())

    def counted():
        with lock:
            out[0] += 1
            most[0] = max(most[0], out[0])
        with lock:
            out[0] -= 1
        return httpx.Response(500)

    with transport(failing, workers=4) as target:
        for _ in range(3):
            with pytest.raises(ServerFailed):
                target.send("GET", "/x")
        with ThreadPoolExecutor(4) as pool:
            ended = [pool.submit(target.send, "GET", "/x") for _ in range(12)]

    assert all(isinstance(each.exception(), ServerFailed) for each in ended)
    assert most == [1]
