"""A write is held back where the lock was lost while it waited, whatever it waited for."""

import socket
import threading

import httpx
import pytest
from support.targets import Clock, Server, transport
from support.vendors import vendor

from reconciler.core.errors import Ambiguous, InventoryError
from reconciler.core.model import Secret
from reconciler.http.connection import Connection, Rate
from reconciler.http.transport import Transport

OK = httpx.Response(200, json={"id": "1"})
GONE = httpx.Response(204)
REFUSED = httpx.ConnectError("connection refused")
SLOW = httpx.ReadTimeout("slow")
SLOWLY = {"rate": Rate(requests=1, seconds=4.0, share=1.0)}


class Lock:
    """A lock that is another's from the moment on at which somebody says so."""

    def __init__(self):
        self.lost = False
        self.looks = 0

    def check(self):
        self.looks += 1
        if self.lost:
            raise InventoryError("this run lost its lock")


class Pause(Clock):
    """A clock by which the lock is lost while somebody waits."""

    def __init__(self, lock):
        super().__init__()
        self._lock = lock

    def sleep(self, seconds):
        super().sleep(seconds)
        self._lock.lost = True


def status(code, **headers):
    return httpx.Response(code, headers=headers)


@pytest.mark.parametrize(
    ("method", "answers", "error"),
    [
        ("POST", [status(429), OK], InventoryError),
        ("POST", [status(429, **{"retry-after": "7"}), OK], InventoryError),
        ("POST", [REFUSED, OK], InventoryError),
        ("PATCH", [status(429), OK], InventoryError),
        ("PUT", [REFUSED, OK], InventoryError),
        ("PUT", [SLOW, OK], Ambiguous),
        ("PUT", [status(503, **{"retry-after": "2"}), OK], Ambiguous),
        ("DELETE", [status(502), GONE], Ambiguous),
        ("DELETE", [SLOW, GONE], Ambiguous),
    ],
)
def test_a_write_is_not_repeated_after_a_wait_in_which_the_lock_was_lost(method, answers, error):
    lock, server = Lock(), Server(*answers)

    with transport(server, Pause(lock)) as target:
        with pytest.raises(error, match="lost its lock") as caught:
            target.send(method, "/clients/1", expect=(200, 204), before_try=lock.check)
        # Later ones are held back too.
        with pytest.raises(InventoryError):
            target.send("POST", "/clients", before_try=lock.check)

    assert len(server.requests) == 1
    # What an earlier try may have done is told.
    assert ("may have been carried out" in str(caught.value)) == (error is Ambiguous)


def test_a_write_that_waited_for_its_turn_does_not_leave_without_the_lock():
    lock, server = Lock(), Server(OK)

    with transport(server, Pause(lock), auth=Secret("t"), **SLOWLY) as at:
        at.send("POST", "/clients", before_try=lock.check)
        with pytest.raises(InventoryError):
            at.send("POST", "/clients", before_try=lock.check)

    assert server.calls == ["POST /clients"]


def losing_at_token(lock, number, server):
    def answer(request):
        found = server(request)
        lock.lost = lock.lost or server.tokens == number
        return found

    return answer


@pytest.mark.parametrize(("number", "arrived"), [(1, 0), (2, 1)])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_that_waited_for_a_token_does_not_leave_without_the_lock(method, number, arrived):
    lock, server = Lock(), Server(status(401), OK)

    with (
        transport(losing_at_token(lock, number, server)) as target,
        pytest.raises(InventoryError),
    ):
        target.send(method, "/clients/1", before_try=lock.check)

    assert len(server.requests) == arrived


def test_reads_and_logins_need_no_lock():
    lock, server = Lock(), Server(OK)
    lock.lost = True

    with transport(server) as target:
        assert target.log_in()
        assert target.send("GET", "/clients/1").status == 200

    assert lock.looks == 0


def test_a_write_that_waited_for_its_connection_does_not_leave_without_the_lock():
    received = []

    def take(listening):
        connection, _ = listening.accept()
        with connection:
            lock.lost = True
            is_taken.set()
            received.append(connection.recv(100))

    class SlowLock(Lock):
        def check(self):
            super().check()
            # The second look: there is a connection, and by now the lock is another's.
            if self.looks == 1:
                thread.start()
                return
            is_taken.wait()
            super().check()

    lock, is_taken = SlowLock(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=take, args=(listening,))
        connection = Connection(
            target="shop",
            provider=vendor("sailpoint"),
            base_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
            auth=Secret("t"),
            token_url=None,
            workers=1,
        )
        with (
            Transport(connection) as target,
            pytest.raises(InventoryError),
        ):
            target.send("POST", "/clients", before_try=lock.check)
        thread.join()

    assert received == [b""]
