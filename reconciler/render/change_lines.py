"""Turns a Change into marked lines and request paths, which each format shows in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Action, ForgetClient, Origin, RecordClient
from reconciler.core.model import EMPTY, MISSING
from reconciler.core.pointer import escape
from reconciler.plan.requests import path_for
from reconciler.render.terminal import escape_unprintable
from reconciler.render.value_text import clip, json_line, one_line, transition_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    # A list that would make a longer line than this is shown one member a line, this many at most.
    from reconciler.core.changes import Change, FieldChange, Outcome, Request, Standing, TargetPlan
    from reconciler.core.model import Json

# A list that would make a longer line than this is shown one member a line, this many at most.
_WIDTH: Final = 88
_MEMBERS: Final = 50

MARKS: Final = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.ADOPT: "←",
    Action.MOVE: "→",
    Action.NOOP: "",
}
_PHRASES: Final = {
    Action.CREATE: "to be created",
    Action.UPDATE: "to be updated",
    Action.REPLACE: "to be replaced",
    Action.DELETE: "to be deleted",
    Action.ADOPT: "to be adopted",
    Action.MOVE: "to be moved in the record",
    Action.NOOP: "unchanged",
}
ORIGINS: Final = {
    Origin.DRIFT: "drift: changed on the server since the last apply",
    Origin.CONFIG: "config: changed in git",
    Origin.BOTH: "both: changed in git and on the server",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line for a person: `mark` says what happens (+ ~ -/+ - ← !), `note` why."""

    mark: str
    depth: int
    text: str
    note: str = ""


def changes_to_show(target: TargetPlan) -> tuple[Change, ...]:
    """The changes of a target that a person wants to see: all but a noop without a message.

    A client that no manifest names any more is always among them.
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
    # A noop to the server, and yet apply will write to a sink or to the record.
    return isinstance(change.record, RecordClient) and change.record.secret != ""


def heading_line(change: Change) -> Line:
    """The line that says which client it is, what happens to it and why."""
    who = one_line(change.key)
    who += identity_text(change)
    why = f": {one_line(change.reason)}" if change.reason else ""
    what = "to be forgotten" if isinstance(change.record, ForgetClient) else _PHRASES[change.action]
    return Line(mark=MARKS[change.action], depth=0, text=f"{who} {what}{why}")


def identity_text(of: Change | Outcome) -> str:
    """By which ids the server knows the client, in parentheses; "" for one that it does not have yet."""
    ids = {"client id": of.client_id, "id": of.remote_id}
    known = ", ".join(f"{word} {one_line(value)}" for word, value in ids.items() if value)
    return f" ({known})" if known else ""


def message_lines(change: Change) -> Iterator[Line]:
    """The lines of who the client of a change is, and of its refusal and warnings."""
    if change.standing is not None:
        yield from _standing_lines(change.standing)
    if change.refusal is not None:
        alone = ", this client alone" if change.refusal.holds_back == "client" else ""
        yield refusal_line(change.refusal.rule, change.refusal.message, depth=1, alone=alone)
    for warning in change.warnings:
        yield Line(mark="!", depth=1, text=f"warning: {escape_unprintable(warning)}")


_OURS: Final = {
    "recorded": "ours since a run recorded it",
    "adopted": "taken over by its name; no run created it",
    "bound": "bound by an id that was stated; no run created it",
    "edited": "ours by an entry of the record that was edited by hand",
    "predecessor": "ours, and succeeded by another",
    "unrecorded": "created by a run that could not record it",
    "foreign": "not ours yet",
}


def _standing_lines(standing: Standing) -> Iterator[Line]:
    called = f"called {json_line(standing.name)}, " if standing.name else ""
    used = {None: "", "": "never used, "}.get(
        standing.last_used, f"last used {one_line(standing.last_used or '')}, "
    )
    yield Line(mark="", depth=1, text=f"{called}{used}{_OURS[standing.origin]}")
    if not standing.in_git:
        yield Line(
            mark="!",
            depth=1,
            text="git's last revision of the record does not have this id: see who added it",
        )


def refusal_line(rule: str, message: str, *, depth: int, alone: str = "") -> Line:
    """The line that says that a guard refused, by which rule, and whether it holds back its client `alone`."""
    return Line(
        mark="!",
        depth=depth,
        text=f"refused ({one_line(rule)}){alone}: {escape_unprintable(message)}",
    )


def target_message_lines(target: TargetPlan) -> Iterator[Line]:
    """The lines of a target's own errors, refusals and warnings."""
    for error in target.errors:
        yield Line(mark="!", depth=0, text=f"error: {escape_unprintable(error)}")
    for refusal in target.refusals:
        yield refusal_line(refusal.rule, refusal.message, depth=0)
    for warning in target.warnings:
        yield Line(mark="!", depth=0, text=f"warning: {escape_unprintable(warning)}")


