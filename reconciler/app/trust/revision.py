"""Reads files as a revision of git has them, whatever the working tree holds."""

from __future__ import annotations

import os
import posixpath
import re
from typing import TYPE_CHECKING, Final

from reconciler import git
from reconciler.core.dataclass import dataclass
from reconciler.core.errors import ReconcilerError, SelectionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LINK: Final = "120000"
_SUBMODULE: Final = "160000"
_MAX_LINKS: Final = 40  # as Linux follows them
# Where git looks for a short name, in its order (gitrevisions(7)); a tag comes before a branch.
_PLACES: Final = ("refs/", "refs/tags/", "refs/heads/", "refs/remotes/")
_OBJECT: Final = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The files of a commit: `entries` are mode and object by path, relative to `top` of the checkout.

    `name` is how the user calls the commit, `commit` its object id.
    """

    top: str
    name: str
    commit: str
    entries: Mapping[str, tuple[str, str]]

    def where(self, path: str) -> str | None:
        """The path of what `path` is in the revision, every link followed; None where it is not there.

        A link that leads out of the repository leads nowhere.
        """
        done: list[str] = []
        parts = path.split("/")[::-1]
        links = 0
        while parts:
            part = parts.pop()
            if part == ".." and not done:
                return None
            if part in ("", ".", ".."):
                del done[len(done) - (part == "..") :]
                continue
            done.append(part)
            if self._mode("/".join(done)) == _LINK:
                links += 1
                leads_to = os.fsdecode(self.contents(["/".join(done)])[0])
                if links > _MAX_LINKS or leads_to.startswith("/"):
                    return None
                done.pop()
                parts.extend(leads_to.split("/")[::-1])
        found = "/".join(done)
        return found if found in self.entries or self._has_below(found) else None

    def files(self, path: str) -> dict[str, bytes]:
        """The contents of the files at and below `path`, by their path below it: "" is `path` itself.

        A link stands for the file that it leads to. ReconcilerError for one that leads to no file.
        """
        top = self.where(path)
        if top is None:
            return {}
        below = {name: name[len(top) :].lstrip("/") for name in self._at_and_below(top)}
        places = {each: self._file_at(each) for each in below}
        contents = self.contents(places.values())
        return dict(zip(below.values(), contents, strict=True))

    def contents(self, paths: Iterable[str]) -> list[bytes]:
        """What the blobs at these paths hold, links as they are."""
        ids = [self.entries[path][1] for path in paths]
        # By their ids: no filter, no textconv and no attribute has a say in it.
        given = "".join(f"{each}\n" for each in ids).encode()
        answer = _ask(self.top, "cat-file", "--batch", given=given) if ids else b""
        found = []
        for _ in ids:
            head, _, answer = answer.partition(b"\n")
            facts = head.split()
            if len(facts) != 3:  # noqa: PLR2004 - id, kind and size
                message = f"{self.name} is not whole here: fetch it without a filter"
                raise ReconcilerError(message)
            size = int(facts[2])
            found.append(answer[:size])
            answer = answer[size + 1 :]
        return found

    def _mode(self, path: str) -> str:
        return self.entries[path][0] if path in self.entries else ""

    def _file_at(self, path: str) -> str:
        found = self.where(path)
        if found is None or self._mode(found) in ("", _SUBMODULE):
            message = f"{self.name}:{path} is a link or a submodule, and leads to no file of that revision"
            raise ReconcilerError(message)
        return found

    def _has_below(self, folder: str) -> bool:
        return any(True for _ in self._at_and_below(folder))

    def _at_and_below(self, path: str) -> Iterable[str]:
        if path in self.entries:
            return [path]
        above = f"{path}/" if path else ""
        return [name for name in self.entries if name.startswith(above)]


def open_revision(top: str, name: str) -> Revision:
    """The revision that `name` means in the checkout at `top`. ReconcilerError where that is none, or two."""
    _refuse_unclear(top, name)
    try:
        commit = git.ask(top, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").decode()
    except git.NoAnswer as error:
        raise ReconcilerError(_absent(name, str(error))) from None
    listed = _ask(top, "ls-tree", "-r", "-z", "--full-tree", commit.strip())
    entries = {}
    for entry in filter(None, os.fsdecode(listed).split("\0")):
        facts, _, path = entry.partition("\t")
        mode, _, blob = facts.split(" ")
        entries[path] = (mode, blob)
    return Revision(top=top, name=name, commit=commit.strip(), entries=entries)


def top_of_checkout(folder: str) -> str:
    """The top of the checkout that a folder lies in. ReconcilerError where it is in none of its own."""
    stated = os.path.abspath(folder)  # noqa: PTH100 - as it is stated: a link may come from anybody
    top = git.checkout_top(stated) or git.checkout_top(os.path.realpath(folder))
    if top is None:
        message = f"{folder} is in no git repository, so that there is no revision to trust"
        raise ReconcilerError(message)
    above = _ask(top, "rev-parse", "--show-superproject-working-tree").strip()
    if above:
        # Which repository that is, and so what its branches hold, is said in the one around it.
        message = f"{top} is a submodule: its revisions are what the repository around it says"
        raise ReconcilerError(message)
    return top


def path_below(top: str, path: str) -> str | None:
    """A path relative to `top`, as it is stated or else without links; None where it lies outside."""
    for stated, folder in (
        (os.path.abspath(path), top),  # noqa: PTH100 - as above
        (os.path.realpath(path), os.path.realpath(top)),
    ):
        relative = os.path.relpath(stated, folder).replace(os.sep, "/")
        if relative.split("/")[0] != "..":
            return posixpath.normpath(relative)
    return None


def _refuse_unclear(top: str, name: str) -> None:
    """Raise SelectionError for a name that is an option or a search, ReconcilerError for one that means several things."""
    if not name or name.startswith(("-", ":", "@{")) or any(c.isspace() or c < " " for c in name):
        message = (
            f"{name!r} is no revision to trust: name a branch, such as origin/main, or a commit"
        )
        raise SelectionError(message)
    if _OBJECT.fullmatch(name):
        return
    short = re.split(r"[~^@:]", name, maxsplit=1)[0]
    patterns = [f"{place}{short}" for place in _PLACES]
    found = _ask(top, "for-each-ref", "--format=%(refname)", *patterns).decode().split()
    meant = [each for each in found if each in patterns]
    if len(meant) > 1:
        message = (
            f"{name} means several things: {', '.join(meant)}; whoever may push a tag could choose "
            "one: write it in full"
        )
        raise ReconcilerError(message)


def _absent(name: str, why: str) -> str:
    if why.startswith("git cannot"):
        return why
    return (
        f"there is no revision {name} here: fetch it first, as with `git fetch origin`; "
        "a shallow checkout has only what it was asked for"
    )


def _ask(top: str, *arguments: str, given: bytes = b"") -> bytes:
    try:
        return git.ask(top, *arguments, given=given)
    except git.NoAnswer as error:
        raise ReconcilerError(str(error)) from None
