"""Reads the Link header of an answer (RFC 8288)."""

from __future__ import annotations

import re
from typing import Final

# A link-value: the address in angle brackets, then parameters up to the comma that begins the next.
_LINK: Final = re.compile(r'<([^>]*)>((?:[^,"]|"(?:[^"\\]|\\.)*")*)')
_PARAMETER: Final = re.compile(r';\s*([^\s=;,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))')


def next_link(header: str) -> str | None:
    """The address of the link whose relation is `next`, None where a header names none.

    Several headers are one with commas between (RFC 9110 section 5.3). Only the first `rel` of a
    link counts (RFC 8288 section 3.3); its words are compared without regard to case.
    """
    for address, parameters in _LINK.findall(header):
        relations = (
            quoted or plain
            for name, quoted, plain in _PARAMETER.findall(parameters)
            if name.lower() == "rel"
        )
        if "next" in next(relations, "").lower().split():
            return str(address)
    return None
