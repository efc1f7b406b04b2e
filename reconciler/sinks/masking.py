"""Masks a secret in a text that may repeat it, in any of the spellings that programs print."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from reconciler.core.secrets import reveal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.model import Secret

MASK: Final = "(secret)"
# A shorter part of a long secret is found in ordinary words, and gives nothing away.
_SHORTEST_PART: Final = 6


def mask_secret(text: str, secret: Secret) -> str:
    """`text` without the secret: as it is, escaped or encoded, whole or any longer part of it.

    It is meant for texts of some hundred characters.
    """
    spellings = sorted(set(_spellings(str(reveal(secret)))), key=len, reverse=True)
    parts: list[str] = []
    place = 0
    while place < len(text):
        length = max((_shared_length(text, place, each) for each in spellings), default=0)
        if not length:
            parts.append(text[place])
            place += 1
            continue
        # One mask for parts that follow each other: their number tells nothing of the secret.
        if parts[-1:] != [MASK]:
            parts.append(MASK)
        place += length
    return "".join(parts)


def _shared_length(text: str, place: int, spelling: str) -> int:
    """How much of `text` from `place` on is a part of `spelling` that must not be shown."""
    least = min(_SHORTEST_PART, len(spelling))
    part = text[place : place + least]
    if len(part) < least or part not in spelling:
        return 0
    length = least
    while place + length < len(text) and text[place : place + length + 1] in spelling:
        length += 1
    return length


def _spellings(plain: str) -> Iterator[str]:
    """The ways in which programs print a text back: plain, percent-encoded, escaped, hex, Base64."""
    # An empty secret would be found everywhere.
    if not plain:
        return
    content = plain.encode("utf-8", "replace")
    yield from (plain, quote(content, safe=""), quote_plus(content), json.dumps(plain)[1:-1])
    yield from (repr(plain)[1:-1], content.hex(), content.hex().upper())
    for before in range(3):
        # In Base64 a text has three spellings, by what stands before it; its edges mix with that.
        encoded = base64.b64encode(b"\0" * before + content).decode().rstrip("=")
        inner = encoded[4 if before else 0 : -1]
        if len(inner) >= _SHORTEST_PART:
            yield from (inner, inner.replace("+", "-").replace("/", "_"))