def field_lines(change: Change) -> Iterator[Line]:
    """The lines of each field's value before and after, sets by member, objects by pointer."""
    for field in change.fields:
        note = "" if field.origin is None else ORIGINS[field.origin]
        if sources := sources_of(change, field.field):
            note = "; ".join(filter(None, (note, f"from {', '.join(map(one_line, sources))}")))
        # A new client has no value before; else MISSING is one that the server does not show.
        if change.action is Action.CREATE or field.before is MISSING:
            yield from _whole_value("+", field.field, field.after, note)
        elif field.after is MISSING:
            yield from _whole_value("-", field.field, field.before, note)
        elif field.added or field.removed or field.nested:
            yield Line(mark="~", depth=1, text=f"{one_line(field.field)}:", note=note)
            yield from _member_lines(field.added, "+")
            yield from _member_lines(field.removed, "-")
            yield from _nested_lines(field)
        else:
            text = f"{one_line(field.field)}: {transition_text(field.before, field.after)}"
            yield Line(mark="~", depth=1, text=text, note=note)


def sources_of(change: Change, name: str) -> tuple[str, ...]:
    """Where the secrets of a field come from, as `env NAME` or `file PATH`, each once."""
    references = EMPTY if change.manifest is None else change.manifest.references
    place = f"/{escape(name)}"
    found = [
        source
        for pointer, source in references.items()
        if pointer == place or pointer.startswith(f"{place}/")
    ]
    return tuple(dict.fromkeys(found))


def _whole_value(mark: str, name: str, value: Json, note: str) -> Iterator[Line]:
    """The lines of a value that is added or removed whole."""
    # One member a line only where needed: a diff of short lists is easier to read in one line.
    label, text = one_line(name), json_line(value)
    if isinstance(value, list | tuple) and len(text) > _WIDTH:
        yield Line(mark=mark, depth=1, text=f"{label}:", note=note)
        yield from _member_lines(value, mark)
    else:
        yield Line(mark=mark, depth=1, text=f"{label}: {clip(text)}", note=note)


def _member_lines(members: Sequence[Json], mark: str) -> Iterator[Line]:
    for member in members[:_MEMBERS]:
        yield Line(mark=mark, depth=2, text=clip(json_line(member)))
    yield from _count_of_hidden(len(members), mark)


def _nested_lines(change: FieldChange) -> Iterator[Line]:
    for inner in change.nested[:_MEMBERS]:
        label = one_line(inner.pointer)
        if inner.before is MISSING:
            yield Line(mark="+", depth=2, text=f"{label}: {clip(json_line(inner.after))}")
        elif inner.after is MISSING:
            yield Line(mark="-", depth=2, text=f"{label}: {clip(json_line(inner.before))}")
        else:
            text = f"{label}: {transition_text(inner.before, inner.after)}"
            yield Line(mark="~", depth=2, text=text)
    yield from _count_of_hidden(len(change.nested), "~")


def _count_of_hidden(count: int, mark: str) -> Iterator[Line]:
    if count > _MEMBERS:
        yield Line(mark=mark, depth=2, text=f"… and {count - _MEMBERS:,} more")


def known_path(change: Change, request: Request) -> str:
    """The path of a request; `{id}` stays in it where only a server's answer will tell the id."""
    if change.remote_id is None:
        return request.path
    # In a replace the known id is that of the old client, which only the delete is about.
    if change.action is Action.REPLACE and request.operation != "delete":
        return request.path
    return path_for(request, change.remote_id)
