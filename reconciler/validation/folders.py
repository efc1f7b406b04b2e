"""Tells which folders a project writes into, as its file states them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from reconciler.core.dataclass import dataclass
from reconciler.core.pointer import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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


def leads_out(path: str) -> bool:
    """Whether a path that the project file states names a place outside of the project's folder."""
    return path.startswith("/") or posixpath.normpath(path).split("/")[0] == ".."
