"""Turns what is wrong with a member of an object into a Finding, and values into words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from reconciler.validation.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.model import Json

FORMS: Final = "use {env: NAME} or {file: path}"
# Longer lists hide the one name that the reader needs.
_MOST_NAMES: Final = 16
_LONGEST_VALUE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong at `path`; with `at_key` it is about the name of the last step.

    Of the findings about one value only those of the lowest `rank` are reported. `names` is the
    field that is missing, or the one that a misspelling stands for.
    """

    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    at_key: bool = False
    about: Literal["value", "missing", "key"] = "key"
    rank: int = 0
    names: str = ""


def unknown_member(
    path: tuple[str | int, ...],
    name: str,
    near: str,
    known: Sequence[str],
    elsewhere: Sequence[str],
) -> Finding:
    """The finding of a member that its object does not have; `elsewhere` points to objects that do."""
    if elsewhere:
        hint = "it belongs " + " or ".join(f"under {holder or 'the top'}" for holder in elsewhere)
    else:
        known_here = f"known here: {join_values(known)}" if known else ""
        hint = did_you_mean(near) or known_here
    return Finding(
        path=(*path, name),
        message=f"unknown field `{shorten(name)}`",
        hint=hint,
        at_key=True,
        names="" if elsewhere else near,
    )


def unknown_reference_form(path: tuple[str | int, ...], name: str) -> Finding:
    """The finding of a mapping in the place of a reference that has no known form."""
    message = f"unknown reference form `{shorten(name)}`"
    return Finding(path=(*path, name), message=message, hint=FORMS, at_key=True)


def not_writable(path: tuple[str | int, ...], instead: str) -> Finding:
    """The finding of a member that only the server writes; `instead` says what to write in its place."""
    name = str(path[-1])
    message = f"`{name}` is set by the server and cannot be written"
    return Finding(path=path, message=message, hint=instead or f"remove `{name}`", at_key=True)


def misplaced_member(path: tuple[str | int, ...], rule: str) -> Finding:
    """The finding of a member that its object may have, but not beside the others that are there."""
    name = str(path[-1])
    message = rule or f"`{name}` cannot stand here"
    return Finding(path=path, message=message, hint=f"remove `{name}`", at_key=True)


def missing_member(path: tuple[str | int, ...], name: str, description: str, rule: str) -> Finding:
    """The finding of a member that is missing; `rule` says why, where it is not always needed."""
    return Finding(
        path=path,
        message=rule or f"`{name}` is missing",
        hint="" if rule else _first_sentences(description),
        about="missing",
        names=name,
    )


def _first_sentences(description: str) -> str:
    """The first two sentences, which say what a field is and why it matters."""
    return ". ".join(description.removesuffix(".").split(". ")[:2])


def join_values(values: Sequence[Json]) -> str:
    """The values with commas between them, no more than a reader takes in."""
    first = ", ".join(map(as_yaml, values[:_MOST_NAMES]))
    return first if len(values) <= _MOST_NAMES else f"{first}, ..."


def describe(value: Json, written: str | None = None) -> str:
    """What a value is, in words; `written` are the characters that stand for it."""
    match value:
        case None:
            return "null"
        # Before the number: in Python a bool is an int as well.
        case bool():
            return as_yaml(value, written)
        case str():
            return f'the text "{shorten(value)}"'
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return f"the number {as_yaml(value, written)}"


def as_yaml(value: Json, written: str | None = None) -> str:
    """A value as it is written in YAML, on one line; with `written` as the user wrote it."""
    if written is not None:
        return shorten(written)
    return shorten(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def shorten(text: str) -> str:
    """The beginning of a text, on one line, with what a terminal would obey escaped."""
    line = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text[: _LONGEST_VALUE + 1]
    )
    return line if len(line) <= _LONGEST_VALUE else f"{line[:_LONGEST_VALUE]}..."
