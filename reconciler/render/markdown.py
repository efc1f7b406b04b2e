"""Turns a Plan into Markdown for a comment on a pull request, whatever the values in it hold.

Everything from elsewhere stands in a `diff` block, on a line that starts with a mark: nothing in it is
Markdown, HTML or a mention there, and no line can be the fence that closes the block. The only
text from elsewhere outside is the target's name, each of its special characters as an entity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.render.change_lines import (
    Line,
    changes_to_show,
    field_lines,
    heading_line,
    message_lines,
    target_message_lines,
)
from reconciler.render.summary import plan_counts, plan_sentence
from reconciler.render.terminal import plural
from reconciler.render.value_text import clip, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.changes import Plan, TargetPlan

# GitHub takes 65,536 characters; the rest is for what a pipeline adds around it.
LIMIT: Final = 65_000
_LINE_LIMIT: Final = 500
_NOTE_LIMIT: Final = 400

# A pipeline looks for it, to edit the comment that it wrote before instead of adding one.
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


class _Budget:
    """How many characters of the comment are left."""

    def __init__(self, characters: int) -> None:
        self._characters = characters

    def take(self, count: int) -> bool:
        """Take `count` characters if there are as many."""
        if count > self._characters:
            return False
        self._characters -= count
        return True


def render_plan(plan: Plan, *, limit: int = LIMIT) -> str:
    """A plan as Markdown of at most `limit` (from 1,000) characters.

    What does not fit is left out and counted at the end: first the fields of clients, then
    clients, then targets.
    """
    title = f"{MARKER}\n### Plan: {plan_sentence(plan_counts(plan.targets))}\n\n"
    sections = [_section(target) for target in plan.targets]
    budget = _Budget(limit - len(title) - _NOTE_LIMIT)
    fitting = _fitting_sections(sections, budget)
    # One budget for all, spent breadth first: every client is named before any field is shown.
    named = [_fitting_blocks(section, budget) for section in fitting]
    detailed = [[_fitting_details(block, budget) for block in blocks] for blocks in named]
    parts = [_assemble(section, blocks) for section, blocks in zip(fitting, detailed, strict=True)]
    note = _omission_note(
        limit,
        targets=len(sections) - len(fitting),
        blocks=sum(len(section.blocks) for section in fitting) - sum(map(len, named)),
        details=sum(map(_count_details, named)) - sum(map(_count_details, detailed)),
    )
    return title + "".join(parts) + note


def render_failed_plan(errors: Iterable[str], *, limit: int = LIMIT) -> str:
    """What stands in the place of a plan that could not be made, as Markdown; `errors` say why."""
    title = f"{MARKER}\n### Plan: failed\n\n"
    budget = _Budget(limit - len(title) - _NOTE_LIMIT)
    blocks = [_Block(first=_text([Line(mark="!", depth=0, text=one_line(e))])) for e in errors]
    fitting = _fitting_blocks(_Section(opening="", blocks=tuple(blocks)), budget)
    lines = "".join(block.first for block in fitting)
    note = _omission_note(limit, targets=0, blocks=len(blocks) - len(fitting), details=0)
    return f"{title}```diff\n{lines}```\n\n{note}"


def _section(target: TargetPlan) -> _Section:
    messages = [_Block(first=_text([line])) for line in target_message_lines(target)]
    clients = [
        _Block(
            first=_text([heading_line(change), *message_lines(change)]),
            rest=_text(field_lines(change)),
        )
        for change in changes_to_show(target)
    ]
    attribute = " open" if target.errors or target.refusals else ""
    label = f"<code>{_entities(one_line(target.target))}</code> ({_entities(one_line(target.provider))})"
    summary = f"{label}: {plan_sentence(plan_counts([target]))}"
    return _Section(
        opening=f"<details{attribute}><summary>{summary}</summary>\n\n",
        blocks=(*messages, *clients),
    )


def _text(lines: Iterable[Line]) -> str:
    return "".join(_diff_line(line) + "\n" for line in lines)


def _diff_line(line: Line) -> str:
    """A line behind the mark that a diff is coloured by; that of a replace or adoption follows it."""
    mark = line.mark if line.mark in {"+", "-"} else "!"
    word = f"{line.mark} " if line.mark in {"-/+", "←"} else ""
    note = f"  # {line.note}" if line.note else ""
    return f"{mark} {'    ' * line.depth}{word}{clip(line.text, _LINE_LIMIT)}{note}"


def _entities(text: str) -> str:
    """The text with every character that Markdown or HTML may know as an entity."""
    return "".join(
        # A target's name is the user's, but a pull request may change it.
        letter if letter.isalnum() or letter in " -" else f"&#{ord(letter)};"
        for letter in text
    )


def _fitting_sections(sections: list[_Section], budget: _Budget) -> list[_Section]:
    """The targets that there is room for; those with something to show are preferred."""
    # sorted is stable: targets with nothing to show come last, in their own order.
    by_weight = sorted(sections, key=lambda section: not section.blocks)
    fitting = {id(s) for s in by_weight if budget.take(len(s.opening) + _FRAME)}
    return [section for section in sections if id(section) in fitting]


def _fitting_blocks(section: _Section, budget: _Budget) -> list[_Block]:
    return [block for block in section.blocks if budget.take(len(block.first))]


def _fitting_details(block: _Block, budget: _Budget) -> _Block:
    return block if budget.take(len(block.rest)) else _Block(first=block.first)


def _count_details(blocks: list[_Block]) -> int:
    return sum(bool(block.rest) for block in blocks)


def _assemble(section: _Section, blocks: list[_Block]) -> str:
    lines = "".join(block.first + block.rest for block in blocks)
    body = f"```diff\n{lines}```\n" if lines else "Nothing to show.\n"
    return f"{section.opening}{body}{_CLOSING}"


def _omission_note(limit: int, *, targets: int, blocks: int, details: int) -> str:
    """The sentence that counts what is not in the comment, empty where all of it is."""
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
