"""Tells a secret from what a server shows in the place of one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.core.model import Json

# Three of these in a row are in no secret that a machine made, and in `****abcd` too.
_STARS: Final = re.compile(r"[*•●✱█…]{3,}|[*•●✱█]{2}$")
# One character alone, repeated: `xxxxxxxx`, `--------`.
_REPEATED: Final = re.compile(r"([xX#._\-?])\1{2,}")
_PLAIN_WORDS: Final = "encrypted|redacted|masked|hidden|filtered|undisclosed|obfuscated"
# These are words of their own too, and stand for a secret only between signs: `<secret>`, `$secret$`.
_SIGNED_WORDS: Final = f"{_PLAIN_WORDS}|secret|protected|sensitive|removed|omitted|confidential|password|value set|not shown"
_WORD: Final = re.compile(
    rf"(?:{_PLAIN_WORDS})|[^\w\s]+\s*(?:{_SIGNED_WORDS})\s*[^\w\s]+|_+(?:{_SIGNED_WORDS})_+",
    re.IGNORECASE,
)


def is_mask(value: Json, stated: Collection[Json] = ()) -> bool:
    """Whether `value`, of a secret field, hides the secret: a text in `stated`, or one that looks like it.

    Such are `**********`, `********abcd`, `xxxxxxxx`, `<redacted>`, `$encrypted$` and `hidden`.
    """
    if not isinstance(value, str):
        return False
    text = value.strip()
    return value in stated or bool(
        _STARS.search(text) or _REPEATED.fullmatch(text) or _WORD.fullmatch(text)
    )
