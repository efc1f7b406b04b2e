"""Maps a function over a list with two processes: a forked copy of this one does what it gets to."""

from __future__ import annotations

import marshal
import os
import signal
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Self

    _Work: TypeAlias = Callable[[str], Any]

_MOST_PARTS: Final = 128  # so that the number of each is a byte, and all of them fit into a pipe
_LENGTH: Final = 8  # bytes before each result of the copy, that say how long it is


def is_possible() -> bool:
    """Whether a copy is possible (on Linux), safe (no other thread) and of use (another CPU)."""
    return (
        hasattr(os, "memfd_create")
        and threading.active_count() == 1
        and len(os.sched_getaffinity(0)) > 1
    )


@contextmanager
def map_in_parallel(work: _Work, items: Sequence[str]) -> Iterator[Callable[[], list[Any]]]:
    """Start a copy on `[work(item) for item in items]`; the block is given what returns the results.

    What the copy does not do, because it cannot be had or dies, is done here. `work` returns None
    or what JSON has, and changes nothing. Fork first, then start threads: a copy has only the one
    that forked it, and a lock that another held stays locked in it.
    """
    size = -(-len(items) // _MOST_PARTS) or 1
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    with ExitStack() as stack:
        copy: ForkedWorker | None = None
        with suppress(OSError):
            copy = stack.enter_context(ForkedWorker(work, parts))
        yield lambda: _results(work, parts, {} if copy is None else copy.collect_results())


def _results(work: _Work, parts: Sequence[Sequence[str]], done: Mapping[int, Any]) -> list[Any]:
    """The results in order; a part that is not `done` is done now."""
    return [
        result
        for number, part in enumerate(parts)
        for result in (done[number] if number in done else map(work, part))
    ]


class ForkedWorker:
    """A forked copy of this process, while it works.

    The numbers of the parts lie in a pipe: the process that takes one does that part, so that both
    are busy to the end. The results of the copy lie in memory that both can reach, so that it never
    has to wait for this process to read them.
    """

    def __init__(self, work: _Work, parts: Sequence[Sequence[str]]) -> None:
        self._work = work
        self._parts = parts
        self._pid = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._part_numbers, write_end = os.pipe()
            stack.callback(os.close, self._part_numbers)
            os.write(write_end, bytes(range(len(self._parts))))
            # Closed before the fork: only then does an empty pipe read as its end, to both.
            os.close(write_end)
            self.memory = os.memfd_create("results")
            stack.callback(os.close, self.memory)
            self._pid = _fork(self.run_in_copy)
            self._files = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End the copy, where it has not ended by itself."""
        if self._pid:
            with suppress(OSError):  # as in `wait`
                os.kill(self._pid, signal.SIGKILL)
            self.wait()
        self._files.close()

    def collect_results(self) -> dict[int, list[Any]]:
        """Work until no part is left; return the results by part, those of the copy among them."""
        done = {}
        while number := os.read(self._part_numbers, 1):
            done[number[0]] = list(map(self._work, self._parts[number[0]]))
        self.wait()
        return done | self.results_of_copy()

    def run_in_copy(self) -> None:
        """Work until no part is left, and write each result at once: the copy may die at any point."""
        with open(self.memory, "wb", closefd=False) as results:
            while number := os.read(self._part_numbers, 1):
                result = list(map(self._work, self._parts[number[0]]))
                # marshal is fit for nothing that is kept; this goes from a copy to its parent only.
                text = marshal.dumps((number[0], result))
                results.write(len(text).to_bytes(_LENGTH) + text)
                results.flush()

    def wait(self) -> None:
        """Wait for the copy to end."""
        with suppress(OSError):  # whoever ignores SIGCHLD has no children to wait for
            os.waitpid(self._pid, 0)
        self._pid = 0

    def results_of_copy(self) -> dict[int, list[Any]]:
        """The results that the copy wrote whole, by part; one that it was cut off in is left out."""
        text = os.pread(self.memory, os.fstat(self.memory).st_size, 0)
        done, start = {}, 0
        while (begin := start + _LENGTH) <= len(text):
            start = begin + int.from_bytes(text[begin - _LENGTH : begin])
            if start <= len(text):
                number, result = marshal.loads(memoryview(text)[begin:start])  # noqa: S302 - our own  # nosec B302
                done[number] = result
        return done


def _fork(work: Callable[[], None]) -> int:
    """Run `work` in a copy of this process, which ends after it; return the copy's process id."""
    parent = os.getpid()
    try:
        pid = os.fork()
        if pid == 0:  # pragma: no cover - nothing is left to measure it
            work()
    finally:
        if os.getpid() != parent:  # pragma: no cover - as above
            os._exit(0)  # whatever happened: the copy must not run the rest of the program
    return pid
