"""Shows the first hundred problems of a file and counts the rest, however many a hostile file has."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from reconciler.core.model import Problem, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Literal

MOST_SHOWN: Final = 100  # problems of a file


def counted(source: Source, severity: Literal["error", "warning"], count: int) -> list[Problem]:
    """The one Problem that stands for `count` more of a file, none where there are none."""
    if not count:
        return []
    noun = severity if count == 1 else f"{severity}s"
    return [
        Problem(
            source=source,
            pointer="",
            message=f"{count} more {noun} in this file: only the first {MOST_SHOWN} are shown",
            severity=severity,
            stands_for=count,
        )
    ]


def bounded(problems: Iterable[Problem]) -> list[Problem]:
    """The problems, in their order file by file: of each the first hundred, and what counts the rest.

    Errors come before warnings where not all can be shown: it is they that have to be mended.
    """
    files: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        files[problem.source.path].append(problem)
    return [problem for found in files.values() for problem in _of_file(found)]


def _of_file(found: Sequence[Problem]) -> Iterator[Problem]:
    single = [problem for problem in found if problem.stands_for == 1]
    if len(found) == len(single) <= MOST_SHOWN:
        return iter(found)
    # Sorting is stable: within a severity the order stays.
    shown = {id(each) for each in sorted(single, key=_is_warning)[:MOST_SHOWN]}
    rest = dict.fromkeys(("error", "warning"), 0)
    for problem in found:
        rest[problem.severity] += 0 if id(problem) in shown else problem.stands_for
    source = Source(path=found[0].source.path)
    return iter(
        [
            *(problem for problem in found if id(problem) in shown),
            *counted(source, "error", rest["error"]),
            *counted(source, "warning", rest["warning"]),
        ]
    )


def _is_warning(problem: Problem) -> bool:
    return problem.severity == "warning"


def count_of(problems: Iterable[Problem], severity: str) -> int:
    """How many problems of a severity there are, those that are only counted among them."""
    return sum(problem.stands_for for problem in problems if problem.severity == severity)
