"""Counts what arrives of an answer before anybody has read it: a server may send without an end."""

from __future__ import annotations

import re
from typing import Final

import httpx

# In bytes, as they arrive: what surrounds the content of a large answer included.
LARGEST_ANSWER: Final = 128 * 1024 * 1024
# In bytes: all lines before the content, those of interim answers among them. It is less than what
# httpcore takes for one answer (100 KB), which also holds for what follows the content.
LARGEST_HEAD: Final = 96 * 1024
# Answers of 1xx before the real one (RFC 9110 section 15.2). Servers send one or two.
MOST_INTERIM: Final = 32
# As h11 has it, which reads them.
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_INTERIM: Final = re.compile(rb"\s*HTTP/[0-9.]+ +1[0-9][0-9]")


class TooLarge(httpx.RequestError):
    """An answer was larger than any that is read."""


class AnswerSize:
    """The answers on one connection, one after another. Raises TooLarge."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin an answer: a request has left."""
        self._size = self._head_size = self._interim = 0
        self._head = bytearray()
        self._in_head = True

    def add(self, data: bytes) -> None:
        """Count what arrived."""
        self._size += len(data)
        if self._size > LARGEST_ANSWER:
            raise TooLarge("it never ends")
        if self._in_head:
            self._add_to_head(data)

    def _add_to_head(self, data: bytes) -> None:
        # Not from its beginning: what drips in byte by byte would be looked through for each.
        place = max(0, len(self._head) - 2)
        self._head += data
        while self._in_head and (end := _BLANK_LINE.search(self._head, place)):
            self._in_head = _INTERIM.match(self._head) is not None
            self._interim += self._in_head
            self._head_size += end.end()
            del self._head[: end.end()]
            place = 0
        if self._interim > MOST_INTERIM:
            raise TooLarge(f"more than {MOST_INTERIM} interim answers (1xx)")
        if self._head_size + self._in_head * len(self._head) > LARGEST_HEAD:
            raise TooLarge("its headers are too long")
        if not self._in_head:
            self._head.clear()
