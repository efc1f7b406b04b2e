"""Finds the marks that git leaves in a file which it could not merge."""

from __future__ import annotations

import re
from typing import Final

# At the start of a line, as git writes them (gitattributes, conflict-marker-size): what is indented
# is a value, such as a text that quotes them.
_MARK: Final = re.compile(rb"^(?:<{7,}|>{7,}|\|{7,})(?= |\r?$)|^={7,}(?=\r?$)", re.MULTILINE)


def unmerged_lines(content: bytes) -> list[int]:
    """The lines, from 1, at which a side of an unfinished merge begins, else at which any mark is left."""
    marks: dict[int, bytes] = {}
    text = content.removeprefix(b"\xef\xbb\xbf")
    for found in _MARK.finditer(text):
        marks[text.count(b"\n", 0, found.start()) + 1] = found.group()
    begins = [line for line, mark in marks.items() if mark.startswith(b"<")]
    return begins or list(marks)[:1]
