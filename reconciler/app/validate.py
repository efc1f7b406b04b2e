"""The use case of validate: everything that is wrong with a project's files, without a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.model import Problem, Source
from reconciler.manifests.clients import load, with_positions
from reconciler.sinks import registry
from reconciler.validation import suggestions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """All problems of the files, and how many clients and files were read."""

    problems: tuple[Problem, ...]
    clients: int
    files: int


def validate(project_file: str, *, files: Sequence[str] = ()) -> Validation:
    """Everything that is wrong with a project, without network, credentials or environment.

    With `files` only those are looked at. Raises InputError if the project file is not usable.
    """
    loaded = load(project_file, files=files)
    # A pre-commit hook names a few files: it gets their problems only.
    warnings = [] if files else with_positions(list(_warn_of_absent_sinks(loaded.project)), ())
    return Validation(
        problems=(*warnings, *loaded.problems),
        clients=len(loaded.manifests),
        files=loaded.file_count,
    )


def _warn_of_absent_sinks(project: Project) -> Iterator[Problem]:
    """A warning for each sink that no installed package brings."""
    # No error: the package may be installed only where the tool applies.
    for target in project.targets.values():
        kind = target.sink.kind
        if kind not in registry.BUILT_IN and kind not in registry.sink_names():
            yield Problem(
                source=Source(path=project.path),
                pointer=f"/targets/{target.name}/secrets/sink",
                message=f"no installed package brings a sink `{kind}`",
                hint=suggestions.suggest(kind, registry.sink_names()),
                severity="warning",
            )
