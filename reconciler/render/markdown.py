"""Turns a Plan into Markdown for a comment on a pull request, whatever the values in it hold.

Everything foreign stands in a `diff` block, on a line that starts with a mark: nothing in it is
Markdown, HTML or a mention there, and no line can be the fence that closes the block. The only
foreign text outside is the target's name, each of its special characters as an entity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.render.counts import plan_counts, plan_sentence, plural
from reconciler.render.lines import Line, field_lines, head, listed, target_verdicts, verdicts
from reconciler.render.values import clip, name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.model import Plan, TargetPlan

# GitHub takes 65,536 characters; the rest is for what a pipeline adds around it.
LIMIT: Final = 65_000
_LINE_LIMIT: Final = 500
_NOTE_LIMIT: Final = 400

# Lets a pipeline find the comment that it wrote before.
MARKER: Final = "<!-- reconciler plan -->"
_CLOSING: Final = "\n</details>\n\n"
_FRAME: Final = len(_CLOSING) + 20  # with the fence, or the sentence in its place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A client or a message: the line that names it, and the lines that say more."""

    first: str
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A target: what opens its collapsible part, and what stands in its diff block."""

    opening: str
    blocks: tuple[_Block, ...]


class _Room:
    """What is left of a comment's length."""

    def __init__(self, characters: int) -> None:
        self._characters = characters

    def take(self, count: int) -> bool:
        """Take `count` characters if there are as many."""
        if count > self._characters:
            return False
        self._characters -= count
        return True


def render_plan(plan: Plan, *, limit: int = LIMIT) -> str:
    """Give a plan as Markdown of at most `limit` (from 1,000) characters.

    What does not fit is left out and counted at the end: first the fields of clients, then
    clients, then targets.
    """
    title = f"{MARKER}\n### Plan: {plan_sentence(plan_counts(plan.targets))}\n\n"
    sections = [_section(target) for target in plan.targets]
    room = _Room(limit - len(title) - _NOTE_LIMIT)
    shown = _fitting_sections(sections, room)
    named = [_fitting_blocks(section, room) for section in shown]
    told = [[_fitting_details(block, room) for block in blocks] for blocks in named]
    parts = [_assembled(section, blocks) for section, blocks in zip(shown, told, strict=True)]
    note = _left_out(
        limit,
        targets=len(sections) - len(shown),
        blocks=sum(len(section.blocks) for section in shown) - sum(map(len, named)),
        details=sum(map(_details, named)) - sum(map(_details, told)),
    )
    return title + "".join(parts) + note


def _section(target: TargetPlan) -> _Section:
    messages = [_Block(first=_text([line])) for line in target_verdicts(target)]
    clients = [
        _Block(first=_text([head(change), *verdicts(change)]), rest=_text(field_lines(change)))
        for change in listed(target)
    ]
    attribute = " open" if target.errors or target.refusals else ""
    label = f"<code>{_entities(name(target.target))}</code> ({_entities(name(target.provider))})"
    summary = f"{label}: {plan_sentence(plan_counts([target]))}"
    return _Section(
        opening=f"<details{attribute}><summary>{summary}</summary>\n\n",
        blocks=(*messages, *clients),
    )


def _text(lines: Iterable[Line]) -> str:
    return "".join(_diff_line(line) + "\n" for line in lines)


def _diff_line(line: Line) -> str:
    """Give a line the mark that a diff is coloured by; the mark of a replace or adoption stays."""
    mark = line.mark if line.mark in {"+", "-"} else "!"
    word = f"{line.mark} " if line.mark in {"-/+", "←"} else ""
    note = f"  # {line.note}" if line.note else ""
    return f"{mark} {'    ' * line.depth}{word}{clip(line.text, _LINE_LIMIT)}{note}"


def _entities(text: str) -> str:
    """Give `text` with nothing in it that Markdown or HTML knows."""
    return "".join(
        letter if letter.isalnum() or letter in " -" else f"&#{ord(letter)};" for letter in text
    )


def _fitting_sections(sections: list[_Section], room: _Room) -> list[_Section]:
    """Give the targets that there is room for, those with something to tell before the others."""
    by_weight = sorted(sections, key=lambda section: not section.blocks)
    fitting = {id(s) for s in by_weight if room.take(len(s.opening) + _FRAME)}
    return [section for section in sections if id(section) in fitting]


def _fitting_blocks(section: _Section, room: _Room) -> list[_Block]:
    return [block for block in section.blocks if room.take(len(block.first))]


def _fitting_details(block: _Block, room: _Room) -> _Block:
    return block if room.take(len(block.rest)) else _Block(first=block.first)


def _details(blocks: list[_Block]) -> int:
    return sum(bool(block.rest) for block in blocks)


def _assembled(section: _Section, blocks: list[_Block]) -> str:
    lines = "".join(block.first + block.rest for block in blocks)
    body = f"```diff\n{lines}```\n" if lines else "Nothing to show.\n"
    return f"{section.opening}{body}{_CLOSING}"


def _left_out(limit: int, *, targets: int, blocks: int, details: int) -> str:
    """Say what is not in the comment."""
    counts = {
        plural(targets, "target"): targets,
        f"{blocks:,} of the clients and messages": blocks,
        f"the fields of {plural(details, 'client')}": details,
    }
    missing = ", ".join(part for part, count in counts.items() if count)
    if not missing:
        return ""
    return (
        f"Left out to stay below {limit:,} characters: {missing}. "
        "`reconciler plan` shows all of it.\n"
    )
