"""The project as a trusted revision of git has it: only the manifests are the working tree's."""

from __future__ import annotations

import os
import posixpath
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from reconciler import git
from reconciler.app.trust.revision import open_revision, path_below, top_of_checkout
from reconciler.core.errors import InputError, ReconcilerError
from reconciler.core.model import Problem, Source
from reconciler.core.pointer import escape
from reconciler.core.project import NoAuth, Password, Reference, StaticToken
from reconciler.manifests import project as project_file
from reconciler.validation.folders import SPOOL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.app.trust.revision import Revision
    from reconciler.core.changes import Plan, TargetPlan
    from reconciler.core.project import Auth, Project, Target

_Reference = TypeVar("_Reference", Reference, Reference | None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How files of a revision are called: by it, and not by the private folder of their copies."""

    revision: str
    copies: str

    def text(self, text: str) -> str:
        """A text in which each copy is called as `REF:path`."""
        return text.replace(f"{self.copies}/", f"{self.revision}:").replace(
            self.copies, self.revision
        )

    def problems(self, problems: Sequence[Problem]) -> tuple[Problem, ...]:
        """Problems that name the revision."""
        return tuple(map(self._problem, problems))

    def plan(self, plan: Plan) -> Plan:
        """A plan whose messages name the revision."""
        return replace(plan, targets=tuple(map(self._target, plan.targets)))

    def _problem(self, problem: Problem) -> Problem:
        source = replace(problem.source, path=self.text(problem.source.path))
        message, hint = self.text(problem.message), self.text(problem.hint)
        return replace(problem, source=source, message=message, hint=hint)

    def _target(self, target: TargetPlan) -> TargetPlan:
        errors, warnings = map(self.text, target.errors), map(self.text, target.warnings)
        return replace(target, errors=tuple(errors), warnings=tuple(warnings))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedProject:
    """A project of a revision, with the warnings of its file; copies of its files are there while it is open."""

    project: Project
    warnings: list[Problem]
    names: Names


@contextmanager
def trusted_project(path: str, name: str) -> Iterator[TrustedProject]:
    """The project whose file is at `path`, as the revision `name` has it, and what its file names.

    That are the provider folders, certificates, keys and the record. What goes wrong in the block is
    told with the revision's name. Raises ReconcilerError where there is no such revision or file, and
    InputError where the project cannot be used.
    """
    folder = posixpath.dirname(path) or "."
    top = top_of_checkout(folder)
    with tempfile.TemporaryDirectory(prefix="reconciler-") as copies:
        names = Names(revision=name, copies=copies)
        try:
            taken = _Taken(open_revision(top, name), copies, folder)
            project, warnings = taken.project(path)
            yield TrustedProject(project=project, warnings=warnings, names=names)
        except InputError as error:
            raise InputError(names.problems(error.problems)) from None
        except ReconcilerError as error:
            error.args = tuple(names.text(str(each)) for each in error.args)
            raise


class _Taken:
    """Takes what a project file names out of a revision, into a private folder."""

    def __init__(self, revision: Revision, copies: str, folder: str) -> None:
        self._revision = revision
        self._copies = copies
        self._folder = folder
        self._source = Source(path=folder)

    def project(self, path: str) -> tuple[Project, list[Problem]]:
        """The project of the revision: its root is the working tree's, for the manifests."""
        copy = self._copy(path)
        if copy is None:
            raise ReconcilerError(
                f"{self._revision.name} has no {path}: there is nothing to trust in it"
            )
        self._source = Source(path=copy)
        stated, warnings = project_file.load_with_warnings(copy)
        directory = stated.inventory_directory
        return replace(
            stated,
            root=self._folder,
            targets={name: self._target(each) for name, each in stated.targets.items()},
            inventory_directory=self._record(directory),
            spool=stated.spool or posixpath.join(directory, SPOOL),
            fingerprint_key=self._reference("/fingerprintKey", stated.fingerprint_key),
            plan_key=self._reference("/planKey", stated.plan_key),
        ), warnings

    def _target(self, target: Target) -> Target:
        pointer = f"/targets/{escape(target.name)}"
        provider, bundle = target.provider, target.ca_bundle
        return replace(
            target,
            provider=self._provider(pointer, provider) if "/" in provider else provider,
            ca_bundle=None if bundle is None else self._file(f"{pointer}/caBundle", bundle),
            auth=self._auth(f"{pointer}/auth", target.auth),
        )

    def _auth(self, pointer: str, auth: Auth) -> Auth:
        if isinstance(auth, NoAuth):
            return auth
        if isinstance(auth, StaticToken):
            return replace(auth, token=self._reference(f"{pointer}/token", auth.token))
        if isinstance(auth, Password):
            return replace(
                auth,
                username=self._name(f"{pointer}/username", auth.username),
                password=self._reference(f"{pointer}/password", auth.password),
            )
        return replace(
            auth,
            client_id=self._name(f"{pointer}/clientId", auth.client_id),
            client_secret=self._reference(f"{pointer}/clientSecret", auth.client_secret),
            private_key=self._reference(f"{pointer}/privateKey", auth.private_key),
        )

    def _name(self, pointer: str, stated: str | Reference) -> str | Reference:
        return stated if isinstance(stated, str) else self._reference(pointer, stated)

    def _reference(self, pointer: str, stated: _Reference) -> _Reference:
        if stated is None or stated.kind == "env":
            return stated
        return Reference(kind="file", name=self._file(pointer, stated.name))

    def _provider(self, pointer: str, stated: str) -> str:
        copy = self._copy(self._absolute(stated))
        if copy is not None:
            return copy
        if path_below(self._revision.top, self._absolute(stated)) is None:
            return self._absolute(stated)
        raise self._absent(pointer, stated)

    def _file(self, pointer: str, stated: str) -> str:
        """The path of a file that the project file names: the revision's, or one that no commit brought."""
        path = self._absolute(stated)
        copy = self._copy(path)
        if copy is None and self._may_be_changed(path):
            raise self._absent(pointer, stated)
        return copy or path

    def _record(self, stated: str) -> str:
        path = self._absolute(stated)
        copy = self._copy(path)
        if copy is None and self._may_be_changed(path):
            # The revision has no record yet; the one that stands here is the pull request's.
            return posixpath.join(self._copies, ".no-record")
        return copy or path

    def _absent(self, pointer: str, stated: str) -> InputError:
        message = f"{self._revision.name} has no {stated}, and what lies there now is not trusted"
        problem = Problem(source=self._source, pointer=pointer, message=message)
        from reconciler.manifests.clients import with_positions  # noqa: PLC0415 - of problems only

        return InputError(with_positions([problem]))

    def _absolute(self, stated: str) -> str:
        return os.path.abspath(os.path.join(self._folder, stated))  # noqa: PTH100, PTH118 - a text is wanted

    def _may_be_changed(self, path: str) -> bool:
        """Whether a path in the working tree is one that a commit could bring, or is behind a link."""
        top = self._revision.top
        relative = path_below(top, path)
        if relative is None:
            return False
        if os.path.realpath(path) != posixpath.normpath(f"{os.path.realpath(top)}/{relative}"):
            return True
        try:
            return bool(git.ask(top, "ls-files", "-z", "--", f":(top,literal){relative}"))
        except git.NoAnswer as error:
            raise ReconcilerError(str(error)) from None

    def _copy(self, path: str) -> str | None:
        """Copy a file or a folder of the revision; the path of the copy, None where it has none."""
        relative = path_below(self._revision.top, path)
        files = {} if relative is None else self._revision.files(relative)
        if not files:
            return None
        copy = posixpath.normpath(f"{self._copies}/{relative}")
        for below, content in files.items():
            file = Path(copy, below)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return copy
