"""Turns the text of a plain YAML scalar into its value, by the core schema of YAML 1.2.2 (10.3), and back."""

from __future__ import annotations

import math
import re
from typing import Final, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

CONSTANTS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

# Plain, these are strings here and booleans to tools of YAML 1.1 (https://yaml.org/type/bool.html).
YAML_1_1_BOOLEANS: Final = frozenset(
    spelling
    for word in ("y", "n", "yes", "no", "on", "off")
    for spelling in (word, word.capitalize(), word.upper())
)

# A plain scalar that starts with none of these is a string, and one that no tool mistakes.
DOUBTFUL_STARTS: Final = frozenset([*"0123456789+-.~nNtTfFyYoO", ""])

# Not compiled before a text needs them, and then kept by `re`: a small project has no number.
_NUMERIC_STARTS: Final = frozenset("0123456789+-.")
_INTEGER: Final = r"[-+]?[0-9]+"
_FLOAT: Final = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_OTHER_BASE: Final = r"0o[0-7]+|0x[0-9a-fA-F]+"
_NOT_JSON: Final = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"

# Plain only what no tool reads as anything but this text: it begins with a letter, holds nothing
# that YAML means something by, and is none of the words that some version of YAML knows.
_PLAIN: Final = r"[A-Za-z_](?:[A-Za-z0-9_./+=@%()-]|:(?=[^ ])|,? (?=[A-Za-z0-9_(]))*"
_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}

_LONGEST_NUMBER: Final = 400  # no number of 64 bits needs more, and int() is quadratic
_INTEGERS: Final = range(-(2**63), 2**64)


def resolve(text: str) -> Scalar:
    """The value of a plain scalar; raises ValueError, with a sentence, where JSON cannot hold it."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] not in _NUMERIC_STARTS:
        return text
    if re.fullmatch(_INTEGER, text):
        return _integer(text, 10)
    if re.fullmatch(_FLOAT, text):
        return _float(text)
    if re.fullmatch(_OTHER_BASE, text):
        return _integer(text, 0)
    if re.fullmatch(_NOT_JSON, text):
        raise ValueError(f"`{text}` is not a number that JSON has")
    return text


def is_string(text: str) -> bool:
    """Whether a plain scalar is a string."""
    try:
        return isinstance(resolve(text), str)
    except ValueError:
        return False


def _integer(text: str, base: int) -> int:
    if len(text) > _LONGEST_NUMBER or (value := int(text, base)) not in _INTEGERS:
        raise ValueError("this number does not fit into 64 bits")
    return value


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("this number is too large")
    return value


def spell(text: str) -> str:
    """A text as a scalar of YAML on one line: plain where nobody can mistake it, else in quotes."""
    return text if is_plain(text) else quote(text)


def spell_item(text: str) -> str:
    """A text as an item of a list in brackets, where a comma would end it."""
    return text if is_plain(text) and "," not in text else quote(text)


def is_plain(text: str) -> bool:
    """Whether a text needs no quotes."""
    return re.fullmatch(_PLAIN, text) is not None and text.lower() not in _WORDS


def quote(text: str) -> str:
    """A text in double quotes (YAML 1.2.2, section 7.3.1)."""
    return f'"{"".join(map(_escape, text))}"'


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"
