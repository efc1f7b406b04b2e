"""Says what is wrong with the value that a reference leads to, without a word of the value itself."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# What the value is for: a text of a client, what a client logs in with, and a bearer token.
TEXT: Final = "text"
CREDENTIAL: Final = "credential"
TOKEN: Final = "token"  # noqa: S105 - the name of a use

# Joiners, which belong to some scripts and to composed symbols.
_JOINERS: Final = frozenset("\u200c\u200d")
_UTF_8: Final = "save it as UTF-8 without a byte order mark"


def value_fault(value: str, use: str) -> tuple[str, str]:
    """What is wrong with a value, to stand after its name, and what to do; empty texts where nothing is.

    The one line break that editors and `echo` put at the end is left out by now.
    """
    if not value:
        return "is empty", ""
    if "\0" in value:
        return "holds a NUL character", "a file in UTF-16 has them: save it as UTF-8"
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "is not UTF-8 text", _UTF_8
    if value[0] == "\ufeff":
        return "begins with a byte order mark (U+FEFF)", _UTF_8
    return _end_fault(value) or _character_fault(value) or _credential_fault(value, use) or ("", "")


def _end_fault(value: str) -> tuple[str, str] | None:
    if not value.strip():
        return "holds nothing but blanks", ""
    ends = [end for end, at in (("begins", value[0]), ("ends", value[-1])) if at.isspace()]
    if not ends:
        return None
    hint = "take it out where the value is set; one line break at the end is left out by itself"
    return f"{' and '.join(ends)} with a blank or a line break", hint


def _character_fault(value: str) -> tuple[str, str] | None:
    """The fault of a character that nobody sees. Only such a one is named: it is no part of a secret."""
    odd = next(filter(_is_odd, value), "")
    if not odd:
        return None
    named = f"U+{ord(odd):04X} {unicodedata.name(odd, '')}".rstrip()
    return f"holds {named}, which nobody sees", "it was copied with the value: set the value anew"


def _is_odd(character: str) -> bool:
    if character in "\t\r\n" or character in _JOINERS:
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"}


def _credential_fault(value: str, use: str) -> tuple[str, str] | None:
    if use == TEXT:
        return None
    if re.search(r"[\t\r\n]", value):
        return "holds a line break or a tab", "one client id, secret or token is one line"
    if not value.isascii():
        what = "holds a character beyond ASCII, which no client id, secret or token has"
        return what, "RFC 6749, appendix A: was it cut, or changed by a word processor?"
    if use == TOKEN and " " in value:
        return "holds a blank, which no bearer token has", "set the token alone, without `Bearer`"
    return None
