"""What a reader finds wrong on its way through a file, as Problems with pointers and positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.model import Problem, Source
from reconciler.core.pointer import escape

if TYPE_CHECKING:
    from reconciler.core.model import Json, Position
    from reconciler.manifests.yaml.lines import Lines


class Notes:
    """The problems of one file, and the place that the reader has come to.

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
        self._lines: Lines | None = None  # most files have nothing to say, so need none

    def say(self, event: Any, here: Any, key: str, message: str, **more: Any) -> None:
        """Note a problem with the member of `here` that is being read, at the event's mark."""
        mark = event.start_mark
        if self._lines is None:
            from reconciler.manifests.yaml.lines import Lines  # noqa: PLC0415 - as above

            self._lines = Lines(self._text)
        position = self._lines.position(mark.line, mark.column)
        self.note(self._pointer(here, key), position, message, **more)

    def note(self, pointer: str, position: Position, message: str, **more: Any) -> None:
        """Note a problem of the current document at a position."""
        source = Source(path=self._path, document=self.complete)
        self.problems.append(
            Problem(source=source, pointer=pointer, position=position, message=message, **more)
        )

    def _pointer(self, here: Any, key: str) -> str:
        """Give the RFC 6901 pointer to what is being read: in each container, the last member."""
        if here is self.documents:
            return ""
        outer = [
            next(reversed(container)) if isinstance(container, dict) else len(container) - 1
            for container in self.stack[1:]
        ]
        last = key if isinstance(here, dict) else len(here)
        return "".join(f"/{escape(str(token))}" for token in (*outer, last))
