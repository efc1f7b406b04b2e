"""The bytes of a YAML file to plain values, in one pass over libyaml's events.

The pass touches no position: it runs over every file of a fleet and decides how long `validate`
takes. What it has to say it says with the mark of the event at hand. It never recurses, so no
nesting can exhaust the stack, and it stops at a depth that no client needs.
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

from reconciler.core.dataclass import dataclass
from reconciler.core.model import Json, Problem, Source
from reconciler.manifests.yaml import scalars
from reconciler.manifests.yaml.anchors import MAX_EXPANSION, Anchors, TooLarge
from reconciler.manifests.yaml.notes import Notes

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_DEPTH: Final = 64

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
    """Read a YAML file whole; of one that breaks off, give the documents before the break.

    Problems have their positions. Aliased values are shared: treat what comes out as frozen.
    """
    if len(text) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1024**2} MiB"
        return Reading(documents=[], problems=[_of_file(path, message)])
    reading = _Construction(text, path).run()
    if not reading.problems and reading.documents.count(None) == len(reading.documents):
        warning = _of_file(path, "the file holds no document", severity="warning")
        reading.problems.append(warning)
    return reading


def _of_file(path: str, message: str, **more: Any) -> Problem:
    return Problem(source=Source(path=path), pointer="", message=message, **more)


class _Construction:
    """One file on its way from events to values."""

    def __init__(self, text: bytes, path: str) -> None:
        self._text = text
        self._notes = Notes(text, path)
        self._anchors = Anchors()

    def run(self) -> Reading:
        """Read as far as there is something to read."""
        notes = self._notes
        try:
            self._build(CParser(self._text).get_event)
        except YAMLError as error:
            from reconciler.manifests.yaml import syntax  # noqa: PLC0415 - most files are YAML

            complaint = syntax.explain(error, self._text)
            notes.note("", complaint.position, complaint.message, hint=complaint.hint)
        except _Stop:
            pass
        return Reading(documents=notes.documents[: notes.complete], problems=notes.problems)

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
        documents, stack = self._notes.documents, self._notes.stack
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
                    key = self._odd_key(event, here)
                if key in here:
                    self._duplicate(event, here, key)
                event = get()
                kind = event.__class__
            if kind is scalar:
                value = event.value
                if decorated and (event.tag or event.anchor):
                    value = self._decorated(event, here, key)
                elif value[:1] in doubtful and not event.style:
                    try:
                        value = known_scalars[value]
                    except KeyError:
                        value = self._unfamiliar(event, here, key)
            elif kind is mapping_start or kind is sequence_start:
                value = {} if kind is mapping_start else []
                if len(stack) == MAX_DEPTH:
                    self._too_deep(event, here, key)
                if decorated and (event.tag or event.anchor):
                    self._decorate(event, here, key, value)
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
                value = self._alias(event, here, key)
            elif kind is DocumentEndEvent:
                self._notes.complete = len(documents)
                continue
            elif kind is DocumentStartEvent:
                self._anchors.forget()
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
        """Note a key that is no string to YAML 1.2, a merge key, an unknown tag on a key."""
        key = event.value
        if event.anchor:
            self._anchors.define(event.anchor, key)
        if event.tag or event.style:
            self._tagged(event, here, key)
        elif key == "<<":
            self._notes.say(
                event,
                here,
                key,
                "merge keys (`<<`) are not part of YAML 1.2",
                hint="write the members out; an alias may stand for a whole value",
            )
        elif not _is_string(key):
            self._notes.say(
                event,
                here,
                key,
                f"a key must be a string, and plain `{key}` is none",
                hint=f'quote it: "{key}"',
            )
        elif len(_known_keys) < _MAX_KNOWN:
            _known_keys[key] = key

    def _odd_key(self, event: Any, here: Any) -> str:
        """Give the key that an alias stands for; no list and no mapping can be a key."""
        if event.__class__ is AliasEvent:
            noted = len(self._notes.problems)
            key = self._alias(event, here, "")
            if isinstance(key, str):
                return key
            if len(self._notes.problems) > noted:
                raise _Stop
        self._notes.say(event, here, "", "a key must be a string")
        raise _Stop

    def _duplicate(self, event: Any, here: dict[str, Any], key: str) -> None:
        self._notes.say(event, here, key, f"duplicate key `{key}`", hint="keep one of the two")
        del here[key]  # so that the last member of a mapping is the one being read

    def _decorated(self, event: Any, here: Any, key: str) -> scalars.Scalar:
        """Give the value of a scalar that has a tag or an anchor."""
        if event.tag:
            value = self._tagged(event, here, key)
        elif event.style:
            value = event.value
        else:
            value = self._unfamiliar(event, here, key)
        if event.anchor:
            self._anchors.define(event.anchor, value)
        return value

    def _tagged(self, event: Any, here: Any, key: str) -> scalars.Scalar:
        """Give the value of a scalar by its tag, where it is one of the core schema."""
        text: str = event.value
        tag = event.tag or "!"
        if tag in {"!", _CORE + "str"}:
            return text
        wanted = _TYPES.get(tag.removeprefix(_CORE)) if tag.startswith(_CORE) else None
        if wanted is None:
            self._unknown_tag(event, here, key)
            return text
        value = self._unfamiliar(event, here, key)
        if wanted is float and type(value) is int:
            value = float(value)
        if type(value) is not wanted:
            self._notes.say(event, here, key, f"`{text}` does not fit its tag")
        return value

    def _decorate(self, event: Any, here: Any, key: str, value: Any) -> None:
        """Take the tag and the anchor of a container."""
        kind = "map" if isinstance(value, dict) else "seq"
        if event.tag not in {None, "!", _CORE + kind}:
            self._unknown_tag(event, here, key)
        if event.anchor:
            self._anchors.define(event.anchor, value)

    def _unknown_tag(self, event: Any, here: Any, key: str) -> None:
        tag = event.tag.replace(_CORE, "!!", 1)
        self._notes.say(event, here, key, f"unknown tag `{tag}`", hint="leave it out")

    def _unfamiliar(self, event: Any, here: Any, key: str) -> scalars.Scalar:
        """Give the value of a plain scalar that was not met before, and say if it misleads."""
        text: str = event.value
        try:
            value = scalars.resolve(text)
        except ValueError as error:
            self._notes.say(event, here, key, str(error))
            return None
        if value in scalars.YAML_1_1_BOOLEANS:
            self._notes.say(
                event,
                here,
                key,
                f'plain `{text}` is the string "{text}" here, and a boolean to YAML 1.1 tools',
                hint=f'quote it: "{text}"',
                severity="warning",
            )
        elif len(_known_scalars) < _MAX_KNOWN:
            _known_scalars[text] = value
        return value

    def _alias(self, event: Any, here: Any, key: str) -> Any:
        """Give the value that an alias stands for, None where it is none that can be."""
        name = event.anchor
        try:
            value, depth = self._anchors.look_up(name, (*self._notes.stack, here))
        except KeyError:
            self._notes.say(event, here, key, f"no anchor `&{name}` stands before this alias")
            return None
        except RecursionError:
            self._notes.say(event, here, key, f"`*{name}` stands inside of what it stands for")
            return None
        except TooLarge:
            self._notes.say(
                event, here, key, f"the aliases stand for more than {MAX_EXPANSION} values"
            )
            raise _Stop from None
        if len(self._notes.stack) + depth > MAX_DEPTH:
            self._too_deep(event, here, key)
        return value

    def _too_deep(self, event: Any, here: Any, key: str) -> None:
        self._notes.say(event, here, key, f"nested more than {MAX_DEPTH} levels deep")
        raise _Stop


def _is_string(text: str) -> bool:
    try:
        return isinstance(scalars.resolve(text), str)
    except ValueError:
        return False
