"""Asks git which ids its last revision of a record binds, since a record in the working tree may be edited."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler import atomic_files, git
from reconciler.core.errors import InventoryError
from reconciler.inventory import client_files, codec
from reconciler.plan.record import standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.changes import TargetPlan
    from reconciler.core.model import InventoryEntry
    from reconciler.core.project import Project

_UNBORN: Final = "Not a valid object name HEAD"


def with_marks(project: Project, plan: TargetPlan) -> TargetPlan:
    """The plan, with a mark at each id that it acts on and that git's last revision does not bind.

    Git is asked only where there is such an id. A record that is not kept in git has no marks.
    """
    top = git.checkout_top(os.path.realpath(project.root))
    if project.inventory_url is not None or top is None or not standing.ids_to_check(plan):
        return plan
    try:
        found = _bound_ids(project, plan.target)
    except git.NoAnswer as error:
        warning = (
            "whether git's last revision of the record has the ids that this plan acts on is not "
            f"known: {error}"
        )
        return replace(plan, warnings=(*plan.warnings, warning))
    return plan if found is None else standing.with_marks(plan, found)


def _bound_ids(project: Project, target: str) -> frozenset[str] | None:
    """The ids that the record of HEAD binds, predecessors included; None for a record that is not in it."""
    directory = Path(project.root, project.inventory_directory)
    folder = os.path.relpath(directory / client_files.portable_name(target), project.root or ".")
    old = os.path.relpath(directory / f"{atomic_files.file_name(target)}.json", project.root or ".")
    try:
        listed = git.ask(project.root, "ls-tree", "-r", "-z", "HEAD", "--", folder, old)
    except git.NoAnswer as error:
        # A repository without a commit has no revision that could bind anything.
        if _UNBORN not in str(error):
            raise
        return None
    files = [entry for entry in listed.split(b"\0") if entry]
    # One that is kept elsewhere, or not committed yet.
    if not files:
        return None
    names = [entry.partition(b"\t")[2].decode("utf-8", "surrogateescape") for entry in files]
    blobs = _blobs(project.root, [entry.split(b" ")[2].partition(b"\t")[0] for entry in files])
    entries = (
        entry
        for name, blob in zip(names, blobs, strict=True)
        for entry in _entries(target, name, blob)
    )
    return frozenset(one for entry in entries for one in (entry.remote_id, *entry.superseded))


def _entries(target: str, name: str, content: bytes) -> Iterator[InventoryEntry]:
    # A file of that revision that cannot be used binds nothing: what it holds would be refused.
    with suppress(InventoryError):
        path = Path(name)
        if path.parent.name != client_files.portable_name(target):
            yield from codec.decode(content, target=target, path=name).entries.values()
        elif path.name != client_files.TARGET_FILE:
            entry = codec.decode_client(content, target=target, path=name)[1]
            yield from () if entry is None else (entry,)


def _blobs(root: str, hashes: list[bytes]) -> Iterator[bytes]:
    """The contents of blobs, in the order of their hashes."""
    answer = git.ask(root, "cat-file", "--batch", given=b"".join(each + b"\n" for each in hashes))
    place = 0
    for _ in hashes:
        # `<hash> blob <size>`, a line break, the content, a line break.
        end = answer.index(b"\n", place)
        size = int(answer[place:end].rsplit(b" ", 1)[1])
        yield answer[end + 1 : end + 1 + size]
        place = end + 2 + size
