"""Turns the reply to a request into an Answer, or into the error that says what went wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from math import isinf
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit

from reconciler.core.errors import Ambiguous, BadAnswer, RemoteError, Unreachable
from reconciler.core.model import EMPTY
from reconciler.core.secrets import reveal
from reconciler.provider.errors import ErrorAnswer, clean, remote_error

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.core.model import Json
    from reconciler.http.registration.grants import Grant
    from reconciler.provider.model import Provider

# Where servers, and proxies in front of them, say by which id their logs know a request. No RFC
# names such a header: these are in common use, and a descriptor can name another.
_TRACKING: Final = ("x-request-id", "x-correlation-id", "request-id")
# An error body is for people: one that is longer is not parsed. In bytes.
_LONGEST_ERROR: Final = 64 * 1024
# How many lists and objects may stand within each other. Vendors document five at most.
_DEEPEST_ANSWER: Final = 64
# From a gateway that gave up, or from a server that is busy: what stands behind either may have
# carried the request out all the same.
_UNAVAILABLE: Final = frozenset({502, 503, 504})


class SendState(Enum):
    """How far a request got, as far as anyone can tell."""

    NEVER_SENT = "never sent"
    UNKNOWN = "it may have been carried out"
    RATE_LIMITED = "429: not carried out, for now"
    ANSWERED = "answered"
    UNREADABLE = "answered, with something that cannot be read"


def send_state(status: int) -> SendState:
    """How far a request got that was answered with `status`."""
    if status == 429:  # noqa: PLR2004 - RFC 6585 section 4
        return SendState.RATE_LIMITED
    # A 500 is not among them: the server failed at this very request, and does so again as a rule.
    return SendState.UNKNOWN if status in _UNAVAILABLE else SendState.ANSWERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered: `body` is parsed JSON, None where there was none.

    Header names are lower-case. `tracking` is what the server calls the request, "" where it does
    not say. `is_empty`: an expected status came without a body, which is not the JSON `null`.
    """

    status: int
    body: Json = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    tracking: str = ""
    is_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to send; `secrets` are those of its client as text, `subject` the key of that.

    With a `grant` it goes to the client's own address, where that is known, with the client's token.
    """

    target: str
    method: str
    path: str
    subject: str
    query: Mapping[str, str | int]
    content: bytes | None = field(repr=False)
    content_type: str | None
    expect: frozenset[int]
    secrets: tuple[str, ...] = field(repr=False)
    grant: Grant | None = None

    @property
    def title(self) -> str:
        """The call in words, for a message."""
        subject = f"{self.target}/{self.subject}" if self.subject else self.target
        return f"{subject}: {self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one try ended with: an answer with its `status`, or the `cause` that there is none.

    `error` is set where it is already known that no answer can be had, and why. `via` is the proxy,
    in words, where the answer may be its own and not the server's.
    """

    state: SendState
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    content: bytes = field(default=b"", repr=False)
    cause: str = ""
    error: RemoteError | None = None
    via: str = ""


