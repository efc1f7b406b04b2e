"""The use case of validate: everything that is wrong with a project's files, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.dataclass import dataclass
from reconciler.core.model import Problem, Source
from reconciler.manifests.clients import loading, with_positions
from reconciler.sinks import BUILT_IN

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
    with loading(project_file, files=files) as project_load:
        # Not `finish`: the providers that a plan needs take as long to make as all else here.
        manifests, problems = project_load.validate()
    # A pre-commit hook names a few files: it gets their problems only.
    absent = [] if files else list(_warn_of_absent_sinks(project_load.project))
    warnings = with_positions(absent) if absent else []
    return Validation(
        problems=(*warnings, *problems), clients=len(manifests), files=project_load.file_count
    )


def _warn_of_absent_sinks(project: Project) -> Iterator[Problem]:
    """A warning for each sink that no installed package brings."""
    # No error: the package may be installed only where the tool applies.
    for target in project.targets.values():
        if (kind := target.sink.kind) in BUILT_IN:
            continue
        from reconciler.sinks import registry  # noqa: PLC0415 - few projects name another sink
        from reconciler.validation.suggestions import suggest  # noqa: PLC0415 - as above

        if kind not in registry.sink_names():
            yield Problem(
                source=Source(path=project.path),
                pointer=f"/targets/{target.name}/secrets/sink",
                message=f"no installed package brings a sink `{kind}`",
                hint=suggest(kind, registry.sink_names()),
                severity="warning",
            )
