"""Anchors to the values that aliases stand for, without letting a few bytes grow into gigabytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_EXPANSION: Final = 100_000  # values that the aliases of a file stand for, all together


class TooLarge(Exception):
    """The aliases of the file stand for more than can be meant."""


class Anchors:
    """The anchors of a document, and how much the aliases of its file have stood for so far."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._expansion = 0

    def forget(self) -> None:
        """Start another document: an anchor is known in its own only."""
        self._values.clear()
        self._sizes.clear()

    def define(self, name: str, value: Any) -> None:
        """Let `name` stand for `value`, which may still be under construction."""
        self._values[name] = value
        self._sizes.pop(name, None)

    def look_up(self, name: str, under_construction: Iterable[Any]) -> tuple[Any, int]:
        """Give the value of an alias and how deep it is nested.

        Raises KeyError for an unknown anchor, RecursionError for one that would hold itself, and
        TooLarge once the file's aliases stand for more than MAX_EXPANSION values.
        """
        value = self._values[name]
        if any(value is container for container in under_construction):
            raise RecursionError(name)
        if name not in self._sizes:
            self._sizes[name] = _size_and_depth(value)
        size, depth = self._sizes[name]
        self._expansion += size
        if self._expansion > MAX_EXPANSION:
            raise TooLarge(name)
        return value, depth


def _size_and_depth(value: Any) -> tuple[int, int]:
    """Count what `value` would be written out, no further than one level past what is allowed."""
    size, depth = 1, 0
    level = [value] if isinstance(value, (dict, list)) else []
    while level:
        depth += 1
        size += sum(map(len, level))
        if size > MAX_EXPANSION:
            break
        level = [child for parent in level for child in _containers_in(parent)]
    return size, depth


def _containers_in(parent: dict[str, Any] | list[Any]) -> Iterator[dict[str, Any] | list[Any]]:
    children = parent.values() if isinstance(parent, dict) else parent
    return (child for child in children if isinstance(child, (dict, list)))
