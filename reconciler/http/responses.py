"""Turns what came back of a request into an Answer, or into the error that says what went wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit

from reconciler.core.errors import Ambiguous, BadAnswer, RemoteError, Unreachable
from reconciler.core.model import EMPTY, Secret
from reconciler.core.secrets import reveal
from reconciler.http.limits import Delivery
from reconciler.provider.errors import Refused, clean, error

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.core.model import Json
    from reconciler.provider.model import Provider

# Where servers, and proxies in front of them, say by which id their logs know a request. No RFC
# names such a header: these are in common use, and a descriptor can name another.
_TRACKING: Final = ("x-request-id", "x-correlation-id", "request-id")
# An error body is for people: one that is longer is not looked at.
_LONGEST_ERROR: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered: `body` is parsed JSON, None where there was none. Header names are lower-case.

    `tracking` is what the server calls the request, "" where it does not say.
    """

    status: int
    body: Json = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    tracking: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to send; `known` are the secrets in it, `subject` the key of its client."""

    target: str
    method: str
    path: str
    subject: str
    query: Mapping[str, str | int]
    content: bytes | None = field(repr=False)
    content_type: str | None
    expect: frozenset[int]
    known: tuple[str, ...] = field(repr=False)

    @property
    def what(self) -> str:
        """The call in words, for a message."""
        subject = f"{self.target}/{self.subject}" if self.subject else self.target
        return f"{subject}: {self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one try came to: an answer with its `status`, or the `cause` that there is none.

    `error` is set where it is already known that no answer can be had, and why.
    """

    reached: Delivery
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    content: bytes = field(default=b"", repr=False)
    cause: str = ""
    error: RemoteError | None = None


def encode(body: Json) -> bytes | None:
    """The bytes of a request's body, its Secrets revealed."""
    if body is None:
        return None
    text = json.dumps(reveal(body), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def secrets_in(body: Json) -> Iterator[str]:
    """The values of the Secrets in `body`, as text."""
    if isinstance(body, Secret):
        yield str(body.value)
    elif isinstance(body, dict):
        for member in body.values():
            yield from secrets_in(member)
    elif isinstance(body, list | tuple):
        for member in body:
            yield from secrets_in(member)


def conclude(
    provider: Provider, call: Call, reply: Reply, *, doubt: bool, known: Collection[str] = ()
) -> Answer:
    """The Answer that the last try brought, or the error to raise.

    `doubt` says that an earlier try may have been carried out. That makes a 404 on a DELETE a
    success, and no answer at all to a write Ambiguous. `known` are secrets to mask in a message.
    """
    if reply.status is None:
        raise _silence(call, reply, doubt=doubt)
    tracking = _tracking(provider, reply.headers)
    if call.method == "DELETE" and doubt and reply.status == 404:  # noqa: PLR2004 - RFC 9110
        return Answer(status=reply.status, headers=reply.headers, tracking=tracking)
    if not 200 <= reply.status < 300:  # noqa: PLR2004
        raise _refusal(provider, call, reply, known)
    return _accepted(call, reply, tracking)


def _silence(call: Call, reply: Reply, *, doubt: bool) -> RemoteError:
    unsure = doubt or reply.reached in (Delivery.UNKNOWN, Delivery.UNREADABLE)
    cause = reply.cause if reply.error is None else str(reply.error)
    if unsure and call.method != "GET":
        return Ambiguous(f"{call.what}: {cause}. It may have been carried out all the same")
    if reply.error is not None:
        return reply.error
    kind = BadAnswer if reply.reached is Delivery.UNREADABLE else Unreachable
    return kind(f"{call.what}: {cause}")


def _refusal(provider: Provider, call: Call, reply: Reply, known: Collection[str]) -> RemoteError:
    status = reply.status or 0
    if 300 <= status < 400:  # noqa: PLR2004
        place = urlsplit(reply.headers.get("location", ""))
        where = clean(f" to {place.scheme}://{place.hostname}") if place.hostname else ""
        return BadAnswer(
            f"{call.what} was answered with a redirect{where} ({status}), which is not followed; "
            "check baseUrl in the project file",
            status=status,
        )
    body = _lenient(reply.content)
    if status == 404 and body is None and "html" in reply.headers.get("content-type", ""):  # noqa: PLR2004
        # A gateway that knows nothing of the API says nothing of a client (so nothing is "gone").
        return BadAnswer(
            f"{call.what} was answered with a web page (404); check baseUrl in the project file",
            status=status,
        )
    refusal = error(
        provider,
        Refused(
            target=call.target,
            method=call.method,
            path=call.path,
            status=status,
            subject=call.subject,
            body=body,
            known=known,
        ),
    )
    refusal.tracking = refusal.tracking or _tracking(provider, reply.headers)
    return refusal


def _tracking(provider: Provider, headers: Mapping[str, str]) -> str:
    own = provider.request_id_header
    names = _TRACKING if own is None else (own, *_TRACKING)
    return next((clean(headers[name]) for name in names if headers.get(name)), "")


def _lenient(content: bytes) -> Json:
    if len(content) > _LONGEST_ERROR:
        return None
    try:
        body: Json = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body


def _accepted(call: Call, reply: Reply, tracking: str) -> Answer:
    status = reply.status or 0
    if call.method == "DELETE" and status in call.expect:
        return Answer(status=status, headers=reply.headers, tracking=tracking)
    # A create that was carried out must not be lost over 201 in the place of 200.
    if status not in call.expect and call.method != "POST":
        _broken(call, status, f"where {', '.join(map(str, sorted(call.expect)))} is documented")
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        _broken(call, status, f"and {clean(media_type) or 'no content type'} instead of JSON")
    body = _strict(call, status, reply.content)
    return Answer(status=status, body=body, headers=reply.headers, tracking=tracking)


def _strict(call: Call, status: int, content: bytes) -> Json:
    problem = ""
    try:
        text = content.decode()
        body: Json = json.loads(text, parse_constant=_no_constant)
        if "\\ud" in text or "\\uD" in text:
            # Half a surrogate pair is legal JSON and yet no text: it cannot be written anywhere.
            json.dumps(body, ensure_ascii=False).encode()
    except RecursionError:
        problem = "and JSON that is nested too deep"
    except ValueError:
        problem = "and JSON that is broken or cut off"
    if problem:
        _broken(call, status, problem)
    return body


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _broken(call: Call, status: int, how: str) -> NoReturn:
    kind = BadAnswer if call.method == "GET" else Ambiguous
    raise kind(f"{call.what} was answered with {status} {how}", status=status)
