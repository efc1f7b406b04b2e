"""Warns of a plan in CI that takes its orders from a pull request: of a project file that it changes."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.app.trust.revision import Revision

# What says on a runner which branch a pull request is to go into.
_VARIABLES: Final = (
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",  # Azure Pipelines, as refs/heads/main
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "CHANGE_TARGET",  # Jenkins
)
# Without one of them, the branch that the server calls its main one.
_MAIN: Final = "HEAD"


def warn_of_changes(project_file: str) -> tuple[str, ...]:
    """A warning where this is CI and the project file, or what it names, is not as in the base branch.

    Nothing where it is; a warning as well where that cannot be found out.
    """
    stated = next(filter(None, (os.environ.get(each, "") for each in _VARIABLES)), "")
    if not stated:
        from reconciler.app.secret_places import ci_system  # noqa: PLC0415 - loads the sinks

        if not ci_system():
            return ()
    return tuple(_warn(project_file, stated.removeprefix("refs/heads/")))


def _warn(project_file: str, branch: str) -> Iterator[str]:
    from reconciler.app.trust.revision import top_of_checkout  # noqa: PLC0415 - in CI only
    from reconciler.core.errors import ReconcilerError  # noqa: PLC0415 - as above

    try:
        top = top_of_checkout(posixpath.dirname(project_file) or ".")
        base = _base(top, branch)
        changed = [] if base is None else _changed(base, project_file)
    except ReconcilerError as error:
        if branch:
            yield f"whether the pull request changes {project_file} is not known: {error}"
        return
    if base is None and branch:
        yield (
            f"whether the pull request changes {project_file} is not known: the branch {branch} is not "
            f"here; fetch it, and plan with --trust origin/{branch}"
        )
    if base is not None and changed:
        yield (
            f"{', '.join(changed)} is not as in {_short(base.name)}: this plan logs in where it says, with "
            f"any variable that it names, and runs its commands; plan with --trust {_short(base.name)}"
        )


def _short(name: str) -> str:
    return name.removeprefix("refs/remotes/").removeprefix("refs/heads/")


def _base(top: str, branch: str) -> Revision | None:
    """The base branch as it was fetched, else the local one; None where neither is there."""
    from reconciler import git  # noqa: PLC0415 - as above
    from reconciler.app.trust.revision import open_revision  # noqa: PLC0415 - as above

    places = [f"refs/remotes/origin/{branch or _MAIN}"]
    places += [f"refs/heads/{branch}"] if branch else []
    for place in places:
        try:
            git.ask(top, "rev-parse", "--verify", "--quiet", f"{place}^{{commit}}")
        except git.NoAnswer:
            continue
        return open_revision(top, place)
    return None


def _changed(base: Revision, project_file: str) -> list[str]:
    """The project file, and what it names, as far as they differ from the base branch."""
    from reconciler.core.errors import InputError  # noqa: PLC0415 - as above
    from reconciler.manifests.project import load  # noqa: PLC0415 - as above

    if _differs(base, project_file):
        return [project_file]
    try:
        project = load(project_file)
    except InputError:
        return []  # the plan says what is wrong with it
    named = [
        each
        for target in project.targets.values()
        for each in (target.provider if "/" in target.provider else None, target.ca_bundle)
        if each is not None
    ]
    keys = (project.fingerprint_key, project.plan_key)
    named += [each.name for each in keys if each is not None and each.kind == "file"]
    paths = {each: posixpath.normpath(posixpath.join(project.root, each)) for each in named}
    return [each for each, path in sorted(paths.items()) if _differs(base, path)]


def _differs(base: Revision, path: str) -> bool:
    """Whether a file or folder in the working tree is not as the revision has it."""
    from reconciler.app.trust.revision import path_below  # noqa: PLC0415 - as above

    relative = path_below(base.top, path)
    if relative is None:
        return False  # no pull request reaches it
    there = {name: _text(content) for name, content in base.files(relative).items()}
    return there != {name: _text(content) for name, content in _files(path)}


def _text(content: bytes) -> bytes:
    """What a file says: git may write other line ends into the working tree."""
    return content.replace(b"\r\n", b"\n")


def _files(path: str) -> Iterator[tuple[str, bytes]]:
    """The files at and below a path, by their path below it, as far as they can be read."""
    from reconciler.manifests.files import Unreadable, read_bytes  # noqa: PLC0415 - as above

    found = {path: ""} if not os.path.isdir(path) else {}  # noqa: PTH112 - validate loads no pathlib
    for folder, _, names in os.walk(path):
        for name in names:
            each = os.path.join(folder, name)  # noqa: PTH118 - as above
            found[each] = os.path.relpath(each, path).replace(os.sep, "/")
    for each, below in found.items():
        try:
            yield below, read_bytes(each)
        except Unreadable:
            continue
