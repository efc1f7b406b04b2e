"""Turns documents into the manifests of clients, or into everything that is wrong with them."""

from __future__ import annotations

import posixpath
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.decode import decoder
from reconciler.core.errors import InputError
from reconciler.core.model import EMPTY, Lifecycle, Manifest, Problem, Source
from reconciler.core.project import seconds
from reconciler.manifests import catalog
from reconciler.manifests.files import Unreadable, is_like_manifest, read_bytes
from reconciler.manifests.patterns import as_pattern
from reconciler.manifests.yaml.reader import read
from reconciler.validation import rules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from reconciler.core.project import Project
    from reconciler.manifests.catalog import Entry
    from reconciler.manifests.yaml.positions import WrittenScalars

_NOTHING_SAID: Final = Lifecycle()
_LIFECYCLE: Final = decoder(Lifecycle, ignore_changes=frozenset, replace_grace=seconds)


class ManifestLoader:
    """The manifests of a project's files, read one after the other, and what is wrong with them."""

    def __init__(self, project: Project, refused: Mapping[str, str]) -> None:
        self.manifests: list[Manifest] = []
        self.problems: list[Problem] = []
        self.entries: dict[str, Entry] = {}
        self._project = project
        self._refused = refused
        self._invalid: list[Manifest] = []  # as far as they say which client they are about
        for target in project.targets.values():
            try:
                self.entries[target.name] = catalog.entry(target.provider, project.root)
            except (KeyError, InputError):
                continue  # `project.problems` reports it, at its place in the project file

    def is_secret(self, path: Sequence[str]) -> bool:
        """Whether a literal at `path` of a spec, of any provider at hand, must not be shown."""
        return any(entry.is_secret(path) for entry in self._kinds.values())

    def read_valid(self, path: str) -> list[Any] | None:
        """The documents of a file, None of one of which anything is to be said.

        Changes nothing here, so that a copy of this process may run it.
        """
        if path in self._refused:
            return None
        try:
            reading = read(read_bytes(path), path)
        except Unreadable:
            return None
        if reading.problems or not all(map(self._is_plain, reading.documents)):
            return None
        return reading.documents

    def add(self, path: str, documents: Sequence[Any]) -> None:
        """Add the documents of a valid file."""
        self.manifests.extend(
            _manifest(document, Source(path=path, document=index))
            for index, document in enumerate(documents)
            if document is not None
        )

    def validate(self, path: str) -> None:
        """Read a file that is not valid again; add its valid documents and all its problems."""
        text = self._text(path)
        if text is None:
            return
        reading = read(text, path)
        says_something = any(reading.documents) or _errors(reading.problems)
        if says_something and not is_like_manifest(text):
            # No word of it is told: what a pattern or a link led to may be anything.
            message = "this is not a manifest: nothing in it says `apiVersion: reconciler/v1`"
            self._add_problem(Source(path=path), message, leave_out=True)
            return
        self.problems.extend(reading.problems)
        from reconciler.manifests.yaml.positions import WrittenScalars  # noqa: PLC0415 - most are valid

        written = WrittenScalars(
            text
        )  # of all documents, so that the file is parsed once more at most
        for index, document in enumerate(reading.documents):
            if document is not None:
                self._validate_document(document, Source(path=path, document=index), written)

    def _text(self, path: str) -> bytes | None:
        """The text of a file, None where there is none to read; adds the problem that says why."""
        source = Source(path=path)
        if path in self._refused:
            message = f"this file {self._refused[path]}: it is not read"
            self._add_problem(source, message, leave_out=True)
            return None
        try:
            return read_bytes(path)
        except Unreadable as error:
            self._add_problem(source, str(error))
            return None

    def validate_together(self, selected: Mapping[str, Collection[str]]) -> None:
        """Add the problems between manifests, and between them and the files that targets list."""
        # The invalid ones too: a name that is taken twice is wrong whatever else is.
        everyone = [*self.manifests, *self._invalid]
        self.problems.extend(rules.duplicate_clients(everyone))
        self.problems.extend(rules.former_key_problems(everyone, self._project))
        self.problems.extend(rules.unlisted_manifests(everyone, self._project, selected))

    def _is_plain(self, document: Any) -> bool:
        """Whether nothing is to be said of a document; an empty one asks for nothing."""
        entry = self._entry_of(document)
        return document is None if entry is None else entry.validator.is_plain(document)

    def _entry_of(self, document: Any) -> Entry | None:
        """The provider of the target that a document names, None where it names none."""
        try:
            return self.entries[document["metadata"]["target"]]
        except (KeyError, TypeError):
            return None

    def _is_valid(self, document: Any, source: Source) -> bool:
        """Whether a document is what its target takes; adds what is doubtful in one that is."""
        entry = self._entry_of(document)
        if entry is None or not entry.validator.accepts(document):
            return False
        found = entry.uri_problems(document, source)
        if _errors(found):
            return False
        self.problems.extend(found)
        return True

    def _validate_document(self, document: Any, source: Source, written: WrittenScalars) -> None:
        if self._is_valid(document, source):
            self.manifests.append(_manifest(document, source))
        elif isinstance(document, dict):
            self._explain(document, source, written)
        else:
            self._add_problem(
                source, "a manifest is a mapping of apiVersion, kind, metadata and spec"
            )

    def _explain(self, document: dict[str, Any], source: Source, written: WrittenScalars) -> None:
        """Add what is wrong with a document that is not valid, or not for its target."""
        from reconciler.manifests import invalid  # noqa: PLC0415 - most documents are valid

        manifest = invalid.stated_manifest(document, source)
        if manifest.target in self._project.targets:
            self._invalid.append(manifest)
        targets = self._project.targets
        judges = (targets, self.entries, self._kinds)
        scalars = written.of_document(source.document)
        found = invalid.problems(document, manifest, *judges, written=scalars)
        self.problems.extend(found)

    @cached_property
    def _kinds(self) -> dict[str, Entry]:
        """The providers by the kind of their clients: those of the tool and those of the project."""
        known = [catalog.entry(name, self._project.root) for name in catalog.names()]
        # The project's come last: a folder of the user's may describe a kind of the tool's anew.
        return {entry.kind: entry for entry in (*known, *self.entries.values())}

    def _add_problem(self, source: Source, message: str, *, leave_out: bool = False) -> None:
        path = source.path.removeprefix(posixpath.join(self._project.folder, ""))
        hint = f'leave it out on purpose: "!{as_pattern(path)}"' if leave_out else ""
        self.problems.append(Problem(source=source, pointer="", message=message, hint=hint))


def _errors(problems: Iterable[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _manifest(document: Any, source: Source) -> Manifest:
    """The Manifest of a valid document."""
    # By hand: a decoder takes 1.7 times as long, and this is done for each client of a fleet.
    metadata = document["metadata"]
    return Manifest(
        source=source,
        kind=document["kind"],
        name=metadata["name"],
        target=metadata["target"],
        labels=metadata.get("labels", EMPTY),
        id=metadata.get("id"),
        formerly=tuple(metadata.get("formerly", ())),
        lifecycle=_LIFECYCLE(document["lifecycle"]) if "lifecycle" in document else _NOTHING_SAID,
        spec=document["spec"],
    )
