"""What the YAML reader knows midway through a file: its anchors, its open containers, its problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.core.model import Problem, Source
from reconciler.core.pointer import escape
from reconciler.core.problems.many import MOST_SHOWN, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Literal

    from reconciler.core.model import Json, Position
    from reconciler.manifests.yaml.lines import Lines

_TEXT_OF_ONE: Final = 256  # characters of a text that an alias stands for count as one value more
MAX_EXPANSION: Final = 100_000  # values that the aliases of a file stand for, all together


class ReaderState:
    """The problems of one file, and how far the reader has come.

    `documents` are what the file has held so far, of which `complete` are finished; `stack` are
    the containers around the one being filled, outermost first.
    """

    def __init__(self, text: bytes, path: str) -> None:
        self._shown: list[Problem] = []
        self._counts = {"error": 0, "warning": 0}
        self.documents: list[Json] = []
        self.complete = 0
        self.stack: list[Any] = []
        self._text = text
        self._path = path
        self._lines: Lines | None = None  # split on the first problem: most files have none

    @property
    def count(self) -> int:
        """How many problems there are so far."""
        return sum(self._counts.values())

    def problems(self) -> list[Problem]:
        """The first problems of each severity, and what counts the rest."""
        rest = dict(self._counts)
        for problem in self._shown:
            rest[problem.severity] -= 1
        source = Source(path=self._path)
        return [
            *self._shown,
            *counted(source, "error", rest["error"]),
            *counted(source, "warning", rest["warning"]),
        ]

    def add_at_event(
        self,
        event: Any,
        here: Any,
        key: str,
        message: str,
        *,
        hint: str = "",
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Add a problem with the member of `here` that is being read, at the event's mark."""
        if self._counts[severity] >= MOST_SHOWN:
            # Only counted: what leads to it may be long, and so may its line.
            self._counts[severity] += 1
            return
        mark = event.start_mark
        if self._lines is None:
            from reconciler.manifests.yaml.lines import Lines  # noqa: PLC0415 - as above

            self._lines = Lines(self._text)
        position = self._lines.position(mark.line, mark.column)
        pointer = self._pointer(here, key)
        self.add(pointer, position, message, hint=hint, severity=severity)

    def add(
        self,
        pointer: str,
        position: Position,
        message: str,
        *,
        hint: str = "",
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Add a problem of the current document at a position."""
        self._counts[severity] += 1
        self._shown.append(
            Problem(
                source=Source(path=self._path, document=self.complete),
                pointer=pointer,
                position=position,
                message=message,
                hint=hint,
                severity=severity,
            )
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
    size, depth = _weight(value), 0
    level = [value] if isinstance(value, (dict, list)) else []
    while level:
        depth += 1
        size += sum(_weight(child) for parent in level for child in _children(parent))
        if size > MAX_EXPANSION:
            break  # it is refused anyway, and counting on would take as long as expanding it
        level = [child for parent in level for child in _containers_in(parent)]
    return size, depth


def _containers_in(parent: dict[str, Any] | list[Any]) -> Iterator[dict[str, Any] | list[Any]]:
    return (child for child in _children(parent) if isinstance(child, (dict, list)))


def _children(parent: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return parent.values() if isinstance(parent, dict) else parent


def _weight(value: Any) -> int:
    """As how many values one counts, its members aside: a long text is as much work as many."""
    return 1 + (len(value) // _TEXT_OF_ONE if isinstance(value, str) else 0)
