"""A project's files to the manifests of its clients, and everything that is wrong with any of them."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reconciler.core import checks
from reconciler.core.errors import InputError
from reconciler.core.model import EMPTY, Lifecycle, Manifest, Problem, Source
from reconciler.manifests import catalog
from reconciler.manifests import project as project_file
from reconciler.manifests.files import Unreadable, read_bytes
from reconciler.manifests.positions import locate
from reconciler.manifests.reader import read
from reconciler.manifests.selection import select

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reconciler.core.project import Project
    from reconciler.core.provider import Provider
    from reconciler.manifests.catalog import Entry


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
    project = project_file.load(path)
    selected, problems = select(project, files)
    run = _Run(project)
    with _no_collections():
        for file in sorted(selected):
            run.take(file)
        run.check(selected)
    found = [*project_file.problems(project), *problems, *run.problems]
    return Loaded(
        project=project,
        manifests=tuple(run.manifests),
        providers={
            name: entry.provider(project.targets[name]) for name, entry in run.entries.items()
        },
        problems=tuple(located(found, run.secret_fields)),
        file_count=len(selected),
    )


def located(problems: Sequence[Problem], secret_fields: Collection[str]) -> list[Problem]:
    """Give problems their positions and their order: by file, line and column."""

    def is_secret(tokens: tuple[str, ...]) -> bool:
        is_field = tokens[:1] == ("spec",) and tokens[1:2] and tokens[1] in secret_fields
        is_reference = tokens[-1:] in {("env",), ("file",)}
        return (is_field and not is_reference) or project_file.is_secret(tokens)

    return locate(checks.distinct(problems), _text_of, is_secret)


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


class _Run:
    """One run over a project's files."""

    def __init__(self, project: Project) -> None:
        self.manifests: list[Manifest] = []
        self.problems: list[Problem] = []
        self.entries: dict[str, Entry] = {}
        self._project = project
        self._claims: list[Manifest] = []  # invalid ones, as far as they say who they are
        for target in project.targets.values():
            try:
                self.entries[target.name] = catalog.entry(target.provider, project.root)
            except (KeyError, InputError):
                continue  # the judgement on the project file says so

    @property
    def secret_fields(self) -> frozenset[str]:
        """The fields, of any provider at hand, whose literal values must not be shown."""
        return frozenset[str]().union(*(entry.secret_fields for entry in self._kinds.values()))

    def take(self, path: str) -> None:
        """Read one file and take in what it holds."""
        try:
            reading = read(read_bytes(path), path)
        except Unreadable as error:
            self._say(Source(path=path), "", str(error))
            return
        self.problems.extend(reading.problems)
        for index, document in enumerate(reading.documents):
            if document is not None:
                self._admit(document, Source(path=path, document=index))

    def check(self, selected: Mapping[str, Collection[str]]) -> None:
        """Hold the manifests against each other and against the files that were selected."""
        everyone = [*self.manifests, *self._claims]
        self.problems.extend(checks.duplicates(everyone))
        self.problems.extend(checks.strays(everyone, self._project, selected))

    def _admit(self, document: Any, source: Source) -> None:
        try:
            entry = self.entries[document["metadata"]["target"]]
        except (KeyError, TypeError):
            entry = None
        if entry is not None and entry.validator.accepts(document):
            self.manifests.append(_manifest(document, source))
        elif isinstance(document, dict):
            self._refuse(document, source)
        else:
            self._say(source, "", "a manifest is a mapping of apiVersion, kind, metadata and spec")

    def _refuse(self, document: dict[str, Any], source: Source) -> None:
        """Say what is wrong with a document that is not valid, or not for its target."""
        claim = _claim(document, source)
        own, meant = self.entries.get(claim.target), self._kinds.get(claim.kind)
        if claim.target in self._project.targets:
            self._claims.append(claim)
        elif claim.target:
            targets = self._project.targets
            self.problems.append(checks.unknown_target(source, claim.target, targets))
        if own is not None and own.kind == claim.kind:
            meant = own
        elif claim.kind and meant is None:
            self.problems.append(checks.unknown_kind(source, claim.kind, self._kinds))
            # What else is wrong is told in the same run: judged by the kind that was meant.
            meant = self._kinds.get(checks.meant(claim.kind, self._kinds) or "")
        elif own is not None and meant is not None:
            self.problems.append(checks.misfit(claim, own.kind))
        judge = meant or own
        if judge is not None:
            found = judge.validator.problems(document, source)
            self.problems.extend(p for p in found if p.pointer != "/kind" or not claim.kind)
        elif not claim.kind:
            known = f"known are: {', '.join(sorted(self._kinds))}"
            self._say(source, "/kind", "`kind` must name the kind of client", hint=known)

    @cached_property
    def _kinds(self) -> dict[str, Entry]:
        """The providers by the kind of their clients: those of the tool and those of the project."""
        known = [catalog.entry(name, self._project.root) for name in catalog.names()]
        return {entry.kind: entry for entry in (*known, *self.entries.values())}

    def _say(self, source: Source, pointer: str, message: str, *, hint: str = "") -> None:
        problem = Problem(source=source, pointer=pointer, message=message, hint=hint)
        self.problems.append(problem)


def _manifest(document: Any, source: Source) -> Manifest:
    """Turn a valid document into a Manifest."""
    metadata = document["metadata"]
    manifest = Manifest(
        source=source,
        kind=document["kind"],
        name=metadata["name"],
        target=metadata["target"],
        labels=metadata.get("labels", EMPTY),
        id=metadata.get("id"),
        spec=document["spec"],
    )
    return (
        replace(manifest, lifecycle=_lifecycle(document)) if "lifecycle" in document else manifest
    )


def _lifecycle(document: Any) -> Lifecycle:
    stated = document["lifecycle"]
    return Lifecycle(
        prevent_destroy=stated.get("preventDestroy", False),
        allow_replace=stated.get("allowReplace", False),
        ignore_changes=frozenset(stated.get("ignoreChanges", ())),
    )


def _claim(document: dict[str, Any], source: Source) -> Manifest:
    """Turn an invalid document into what can be held against others: empty where it says nothing."""
    metadata = document.get("metadata")
    stated = metadata if isinstance(metadata, dict) else {}
    return Manifest(
        source=source,
        kind=_string(document.get("kind")),
        name=_string(stated.get("name")),
        target=_string(stated.get("target")),
        id=_string(stated.get("id")) or None,
        spec={},
    )


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
