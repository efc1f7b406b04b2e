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
from reconciler.core.model import Secret
from reconciler.core.pointer import resolve
from reconciler.provider.secrets import seal_echo, secret_members, sounds_secret

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.core.model import Json
    from reconciler.provider.model import Provider

# An answer may be a web page of a megabyte, and nested so deep that printing it ends the process.
_LONGEST_QUOTE: Final = 500
_DEEPEST_QUOTE: Final = 20
_MASK: Final = "(secret)"
# How servers spell the place of a field in an error: `smtp.password`, `/smtp/password`, `smtp[password]`.
_PLACE_SIGNS: Final = re.compile(r"[^\w-]+")
# Shorter strings are not worth a mask: they would blot out ordinary words.
_SHORTEST_SECRET: Final = 4
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
    """`text` on one line without control characters, `known` secrets masked, and clipped."""
    # The longest first: a secret that is a part of another would leave the rest of that readable.
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _MASK)
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
    shape = provider.errors
    if not shape.documented:
        if refused.body is not None:
            yield clean(
                json.dumps(_mask_secrets(provider, refused.body), ensure_ascii=False), refused.known
            )
        return
    # On the others a vendor answers with a stack trace or a page: words for nobody.
    if refused.status in shape.speaks_on:
        found = [*_field_messages(provider, refused), *_messages(provider, refused)]
        if found:
            yield clean("; ".join(found), refused.known)
    tracking = _tracking(provider, refused)
    if tracking and shape.tracking:
        yield f"({shape.tracking.rpartition('/')[2]} {tracking})"


def _tracking(provider: Provider, refused: ErrorAnswer) -> str:
    """What the server calls the request, "" where its error does not say."""
    pointer = provider.errors.tracking
    found = resolve(refused.body, pointer) if pointer else None
    return clean(found, refused.known) if isinstance(found, str) else ""


def _messages(provider: Provider, refused: ErrorAnswer) -> Iterator[str]:
    found = (resolve(refused.body, pointer) for pointer in provider.errors.messages)
    return (text for text in found if isinstance(text, str) and text)


def _field_messages(provider: Provider, refused: ErrorAnswer) -> Iterator[str]:
    if provider.errors.fields is None:
        return
    members = resolve(refused.body, provider.errors.fields)
    if not isinstance(members, dict):
        return
    for name in sorted(members, key=str):
        # The message on a secret field may quote the secret.
        if _is_secret(provider, name):
            yield f"{name}: not accepted"
        else:
            yield f"{name}: {_join(provider, members[name])}"


def _join(provider: Provider, messages: Json) -> str:
    if isinstance(messages, list) and all(isinstance(message, str) for message in messages):
        return ", ".join(messages)
    if isinstance(messages, str):
        return messages
    return json.dumps(_mask_secrets(provider, messages), ensure_ascii=False)


def _is_secret(provider: Provider, place: str) -> bool:
    """Whether a member, or the last of a place, may hold a secret: the schema knows, else the name tells."""
    fields = provider.fields.values()
    described = {name for field in fields for name in (field.name, field.read_as)}
    return any(
        name in secret_members(provider) or (name not in described and sounds_secret(name))
        for name in (place, *_PLACE_SIGNS.split(place))
    )


def _mask_secrets(provider: Provider, value: Json, depth: int = 0) -> Json:
    if depth > _DEEPEST_QUOTE:
        return "..."
    if isinstance(value, Secret):
        return _MASK
    if isinstance(value, dict):
        return {
            name: _MASK
            if _is_secret(provider, name)
            else _mask_secrets(provider, seal_echo(provider, name, member), depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_mask_secrets(provider, member, depth + 1) for member in value]
    return value
