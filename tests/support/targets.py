"""A target over a plain callable in the place of its server, with a clock that only sleeping moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx

from reconciler.core.model import Secret
from reconciler.http.connection import Connection, Credentials
from reconciler.http.transport import Transport
from support.vendors import vendor

BASE = "https://id.example.com"
LOGIN = Credentials(client_id="reconciler", client_secret=Secret("the-login-secret"))
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    """Seconds that pass when somebody sleeps, and at no other time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        """Give the time, as `time.monotonic` would."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.sleeps.append(seconds)
        self.now += seconds


class Server:
    """Answers the token request by itself, and every other one with the next of `answers`.

    The last answer is given for good. An exception among them is raised, as httpx would.
    """

    def __init__(self, *answers: httpx.Response | Exception | Handler) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.tokens = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if request.url.path == "/token":
            self.tokens += 1
            body = {"access_token": f"token-{self.tokens}", "token_type": "Bearer"}
            return httpx.Response(200, json={**body, "expires_in": 3600})
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def calls(self) -> list[str]:
        """Give method and path of each request, tokens aside."""
        return [f"{request.method} {request.url.path}" for request in self.requests]


class Flood(httpx.SyncByteStream):
    """A body that never ends, and keeps count of what was taken of it."""

    def __init__(self, chunk: bytes, clock: Clock | None = None, pause: float = 0.0) -> None:
        self.chunk, self.clock, self.pause, self.taken = chunk, clock, pause, 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.taken += len(self.chunk)
            if self.clock:
                self.clock.now += self.pause
            yield self.chunk


def transport(server: Handler, clock: Clock | None = None, **facts: Any) -> Transport:
    """A transport to `server`; keyword arguments go into its Connection."""
    clock = clock or Clock()
    stated = {
        "target": "shop",
        "provider": vendor("sailpoint"),
        "base_url": BASE,
        "auth": LOGIN,
        "token_url": f"{BASE}/token",
        "workers": 4,
    }
    return Transport(
        Connection(**{**stated, **facts}),
        http_transport=httpx.MockTransport(server),
        sleep=clock.sleep,
        monotonic=clock,
        jitter=lambda: 1.0,
    )
