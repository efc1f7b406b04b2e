"""Paints text for a terminal: the codes of ECMA-48 as a value, or none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """SGR codes by role: a mark of a line, or `target`, `note`, `summary`."""

    codes: Mapping[str, str] = field(default_factory=dict)

    def paint(self, role: str, text: str) -> str:
        """Give `text` in the colour of its role, unchanged where the role has none."""
        code = self.codes.get(role)
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
