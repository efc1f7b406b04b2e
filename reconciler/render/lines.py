"""Turns a Change into marked lines, which the text and the Markdown renderer each decorate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.model import MISSING, Action, ForgetClient, Origin, RecordClient
from reconciler.render.clean import clean
from reconciler.render.values import clip, name, show, transition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.model import Change, FieldChange, Json, TargetPlan

# A list that would make a longer line than this is shown one member a line, this many at most.
_WIDTH: Final = 88
_MEMBERS: Final = 50

MARKS: Final = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.ADOPT: "←",
    Action.NOOP: "",
}
_PHRASES: Final = {
    Action.CREATE: "to be created",
    Action.UPDATE: "to be updated",
    Action.REPLACE: "to be replaced",
    Action.DELETE: "to be deleted",
    Action.ADOPT: "to be adopted",
    Action.NOOP: "unchanged",
}
ORIGINS: Final = {
    Origin.DRIFT: "changed on the server since the last apply",
    Origin.CONFIG: "changed in git",
    Origin.BOTH: "changed in git and on the server",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line for a person: `mark` says what happens (+ ~ -/+ - ← !), `note` why."""

    mark: str
    depth: int
    text: str
    note: str = ""


def listed(target: TargetPlan) -> tuple[Change, ...]:
    """The changes of a target that a person wants to see: all that are not a silent noop.

    A client that no manifest names any more is never passed over in silence.
    """
    return tuple(
        change
        for change in target.changes
        if change.action is not Action.NOOP
        or change.refusal
        or change.warnings
        or change.manifest is None
        or _stores_secret(change)
    )


def _stores_secret(change: Change) -> bool:
    return isinstance(change.record, RecordClient) and change.record.secret != ""


def head(change: Change) -> Line:
    """Say which client it is, what happens to it and why."""
    who = name(change.key)
    if change.remote_id is not None:
        who += f" (id {name(change.remote_id)})"
    why = f": {name(change.reason)}" if change.reason else ""
    what = "to be forgotten" if isinstance(change.record, ForgetClient) else _PHRASES[change.action]
    return Line(mark=MARKS[change.action], depth=0, text=f"{who} {what}{why}")


def verdicts(change: Change) -> Iterator[Line]:
    """Say what stands against a change: its refusal and its warnings."""
    if change.refusal is not None:
        yield refused(change.refusal.rule, change.refusal.message, depth=1)
    for warning in change.warnings:
        yield Line(mark="!", depth=1, text=f"warning: {clean(warning)}")


def refused(rule: str, message: str, *, depth: int) -> Line:
    """Say that a guard refused, by which rule."""
    return Line(mark="!", depth=depth, text=f"refused ({name(rule)}): {clean(message)}")


def target_verdicts(target: TargetPlan) -> Iterator[Line]:
    """Say what stands against a target as a whole: errors, refusals, warnings."""
    for error in target.errors:
        yield Line(mark="!", depth=0, text=f"error: {clean(error)}")
    for refusal in target.refusals:
        yield refused(refusal.rule, refusal.message, depth=0)
    for warning in target.warnings:
        yield Line(mark="!", depth=0, text=f"warning: {clean(warning)}")


def field_lines(change: Change) -> Iterator[Line]:
    """Say of each field what it was and what it is to be, sets by member, objects by pointer."""
    for moved in change.fields:
        note = "" if moved.origin is None else ORIGINS[moved.origin]
        if change.action is Action.CREATE or moved.before is MISSING:
            yield from _whole("+", moved.field, moved.after, note)
        elif moved.after is MISSING:
            yield from _whole("-", moved.field, moved.before, note)
        elif moved.added or moved.removed or moved.nested:
            yield Line(mark="~", depth=1, text=f"{name(moved.field)}:", note=note)
            yield from _members(moved.added, "+")
            yield from _members(moved.removed, "-")
            yield from _nested(moved)
        else:
            text = f"{name(moved.field)}: {transition(moved.before, moved.after)}"
            yield Line(mark="~", depth=1, text=text, note=note)


def _whole(mark: str, field: str, value: Json, note: str) -> Iterator[Line]:
    """Say a value that comes or goes whole."""
    label, text = name(field), show(value)
    if isinstance(value, list | tuple) and len(text) > _WIDTH:
        yield Line(mark=mark, depth=1, text=f"{label}:", note=note)
        yield from _members(value, mark)
    else:
        yield Line(mark=mark, depth=1, text=f"{label}: {clip(text)}", note=note)


def _members(members: Sequence[Json], mark: str) -> Iterator[Line]:
    for member in members[:_MEMBERS]:
        yield Line(mark=mark, depth=2, text=clip(show(member)))
    yield from _more(len(members), mark)


def _nested(change: FieldChange) -> Iterator[Line]:
    for inner in change.nested[:_MEMBERS]:
        label = name(inner.pointer)
        if inner.before is MISSING:
            yield Line(mark="+", depth=2, text=f"{label}: {clip(show(inner.after))}")
        elif inner.after is MISSING:
            yield Line(mark="-", depth=2, text=f"{label}: {clip(show(inner.before))}")
        else:
            text = f"{label}: {transition(inner.before, inner.after)}"
            yield Line(mark="~", depth=2, text=text)
    yield from _more(len(change.nested), "~")


def _more(count: int, mark: str) -> Iterator[Line]:
    if count > _MEMBERS:
        yield Line(mark=mark, depth=2, text=f"… and {count - _MEMBERS:,} more")
