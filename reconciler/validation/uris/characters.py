"""Finds the characters that no address has (RFC 3986, section 2), those that nobody sees among them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from reconciler.core.scalars import spell_item
from reconciler.validation.uris.fault import code_point, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.validation.uris.fault import Fault

# Controls, formats (zero width, bidi, soft hyphen, BOM), halves of pairs, private use, line breaks.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters, marks and symbols that show as nothing (Unicode, Default_Ignorable_Code_Point) or as a blank.
_BLANK_LETTERS: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
)
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Dashes, quotes and operators that stand in for `-`, `"`, `/` and `:`.
_PUNCTUATION: Final = frozenset({"Pd", "Pi", "Pf", "Sm"})
_BLANKS: Final = " \t\r\n"
_ILLEGAL: Final = re.compile(r'["<>\\^`{|}\[\]]')
_WORD: Final = re.compile(r"[^\W\d_]+")

# Scripts that are written together (Unicode Technical Standard 39, section 5.2, highly restrictive).
_TOGETHER: Final = tuple(
    frozenset(scripts)
    for scripts in (
        ("LATIN", "CJK", "HIRAGANA", "KATAKANA"),
        ("LATIN", "CJK", "BOPOMOFO"),
        ("LATIN", "CJK", "HANGUL"),
    )
)


def unseen_faults(text: str) -> Iterator[Fault]:
    """The faults of blanks, and of characters that show as nothing or as a blank."""
    hidden = next(filter(_is_unseen, text.strip(_BLANKS)), "")
    if hidden:
        yield error(
            f"it holds {code_point(hidden)}, which nobody sees and no address has",
            f"take it out: it stands here as {hidden.encode('unicode_escape', 'surrogatepass').decode()}",
        )
    bare = text.strip()
    if bare != text:
        ends = [end for end, at in (("begins", text[0]), ("ends", text[-1])) if at.isspace()]
        odd = next((at for at in (text[0], text[-1]) if at.isspace() and at != " "), "")
        what = f"{code_point(odd)}, which shows as a blank or a line break" if odd else "a blank"
        yield error(f"it {' and '.join(ends)} with {what}", f"write {spell_item(bare)}")
    inner = next(filter(str.isspace, bare), "")
    if inner:
        what = "a blank" if inner == " " else code_point(inner)
        yield error(
            f"{what} stands inside of it, and no address has one",
            "write one address, and %20 for a blank that is meant",
        )


def _is_unseen(character: str) -> bool:
    if character.isascii():
        return not character.isprintable() and character not in _BLANKS
    return (
        unicodedata.category(character) in _UNSEEN
        or character in _BLANK_LETTERS
        or _SELECTORS.match(character) is not None
    )


def illegal_faults(text: str) -> Iterator[Fault]:
    """The faults of ASCII that an address has only percent-encoded; brackets of IPv6 are taken out."""
    found = _ILLEGAL.search(text)
    if found is None:
        return
    character = found.group()
    if character == "\\":
        yield error("a backslash stands in it, which browsers read as `/`", "write `/`")
    elif character == '"':
        yield error("a quote is a part of it", "leave the inner quotes out")
    elif character == "[" and text.startswith("["):
        yield error("a list is written as a text", "leave the quotes around the list out")
    else:
        yield error(
            f"`{character}` stands in it, and an address has that only encoded (RFC 3986)",
            f"write %{ord(character):02X} if it is meant",
        )


def lookalike_faults(text: str) -> Iterator[Fault]:
    """The faults of what is not ASCII outside of a host: look-alikes, and what has to be encoded."""
    others = [character for character in text if not character.isascii()]
    if not others:
        return
    for character in others:
        plain = unicodedata.normalize("NFKC", character)
        if plain.isascii():
            yield error(f"it holds {code_point(character)}, which only looks like `{plain}`")
        if unicodedata.category(character) in _PUNCTUATION:
            yield error(f"it holds {code_point(character)}, which no address has")
    for word in _WORD.findall(text):
        yield from mixed_script_faults(word)
    yield warning(
        f"it holds {code_point(others[0])}, which is no ASCII and which servers spell differently",
        "write it percent-encoded",
    )


def mixed_script_faults(word: str) -> Iterator[Fault]:
    """The fault of a word whose letters are of scripts that nobody writes together."""
    scripts = {script(letter): letter for letter in word if letter.isalpha()}
    scripts.pop("", None)
    if len(scripts) > 1 and not any(scripts.keys() <= group for group in _TOGETHER):
        odd = next(
            (letter for name, letter in scripts.items() if name != "LATIN"),
        )
        yield error(f"it holds {code_point(odd)} among letters of another script: a look-alike")


def script(letter: str) -> str:
    """The script of a letter by the first word of its name, "" for one that goes with any."""
    if unicodedata.category(letter) == "Lm":
        return ""
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
