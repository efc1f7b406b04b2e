"""Finds what may be Base64, hexadecimal or a list of bytes in a text, and what each may stand for."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Base64 (RFC 4648), also that for URLs, as it is or broken into lines (RFC 2045 section 6.8).
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/_-]{40,}\r?\n[ \t]*)*[A-Za-z0-9+/_-]{4,}={0,2}")
_NO_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")
_URL_SAFE: Final = str.maketrans("-_", "+/")
# Hexadecimal, also byte by byte as in a dump or a fingerprint.
_HEX: Final = re.compile(
    r"[0-9a-fA-F]{6,}|(?<![0-9a-zA-Z])(?:0x)?(?:[0-9a-fA-F]{2})+(?:[\s:,-]{1,2}(?:0x)?(?:[0-9a-fA-F]{2})+){2,}"
)
_NO_HEX: Final = re.compile(r"0x|[^0-9a-fA-F]")
# The bytes of a text as decimal numbers, as programs print an array of them.
_NUMBERS: Final = re.compile(r"[0-9]{1,3}(?:[\s,]{1,3}[0-9]{1,3}){2,}")


def encoded_runs(text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Each part of `text` that may be encoded: where it begins and ends, and what it may stand for.

    What it stands for is a text of which each character is a byte.
    """
    for found in _BASE64.finditer(text):
        yield found.start(), found.end(), tuple(_from_base64(found[0]))
    for found in _HEX.finditer(text):
        yield found.start(), found.end(), tuple(_from_hex(found[0]))
    for found in _NUMBERS.finditer(text):
        numbers = (int(number) for number in re.split(r"[\s,]+", found[0]))
        yield found.start(), found.end(), ("".join(map(chr, numbers)),)


def _from_base64(run: str) -> Iterator[str]:
    characters = _NO_BASE64.sub("", run.translate(_URL_SAFE))
    # What stands in front may belong to it or not: each of the four places may be the first.
    for skipped in range(4):
        part = characters[skipped:]
        # A single one at the end stands for less than a byte.
        part = part[: len(part) - (len(part) % 4 == 1)]
        yield base64.b64decode(part + "=" * (-len(part) % 4)).decode("latin-1")


def _from_hex(run: str) -> Iterator[str]:
    digits = _NO_HEX.sub("", run)
    for skipped in range(2):
        part = digits[skipped:]
        yield bytes.fromhex(part[: len(part) // 2 * 2]).decode("latin-1")
