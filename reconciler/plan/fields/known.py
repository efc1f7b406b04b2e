"""Finds what a manifest names that the server has not, where the server would make or drop it without a word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Action
from reconciler.core.secrets import holds_secret, reveal
from reconciler.validation.suggestions import closest_name, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.core.changes import Change
    from reconciler.core.model import Json, LiveState
    from reconciler.provider.model import Field, Known, Provider

_WRITES: Final = frozenset({Action.UPDATE, Action.ADOPT})
_MAKES: Final = frozenset({Action.CREATE, Action.REPLACE})
# A hint compares a name with all that are known: so many in all, and a fleet of them stays quick.
_COMPARISONS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A member of a field that names something: by which of its members, and how."""

    by: str
    value: Json


def lists_to_read(
    provider: Provider, live: LiveState, changes: Iterable[Change]
) -> tuple[Known, ...]:
    """What lists the things that `changes` name and no live client has; none where all are known."""
    touched = list(changes)
    return tuple(
        known
        for field, known in _fields(provider)
        if known.path is not None and _unknown(field, known, live, (), touched)
    )


def warn_of_unknown_names(
    provider: Provider,
    live: LiveState,
    changes: Sequence[Change],
    lists: Mapping[str, Sequence[Json]],
) -> tuple[Change, ...]:
    """The changes, with a warning of each thing that they name and neither a client nor a list has.

    `lists` are the lists of `lists_to_read` by their paths, without those that could not be read.
    """
    told: dict[int, list[str]] = {}
    for field, known in _fields(provider):
        listed = lists.get(known.path or "")
        unknown = _unknown(field, known, live, listed or (), changes)
        if not unknown:
            continue
        hints = _hints(unknown, _names(known, field, live, listed or ()))
        for place, named in unknown:
            told.setdefault(place, []).append(_warning(field, known, named, listed, hints))
    return tuple(
        replace(change, warnings=(*change.warnings, *told[place])) if place in told else change
        for place, change in enumerate(changes)
    )


def _fields(provider: Provider) -> Iterator[tuple[Field, Known]]:
    return ((field, field.known) for field in provider.fields.values() if field.known is not None)


def _unknown(
    field: Field,
    known: Known,
    live: LiveState,
    listed: Sequence[Json],
    changes: Sequence[Change],
) -> list[tuple[int, _Named]]:
    """What the changes name that is nowhere, each with the place of its change."""
    named = [
        (place, one)
        for place, change in enumerate(changes)
        if _sends(change, field)
        for one in _named(field, known, change)
    ]
    if not named:
        return []
    names = _names(known, field, live, listed)
    return [(place, one) for place, one in named if _spelled(known, one) not in names[one.by]]


def _sends(change: Change, field: Field) -> bool:
    """Whether a request of the change sets the field to what its manifest states."""
    if change.refusal is not None:
        return False
    # A field that differs, and not one that the manifest states: `ignoreChanges` may leave it alone.
    differs = any(each.field == field.name for each in change.fields)
    return change.action in _MAKES or (change.action in _WRITES and differs)


def _named(field: Field, known: Known, change: Change) -> Iterator[_Named]:
    stated = None if change.manifest is None else change.manifest.spec.get(field.name)
    for member in stated if isinstance(stated, list | tuple) else ():
        by = _first_of(field.compare_by, member)
        if isinstance(member, dict) and by in (*known.made, *known.dropped):
            yield _Named(by=by, value=member[by])


def _first_of(names: Sequence[str], member: Json) -> str:
    holder = member if isinstance(member, dict) else {}
    return next((name for name in names if holder.get(name) is not None), "")


def _names(
    known: Known, field: Field, live: LiveState, listed: Sequence[Json]
) -> dict[str, set[Json]]:
    """All that the live clients and the list have, by the member that names it."""
    members = list(listed)
    for client in live.clients.values():
        held = client.body.get(field.name)
        members += held if isinstance(held, list | tuple) else ()
    objects = [member for member in members if isinstance(member, dict)]
    return {
        by: {
            _spelled(known, _Named(by=by, value=member[by]))
            for member in objects
            if isinstance(member.get(by), str)
        }
        for by in (*known.made, *known.dropped)
    }


def _spelled(known: Known, named: _Named) -> Json:
    """The value as it is compared: what a server only looks up is an id, in capitals or not."""
    value = reveal(named.value)
    return value.lower() if named.by in known.dropped and isinstance(value, str) else value


def _hints(
    unknown: Iterable[tuple[int, _Named]], names: Mapping[str, set[Json]]
) -> dict[tuple[str, str], str]:
    """The known name that was meant by each unknown one, for as many as stay quick."""
    wanted = dict.fromkeys(
        (named.by, named.value) for _, named in unknown if isinstance(named.value, str)
    )
    candidates = {by: sorted(map(str, known)) for by, known in names.items()}
    most = max(1, _COMPARISONS // (1 + sum(map(len, candidates.values()))))
    return {(by, name): closest_name(name, candidates[by]) for by, name in list(wanted)[:most]}


def _warning(
    field: Field,
    known: Known,
    named: _Named,
    listed: Sequence[Json] | None,
    hints: Mapping[tuple[str, str], str],
) -> str:
    # A name that came from a reference counts as secret, though the server may show it.
    secret = holds_secret(named.value)
    shown = f"the {named.by} from a reference" if secret else f"the {named.by} {named.value!r}"
    does = "makes it" if named.by in known.made else "leaves it out"
    word = f"{field.name}: the server does not have {shown}, and {does} without a word"
    if listed is None:
        unread = "" if known.path is None else f" (GET {known.path} could not be read)"
        word = (
            f"{field.name}: no client that was seen has {shown}{unread}; a server without it {does}"
        )
    near = "" if secret else did_you_mean(hints.get((named.by, str(named.value)), ""))
    return f"{word}: {near}" if near else word
