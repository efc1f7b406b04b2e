"""Takes the secrets that are known out of a text, in whatever spelling a program put them there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.masking.encodings import encoded_runs
from reconciler.core.masking.needles import HEADS, Needle, Parts, needle_for
from reconciler.core.masking.views import folded, layers, plain, skeleton

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.masking.views import View

MASK: Final = "(secret)"
LEFT_OUT: Final = "(left out: it repeats a secret that is too short to be masked)"
# How deep an encoding within an encoding is looked into: Base64 in Base64, or hexadecimal of it.
_DEEPEST: Final = 2
# Where a text was cut: its end, or what programs put there in place of the rest.
_CUT: Final = re.compile(r"$|\.\.|\u2026|[\[(<]?(?:cut|truncated|snip)", re.IGNORECASE)
_OURS: Final = re.compile(f"({re.escape(MASK)}|{re.escape(LEFT_OUT)})")


def mask(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets: as they are, in other case, escaped, encoded or cut.

    In the place of each stands MASK; of a text that repeats a short one nothing is left, and
    LEFT_OUT is the value. The time is linear in the length of `text`.
    """
    needles = tuple(needle_for(secret) for secret in dict.fromkeys(secrets) if secret)
    hidden = bytearray(len(text))
    for start, end, is_short in _found(plain(text), needles, 0):
        if is_short:
            return LEFT_OUT
        hidden[start:end] = b"\1" * (end - start)
    return "".join(_shown(text, hidden))


def mask_again(text: str, secrets: Iterable[str]) -> str:
    """`text`, put together from masked ones: a secret may stand in several of them, piece by piece."""
    pieces = _OURS.split(text)
    # Ours are the odd ones: to look into them would mask the words of a mask.
    pieces[::2] = [mask(piece, secrets) for piece in pieces[::2]]
    return LEFT_OUT if LEFT_OUT in pieces[::2] else "".join(pieces)


def _shown(text: str, hidden: bytearray) -> Iterator[str]:
    done = 0
    for found in re.finditer(b"\1+", hidden):
        yield text[done : found.start()]
        yield MASK
        done = found.end()
    yield text[done:]


def _found(view: View, needles: tuple[Needle, ...], depth: int) -> Iterator[tuple[int, int, bool]]:
    """Where there is a part of a secret in the source of a view, and whether it is a short secret."""
    for layer in layers(view):
        yield from _in_layer(layer, needles)
        if depth < _DEEPEST:
            yield from _encoded(layer, needles, depth + 1)


def _in_layer(layer: View, needles: tuple[Needle, ...]) -> Iterator[tuple[int, int, bool]]:
    low = replace(layer, text=folded(layer.text))
    bare = skeleton(low)
    for needle in needles:
        for view, looked_for in ((low, needle.literal), (bare, needle.skeleton)):
            for start, end in _parts_in(view.text, looked_for):
                yield view.starts[start], view.ends[end - 1], needle.is_short


def _parts_in(text: str, looked_for: Iterable[Parts]) -> Iterator[tuple[int, int]]:
    for parts in looked_for:
        for start in range(len(text) - parts.size + 1):
            if text[start : start + parts.size] in parts.texts:
                yield start, start + parts.size
        if parts.heads:
            yield from _cut_heads(text, parts.heads)


def _cut_heads(text: str, heads: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Where a text breaks off in a secret, so early that no part of it is long enough."""
    for cut in _CUT.finditer(text):
        end = cut.start()
        for length in HEADS:
            if end >= length and text[end - length : end] in heads:
                yield end - length, end


def _encoded(
    layer: View, needles: tuple[Needle, ...], depth: int
) -> Iterator[tuple[int, int, bool]]:
    """The encoded parts of a layer that stand for a secret, or for a text with one in it, whole."""
    for start, end, meanings in encoded_runs(layer.text):
        found = [
            is_short
            for meaning in meanings
            for _, _, is_short in _found(plain(meaning), needles, depth)
        ]
        if found:
            yield layer.starts[start], layer.ends[end - 1], any(found)
