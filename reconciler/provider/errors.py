"""Turns a vendor's error answer into the error to raise, with a sentence that is safe to show."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import (
    Ambiguous,
    BadAnswer,
    NotFound,
    Rejected,
    RemoteError,
    ServerFailed,
    Unauthorized,
)
from reconciler.core.masking.masker import MASK, mask, mask_again
from reconciler.core.model import Secret
from reconciler.core.pointer import resolve
from reconciler.provider.secrets import seal_echo, secret_members, sounds_secret
from reconciler.provider.spelling import answer_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.core.model import Json
    from reconciler.provider.model import Provider

# An answer may be a web page of a megabyte, and nested so deep that printing it ends the process.
_LONGEST_QUOTE: Final = 500
# So much of a text is looked at: more than is shown, since a mask is shorter than what it hides.
_LONGEST_LOOK: Final = 4_000
# A text counts for its length and this much: so few are looked at as fill what is shown.
_LEAST: Final = 16
_MORE: Final = "..."
_DEEPEST_QUOTE: Final = 20
# How servers spell the place of a field in an error: `smtp.password`, `/smtp/password`, `smtp[password]`.
_PLACE_SIGNS: Final = re.compile(r"[^\w-]+")
# A repeated one of these cannot be told from the first (RFC 9110 section 9.2.2).
_NOT_IDEMPOTENT: Final = frozenset({"POST", "PATCH"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """A request and the error that answered it; `subject` is a client's key, "" for none.

    `body` is the parsed answer, None where it was not JSON. `known` are secrets that the request
    carried: they are masked wherever the answer repeats them.
    """

    target: str
    method: str
    path: str
    status: int
    subject: str = ""
    body: Json = field(default=None, repr=False)
    known: Collection[str] = field(default=(), repr=False)


def remote_error(provider: Provider, refused: ErrorAnswer) -> RemoteError:
    """The error for an answer that is not the expected one, its message safe to show."""
    kind = _kind(refused)
    parts = [_headline(refused), *_explanations(provider, refused)]
    if kind is Ambiguous:
        parts.append("It may have been carried out all the same")
    hints = provider.errors.hints
    for asked in (f"{refused.status} {refused.method}", str(refused.status)):
        if asked in hints:
            parts.append(hints[asked])
            break
    message = ". ".join(part.rstrip(".") for part in parts)
    return kind(message, status=refused.status, tracking=_tracking(provider, refused))


def clean(text: str, known: Collection[str] = ()) -> str:
    """`text`, of somebody else, on one line without control characters and `known` secrets, and clipped."""
    return _clip(mask(text[:_LONGEST_LOOK], known))


def _clip(text: str) -> str:
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]} (cut)"


def _kind(refused: ErrorAnswer) -> type[RemoteError]:
    status = refused.status
    if status in (401, 403):
        return Unauthorized
    if status == 404:  # noqa: PLR2004 - the statuses of RFC 9110 are their own names
        return NotFound
    # RFC 6585 section 4: the request was not carried out, and may be, later.
    if status == 429:  # noqa: PLR2004
        return ServerFailed
    if 400 <= status < 500:  # noqa: PLR2004
        return Rejected
    if status >= 500:  # noqa: PLR2004
        # A gateway answers so too, after the server behind it did the work.
        return Ambiguous if refused.method in _NOT_IDEMPOTENT else ServerFailed
    return BadAnswer


def _headline(refused: ErrorAnswer) -> str:
    subject = f"{refused.target}/{refused.subject}" if refused.subject else refused.target
    return f"{subject}: {refused.method} {refused.path} was answered with {refused.status}"


def _explanations(provider: Provider, refused: ErrorAnswer) -> Iterator[str]:
    shape, quote = provider.errors, _Quote(provider, refused.known)
    if not shape.documented:
        if refused.body is not None:
            yield quote.whole(quote.json(refused.body))
        return
    # On the others a vendor answers with a stack trace or a page: words for nobody.
    if refused.status in shape.speaks_on:
        found = [*_field_messages(provider, refused, quote), *_messages(provider, refused, quote)]
        if found:
            yield quote.whole("; ".join(found))
    tracking = _tracking(provider, refused)
    if tracking and shape.tracking:
        yield f"({shape.tracking.rpartition('/')[2]} {tracking})"


def _tracking(provider: Provider, refused: ErrorAnswer) -> str:
    """What the server calls the request, "" where its error does not say."""
    pointer = provider.errors.tracking
    found = resolve(refused.body, pointer) if pointer else None
    return clean(found, refused.known) if isinstance(found, str) else ""


def _messages(provider: Provider, refused: ErrorAnswer, quote: _Quote) -> Iterator[str]:
    found = (resolve(refused.body, pointer) for pointer in provider.errors.messages)
    return (quote.text(text) for text in found if isinstance(text, str) and text)


def _field_messages(provider: Provider, refused: ErrorAnswer, quote: _Quote) -> Iterator[str]:
    if provider.errors.fields is None:
        return
    members = resolve(refused.body, provider.errors.fields)
    if not isinstance(members, dict):
        return
    for name in sorted(members):
        # The message on a secret field may quote the secret.
        said = "not accepted" if _is_secret(provider, name) else _join(members[name], quote)
        yield f"{quote.text(name)}: {said}"


def _join(messages: Json, quote: _Quote) -> str:
    if isinstance(messages, list) and all(isinstance(message, str) for message in messages):
        return ", ".join(map(quote.text, messages))
    return quote.text(messages) if isinstance(messages, str) else quote.json(messages)


class _Quote:
    """What is shown of one answer: its texts are masked one by one, and then all that they make."""

    def __init__(self, provider: Provider, known: Collection[str]) -> None:
        self._provider = provider
        self._known = known
        self._left = _LONGEST_LOOK

    def text(self, text: str) -> str:
        """A text of the answer without secrets; of those behind what can be shown, no more than dots."""
        if self._left <= 0:
            return _MORE
        self._left -= len(text) + _LEAST
        return mask(text[:_LONGEST_LOOK], self._known)

    def json(self, value: Json) -> str:
        """A value as JSON, its texts masked before anything in them is escaped."""
        return json.dumps(self._without_secrets(value), ensure_ascii=False)

    def whole(self, text: str) -> str:
        """The text that was made of others, on one line and clipped."""
        return _clip(mask_again(text[:_LONGEST_LOOK], self._known))

    def _without_secrets(self, value: Json, depth: int = 0) -> Json:
        if depth > _DEEPEST_QUOTE:
            return _MORE
        if isinstance(value, Secret):
            return MASK
        if isinstance(value, dict):
            return {
                self.text(name): self._member(name, member, depth) for name, member in value.items()
            }
        if isinstance(value, list):
            return [self._without_secrets(member, depth + 1) for member in value]
        return self.text(value) if isinstance(value, str) else value

    def _member(self, name: str, value: Json, depth: int) -> Json:
        if self._left <= 0:
            return _MORE
        if _is_secret(self._provider, name):
            return MASK
        return self._without_secrets(seal_echo(self._provider, name, value), depth + 1)


def _is_secret(provider: Provider, place: str) -> bool:
    """Whether a member, or the last of a place, may hold a secret: the schema knows, else the name tells."""
    described = answer_names(provider)
    return any(
        name in secret_members(provider) or (name not in described and sounds_secret(name))
        for name in (place, *_PLACE_SIGNS.split(place))
    )
