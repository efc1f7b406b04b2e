"""The errors that a stage raises when it cannot go on, each with a sentence for the user.

    ReconcilerError
    ├── InputError                 what the user wrote cannot be used; carries Problems
    ├── SelectionError             what the call names is not there: a target, a client
    ├── StalePlan                  a saved plan that is not the one to apply here and now
    ├── RemoteError                a server did not do what was asked
    │   ├── Unreachable            the request never left, or never arrived
    │   ├── Ambiguous              the request may have been carried out, and no answer says so
    │   ├── Unauthorized           401 or 403: nothing more is sent to this target
    │   ├── AccessRefused          one client cannot be asked for: its own token is refused, or not kept
    │   ├── NotFound               404 on a read by id: the one error that means "gone"
    │   ├── Rejected               another 4xx: the server understood and refused
    │   ├── ChangedMeanwhile       the client is not as it was when the write was planned
    │   ├── ServerFailed           a 5xx, or a 429 that outlasted every retry
    │   └── BadAnswer              an answer of the wrong shape: redirect, HTML, broken JSON, a short list
    ├── InventoryError             the record of what is ours cannot be read, written or locked
    └── SinkError                  a secret cannot be stored

Messages never hold a secret and never quote a vendor's body raw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.model import Problem


class ReconcilerError(Exception):
    """Base of every error that ends a run with a message instead of a traceback."""


class InputError(ReconcilerError):
    """What the user wrote cannot be used: `problems` says where and why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problem(s) in the input")
        self.problems = tuple(problems)


class SelectionError(ReconcilerError):
    """What the call names is not there: it selects nothing, so it cannot be what was meant."""


class StalePlan(ReconcilerError):
    """A saved plan is not the one to apply here and now: the world, the tool or the file moved."""


class RemoteError(ReconcilerError):
    """A server did not do what was asked; `status` is the HTTP status where there was one.

    `tracking` is what the server calls the request by, "" where it said nothing. `retry_after`
    are the seconds that it asked to wait, None where it did not ask.
    """

    def __init__(self, message: str, *, status: int | None = None, tracking: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.tracking = tracking
        self.retry_after: float | None = None


class Unreachable(RemoteError):
    """The request never left, or never arrived: it is safe to send it again."""


class Ambiguous(RemoteError):
    """The request may have been carried out, and no answer says so."""


class Unauthorized(RemoteError):
    """401 or 403: the credentials are wrong or too weak, so nothing more is sent."""


class AccessRefused(RemoteError):
    """The server refuses the token of one client, or none is kept of it (RFC 7592): the others go on."""


class NotFound(RemoteError):
    """404: on a read by id, and only there, it means that the client is gone."""


class Rejected(RemoteError):
    """A 4xx on one request: the server understood it and refused it."""


class ServerFailed(RemoteError):
    """A 5xx, or a 429 that outlasted every retry."""


class ChangedMeanwhile(RemoteError):
    """A client is not as it was when the write was planned, so nothing was written."""


class BadAnswer(RemoteError):
    """An answer of the wrong shape: a redirect, HTML, broken JSON, a list shorter than it states."""


class InventoryError(ReconcilerError):
    """The record of what is ours cannot be read, written or locked."""


class SinkError(ReconcilerError):
    """A secret cannot be stored where the target says."""
