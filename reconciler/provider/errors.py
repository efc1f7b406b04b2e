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

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.core.model import Json
    from reconciler.provider.model import Provider

# An answer may be a web page of a megabyte, and nested so deep that printing it ends the process.
_LONGEST_QUOTE: Final = 500
# So much of a text is looked at: more than is shown, since a mask is shorter than what it hides.
_LONGEST_LOOK: Final = 4_000
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
    shape = provider.errors
    if not shape.documented:
        if refused.body is not None:
            yield _clip(_quoted_json(provider, refused, refused.body))
        return
    # On the others a vendor answers with a stack trace or a page: words for nobody.
    if refused.status in shape.speaks_on:
        found = [*_field_messages(provider, refused), *_messages(provider, refused)]
        if found:
            yield _clip(mask_again("; ".join(found), refused.known))
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
    return (_masked_text(refused, text) for text in found if isinstance(text, str) and text)


def _field_messages(provider: Provider, refused: ErrorAnswer) -> Iterator[str]:
    if provider.errors.fields is None:
        return
    members = resolve(refused.body, provider.errors.fields)
    if not isinstance(members, dict):
        return
    for name in sorted(members):
        title = _masked_text(refused, name)
        # The message on a secret field may quote the secret.
        if _is_secret(provider, name):
            yield f"{title}: not accepted"
        else:
            yield f"{title}: {_join(provider, refused, members[name])}"


def _join(provider: Provider, refused: ErrorAnswer, messages: Json) -> str:
    if isinstance(messages, list) and all(isinstance(message, str) for message in messages):
        return ", ".join(_masked_text(refused, message) for message in messages)
    if isinstance(messages, str):
        return _masked_text(refused, messages)
    return _quoted_json(provider, refused, messages)


def _is_secret(provider: Provider, place: str) -> bool:
    """Whether a member, or the last of a place, may hold a secret: the schema knows, else the name tells."""
    fields = provider.fields.values()
    described = {name for field in fields for name in (field.name, field.read_as)}
    return any(
        name in secret_members(provider) or (name not in described and sounds_secret(name))
        for name in (place, *_PLACE_SIGNS.split(place))
    )


def _masked_text(refused: ErrorAnswer, text: str) -> str:
    return mask(text[:_LONGEST_LOOK], refused.known)


def _quoted_json(provider: Provider, refused: ErrorAnswer, value: Json) -> str:
    """A value as JSON. Its texts are masked before anything in them is escaped, and all of it after."""
    shown = json.dumps(_without_secrets(provider, refused, value), ensure_ascii=False)
    return mask_again(shown[:_LONGEST_LOOK], refused.known)


def _without_secrets(provider: Provider, refused: ErrorAnswer, value: Json, depth: int = 0) -> Json:
    if depth > _DEEPEST_QUOTE:
        return "..."
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, dict):
        return {
            _masked_text(refused, name): MASK
            if _is_secret(provider, name)
            else _without_secrets(provider, refused, seal_echo(provider, name, member), depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(provider, refused, member, depth + 1) for member in value]
    return _masked_text(refused, value) if isinstance(value, str) else value
