"""Turns the bytes of a YAML file into plain values, in one pass over libyaml's events.

The pass computes no positions: it runs over every file of a fleet and decides how long `validate`
takes. A problem gets its place from the mark of the event at hand. It never recurses, so no nesting
can exhaust the stack, and it stops at a depth that no client needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.error import YAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.core import scalars
from reconciler.core.dataclass import dataclass
from reconciler.core.model import Json, Problem, Source
from reconciler.manifests.yaml.state import MAX_EXPANSION, AnchorTable, ReaderState, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_DEPTH: Final = 64
_LONGEST_KEY: Final = 1000  # characters of a key that a message quotes

# What the marks of an unfinished merge begin with: to look for these takes a microsecond a file.
_MARKS: Final = (b"<<<<<<<", b">>>>>>>", b"=======", b"|||||||")

_CORE: Final = "tag:yaml.org,2002:"
_TYPES: Final = {"null": type(None), "bool": bool, "int": int, "float": float}

# Plain scalars and keys that were seen before, in this or another file: a fleet repeats itself, and
# one text for all its `name`s is less to keep, to compare and to pass on. Both are bounded, so that
# a hostile file costs time and not memory.
_known_scalars: Final = dict(scalars.CONSTANTS)
_known_keys: Final[dict[str, str]] = {}
_MAX_KNOWN: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file holds: its documents in order, an empty one as None, and what is wrong with it."""

    documents: list[Json]
    problems: list[Problem]


class _Stop(Exception):
    """The rest of the file cannot be read, or must not be."""


def read(text: bytes, path: str) -> Reading:
    """The Reading of a YAML file; of one that breaks off, the documents before the break.

    Problems have their positions. Aliased values are shared: treat all values as frozen.
    """
    if len(text) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1024**2} MiB"
        return Reading(documents=[], problems=[_of_file(path, message)])
    # Looked for first: between brackets the marks would be read as values.
    if any(mark in text for mark in _MARKS) and (problems := _unmerged(text, path)):
        return Reading(documents=[], problems=problems)
    reading = _DocumentBuilder(text, path).run()
    if not reading.problems and reading.documents.count(None) == len(reading.documents):
        warning = _of_file(path, "the file holds no document", severity="warning")
        reading.problems.append(warning)
    return reading


def _unmerged(text: bytes, path: str) -> list[Problem]:
    """The problem of each place at which a merge was left unfinished."""
    from reconciler.manifests.yaml.lines import Lines  # noqa: PLC0415 - as above
    from reconciler.validation.merges import unmerged_lines  # noqa: PLC0415 - of few files

    lines = Lines(text)
    return [
        _of_file(
            path,
            "a merge is unfinished: git could not join two versions of this place",
            hint="keep what is meant, take out the lines with the marks, then `git add` the file",
            position=lines.position(number - 1, 0),
        )
        for number in unmerged_lines(text)
    ]


def _of_file(path: str, message: str, **more: Any) -> Problem:
    return Problem(source=Source(path=path), pointer="", message=message, **more)


