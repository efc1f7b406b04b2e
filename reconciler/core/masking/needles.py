"""Turns a secret into what is looked for in a text: its parts, in the ways in which it may be written."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from reconciler.core.masking.views import folded, layers, plain, skeleton

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# A shorter secret is a part of ordinary words: to mask it would tell it to whoever reads the rest.
SHORTEST_MASKED: Final = 8
# A shorter part of a longer secret is found in ordinary words, and gives little away.
PART: Final = 6
# Where a text was cut, a shorter beginning of a secret is no accident.
HEADS: Final = (5, 4)
# A text of which so little is left without its signs is looked for with them alone.
_SHORTEST_SKELETON: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is looked for: texts of one `size` that must not be shown, and beginnings, `heads`."""

    size: int
    texts: frozenset[str]
    heads: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """A secret as it is looked for: in a text as it is, and in one of letters and digits alone."""

    is_short: bool
    literal: tuple[Parts, ...]
    skeleton: tuple[Parts, ...]


# Kept, since the secrets of a target are looked for in each of its answers.
@lru_cache(maxsize=256)
def needle_for(secret: str) -> Needle:
    """What to look for so that `secret` is found."""
    is_short = len(secret) < SHORTEST_MASKED
    variants = {folded(variant) for variant in _variants(secret)}
    bare = {skeleton(plain(variant)).text for variant in variants}
    if is_short:
        # A decoded one may be a single letter, which is in every text.
        literal = {text for text in variants if 2 * len(text) >= len(secret)}
        whole = {text for text in bare if len(text) >= _SHORTEST_SKELETON}
        return Needle(is_short=True, literal=_short(literal), skeleton=_short(whole))
    return Needle(is_short=False, literal=_long(variants), skeleton=_long(bare))


def _variants(secret: str) -> Iterator[str]:
    """The secret as it is, as whoever decodes too much reads it, and with other programs' characters."""
    for view in layers(plain(secret)):
        yield view.text
    if secret.isascii():
        return
    content = secret.encode("utf-8", "surrogatepass")
    # UTF-8 that was read as one of the encodings of a byte for a character.
    yield content.decode("latin-1")
    yield content.decode("cp1252", "replace")
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        yield unicodedata.normalize(form, secret)


def _short(texts: set[str]) -> tuple[Parts, ...]:
    # All but its last character is told by a text that was cut.
    return tuple(_parts(text, max(min(len(text), 4), len(text) - 1)) for text in sorted(texts))


def _long(texts: set[str]) -> tuple[Parts, ...]:
    found = [_parts(text, PART, HEADS) for text in texts if len(text) >= PART]
    joined = frozenset[str]()
    return (
        Parts(
            size=PART,
            texts=joined.union(*(parts.texts for parts in found)),
            heads=joined.union(*(parts.heads for parts in found)),
        ),
    )


def _parts(text: str, size: int, heads: Collection[int] = ()) -> Parts:
    return Parts(
        size=size,
        texts=frozenset(text[at : at + size] for at in range(len(text) - size + 1)),
        heads=frozenset(text[:length] for length in heads),
    )
