"""Turns a project's files into the manifests of its clients, and everything that is wrong with them."""

from __future__ import annotations

import gc
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reconciler.core.dataclass import dataclass, field
from reconciler.core.problems.many import bounded
from reconciler.manifests import project as project_file
from reconciler.manifests.files import Unreadable, are_large, is_like_manifest, read_bytes
from reconciler.manifests.globs import select_files
from reconciler.manifests.loader import ManifestLoader
from reconciler.manifests.unread import find_unread
from reconciler.validation import rules

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from reconciler.core.model import Manifest, Problem
    from reconciler.core.project import Project
    from reconciler.manifests.globs import Selected
    from reconciler.manifests.unread import Unread
    from reconciler.provider.model import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedProject:
    """What a project's files hold: the valid manifests by file and place, the providers by target.

    `problems` are those of all files, sorted by file, line and column, warnings among them. With
    an error in them, `manifests` and `providers` may lack what it is about. `unread` are the paths
    of manifests that were not read, by target: while there are any, absence proves nothing.
    """

    project: Project
    manifests: tuple[Manifest, ...]
    providers: Mapping[str, Provider]
    problems: tuple[Problem, ...]
    file_count: int
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def load(path: str, *, files: Sequence[str] = ()) -> LoadedProject:
    """Read the project file at `path` and all files of its targets, or only `files` of them.

    Needs no network, credentials or environment. Raises InputError if the project file itself
    cannot be used, with all its problems.
    """
    with loading(path, files=files) as project_load:
        return project_load.finish()


@contextmanager
def loading(
    path: str,
    *,
    files: Sequence[str] = (),
    trusted: tuple[Project, list[Problem]] | None = None,
) -> Iterator[ProjectLoad]:
    """Start to load as `load` does; a large fleet is read by a copy of this process as well.

    `trusted` is a project, and the warnings of its file, in place of the one at `path`. Threads may be started inside the block; a process that has some already is not copied.
    """
    project, warnings = trusted or project_file.load_with_warnings(path)
    selected = select_files(project, files)
    with ExitStack() as stack, _no_collections():
        project_load = ProjectLoad(project, selected, warnings)
        if project_load.is_large:
            project_load.read_in_parallel(stack)
        yield project_load


class ProjectLoad:
    """A project whose files are being read, and what is known of it before they are."""

    def __init__(self, project: Project, selected: Selected, warnings: list[Problem]) -> None:
        self.project = project
        self._warnings = warnings
        self._selected = selected
        self._loader = ManifestLoader(project, selected.refused)
        self._paths = sorted(selected.targets)
        self._read: Callable[[], list[Any]] = lambda: list(
            map(self._loader.read_valid, self._paths)
        )

    @cached_property
    def is_large(self) -> bool:
        """Whether reading the files takes so long that it is worth to do something meanwhile."""
        return are_large(self._paths)

    @property
    def file_count(self) -> int:
        """How many files there are to read."""
        return len(self._paths)

    @property
    def without_manifests(self) -> LoadedProject:
        """What is known before the first manifest: the project, and the providers of its targets."""
        return self._loaded((), ())

    @cached_property
    def _providers(self) -> dict[str, Provider]:
        """By target; made once, since what follows from a provider is kept with that very one."""
        entries = self._loader.entries.items()
        return {name: entry.provider(self.project.targets[name]) for name, entry in entries}

    def _loaded(
        self, manifests: tuple[Manifest, ...], problems: tuple[Problem, ...]
    ) -> LoadedProject:
        return LoadedProject(
            project=self.project,
            manifests=manifests,
            providers=self._providers,
            problems=problems,
            file_count=self.file_count,
            unread=self._unread_paths(),
        )

    @cached_property
    def _unread(self) -> list[Unread]:
        return find_unread(self.project, self._selected)

    def _unread_paths(self) -> Mapping[str, tuple[str, ...]]:
        paths: dict[str, tuple[str, ...]] = {}
        for each in self._unread:
            paths[each.target] = (*paths.get(each.target, ()), each.path)
        return paths

    def read_in_parallel(self, stack: ExitStack) -> None:
        """Let a copy of this process begin to read, until `stack` closes, where one can be had."""
        from reconciler.manifests import parallel_read  # noqa: PLC0415 - not for a few clients

        if parallel_read.is_possible():
            self._read = stack.enter_context(
                parallel_read.map_in_parallel(self._loader.read_valid, self._paths)
            )

    def finish(self) -> LoadedProject:
        """Read, or wait for, what is left, validate it all, and return the project with its manifests."""
        return self._loaded(*self.validate())

    def validate(self) -> tuple[tuple[Manifest, ...], tuple[Problem, ...]]:
        """Read and validate as `finish` does; the manifests and problems, without any provider."""
        loader = self._loader
        for path, documents in zip(self._paths, self._read(), strict=True):
            if documents is None:
                loader.validate(path)
            else:
                loader.add(path, documents)
        loader.validate_together(self._selected.targets)
        found = [
            *self._warnings,
            *project_file.problems(self.project),
            *self._selected.problems,
            *(each.problem for each in self._unread),
            *loader.problems,
        ]
        # Of what is not read no line is shown either.
        hidden = {
            *self._selected.refused,
            *(each.path for each in self._unread if not each.is_read),
        }
        problems = with_positions(found, loader.is_secret, hidden) if found else ()
        return tuple(loader.manifests), tuple(problems)


def with_positions(
    problems: Sequence[Problem],
    is_secret_field: Callable[[Sequence[str]], bool] = lambda _path: False,
    hidden: Collection[str] = (),
) -> list[Problem]:
    """The problems with positions, without repetition, in the order of file, line and column.

    Those of files that are `hidden` or that are none of the tool's show no line.
    """

    def is_secret(tokens: tuple[str, ...]) -> bool:
        is_field = tokens[:1] == ("spec",) and is_secret_field(tokens[1:])
        is_reference = tokens[-1:] in {("env",), ("file",)}
        return (is_field and not is_reference) or project_file.is_secret(tokens)

    from reconciler.manifests.yaml.positions import locate  # noqa: PLC0415 - of problems only

    def text_of(path: str) -> bytes:
        return b"" if path in hidden else _text_of(path)

    return bounded(locate(rules.deduplicate(problems), text_of, is_secret))


def _text_of(path: str) -> bytes:
    """The text of a file whose lines problems may show, empty for any other."""
    try:
        text = read_bytes(path)
    except Unreadable:
        return b""
    return text if is_like_manifest(text) else b""


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the garbage collector off while the block runs."""
    # Reading makes no cycles, and what it makes lives on: each search would walk all of it in vain.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