def encode(body: Json) -> bytes | None:
    """The bytes of a request's body, its Secrets revealed; None for no body."""
    if body is None:
        return None
    text = json.dumps(reveal(body), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def read_answer(
    provider: Provider,
    call: Call,
    reply: Reply,
    *,
    maybe_done: bool,
    secrets: Collection[str] = (),
) -> Answer:
    """The Answer in the reply to the last try; raises the RemoteError where there is none.

    `maybe_done` says that an earlier try may have been carried out. That makes a 404 on a DELETE a
    success, and no answer at all to a write Ambiguous. `secrets` are masked in messages.
    """
    if reply.status is None:
        raise _write_error(call, reply, maybe_done=maybe_done)
    tracking = _tracking(provider, reply.headers, secrets)
    if call.method == "DELETE" and maybe_done and reply.status in _gone_statuses(call):
        return Answer(status=reply.status, headers=reply.headers, tracking=tracking)
    if not 200 <= reply.status < 300:  # noqa: PLR2004
        raise _refusal_error(provider, call, reply, secrets)
    return _success_answer(call, reply, tracking, secrets)


def _gone_statuses(call: Call) -> tuple[int, ...]:
    # RFC 7592 section 2.3: the token of a client that is gone is refused as one that never was.
    return (404,) if call.grant is None else (404, 401)


def _write_error(call: Call, reply: Reply, *, maybe_done: bool) -> RemoteError:
    """The error of a call that got no answer: Ambiguous for a write that may have been carried out."""
    unsure = maybe_done or reply.state in (SendState.UNKNOWN, SendState.UNREADABLE)
    if unsure and call.method != "GET":
        cause = reply.cause if reply.error is None else str(reply.error)
        return Ambiguous(f"{call.title}: {cause}. It may have been carried out all the same")
    return no_answer_error(call.title, reply)


def no_answer_error(title: str, reply: Reply) -> RemoteError:
    """The error that says why there is no answer to what `title` names."""
    if reply.error is not None:
        return reply.error
    kind = BadAnswer if reply.state is SendState.UNREADABLE else Unreachable
    return kind(f"{title}: {reply.cause}")


def _refusal_error(
    provider: Provider, call: Call, reply: Reply, secrets: Collection[str]
) -> RemoteError:
    status = reply.status or 0
    if 300 <= status < 400:  # noqa: PLR2004
        # Only the host is shown: the rest of such an address may hold a session or a token.
        location = urlsplit(reply.headers.get("location", ""))
        host = f"{location.scheme}://{location.hostname}".removeprefix("://")
        where = f" to {clean(host, secrets)}" if location.hostname else ""
        return BadAnswer(
            f"{call.title} was answered with a redirect{where} ({status}), which is not followed; "
            "check baseUrl in the project file",
            status=status,
        )
    body = _json_or_none(reply.content)
    if status == 404 and body is None and "html" in reply.headers.get("content-type", ""):  # noqa: PLR2004
        # A gateway that knows nothing of the API says nothing of a client (so nothing is "gone").
        return BadAnswer(
            f"{call.title} was answered with a web page (404); check baseUrl in the project file",
            status=status,
        )
    refusal = remote_error(
        provider,
        ErrorAnswer(
            target=call.target,
            method=call.method,
            path=call.path,
            status=status,
            subject=call.subject,
            body=body,
            known=secrets,
        ),
    )
    tracking = refusal.tracking or _tracking(provider, reply.headers, secrets)
    if reply.via:
        # A proxy that passes a request on answers in the server's place where it cannot reach it.
        return type(refusal)(f"{refusal}, through {reply.via}", status=status, tracking=tracking)
    refusal.tracking = tracking
    return refusal


def _tracking(provider: Provider, headers: Mapping[str, str], secrets: Collection[str]) -> str:
    own = provider.request_id_header
    names = _TRACKING if own is None else (own, *_TRACKING)
    return next((clean(headers[name], secrets) for name in names if headers.get(name)), "")


def _json_or_none(content: bytes) -> Json:
    if len(content) > _LONGEST_ERROR:
        return None
    try:
        body: Json = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return None if _is_too_deep(body) else body


def _is_too_deep(body: Json) -> bool:
    """Whether JSON is nested deeper than whatever works on it can follow."""
    level = [body] if isinstance(body, dict | list) else []
    for _ in range(_DEEPEST_ANSWER):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _success_answer(call: Call, reply: Reply, tracking: str, secrets: Collection[str]) -> Answer:
    status = reply.status or 0
    # Its body says nothing that is needed, so it need not be JSON, nor be there.
    if call.method == "DELETE" and status in call.expect:
        return Answer(status=status, headers=reply.headers, tracking=tracking)
    # A create that was carried out must not be lost over 201 in the place of 200.
    if status not in call.expect and call.method != "POST":
        _raise_broken(
            call, status, f"where {', '.join(map(str, sorted(call.expect)))} is documented"
        )
    if not reply.content.strip():
        return _empty_answer(call, reply, tracking)
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        kind = clean(media_type, secrets) or "no content type"
        _raise_broken(call, status, f"and {kind} instead of JSON")
    body = _parse_json(call, status, reply.content)
    return Answer(status=status, body=body, headers=reply.headers, tracking=tracking)


def _empty_answer(call: Call, reply: Reply, tracking: str) -> Answer:
    """The answer of an expected status without a body: to a write it says that it was carried out."""
    status = reply.status or 0
    if call.method == "GET" or status not in call.expect:
        _raise_broken(call, status, "and no body, where one is documented")
    return Answer(status=status, headers=reply.headers, tracking=tracking, is_empty=True)


def _parse_json(call: Call, status: int, content: bytes) -> Json:
    """The JSON in a body (RFC 8259); raises for one that is broken, cut off, no text or beyond bounds."""
    try:
        text = content.decode()
        body: Json = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        if "\\ud" in text or "\\uD" in text:
            # Half a surrogate pair is legal JSON and yet no text: it cannot be written anywhere.
            json.dumps(body, ensure_ascii=False).encode()
        problem = "and JSON that is nested too deep" if _is_too_deep(body) else ""
    except RecursionError:
        problem = "and JSON that is nested too deep"
    except OverflowError:
        problem = "and JSON with a number beyond all bounds"
    except ValueError:
        problem = "and JSON that is broken or cut off"
    # Outside of the handlers, so that the error does not lead back to the text.
    if problem:
        _raise_broken(call, status, problem)
    return body


def _refuse_constant(name: str) -> NoReturn:
    # NaN and Infinity, which Python reads and JSON does not have.
    raise ValueError(name)


def _finite(number: str) -> float:
    """The number that a text states; OverflowError for one that Python reads as infinite, such as 1e999."""
    found = float(number)
    if isinf(found):
        # No document of ours could hold it: JSON has no word for what it would become (RFC 8259 section 6).
        raise OverflowError
    return found


def _raise_broken(call: Call, status: int, how: str) -> NoReturn:
    # By its status the server took the write, whatever the rest of the answer is worth.
    kind = BadAnswer if call.method == "GET" else Ambiguous
    raise kind(f"{call.title} was answered with {status} {how}", status=status)
