"""Finds the marks that git leaves in a file which it could not merge."""

from __future__ import annotations

import re
from typing import Final

# At the start of a line, as git writes them (gitattributes, conflict-marker-size): what is indented
# is a value, such as a text that quotes them.
_MARK: Final = re.compile(rb"(?:<{7,}|>{7,}|\|{7,})(?= |\r?$)|={7,}(?=\r?$)")


def unmerged_lines(content: bytes) -> list[int]:
    """The lines, from 1, at which a side of an unfinished merge begins, else at which any mark is left."""
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    marks = [(number, line) for number, line in enumerate(lines, 1) if _MARK.match(line)]
    begins = [number for number, line in marks if line.startswith(b"<")]
    return begins or [number for number, _ in marks[:1]]
