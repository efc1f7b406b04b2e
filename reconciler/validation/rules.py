"""What no schema can say: rules that hold between manifests, and between them and the project."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.core.model import Problem
from reconciler.core.project import ClientCredentials

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reconciler.core.model import Manifest, Source
    from reconciler.core.project import Project, Target
    from reconciler.provider.model import Provider


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the hint for a word that is not known: the one that was meant, else all there are."""
    names = sorted(known)
    close = meant(word, names)
    if close is not None:
        return f"did you mean `{close}`?"
    return f"known are: {', '.join(names)}" if names else "there is none"


def meant(word: str, known: Iterable[str]) -> str | None:
    """Give the known word that an unknown one is a slip of, None where it is like none of them."""
    from difflib import get_close_matches  # noqa: PLC0415 - 1 ms, where a word is not known

    return next(iter(get_close_matches(word, sorted(known), n=1)), None)


def unknown_kind(source: Source, stated: str, known: Iterable[str]) -> Problem:
    """Say that no provider has clients of this kind."""
    return Problem(
        source=source,
        pointer="/kind",
        message=f"unknown kind `{stated}`",
        hint=nearest(stated, known),
    )


def unknown_target(source: Source, stated: str, known: Iterable[str]) -> Problem:
    """Say that the project has no such target."""
    return Problem(
        source=source,
        pointer="/metadata/target",
        message=f"unknown target `{stated}`",
        hint=nearest(stated, known),
    )


def misfit(manifest: Manifest, wanted: str) -> Problem:
    """Say that a manifest's kind is not that of its target's provider."""
    return Problem(
        source=manifest.source,
        pointer="/kind",
        message=f"kind `{manifest.kind}` does not fit target `{manifest.target}`",
        hint=f"the clients of this target are of kind `{wanted}`",
    )


def duplicates(manifests: Iterable[Manifest]) -> Iterator[Problem]:
    """Find clients that share a name or an id with another of their target, and say it of each.

    An invalid manifest may be among them, with an empty name if it states none.
    """
    names: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
    ids: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        if manifest.name:
            names[manifest.target, manifest.name].append(manifest)
        if manifest.id is not None:
            ids[manifest.target, manifest.id].append(manifest)
    yield from _shared(names, "name")
    yield from _shared(ids, "id")


def _shared(groups: Mapping[tuple[str, str], list[Manifest]], member: str) -> Iterator[Problem]:
    for (target, value), group in groups.items():
        for manifest in group if len(group) > 1 else ():
            other = group[1] if manifest is group[0] else group[0]
            yield Problem(
                source=manifest.source,
                pointer=f"/metadata/{member}",
                message=f"another client of target `{target}` has the {member} `{value}` too",
                hint=f"it is in {_place(other.source)}",
            )


def _place(source: Source) -> str:
    return f"{source.path}, document {source.document + 1}"


def strays(
    manifests: Iterable[Manifest], project: Project, selected: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    """Find manifests in files that their target does not list; `selected` has targets by file."""
    for manifest in manifests:
        if manifest.target in selected[manifest.source.path]:
            continue
        globs = ", ".join(project.targets[manifest.target].manifests)
        yield Problem(
            source=manifest.source,
            pointer="/metadata/target",
            message=f"this file is not among the manifests of target `{manifest.target}`",
            hint=f"they are: {globs}",
        )


def address(source: Source, pointer: str, url: str) -> Iterator[Problem]:
    """Check what no pattern can of an address that the schema has let through."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        yield Problem(source=source, pointer=pointer, message="there is no such host and port")


def token_address(source: Source, target: Target, token_path: str | None) -> Iterator[Problem]:
    """Check that the tool knows where to ask for a token."""
    auth = target.auth
    if isinstance(auth, ClientCredentials) and auth.token_url is None and token_path is None:
        yield Problem(
            source=source,
            pointer=f"/targets/{target.name}/auth",
            message="`tokenUrl` is missing",
            hint=f"the token endpoint of {target.provider} is not below the base URL: give it",
            at_key=True,
        )


def guard(source: Source, target: Target, provider: Provider) -> Iterator[Problem]:
    """Check that a target which is to test can."""
    from reconciler.provider.model import UpdateStyle  # noqa: PLC0415 - few targets state a guard

    if provider.style is not UpdateStyle.JSON_PATCH:
        yield Problem(
            source=source,
            pointer=f"/targets/{target.name}/guard",
            message=f"{provider.title} takes no JSON Patch, so that nothing can be tested",
            hint="`reread` reads the client again right before it is written",
        )


def distinct(problems: Iterable[Problem]) -> list[Problem]:
    """Keep, of what was found at one place, the errors, and each only once.

    A value that the reader has refused is not judged by the schema again, and nobody needs to be
    warned of a value that is an error anyway. Reading comes first in `problems`.
    """
    kept: dict[tuple[Source, str, bool], list[Problem]] = defaultdict(list)
    for problem in problems:
        kept[problem.source, problem.pointer, problem.at_key].append(problem)
    return [problem for group in kept.values() for problem in _strongest(group)]


def _strongest(group: list[Problem]) -> list[Problem]:
    errors = [problem for problem in group if problem.severity == "error"]
    if errors and errors[0].position is not None:
        errors = [problem for problem in errors if problem.position is not None]
    return list(dict.fromkeys(errors or group))
