"""Takes a secret out of a text that may repeat it, however it is spelt there."""

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


def masked(text: str, secret: Secret) -> str:
    """`text` without the secret: as it is, escaped or encoded, whole or any longer part of it.

    It is meant for texts of some hundred characters.
    """
    forms = sorted(set(_forms(str(reveal(secret)))), key=len, reverse=True)
    kept: list[str] = []
    place = 0
    while place < len(text):
        length = max((_common(text, place, form) for form in forms), default=0)
        if not length:
            kept.append(text[place])
            place += 1
            continue
        if kept[-1:] != [MASK]:
            kept.append(MASK)
        place += length
    return "".join(kept)


def _common(text: str, place: int, form: str) -> int:
    """How much of `text` from `place` on is a part of `form` that must not be shown."""
    least = min(_SHORTEST_PART, len(form))
    part = text[place : place + least]
    if len(part) < least or part not in form:
        return 0
    length = least
    while place + length < len(text) and text[place : place + length + 1] in form:
        length += 1
    return length


def _forms(plain: str) -> Iterator[str]:
    """The ways in which programs print a text back."""
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
