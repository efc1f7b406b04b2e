"""A project's files to the manifests of its clients, and everything that is wrong with any of them."""

from __future__ import annotations

import gc
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reconciler.core.dataclass import dataclass
from reconciler.manifests import project as project_file
from reconciler.manifests.files import Unreadable, is_much, read_bytes
from reconciler.manifests.loader import Admission
from reconciler.manifests.selection import select
from reconciler.validation import rules

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from reconciler.core.model import Manifest, Problem
    from reconciler.core.project import Project
    from reconciler.provider.model import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a project's files hold: the valid manifests by file and place, the providers by target.

    `problems` are those of all files, sorted by file, line and column, warnings among them. With
    an error in them, `manifests` and `providers` may lack what it is about.
    """

    project: Project
    manifests: tuple[Manifest, ...]
    providers: Mapping[str, Provider]
    problems: tuple[Problem, ...]
    file_count: int


def load(path: str, *, files: Sequence[str] = ()) -> Loaded:
    """Read the project file at `path` and all files of its targets, or only `files` of them.

    Needs no network, credentials or environment. Raises InputError if the project file itself
    cannot be used, with all its problems.
    """
    with loading(path, files=files) as begun:
        return begun.finish()


@contextmanager
def loading(path: str, *, files: Sequence[str] = ()) -> Iterator[Loading]:
    """Begin to load, as `load` does it: a large fleet is read by a copy of this process as well.

    Threads may be started inside the block; a process that has some already is not copied.
    """
    project = project_file.load(path)
    selected, problems = select(project, files)
    with ExitStack() as stack, _no_collections():
        begun = Loading(project, selected, problems)
        if begun.is_large:
            begun.share(stack)
        yield begun


class Loading:
    """A project whose files are being read, and what is known of it before they are."""

    def __init__(
        self,
        project: Project,
        selected: Mapping[str, Collection[str]],
        problems: Sequence[Problem],
    ) -> None:
        self.project = project
        self._selected = selected
        self._problems = problems
        self._admission = Admission(project)
        self._paths = sorted(selected)
        self._read: Callable[[], list[Any]] = lambda: list(map(self._admission.valid, self._paths))

    @cached_property
    def is_large(self) -> bool:
        """Whether reading the files takes so long that it is worth to do something meanwhile."""
        return is_much(self._paths)

    @property
    def file_count(self) -> int:
        """How many files there are to read."""
        return len(self._paths)

    @property
    def so_far(self) -> Loaded:
        """What is known before the first manifest: the project, and the providers of its targets."""
        return self._loaded((), ())

    @cached_property
    def _providers(self) -> dict[str, Provider]:
        """By target; made once, since what follows from a provider is kept with that very one."""
        entries = self._admission.entries.items()
        return {name: entry.provider(self.project.targets[name]) for name, entry in entries}

    def _loaded(self, manifests: tuple[Manifest, ...], problems: tuple[Problem, ...]) -> Loaded:
        return Loaded(
            project=self.project,
            manifests=manifests,
            providers=self._providers,
            problems=problems,
            file_count=self.file_count,
        )

    def share(self, stack: ExitStack) -> None:
        """Let a copy of this process begin to read, until `stack` closes, where one can be had."""
        from reconciler.manifests import parallel_read  # noqa: PLC0415 - not for a few clients

        if parallel_read.is_possible():
            self._read = stack.enter_context(
                parallel_read.mapped(self._admission.valid, self._paths)
            )

    def finish(self) -> Loaded:
        """Read, or wait for, what is left, and judge it all."""
        return self._loaded(*self.judge())

    def judge(self) -> tuple[tuple[Manifest, ...], tuple[Problem, ...]]:
        """The valid manifests and all problems, as a Loaded has them, without the providers."""
        run = self._admission
        for path, documents in zip(self._paths, self._read(), strict=True):
            if documents is None:
                run.judge(path)
            else:
                run.admit(path, documents)
        run.check(self._selected)
        found = [*project_file.problems(self.project), *self._problems, *run.problems]
        return tuple(run.manifests), tuple(located(found, run.secret_fields)) if found else ()


def located(problems: Sequence[Problem], secret_fields: Collection[str]) -> list[Problem]:
    """Give problems their positions and their order: by file, line and column."""

    def is_secret(tokens: tuple[str, ...]) -> bool:
        is_field = tokens[:1] == ("spec",) and tokens[1:2] and tokens[1] in secret_fields
        is_reference = tokens[-1:] in {("env",), ("file",)}
        return (is_field and not is_reference) or project_file.is_secret(tokens)

    from reconciler.manifests.yaml.positions import locate  # noqa: PLC0415 - of problems only

    return locate(rules.distinct(problems), _text_of, is_secret)


def _text_of(path: str) -> bytes:
    try:
        return read_bytes(path)
    except Unreadable:
        return b""


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the garbage collector from walking over all that was read, again and again.

    Reading makes no cycles; what it makes is kept.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
