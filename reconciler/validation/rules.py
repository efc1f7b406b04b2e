"""Turns manifests and a project into the Problems that no schema can find: those between documents."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reconciler.core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reconciler.core.model import Manifest, Source
    from reconciler.core.project import Project, Target
    from reconciler.provider.model import Provider

# A name and maybe a port, as nearly every address has them, in which nothing can be wrong.
_LABEL: Final = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_PLAIN_HOST: Final = re.compile(
    rf"(?:{_LABEL}\.)*[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?(?::[0-9]+)?"
)
_SHORT: Final = 200


def duplicate_clients(manifests: Iterable[Manifest]) -> Iterator[Problem]:
    """The Problems of clients that share a name or an id with another of their target, one each.

    An invalid manifest may be among them, with an empty name if it states none.
    """
    names: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
    ids: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        if manifest.name:
            names[manifest.target, manifest.name].append(manifest)
        if manifest.id is not None:
            ids[manifest.target, manifest.id].append(manifest)
    yield from _shared_value_problems(names, "name")
    yield from _shared_value_problems(ids, "id")


def _shared_value_problems(
    groups: Mapping[tuple[str, str], list[Manifest]], member: str
) -> Iterator[Problem]:
    for (target, value), group in groups.items():
        for manifest in group if len(group) > 1 else ():
            # Of three, each names the first, and the first the second.
            other = group[1] if manifest is group[0] else group[0]
            yield Problem(
                source=manifest.source,
                pointer=f"/metadata/{member}",
                message=f"another client of target `{target}` has the {member} `{value}` too",
                hint=f"it is in {_place(other.source)}",
            )


def _place(source: Source) -> str:
    return f"{source.path}, document {source.document + 1}"


def unlisted_manifests(
    manifests: Iterable[Manifest], project: Project, selected: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    """The Problems of manifests in files that their target does not list.

    `selected` has the targets that list a file, by its path.
    """
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


def address_problems(source: Source, pointer: str, url: str) -> Iterator[Problem]:
    """The Problems of an address that the schema accepts: no pattern can tell host and port."""
    try:
        parts = urlsplit(url)
        # Reading the port is what raises for one that is out of range.
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        yield Problem(source=source, pointer=pointer, message="there is no such host and port")
        return
    if len(parts.netloc) <= _SHORT and _PLAIN_HOST.fullmatch(parts.netloc):
        return
    from reconciler.validation.uris.hosts import host_errors  # noqa: PLC0415 - few are odd

    for fault in host_errors(parts.netloc):
        yield Problem(source=source, pointer=pointer, message=fault.message, hint=fault.hint)


def conflict_check_problems(
    source: Source, target: Target, provider: Provider
) -> Iterator[Problem]:
    """The Problem of a target with `guard: test` whose vendor takes no test in a JSON Patch (RFC 6902)."""
    from reconciler.provider.model import UpdateStyle  # noqa: PLC0415 - few targets state a guard

    if provider.style is not UpdateStyle.JSON_PATCH or not provider.takes_tests:
        lacks = "test in one" if provider.style is UpdateStyle.JSON_PATCH else "JSON Patch"
        yield Problem(
            source=source,
            pointer=f"/targets/{target.name}/guard",
            message=f"{provider.title} takes no {lacks}, so that nothing can be tested",
            hint="`reread` reads the client again right before it is written",
        )


def former_name_problems(source: Source, project: Project, target: Target) -> Iterator[Problem]:
    """The Problems of a target that was formerly another which is still there, or itself."""
    for name in target.formerly:
        if name in project.targets:
            yield Problem(
                source=source,
                pointer=f"/targets/{target.name}/formerly",
                message=f"`{name}` is a target of this project still, so that its record is its own",
                hint="a former name is one that no target has any more; single clients move by "
                "`metadata.formerly`",
            )


def former_key_problems(manifests: Iterable[Manifest], project: Project) -> Iterator[Problem]:
    """The Problems of manifests that were formerly what they are now, or on another server."""
    moved = [manifest for manifest in manifests if manifest.formerly]
    if not moved:
        return
    from reconciler.core.places import split_place  # noqa: PLC0415 - few clients were moved

    for manifest in moved:
        for place, stated in enumerate(manifest.formerly):
            named, key = split_place(stated)
            former = project.targets.get(named or manifest.target)
            own = project.targets.get(manifest.target)
            message = ""
            if (named or manifest.target, key) == (manifest.target, manifest.name):
                message = f"`{stated}` is what the client is called now"
            elif named and former and own and _base(former) != _base(own):
                message = f"target `{named}` is of another server, and a client cannot move there"
            if message:
                pointer = f"/metadata/formerly/{place}"
                yield Problem(source=manifest.source, pointer=pointer, message=message)


def _base(target: Target) -> str:
    from reconciler.core.addresses import server_address  # noqa: PLC0415 - few clients were moved

    return server_address(target.base_url, "")


def deduplicate(problems: Iterable[Problem]) -> list[Problem]:
    """The problems without repetition: of those at one place only the errors, where there are any.

    A value that the reader has refused is not judged by the schema again, and nobody needs to be
    warned of a value that is an error anyway. Reading comes first in `problems`.
    """
    by_place: dict[tuple[Source, str, bool], list[Problem]] = defaultdict(list)
    for problem in problems:
        by_place[problem.source, problem.pointer, problem.at_key].append(problem)
    return [problem for group in by_place.values() for problem in _strongest(group)]


def _strongest(group: list[Problem]) -> list[Problem]:
    errors = [problem for problem in group if problem.severity == "error"]
    # Only the reader gives positions: with one of its errors, the schema's are about the same text.
    if errors and errors[0].position is not None:
        errors = [problem for problem in errors if problem.position is not None]
    return list(dict.fromkeys(errors or group))
