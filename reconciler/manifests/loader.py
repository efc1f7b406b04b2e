"""Documents to the manifests of clients, or to everything that is wrong with them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.decode import decoder
from reconciler.core.errors import InputError
from reconciler.core.model import EMPTY, Lifecycle, Manifest, Problem, Source
from reconciler.manifests import catalog
from reconciler.manifests.files import Unreadable, read_bytes
from reconciler.manifests.yaml.reader import read
from reconciler.validation import rules

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reconciler.core.project import Project
    from reconciler.manifests.catalog import Entry

_NOTHING_SAID: Final = Lifecycle()
_LIFECYCLE: Final = decoder(Lifecycle, ignore_changes=frozenset)


class Admission:
    """One run over a project's files: who was let in, and what was wrong with the others."""

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

    def valid(self, path: str) -> list[Any] | None:
        """The documents of a file, None of one that has anything wrong with it; nothing is noted."""
        try:
            reading = read(read_bytes(path), path)
        except Unreadable:
            return None
        if reading.problems or not all(map(self._fits, reading.documents)):
            return None
        return reading.documents

    def admit(self, path: str, documents: Sequence[Any]) -> None:
        """Take in the documents of a valid file."""
        self.manifests.extend(
            _manifest(document, Source(path=path, document=index))
            for index, document in enumerate(documents)
            if document is not None
        )

    def judge(self, path: str) -> None:
        """Read a file again that is not valid, take in what is, and note everything else."""
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
        self.problems.extend(rules.duplicates(everyone))
        self.problems.extend(rules.strays(everyone, self._project, selected))

    def _fits(self, document: Any) -> bool:
        """Whether a document is what its target takes; an empty one asks for nothing."""
        try:
            entry = self.entries[document["metadata"]["target"]]
        except (KeyError, TypeError):
            return document is None
        return entry.validator.accepts(document)

    def _admit(self, document: Any, source: Source) -> None:
        if self._fits(document):
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
            self.problems.append(rules.unknown_target(source, claim.target, targets))
        if own is not None and own.kind == claim.kind:
            meant = own
        elif claim.kind and meant is None:
            self.problems.append(rules.unknown_kind(source, claim.kind, self._kinds))
            # What else is wrong is told in the same run: judged by the kind that was meant.
            meant = self._kinds.get(rules.meant(claim.kind, self._kinds) or "")
        elif own is not None and meant is not None:
            self.problems.append(rules.misfit(claim, own.kind))
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
    # By hand: a decoder takes 1.7 times as long, and this is done for each client of a fleet.
    metadata = document["metadata"]
    return Manifest(
        source=source,
        kind=document["kind"],
        name=metadata["name"],
        target=metadata["target"],
        labels=metadata.get("labels", EMPTY),
        id=metadata.get("id"),
        lifecycle=_LIFECYCLE(document["lifecycle"]) if "lifecycle" in document else _NOTHING_SAID,
        spec=document["spec"],
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
