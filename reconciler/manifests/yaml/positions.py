"""Turns problems with a JSON Pointer into problems with a line and a column, by a second pass.

Only a file that holds a problem is read again, so the first pass need not carry a single mark.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.error import YAMLError
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from reconciler.core.pointer import unescape
from reconciler.manifests.yaml.lines import Lines
from reconciler.manifests.yaml.reader import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.core.model import Position, Problem

_Mark: TypeAlias = tuple[int, int]  # line and column, from 0


@dataclass(slots=True)
class _Node:
    """A value in the text: where it starts, where its key does, and what it holds by token."""

    start: _Mark
    end: _Mark
    is_mapping: bool
    text: str = ""
    is_plain: bool = False
    key: _Mark | None = None
    members: dict[str, _Node] = field(default_factory=dict)
    duplicates: list[tuple[str, _Node]] = field(default_factory=list)  # a later one took its place
    origin: _Node | None = None  # of an alias: what it stands for


def locate(
    problems: Iterable[Problem],
    text_of: Callable[[str], bytes],
    is_secret: Callable[[tuple[str, ...]], bool],
) -> list[Problem]:
    """The problems with a position each, where their file is readable, sorted by place.

    `text_of` returns a file's bytes by its path, empty if there are none. `is_secret` says of a
    path of keys whether a text there would be a secret, written out where a reference belongs: no
    line shows it. A pointer that leads nowhere means the nearest thing that is there.
    """
    files: dict[str, _File] = {}
    located = []
    for problem in problems:
        path = problem.source.path
        if path not in files:
            files[path] = _File(text_of(path), is_secret)
        located.append(replace(problem, position=files[path].position(problem)))
    return sorted(located, key=_sort_key)


def written_scalars(text: bytes, document: int = 0) -> Callable[[Sequence[str | int]], str | None]:
    """What gives the characters of the plain scalar at a path of a document, None where none stands there.

    The text is not parsed before it is asked for.
    """
    return WrittenScalars(text).of_document(document)


class WrittenScalars:
    """The plain scalars of a file as they are written; it is parsed once, when the first is asked for."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    @cached_property
    def _roots(self) -> list[_Node]:
        return _documents(self._text)[0]

    def of_document(self, document: int) -> Callable[[Sequence[str | int]], str | None]:
        """What gives the characters at a path of one document."""

        def written(path: Sequence[str | int]) -> str | None:
            node: _Node | None = self._roots[document]
            for step in path:
                node = node and node.members.get(str(step))
            return node.text if node and node.is_plain else None

        return written


def _sort_key(problem: Problem) -> tuple[object, ...]:
    position = problem.position
    place = (position.line, position.column) if position else (0, 0)
    return (problem.source.path, *place, problem.source.document, problem.pointer, problem.message)


class _File:
    """A file that holds a problem: its lines, and its documents as nodes with positions."""

    def __init__(self, text: bytes, is_secret: Callable[[tuple[str, ...]], bool]) -> None:
        self._documents, is_whole = _documents(text)
        self._is_hidden = not text
        self._lines = Lines(text)
        # Masked before any line is taken: a problem beside a secret shows the same line.
        self._lines.mask(
            span for document in self._documents for span in _secret_spans(document, is_secret)
        )
        if not is_whole:
            self._lines.mask_likely_secrets()

    def position(self, problem: Problem) -> Position | None:
        if problem.position is not None and self._is_hidden:
            # Whoever read the file knows the place, and no line of it is shown.
            return replace(problem.position, text="")
        if problem.position is not None:
            return self._lines.position(problem.position.line - 1, problem.position.column - 1)
        if problem.source.document >= len(self._documents):
            return None
        return self._lines.position(*_mark_of(self._documents[problem.source.document], problem))


def _secret_spans(
    root: _Node, is_secret: Callable[[tuple[str, ...]], bool]
) -> Iterator[tuple[_Mark, _Mark]]:
    """The start and the end of each text that must not be shown."""
    pending: list[tuple[tuple[str, ...], _Node]] = [((), root)]
    while pending:
        tokens, node = pending.pop()
        if node.origin is not None:
            # What an alias stands for is walked over where it is written, and only there.
            if is_secret(tokens):
                yield node.origin.start, node.origin.end
            continue
        members = (*node.members.items(), *node.duplicates)
        pending.extend(((*tokens, token), member) for token, member in members)
        if not node.members and is_secret(tokens):
            yield node.start, node.end


def _mark_of(root: _Node, problem: Problem) -> _Mark:
    """The mark of a problem: that of its pointer, followed as far as it goes."""
    node = root
    for token in problem.pointer.split("/")[1:]:
        member = node.members.get(unescape(token))
        if member is None:
            return node.key or node.start
        node = member
    # A block collection starts at its first member, lines below the key that people look for.
    below = node.key is not None and node.start[0] > node.key[0]
    return node.key if node.key and (problem.at_key or below) else node.start


def _documents(text: bytes) -> tuple[list[_Node], bool]:
    """The roots of the documents as far as the text is YAML, and whether that is all of it."""
    builder = _TreeBuilder()
    parser = CParser(text)
    try:
        while event := parser.get_event():
            builder.add(event)
    except (YAMLError, _Unreadable):
        return builder.roots, False  # the first pass said what is wrong
    return builder.roots, True


class _Unreadable(Exception):
    """The first pass stopped here, and said why."""


class _TreeBuilder:
    """The documents of a file as nodes, built event by event."""

    def __init__(self) -> None:
        self.roots: list[_Node] = []
        self._open: list[_Node] = []
        self._anchors: dict[str, _Node] = {}
        self._key: _Node | None = None

    def add(self, event: Any) -> None:
        """Add one event; raises _Unreadable where the first pass stops too."""
        if isinstance(event, DocumentStartEvent):
            self._anchors.clear()
        elif isinstance(event, CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, NodeEvent):
            self._add_node(event)

    def _add_node(self, event: Any) -> None:
        is_container = isinstance(event, CollectionStartEvent)
        parent = self._open[-1] if self._open else None
        is_key = parent is not None and parent.is_mapping and self._key is None
        if is_container and (is_key or len(self._open) == MAX_DEPTH):
            raise _Unreadable
        node = self._node(event)
        if is_key:
            self._key = node
            return
        self._attach(node, parent)
        if is_container:
            self._open.append(node)

    def _node(self, event: Any) -> _Node:
        node = _Node(
            start=(event.start_mark.line, event.start_mark.column),
            end=(event.end_mark.line, event.end_mark.column),
            is_mapping=isinstance(event, MappingStartEvent),
            text=event.value if isinstance(event, ScalarEvent) else "",
            is_plain=isinstance(event, ScalarEvent) and not event.style and not event.tag,
        )
        name = str(event.anchor)
        if not isinstance(event, AliasEvent):
            self._anchors[name] = node
        elif origin := self._anchors.get(name):
            # Its members are shared and not copied: nested aliases would grow into gigabytes.
            node.members, node.text, node.origin = origin.members, origin.text, origin
            node.is_plain = origin.is_plain
        return node

    def _attach(self, node: _Node, parent: _Node | None) -> None:
        if parent is None:
            self.roots.append(node)
        elif self._key is None:
            parent.members[str(len(parent.members))] = node
        else:
            token, node.key = self._key.text, self._key.start
            if token in parent.members:
                parent.duplicates.append((token, parent.members[token]))
            parent.members[token] = node
            self._key = None
