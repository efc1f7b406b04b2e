"""Tells which folders a project writes into, and which of them get into each other's way."""

from __future__ import annotations

import posixpath
from itertools import combinations
from typing import TYPE_CHECKING, Final

from reconciler.core.dataclass import dataclass
from reconciler.core.model import Problem, Source
from reconciler.core.pointer import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.project import Project, Target

# Where the sinks that write files put them, if nothing else is stated.
DEFAULT_DIRECTORIES: Final[Mapping[str, str]] = {"file": ".reconciler/secrets", "age": "secrets"}
# Of these sinks, the one whose files hold the secrets as they are.
PLAIN_SINK: Final = "file"
SPOOL: Final = ".spool"  # in the folder of the inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that the tool writes into: `path` as stated, `pointer` where, `what` goes there in words.

    `kind` is "inventory", "spool", or the kind of the sink. `is_private` says that it holds secrets
    as they are.
    """

    path: str
    pointer: str
    what: str
    kind: str
    is_private: bool = False


def folders_of(project: Project) -> tuple[Folder, ...]:
    """The folders that a project writes into: the inventory, the spool, and those of its sinks."""
    directory = project.inventory_directory
    inventory = Folder(
        path=directory,
        pointer="/inventory/directory",
        what="the inventory",
        kind="inventory",
    )
    return (inventory, _spool(project), *_sink_folders(project))


def paths_of(project: Project) -> list[str]:
    """The folders of a project as stated, and "." for its own, each once."""
    return sorted({".", *(folder.path for folder in folders_of(project))})


def _spool(project: Project) -> Folder:
    path = project.spool or posixpath.join(project.inventory_directory, SPOOL)
    return Folder(
        path=path,
        pointer="/inventory/spool",
        what="the secrets that their sink would not take",
        kind="spool",
        is_private=True,
    )


def _sink_folders(project: Project) -> Iterator[Folder]:
    for target in project.targets.values():
        path = _sink_directory(target)
        if path is not None:
            yield Folder(
                path=path,
                pointer=f"/targets/{escape(target.name)}/secrets/directory",
                what=f"the secrets of target `{target.name}`",
                kind=target.sink.kind,
                is_private=target.sink.kind == PLAIN_SINK,
            )


def _sink_directory(target: Target) -> str | None:
    stated = target.sink.options.get("directory")
    return stated if isinstance(stated, str) else DEFAULT_DIRECTORIES.get(target.sink.kind)


def folder_problems(project: Project, places: Mapping[str, str]) -> Iterator[Problem]:
    """The Problems of folders that are one another, lie in one another, or hold the project.

    `places` has the absolute path, without links, of each folder as stated, and of ".", the project's.
    """
    source = Source(path=project.path)
    folders = folders_of(project)
    for folder in folders:
        if is_within(places["."], places[folder.path]):
            message = f"the project file lies in {folder.path}, which is to hold {folder.what}"
            yield _problem(source, folder.pointer, message)
    # Most targets share a folder: it is looked at once.
    distinct = {(folder.path, folder.kind): folder for folder in reversed(folders)}
    for one, other in combinations(reversed(distinct.values()), 2):
        how = _conflict(one, other, places)
        if how:
            message = f"{other.path} {how} {one.path}, which holds {one.what}, and is to hold {other.what}"
            yield _problem(source, other.pointer, message)


def reading_problems(
    project: Project, stated: Iterable[tuple[str, str, str]], places: Mapping[str, str]
) -> Iterator[Problem]:
    """The Problems of what is read from a folder that the tool writes into.

    `stated` has the pointer of each, the folder that it is looked for in, whose absolute path is in
    `places` too, and what it is, in words.
    """
    # Most targets share a folder: it is looked at once.
    distinct: dict[str, Folder] = {}
    for folder in folders_of(project):
        distinct.setdefault(places[folder.path], folder)
    for pointer, path, what in stated:
        for folder in distinct.values():
            if is_within(places[path], places[folder.path]):
                message = f"{what} do not lie in {folder.path}, which holds {folder.what}"
                yield _problem(Source(path=project.path), pointer, message)
                break


def _problem(source: Source, pointer: str, message: str) -> Problem:
    hint = "give each a folder of its own"
    return Problem(source=source, pointer=pointer, message=message, hint=hint)


def _conflict(one: Folder, other: Folder, places: Mapping[str, str]) -> str:
    """How the second of two folders gets into the way of the first, "" where it does not."""
    here, there = places[one.path], places[other.path]
    if {one.kind, other.kind} == {"inventory", "spool"} and there == posixpath.join(here, SPOOL):
        return ""
    # Sinks of one kind name their files by target, so that they may share a folder, or nest.
    if one.kind == other.kind or not (is_within(here, there) or is_within(there, here)):
        return ""
    if here == there:
        return "is the same folder as"
    return "lies in" if is_within(there, here) else "holds"


def is_within(path: str, folder: str) -> bool:
    """Whether an absolute path is a folder, or lies in it."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def leads_out(path: str) -> bool:
    """Whether a path that the project file states names a place outside of the project's folder."""
    return path.startswith("/") or posixpath.normpath(path).split("/")[0] == ".."
