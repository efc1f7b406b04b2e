"""Findings: what is wrong with a member of an object, and how names and values are written in words."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.model import Json

FORMS: Final = "use {env: NAME} or {file: path}"
# Longer lists hide the one name that the reader needs.
_MOST_NAMES: Final = 16
_LONGEST_VALUE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong at `path`; with `at_key` the name of the last step is meant.

    Of the findings about one value only those of the lowest `rank` are told. `names` is the field
    that is missing, or the one that a misspelling stands for.
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
    """A member that its object does not have; `elsewhere` are the pointers of objects that do."""
    if elsewhere:
        hint = "it belongs " + " or ".join(f"under {holder or 'the top'}" for holder in elsewhere)
    elif near:
        hint = f"did you mean `{near}`?"
    else:
        hint = f"known here: {listed(known)}" if known else ""
    return Finding(
        path=(*path, name),
        message=f"unknown field `{shortened(name)}`",
        hint=hint,
        at_key=True,
        names="" if elsewhere else near,
    )


def unknown_reference_form(path: tuple[str | int, ...], name: str) -> Finding:
    """A mapping in the place of a reference that is none that we know."""
    message = f"unknown reference form `{shortened(name)}`"
    return Finding(path=(*path, name), message=message, hint=FORMS, at_key=True)


def not_writable(path: tuple[str | int, ...], instead: str) -> Finding:
    """A member that only the server writes; `instead` says what else the writer may have meant."""
    name = str(path[-1])
    message = f"`{name}` is set by the server and cannot be written"
    return Finding(path=path, message=message, hint=instead or f"remove `{name}`", at_key=True)


def misplaced_member(path: tuple[str | int, ...], rule: str) -> Finding:
    """A member that its object has, though not beside the others that are there."""
    name = str(path[-1])
    message = rule or f"`{name}` cannot stand here"
    return Finding(path=path, message=message, hint=f"remove `{name}`", at_key=True)


def missing_member(path: tuple[str | int, ...], name: str, description: str, rule: str) -> Finding:
    """A member that its object must have; `rule` says why, where it is not always so."""
    return Finding(
        path=path,
        message=rule or f"`{name}` is missing",
        hint="" if rule else _opening(description),
        about="missing",
        names=name,
    )


def _opening(description: str) -> str:
    """The first two sentences, which say what a field is and why it matters."""
    return ". ".join(description.removesuffix(".").split(". ")[:2])


def nearest(name: object, known: Sequence[str]) -> str:
    """The known name that `name` is most likely a misspelling of, "" where none is near.

    `redirect_uris` and `RedirectURIs` are `redirectUris` for certain; other names by likeness.
    """
    if not isinstance(name, str) or len(name) > _LONGEST_VALUE:
        return ""
    folded = {_folded(candidate): candidate for candidate in reversed(known)}
    likely = difflib.get_close_matches(_folded(name), folded, n=1)
    return folded[likely[0]] if likely else ""


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def listed(values: Sequence[Json]) -> str:
    """Values one after the other, no more than a reader takes in."""
    first = ", ".join(map(shown, values[:_MOST_NAMES]))
    return first if len(values) <= _MOST_NAMES else f"{first}, ..."


def described(value: Json) -> str:
    """What a value is, as one would say it aloud."""
    match value:
        case None:
            return "null"
        case bool():
            return shown(value)
        case str():
            return f'the text "{shortened(value)}"'
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return f"the number {shown(value)}"


def shown(value: Json) -> str:
    """A value as one would write it in YAML, on one line."""
    return shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def shortened(text: str) -> str:
    """The beginning of a text, on one line, with what a terminal would obey spelt out."""
    line = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text[: _LONGEST_VALUE + 1]
    )
    return line if len(line) <= _LONGEST_VALUE else f"{line[:_LONGEST_VALUE]}..."
