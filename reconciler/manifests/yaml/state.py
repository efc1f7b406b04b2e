"""What the YAML reader knows midway through a file: its anchors, its open containers, its problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.core.model import Problem, Source
from reconciler.core.pointer import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.model import Json, Position
    from reconciler.manifests.yaml.lines import Lines

MAX_EXPANSION: Final = 100_000  # values that the aliases of a file stand for, all together


class ReaderState:
    """The problems of one file, and how far the reader has come.

    `documents` are what the file has held so far, of which `complete` are finished; `stack` are
    the containers around the one being filled, outermost first.
    """

    def __init__(self, text: bytes, path: str) -> None:
        self.problems: list[Problem] = []
        self.documents: list[Json] = []
        self.complete = 0
        self.stack: list[Any] = []
        self._text = text
        self._path = path
        self._lines: Lines | None = None  # split on the first problem: most files have none

    def add_at_event(self, event: Any, here: Any, key: str, message: str, **more: Any) -> None:
        """Add a problem with the member of `here` that is being read, at the event's mark."""
        mark = event.start_mark
        if self._lines is None:
            from reconciler.manifests.yaml.lines import Lines  # noqa: PLC0415 - as above

            self._lines = Lines(self._text)
        position = self._lines.position(mark.line, mark.column)
        self.add(self._pointer(here, key), position, message, **more)

    def add(self, pointer: str, position: Position, message: str, **more: Any) -> None:
        """Add a problem of the current document at a position."""
        source = Source(path=self._path, document=self.complete)
        self.problems.append(
            Problem(source=source, pointer=pointer, position=position, message=message, **more)
        )

    def _pointer(self, here: Any, key: str) -> str:
        """The RFC 6901 pointer to what is being read: in each container, the last member."""
        if here is self.documents:
            return ""
        outer = [
            next(reversed(container)) if isinstance(container, dict) else len(container) - 1
            for container in self.stack[1:]
        ]
        last = key if isinstance(here, dict) else len(here)
        return "".join(f"/{escape(str(token))}" for token in (*outer, last))


class TooLarge(Exception):
    """The aliases of the file stand for more than can be meant."""


class AnchorTable:
    """The anchors of a document, and how many values the aliases of its file have stood for.

    The count is what keeps a few bytes of nested aliases from growing into gigabytes.
    """

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._expansion = 0

    def clear(self) -> None:
        """Start another document: an anchor is known only in its own. The count goes on."""
        self._values.clear()
        self._sizes.clear()

    def define(self, name: str, value: Any) -> None:
        """Let `name` stand for `value`, which may not be complete yet."""
        self._values[name] = value
        self._sizes.pop(name, None)

    def look_up(self, name: str, open_containers: Iterable[Any]) -> tuple[Any, int]:
        """The value of an alias and how deep it is nested.

        Raises KeyError for an unknown anchor, RecursionError for one that would hold itself, and
        TooLarge once the file's aliases stand for more than MAX_EXPANSION values.
        """
        value = self._values[name]
        if any(value is container for container in open_containers):
            raise RecursionError(name)
        if name not in self._sizes:
            self._sizes[name] = _size_and_depth(value)
        size, depth = self._sizes[name]
        self._expansion += size
        if self._expansion > MAX_EXPANSION:
            raise TooLarge(name)
        return value, depth


def _size_and_depth(value: Any) -> tuple[int, int]:
    """How many values `value` holds written out, and how many levels of them."""
    size, depth = 1, 0
    level = [value] if isinstance(value, (dict, list)) else []
    while level:
        depth += 1
        size += sum(map(len, level))
        if size > MAX_EXPANSION:
            break  # it is refused anyway, and counting on would take as long as expanding it
        level = [child for parent in level for child in _containers_in(parent)]
    return size, depth


def _containers_in(parent: dict[str, Any] | list[Any]) -> Iterator[dict[str, Any] | list[Any]]:
    children = parent.values() if isinstance(parent, dict) else parent
    return (child for child in children if isinstance(child, (dict, list)))