class _DocumentBuilder:
    """Builds the values of one file from its events."""

    def __init__(self, text: bytes, path: str) -> None:
        self._text = text
        self._state = ReaderState(text, path)
        self._add_problem = self._state.add_at_event
        self._anchors = AnchorTable()

    def run(self) -> Reading:
        """Read as far as the text is YAML."""
        state = self._state
        try:
            self._build(CParser(self._text).get_event)
        except YAMLError as error:
            from reconciler.manifests.yaml import syntax  # noqa: PLC0415 - most files are YAML

            problem = syntax.explain(error, self._text)
            state.add("", problem.position, problem.message, hint=problem.hint)
        except _Stop:
            pass
        return Reading(documents=state.documents[: state.complete], problems=state.problems())

    # One loop, long on purpose: a call per event would cost more than the work it does. The
    # branches stand in the order of how often they are taken.
    def _build(self, get: Callable[[], Any]) -> None:  # noqa: C901, PLR0912, PLR0915
        known_scalars, known_keys = _known_scalars, _known_keys
        doubtful = scalars.DOUBTFUL_STARTS
        scalar, mapping_start, mapping_end = ScalarEvent, MappingStartEvent, MappingEndEvent
        sequence_start, sequence_end = SequenceStartEvent, SequenceEndEvent
        # Without one of these characters no event can carry a tag or an anchor.
        text = self._text
        decorated = b"&" in text or b"!" in text or b"*" in text
        documents, stack = self._state.documents, self._state.stack
        here: Any = documents
        in_mapping = False
        key = ""
        while True:
            event = get()
            kind = event.__class__
            if in_mapping:
                if kind is scalar:
                    key = event.value
                    if decorated or key not in known_keys:
                        self._check_key(event, here)
                    else:
                        key = known_keys[key]
                elif kind is mapping_end:
                    here = stack.pop()
                    in_mapping = here.__class__ is dict
                    continue
                else:
                    key = self._key_of_alias(event, here)
                if key in here:
                    self._add_duplicate(event, here, key)
                event = get()
                kind = event.__class__
            if kind is scalar:
                value = event.value
                if decorated and (event.tag or event.anchor):
                    value = self._decorated_scalar(event, here, key)
                elif value[:1] in doubtful and not event.style:
                    try:
                        value = known_scalars[value]
                    except KeyError:
                        value = self._new_scalar(event, here, key)
            elif kind is mapping_start or kind is sequence_start:
                value = {} if kind is mapping_start else []
                if len(stack) == MAX_DEPTH:
                    self._stop_too_deep(event, here, key)
                if decorated and (event.tag or event.anchor):
                    self._take_decoration(event, here, key, value)
                if in_mapping:
                    here[key] = value
                else:
                    here.append(value)
                stack.append(here)
                here = value
                in_mapping = kind is mapping_start
                continue
            elif kind is sequence_end:
                here = stack.pop()
                in_mapping = here.__class__ is dict
                continue
            elif kind is AliasEvent:
                value = self._aliased_value(event, here, key)
            elif kind is DocumentEndEvent:
                self._state.complete = len(documents)
                continue
            elif kind is DocumentStartEvent:
                self._anchors.clear()
                continue
            elif kind is StreamEndEvent:
                return
            else:
                continue  # the start of the stream
            if in_mapping:
                here[key] = value
            else:
                here.append(value)

    def _check_key(self, event: Any, here: Any) -> None:
        """Add a problem for a key that is no string to YAML 1.2, a merge key or an unknown tag on it."""
        key = event.value
        if event.anchor:
            self._anchors.define(event.anchor, key)
        if event.tag or event.style:
            self._tagged_scalar(event, here, key)
        elif key == "<<":
            self._add_problem(
                event,
                here,
                key,
                "merge keys (`<<`) are not part of YAML 1.2",
                hint="write the members out; an alias may stand for a whole value",
            )
        elif not scalars.is_string(key):
            self._add_problem(
                event,
                here,
                key,
                f"a key must be a string, and plain `{key}` is none",
                hint=f"quote it: {scalars.quote(key)}",
            )
        elif len(_known_keys) < _MAX_KNOWN:
            _known_keys[key] = key

    def _key_of_alias(self, event: Any, here: Any) -> str:
        """The key that an alias stands for; a list or a mapping stops the reading, as it can be none."""
        if event.__class__ is AliasEvent:
            count = self._state.count
            key = self._aliased_value(event, here, "")
            if isinstance(key, str):
                return key
            if self._state.count > count:
                raise _Stop  # why it stands for nothing has been said
        self._add_problem(event, here, "", "a key must be a string")
        raise _Stop

    def _add_duplicate(self, event: Any, here: dict[str, Any], key: str) -> None:
        # Cut: an alias may stand for a long key, time and again.
        name = key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}…"
        self._add_problem(event, here, key, f"duplicate key `{name}`", hint="keep one of the two")
        del here[key]  # so that the last member of a mapping is always the one being read

    def _decorated_scalar(self, event: Any, here: Any, key: str) -> scalars.Scalar:
        """The value of a scalar that has a tag or an anchor."""
        if event.tag:
            value = self._tagged_scalar(event, here, key)
        elif event.style:
            value = event.value
        else:
            value = self._new_scalar(event, here, key)
        if event.anchor:
            self._anchors.define(event.anchor, value)
        return value

    def _tagged_scalar(self, event: Any, here: Any, key: str) -> scalars.Scalar:
        """The value of a scalar by its tag, where that is one of the core schema."""
        text: str = event.value
        tag = event.tag or "!"
        if tag in {"!", _CORE + "str"}:
            return text
        wanted = _TYPES.get(tag.removeprefix(_CORE)) if tag.startswith(_CORE) else None
        if wanted is None:
            self._add_unknown_tag(event, here, key)
            return text
        value = self._new_scalar(event, here, key)
        if wanted is float and type(value) is int:
            value = float(value)
        if type(value) is not wanted:
            self._add_problem(event, here, key, f"`{text}` does not fit its tag")
        return value

    def _take_decoration(self, event: Any, here: Any, key: str, value: Any) -> None:
        """Check the tag of a container and define its anchor."""
        kind = "map" if isinstance(value, dict) else "seq"
        if event.tag not in {None, "!", _CORE + kind}:
            self._add_unknown_tag(event, here, key)
        if event.anchor:
            self._anchors.define(event.anchor, value)

    def _add_unknown_tag(self, event: Any, here: Any, key: str) -> None:
        tag = event.tag.replace(_CORE, "!!", 1)
        # `!clients/drafts/**` was meant as a text: nothing else follows the tag.
        is_text = tag.startswith("!") and event.__class__ is ScalarEvent and not event.value
        hint = f"quote it: {scalars.quote(tag)}" if is_text else "leave it out"
        self._add_problem(event, here, key, f"unknown tag `{tag}`", hint=hint)

    def _new_scalar(self, event: Any, here: Any, key: str) -> scalars.Scalar:
        """The value of a plain scalar that was not met before; adds a warning where it misleads."""
        text: str = event.value
        try:
            value = scalars.resolve(text)
        except ValueError as error:
            hint = f"quote it if a text is meant: {scalars.quote(text)}"
            self._add_problem(event, here, key, str(error), hint=hint)
            return None
        if value in scalars.YAML_1_1_BOOLEANS:
            self._add_problem(
                event,
                here,
                key,
                f'plain `{text}` is the string "{text}" here, and a boolean to YAML 1.1 tools',
                hint=f"quote it: {scalars.quote(text)}",
                severity="warning",
            )
        elif len(_known_scalars) < _MAX_KNOWN:
            _known_scalars[text] = value
        return value

    def _aliased_value(self, event: Any, here: Any, key: str) -> Any:
        """The value that an alias stands for, None where it cannot stand for one."""
        name = event.anchor
        try:
            value, depth = self._anchors.look_up(name, (*self._state.stack, here))
        except KeyError:
            self._add_problem(event, here, key, f"no anchor `&{name}` stands before this alias")
            return None
        except RecursionError:
            self._add_problem(event, here, key, f"`*{name}` stands inside of what it stands for")
            return None
        except TooLarge:
            self._add_problem(
                event, here, key, f"the aliases stand for more than {MAX_EXPANSION} values"
            )
            raise _Stop from None
        if len(self._state.stack) + depth > MAX_DEPTH:
            self._stop_too_deep(event, here, key)
        return value

    def _stop_too_deep(self, event: Any, here: Any, key: str) -> None:
        self._add_problem(event, here, key, f"nested more than {MAX_DEPTH} levels deep")
        raise _Stop
