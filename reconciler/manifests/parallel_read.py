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
_LENGTH: Final = 8  # bytes before each answer of the copy, that say how long it is


def is_possible() -> bool:
    """Whether a copy can be had (on Linux), is safe (no other thread) and of use (another CPU)."""
    return (
        hasattr(os, "memfd_create")
        and threading.active_count() == 1
        and len(os.sched_getaffinity(0)) > 1
    )


@contextmanager
def mapped(work: _Work, items: Sequence[str]) -> Iterator[Callable[[], list[Any]]]:
    """Give what comes to `[work(item) for item in items]`; a copy begins with it at once.

    The copy saves time and no more: what it does not do, because it cannot be had or dies, is done
    here. `work` gives None or what JSON has, and leaves nothing behind. Fork first, then start
    threads.
    """
    size = -(-len(items) // _MOST_PARTS) or 1
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    with ExitStack() as stack:
        copy: Copy | None = None
        with suppress(OSError):
            copy = stack.enter_context(Copy(work, parts))
        yield lambda: _results(work, parts, {} if copy is None else copy.share())


def _results(work: _Work, parts: Sequence[Sequence[str]], done: Mapping[int, Any]) -> list[Any]:
    """All results in order; what is not `done` is done now."""
    return [
        result
        for number, part in enumerate(parts)
        for result in (done[number] if number in done else map(work, part))
    ]


class Copy:
    """A forked copy of this process, while it works.

    The numbers of the parts lie in a pipe: who takes one does that part, so that both are busy to
    the end whatever the machine does. The answers of the copy lie in memory that both can reach,
    so that it never has to wait for somebody to read them.
    """

    def __init__(self, work: _Work, parts: Sequence[Sequence[str]]) -> None:
        self._work = work
        self._parts = parts
        self._pid = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._tickets, desk = os.pipe()
            stack.callback(os.close, self._tickets)
            os.write(desk, bytes(range(len(self._parts))))
            os.close(desk)
            self.memory = os.memfd_create("answers")
            stack.callback(os.close, self.memory)
            self._pid = _forked(self.serve)
            self._files = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End the copy, if it has not ended by itself."""
        if self._pid:
            with suppress(OSError):  # as in `wait`
                os.kill(self._pid, signal.SIGKILL)
            self.wait()
        self._files.close()

    def share(self) -> dict[int, list[Any]]:
        """Work until no part is left; the results by part: mine, and those of the copy."""
        done = {}
        while number := os.read(self._tickets, 1):
            done[number[0]] = list(map(self._work, self._parts[number[0]]))
        self.wait()
        return done | self.answered()

    def serve(self) -> None:
        """What the copy does. It may die at any point: half an answer is none."""
        with open(self.memory, "wb", closefd=False) as answers:
            while number := os.read(self._tickets, 1):
                answer = list(map(self._work, self._parts[number[0]]))
                text = marshal.dumps((number[0], answer))
                answers.write(len(text).to_bytes(_LENGTH) + text)
                answers.flush()

    def wait(self) -> None:
        """Wait for the copy to end."""
        with suppress(OSError):  # whoever ignores SIGCHLD has no children to wait for
            os.waitpid(self._pid, 0)
        self._pid = 0

    def answered(self) -> dict[int, list[Any]]:
        """The whole answers that the copy left."""
        text = os.pread(self.memory, os.fstat(self.memory).st_size, 0)
        done, start = {}, 0
        while (begin := start + _LENGTH) <= len(text):
            start = begin + int.from_bytes(text[begin - _LENGTH : begin])
            if start <= len(text):
                number, answer = marshal.loads(memoryview(text)[begin:start])  # noqa: S302 - our own
                done[number] = answer
        return done


def _forked(work: Callable[[], None]) -> int:
    """Do `work` in a copy of this process, which ends with it, and give its id."""
    parent = os.getpid()
    try:
        pid = os.fork()
        if pid == 0:  # pragma: no cover - nothing is left to measure it
            work()
    finally:
        if os.getpid() != parent:  # pragma: no cover - as above
            os._exit(0)  # whatever happened: the rest of the program is not the copy's to run
    return pid
