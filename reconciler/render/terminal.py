"""Makes text of any origin safe for a terminal and its reader, and paints text of ours.

It imports nothing of the tool but what makes its class, so that a command that prints one sentence loads nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping


def escape_unprintable(text: str) -> str:
    """The text with control characters, line breaks, bidi marks and lone surrogates escaped."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _escape(character) for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """SGR codes (ECMA-48) by role: a mark of a line, or `target`, `note`, `summary`."""

    codes: Mapping[str, str] = field(default_factory=dict)

    def paint(self, role: str, text: str) -> str:
        """The text in the colour of its role, unchanged where the role has none."""
        code = self.codes.get(role)
        # Empty text stays empty: a bare pair of codes would still be bytes in a log.
        return text if code is None or not text else f"\x1b[{code}m{text}\x1b[0m"


PLAIN: Final = Style()
COLOUR: Final = Style(
    codes={
        "+": "32",
        "~": "33",
        "-": "31",
        "-/+": "35",
        "←": "36",
        "!": "1;31",
        "done": "32",
        "failed": "31",
        "skipped": "33",
        "unknown": "1;31",
        "target": "1",
        "note": "2",
        "summary": "1",
    }
)


def plural(count: int, noun: str) -> str:
    """The words `1 error`, `2 errors`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
