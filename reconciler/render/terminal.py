"""Makes text of any origin safe for a terminal and its reader, and paints text of ours.

It imports nothing of the tool but what makes its class, so that a command that prints one sentence loads nothing else.
"""

from __future__ import annotations

import re
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


# Letters that show nothing, and that a comparison by the rules of a language passes over: the agents
# of Azure and GitHub search by such.
_UNSEEN: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2064\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\U000e0100-\U000e01ef"
)
# What a CI system takes for a command, up to the letter that is to be escaped. Anywhere in a line:
# Azure's `##vso[` and `##[`, which GitHub and Octopus know too, TeamCity's `##teamcity[`; the folds of GitLab and Travis.
_BRACKET: Final = re.compile(rf"(#[{_UNSEEN}]*#[{_UNSEEN}\w.-]*)\[")
_FOLD: Final = re.compile(r"(section_start|section_end|travis_fold|travis_time):", re.IGNORECASE)
# At the start of a line: GitHub's `::`, behind blanks too; the groups of Buildkite.
_COLONS: Final = re.compile(rf"^([{_UNSEEN}\t ]*):(?=[{_UNSEEN}]*:)", re.MULTILINE)
_GROUP: Final = re.compile(r"^([-+~^])(?=\1\1(?:\s|$))", re.MULTILINE)
# The codes by which `Style` paints, and the ends of lines: all else that no printer shows is escaped.
_OURS: Final = re.compile(r"(\x1b\[[0-9;]*m|\n)")


def disarm(text: str) -> str:
    """The text with what a CI system would obey in it broken, by an escape that JSON reads as the same.

    Lines of output are commands to most CI systems: they set variables, mask words, fold lines.
    GitHub: https://docs.github.com/actions/reference/workflow-commands-for-github-actions, Azure:
    https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands, TeamCity:
    https://www.jetbrains.com/help/teamcity/service-messages.html.
    """
    text = _BRACKET.sub(r"\1\\u005b", text)
    text = _FOLD.sub(r"\1\\u003a", text)
    text = _COLONS.sub(r"\1\\u003a", text)
    return _GROUP.sub(lambda found: f"\\u{ord(found[1]):04x}", text)


def printable(text: str) -> str:
    """Lines of text as they may be printed: nothing in them drives a terminal or a CI system."""
    parts = _OURS.split(text)
    return disarm(
        "".join(part if _OURS.fullmatch(part) else escape_unprintable(part) for part in parts)
    )


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
