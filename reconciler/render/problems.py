"""Turns problems into text for people, with the line and a caret, and into objects for machines."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.model import Json, Position, Problem

_WIDEST: Final = 100  # columns of a shown line
_BEFORE: Final = 60  # of these, columns before the caret once the line has to be clipped
_LONGEST: Final = 1000  # columns of a message or of a line, which may hold what a hostile file does
_TAB: Final = "    "


def to_text(problems: Iterable[Problem]) -> str:
    """Each problem as `file:line:column: severity: message [pointer]`, its line, a caret, the hint."""
    return "".join(f"{_block(problem)}\n" for problem in problems)


def to_json(problems: Iterable[Problem]) -> list[dict[str, Json]]:
    """Each problem as an object; `line` and `column` are null for a whole file."""
    return [_object(problem) for problem in problems]


def _object(problem: Problem) -> dict[str, Json]:
    position = problem.position
    return {
        "file": problem.source.path,
        "document": problem.source.document,
        "pointer": _cut(problem.pointer),
        "line": position.line if position else None,
        "column": position.column if position else None,
        "severity": problem.severity,
        "message": _cut(problem.message),
        "hint": _cut(problem.hint),
        "text": _around(position) if position else None,
    }


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _around(position: Position) -> str:
    """The line, or what stands around the column in one that is longer than anybody reads."""
    text, half = position.text, _LONGEST // 2
    if len(text) <= _LONGEST:
        return text
    first = max(position.column - 1 - half, 0)
    end = "…" if first + _LONGEST < len(text) else ""
    return f"{'…' if first else ''}{text[first : first + _LONGEST]}{end}"


def _block(problem: Problem) -> str:
    position = problem.position
    place = f"{position.line}:{position.column}:" if position else ""
    head = f"{problem.source.path}:{place} {problem.severity}: {problem.message}"
    if position is None:
        return _message(f"{head}; {problem.hint}" if problem.hint else head)
    pointer = f" [{problem.pointer}]" if problem.pointer else ""
    return "\n".join([_message(head) + _message(pointer), *_excerpt(position, problem.hint)])


def _message(text: str) -> str:
    # Cut before the width is measured: a message may quote megabytes of a hostile file.
    return _fit_start(_printable(text[:_LONGEST]), _LONGEST - (len(text) > _LONGEST))


def _excerpt(position: Position, hint: str) -> list[str]:
    """The line, clipped around the column, and a caret under it with the hint beside.

    Of a line that is not shown, the hint alone.
    """
    if not position.text and position.column > 1:
        return [f"      | {_message(hint)}"] if hint else []
    number = f"{position.line:>5} | "
    margin = f"{'|':>{len(number) - 1}} "
    # No more of the line than can be shown: of a long one every problem would read all of it.
    here = position.column - 1
    before = _printable(position.text[max(here - _LONGEST, 0) : here])
    after = _printable(position.text[here : here + _LONGEST])
    if _width(before) + _width(after) > _WIDEST and _width(before) > _BEFORE:
        before = "…" + _fit_end(before, _BEFORE - 1)
    after = _fit_start(after, _WIDEST - _width(before))
    carets = "^" * max(_width(_word(after)), 1)
    pointer = f"{margin}{' ' * _width(before)}{carets} {_message(hint)}".rstrip()
    return [f"{number}{before}{after}".rstrip(), pointer]


def _word(text: str) -> str:
    """What the caret underlines: up to the end of a key or a word."""
    for end, character in enumerate(text):
        if character in " ,:]}" and end:
            return text[:end]
    return text


def _printable(text: str) -> str:
    """The text with tabs as blanks and what a terminal would obey escaped."""
    return "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    if character == "\t":
        return _TAB
    # Among them the bidi marks that reorder a line for its reader, and blanks that are no blanks.
    if not character.isprintable():
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character


def _width(text: str) -> int:
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    # A caret stands under the right letter only where wide letters count as the two they fill.
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _fit_start(text: str, room: int) -> str:
    """As much of the start of a text as fits, with an ellipsis if that is not all."""
    if _width(text) <= room:
        return text
    end = used = 0
    while used + _columns(text[end]) < room:
        used += _columns(text[end])
        end += 1
    return text[:end] + "…"


def _fit_end(text: str, room: int) -> str:
    """As much of the end of a text as fits."""
    start, used = len(text), 0
    while start and used + _columns(text[start - 1]) <= room:
        start -= 1
        used += _columns(text[start])
    return text[start:]
