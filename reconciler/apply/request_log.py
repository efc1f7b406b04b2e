"""Sends the requests of one change, and keeps count of them and of what the server called them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.errors import Ambiguous, BadAnswer, RemoteError, Unreachable
from reconciler.core.pointer import resolve
from reconciler.core.secrets import secret_texts
from reconciler.http.links import last_segment
from reconciler.http.live import client_in_answer, read_client
from reconciler.plan.requests import path_for
from reconciler.provider.model import Answers
from reconciler.provider.secrets import seal, secret_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.apply.context import OpenTarget
    from reconciler.core.changes import Change, Operation, Request
    from reconciler.core.model import JsonObject, Secret
    from reconciler.http.responses import Answer
    from reconciler.provider.model import Endpoint, Provider


class RequestLog:
    """What went to the server for one change, and what came back.

    `told` is the secret in the answer to the last write, whatever else that shows.
    """

    def __init__(self, target: OpenTarget, change: Change) -> None:
        self._target = target
        self._change = change
        self.sent = 0
        self.accepted = False
        self.seen: JsonObject | None = None
        self.told: Secret | None = None
        # A dict for its keys: each once, and in the order in which they came, as no set has it.
        self._tracking: dict[str, None] = {}

    @property
    def tracking(self) -> tuple[str, ...]:
        """What the server called the requests that it answered, each once, in order."""
        return tuple(self._tracking)

    def write(self, request: Request, remote_id: str) -> JsonObject:
        """Send a create or an update. The client that the answer shows, sealed.

        `remote_id` is the client's, or what a create chose, "" where the server chooses. By it the
        client is read where an expected status came without a body.
        """
        answer = self.send(request, remote_id)
        endpoint = _endpoint(self._target.provider, request.operation)
        is_new = request.operation == "create"
        self._note_secret(endpoint, answer, is_new=is_new)
        if endpoint.answers is Answers.LOCATION:
            remote_id = self._located(request, answer) or remote_id
        shows_client = endpoint.answers is Answers.CLIENT and not answer.is_empty
        if remote_id and not shows_client:
            return self._read_written(request, remote_id, answer)
        body = self._shown_client(endpoint, answer, is_new=is_new) if shows_client else None
        if body is None:
            raise self._without_client(request, answer, _what_it_shows(endpoint, answer))
        self.seen = body
        return body

    def _shown_client(
        self, endpoint: Endpoint, answer: Answer, *, is_new: bool
    ) -> JsonObject | None:
        known = (*self._target.transport.secrets, *self._told())
        return client_in_answer(self._target.provider, endpoint, answer, known, is_new=is_new)

    def _told(self) -> tuple[str, ...]:
        """The secret that was told: most servers tell it once, and what repeats it later is known by it."""
        return () if self.told is None else tuple(secret_texts(self.told))

    def _note_secret(self, endpoint: Endpoint, answer: Answer, *, is_new: bool) -> None:
        """Keep the secret that an answer tells, be it this once, whatever else the answer lacks."""
        item = resolve(answer.body, endpoint.item)
        if isinstance(item, dict):
            provider = self._target.provider
            self.told = secret_in(provider, seal(provider, item, is_new=is_new))

    def _located(self, request: Request, answer: Answer) -> str:
        """The id in the Location of an answer, "" where it names none on this server."""
        location = answer.headers.get("location", "")
        base_url = self._target.transport.base_url
        return last_segment(base_url, request.path, location) if location else ""

    def _read_written(self, request: Request, remote_id: str, answer: Answer) -> JsonObject:
        """The client after a write that was answered without one."""
        try:
            return self.read(remote_id)
        except RemoteError as error:
            # Not that error: it would say that nothing was written, or that the client is gone.
            what = f"no body, and the client could not be read: {error}"
        raise self._without_client(request, answer, what)

    def _without_client(self, request: Request, answer: Answer, what: str) -> RemoteError:
        """The error of a write that was answered with success and shows no client."""
        # Success, so that the client may be there: the intent of a create must stay open.
        kind = Ambiguous if request.operation == "create" else BadAnswer
        return kind(
            f"{self._change.target}/{self._change.key}: {request.method} was answered with "
            f"{answer.status} and {what}",
            status=answer.status,
        )

    def send(self, request: Request, remote_id: str) -> Answer:
        """Send one request that writes. Raises the RemoteErrors, and InventoryError for a lost lock."""
        try:
            answer = self._target.transport.send(
                request.method,
                path_for(request, remote_id),
                body=request.body,
                content_type=request.content_type,
                expect=_endpoint(self._target.provider, request.operation).expect,
                about="" if request.operation == "create" else remote_id,
                subject=self._change.key,
                secrets=self._known_secrets(),
                # A lock in an object store is a lease, which may run out while a request waits.
                before_try=self._target.session.check_lock,
            )
        # It never reached the server, so that it is not among the requests that were sent.
        except Unreachable:
            raise
        except RemoteError as error:
            self._note(error.tracking)
            raise
        self._note(answer.tracking)
        self.accepted = True
        return answer

    def _known_secrets(self) -> Iterator[str]:
        """The secrets of the client that the server has shown: it may repeat them when it refuses."""
        if self._change.live is not None:
            yield from secret_texts(self._change.live.body)
        if self.seen is not None:
            yield from secret_texts(self.seen)
        yield from self._told()

    def read(self, remote_id: str) -> JsonObject:
        """The client as it is now, sealed. Raises NotFound where it is gone, and the other RemoteErrors."""
        provider, transport = self._target.provider, self._target.transport
        self.seen = read_client(provider, transport, remote_id, self._told()).body
        return self.seen

    def _note(self, tracking: str) -> None:
        self.sent += 1
        if tracking:
            self._tracking[tracking] = None


def _what_it_shows(endpoint: Endpoint, answer: Answer) -> str:
    """What an answer brings that shows no client, in words."""
    if endpoint.answers is Answers.LOCATION:
        return "no Location that names a client of this server"
    return "no body" if answer.is_empty else "no client that has an id"


def _endpoint(provider: Provider, operation: Operation) -> Endpoint:
    endpoints = {
        "create": provider.create,
        "update": provider.update,
        # A delete is planned only where there is a call for it: `read` is for the type alone.
        "delete": provider.delete or provider.read,
    }
    return endpoints[operation]
