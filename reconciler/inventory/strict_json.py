"""Reads JSON as RFC 8259 has it and no program disagrees about it, and says at which line it is not.

Python's reader takes more: `NaN`, numbers that become infinite, a member twice, half of a surrogate
pair. Whoever reviews such a file may see another record than the tool reads.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.model import Json

_BOM: Final = b"\xef\xbb\xbf"
# A pair of escapes that is one character (RFC 8259 section 7), one half alone, any other escape.
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)
_INTEGER: Final = re.compile(r"-?[0-9]+", re.ASCII).fullmatch
# Of an integer; more are no number that a record holds, and Python refuses to read them.
_MOST_DIGITS: Final = 4300


class NotStrict(ValueError):
    """The text is no JSON, or not of the one reading; `line` is from 1, 0 where it is of all of it."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


def parse(content: bytes) -> Json:
    """The value in `content`. Raises NotStrict, which says why and at which line."""
    if content.startswith(_BOM):
        raise NotStrict("it begins with a byte order mark: save it as UTF-8 without one", 1)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        reason, line = (
            f"it is not whole JSON: not UTF-8, {error.reason}",
            _line(content, error.start),
        )
    else:
        return _parse_text(text)
    raise NotStrict(reason, line)


def _parse_text(text: str) -> Json:
    try:
        document: Json = _DECODER.decode(text)
    except RecursionError:
        failure = NotStrict("it is nested too deep")
    except json.JSONDecodeError as error:
        failure = NotStrict(f"it is not whole JSON: {error.msg}", error.lineno)
    except ValueError:
        # Its words are not shown: what was refused is found again, with its place.
        failure = next(_faults(text), NotStrict("a number or a member of it cannot be read"))
    else:
        # Most texts have no such escape at all.
        half = next(_halves(text), None) if "\\u" in text else None
        if half is None:
            return document
        failure = half
    raise failure


def _faults(text: str) -> Iterator[NotStrict]:
    """What the decoder refused in a text that is JSON in its shape up to there, in the order of the text."""
    names: list[set[str]] = []
    before = ""
    tokens = list(_TOKEN.finditer(text))
    for found, after in zip(tokens, [*(one.group() for one in tokens[1:]), ""], strict=True):
        token = found.group()
        if token == "{":  # noqa: S105 - a brace
            names.append(set())
        elif token == "}" and names:  # noqa: S105 - as above
            names.pop()
        elif token.startswith('"') and after == ":" and before != ":" and names:
            try:
                name = str(_PLAIN.decode(token))
            except ValueError:
                # What follows the fault that the decoder met need not be JSON.
                return
            if name in names[-1]:
                reason = f"a member stands there twice: {json.dumps(name[:_LONGEST_NAME])}"
                yield NotStrict(reason, _line(text, found.start()))
            names[-1].add(name)
        elif not token.startswith('"') and _is_no_number(token):
            yield NotStrict(
                f"{token[:_LONGEST_NAME]} is no number of JSON", _line(text, found.start())
            )
        before = token


def _is_no_number(token: str) -> bool:
    if _INTEGER(token):
        return len(token.lstrip("-")) > _MOST_DIGITS
    try:
        return not math.isfinite(float(token))
    except ValueError:
        return False


def _halves(text: str) -> Iterator[NotStrict]:
    """Each half of a surrogate pair that stands alone, which is no character (RFC 8259 section 8.2)."""
    for found in _ESCAPE.finditer(text):
        if found.group(1):
            reason = f"\\{found.group(1)} is half a character, and the other half is not there"
            yield NotStrict(reason, _line(text, found.start()))


def _line(text: str | bytes, place: int) -> int:
    before = text[:place]
    return (before.count("\n") if isinstance(before, str) else before.count(b"\n")) + 1


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # The usual mark of a merge that kept both sides.
        raise ValueError("a member stands there twice")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse_constant(text)
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


# So much of a name or a number is shown, in characters.
_LONGEST_NAME: Final = 60
_PLAIN: Final = json.JSONDecoder()
# Made once: a folder has thousands of documents.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse_constant
)
