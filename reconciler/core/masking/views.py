"""Reads a text as the programs that escaped it meant it, and keeps where each character came from."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# How often one escape may stand within another: what a program escaped, a second one and a log do.
_LAYERS: Final = 5
# A way in which programs write a character that they do not write as it is. Those that stand for
# bytes or UTF-16 units come in runs, which together make a character: RFC 3986 section 2.1 (`%u` is
# that of JavaScript's `escape`), RFC 2045 section 6.7 (`=C3` in mails), RFC 8259 section 7, the
# escapes of C, Python and shells, and the references of HTML.
_ESCAPED: Final = re.compile(
    r"""
      (?P<percent>(?:%[0-9a-fA-F]{2}|=[0-9A-F]{2})+)
    | (?P<units>(?:[\\%]u[0-9a-fA-F]{4})+)
    | (?P<wide>\\U[0-9a-fA-F]{8}|\\[ux]\{[0-9a-fA-F]{1,8}\})
    | (?P<hex>(?:\\x[0-9a-fA-F]{2})+)
    | (?P<octal>(?:\\[0-3][0-7]{2})+)
    | (?P<entity>&(?:\#[0-9]{1,8}|\#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});?)
    | (?P<backslash>\\[\s\S])
    """,
    re.VERBOSE,
)
_NAMED: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "a": "\a"}
_SHAPED: Final = re.compile("[0-9a-z]+")
# How many characters of an escape stand for one byte.
_BYTE_WIDTH: Final = {"percent": 3, "hex": 4, "octal": 4, "units": 3}
_NO_HEX: Final = re.compile(r"[%=\\ux]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A text made of another, the source: character i is what stands there from starts[i] to ends[i]."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def plain(text: str) -> View:
    """A text as it is."""
    return View(text=text, starts=range(len(text)), ends=range(1, len(text) + 1))


def layers(view: View) -> Iterator[View]:
    """A text as it is, and with its escapes undone, again and again while there are any."""
    yield view
    for _ in range(_LAYERS):
        inner = _unescape(view)
        if inner is None:
            return
        yield inner
        view = inner


def folded(text: str) -> str:
    """`text` in lower case, each character in its place."""
    low = text.lower()
    # Some capitals become two characters, and then the places would not fit.
    return low if len(low) == len(text) else "".join(c.lower()[0] for c in text)


def skeleton(view: View) -> View:
    """The ASCII letters and digits alone of a text in lower case: whatever was put between them, or lost."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for found in _SHAPED.finditer(view.text):
        parts.append(found[0])
        starts += view.starts[found.start() : found.end()]
        ends += view.ends[found.start() : found.end()]
    return View(text="".join(parts), starts=starts, ends=ends)


def _unescape(view: View) -> View | None:
    """The view with each escape in the place of what it stands for; None where there is none."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for found in _ESCAPED.finditer(view.text):
        parts.append(view.text[done : found.start()])
        starts += view.starts[done : found.start()]
        ends += view.ends[done : found.start()]
        for text, first, last in _characters(found):
            parts.append(text)
            starts += [view.starts[first]] * len(text)
            ends += [view.ends[last - 1]] * len(text)
        done = found.end()
    if not done:
        return None
    parts.append(view.text[done:])
    starts += view.starts[done:]
    ends += view.ends[done:]
    return View(text="".join(parts), starts=starts, ends=ends)


def _characters(found: re.Match[str]) -> Iterator[tuple[str, int, int]]:
    """What an escape, or a run of them, stands for: each character, and where it begins and ends."""
    kind, text, place = found.lastgroup, found[0], found.start()
    if kind not in _BYTE_WIDTH:
        yield _single(text), place, found.end()
        return
    content, code = _bytes_of(text, kind), "utf-16-be" if kind == "units" else "utf-8"
    try:
        characters = content.decode(code, "surrogatepass")
    except UnicodeDecodeError:
        # No UTF-8: then of an older program, for which each byte is a character.
        code, characters = "latin-1", content.decode("latin-1")
    for character in characters:
        length = len(character.encode(code, "surrogatepass"))
        end = place + _BYTE_WIDTH[kind] * length
        yield character, place, end
        place = end


def _bytes_of(text: str, kind: str) -> bytes:
    if kind == "octal":
        return bytes(int(number, 8) for number in text.split("\\")[1:])
    return bytes.fromhex(_NO_HEX.sub("", text))


def _single(text: str) -> str:
    """The character that one escape stands for; for some names of HTML, two."""
    if text.startswith("&"):
        return _of_html(text)
    if len(text) > 2:  # noqa: PLR2004 - more than a backslash and a character
        number = int(text.strip("\\Uux{}"), 16)
        return chr(number) if number <= sys.maxunicode else text[-1]
    return _NAMED.get(text[1], text[1])


def _of_html(reference: str) -> str:
    from html import unescape  # noqa: PLC0415 - a table of 2,000 names, and only for errors

    # A reference to no character is one to nothing there, and would leave no place.
    return unescape(reference) or "\ufffd"
