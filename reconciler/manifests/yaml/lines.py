"""Turns the bytes of a YAML file into its lines, counted as libyaml counts them, to show to people."""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from reconciler.core.model import Position

if TYPE_CHECKING:
    from collections.abc import Iterable

# YAML 1.1 section 5.4, which libyaml follows; an editor may count fewer, but rarely meets the rest.
_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

# A key that may have a secret after it, but not a reference in the place of the secret.
_SECRET_KEY: Final = re.compile(r"""(?i)(?:secret|token|password)["']?\s*:(?=\s|$)(?!\s*\{)""")


def encoding(text: bytes) -> str:
    """The codec that libyaml takes the file to be in: by its byte order mark, else UTF-8."""
    if text.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if text.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    return "utf-8"


class Lines:
    """A file's lines, decoded once; bytes that are no text show as U+FFFD."""

    def __init__(self, text: bytes) -> None:
        self._encoding = encoding(text)
        self._bytes = text
        self._texts = _BREAK.split(self._decode(text))

    def position(self, line: int, column: int) -> Position:
        """The Position of a mark, both of whose numbers start from 0; past the end, the last."""
        last = len(self._texts) - 1
        if last and not self._texts[last]:
            last -= 1  # what follows the final line break is no line to people
        if line > last:
            line, column = last, len(self._texts[last])
        text = self._texts[line]
        return Position(line=line + 1, column=min(column, len(text)) + 1, text=text)

    def position_of_byte(self, offset: int) -> Position:
        """The Position of the byte at `offset`."""
        before = _BREAK.split(self._decode(self._bytes[:offset]))
        return self.position(len(before) - 1, len(before[-1]))

    def character(self, line: int, column: int) -> str:
        """The character at a mark, empty at the end of its line."""
        return self._texts[line][column : column + 1] if line < len(self._texts) else ""

    def mask(self, spans: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        """Put asterisks in the place of what stands between each two marks."""
        # By line: many spans may be in one, and each line is put together once.
        by_line: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for start, end in spans:
            for line in range(start[0], min(end[0] + 1, len(self._texts))):
                first = start[1] if line == start[0] else 0
                last = end[1] if line == end[0] else len(self._texts[line])
                by_line[line].append((first, last))
        for line, columns in by_line.items():
            self._texts[line] = _masked(self._texts[line], sorted(columns))

    def mask_likely_secrets(self) -> None:
        """Put asterisks where a secret may stand, by the key before it: for text that cannot be parsed."""
        inside = False
        for line, text in enumerate(self._texts):
            found = _SECRET_KEY.search(text)
            # A secret may go on over lines, up to the next key.
            inside = found is not None or (inside and ":" not in text)
            if inside:
                start = found.end() if found else 0
                self._texts[line] = text[:start] + _asterisks(text[start:])

    def _decode(self, text: bytes) -> str:
        return text.decode(self._encoding, errors="replace").removeprefix("\ufeff")


def _masked(text: str, columns: list[tuple[int, int]]) -> str:
    """`text` with asterisks between the columns of each pair, of which a later one may overlap."""
    pieces, done = [], 0
    for first, last in columns:
        pieces += [text[done:first], _asterisks(text[max(first, done) : last])]
        done = max(done, last)
    return "".join([*pieces, text[done:]])


def _asterisks(text: str) -> str:
    return re.sub(r"\S", "*", text)
