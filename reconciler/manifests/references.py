"""Turns references into the secrets that they stand for, or into Problems where they are not there."""

from __future__ import annotations

import codecs
import os
import posixpath
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import SelectionError
from reconciler.core.model import EMPTY, Problem, Secret, Source
from reconciler.core.project import NoAuth, Password, Reference, StaticToken
from reconciler.core.secrets import reveal
from reconciler.manifests.files import Unreadable, read_bytes
from reconciler.project_folder import ProjectFolder, real_path, why_not_follow
from reconciler.provider.references import find, substitute
from reconciler.provider.secrets import client_secret, seal_stated
from reconciler.validation.resolved import CREDENTIAL, TEXT, TOKEN, value_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.model import Manifest
    from reconciler.core.project import Project, Target
    from reconciler.provider.model import Provider

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a target's `auth` stands for: of its secrets there is one, or none.

    `name` is the client's id, or the user's name.
    """

    name: Secret | str | None = None
    client_secret: Secret | None = None
    private_key: Secret | None = None
    token: Secret | None = None
    password: Secret | None = None

    @property
    def secret(self) -> Secret:
        """The one secret, empty for none."""
        stated = (self.client_secret, self.private_key, self.token, self.password)
        return next((each for each in stated if each is not None), Secret(""))


class _Unresolved(Exception):
    """The value that a reference stands for is not there, or cannot be meant; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def resolve(
    manifests: Iterable[Manifest],
    providers: Mapping[str, Provider],
    project: Project,
    environ: Mapping[str, str] = os.environ,
) -> tuple[list[Manifest], list[Problem]]:
    """The manifests with a Secret in the place of every reference, and the Problems without positions.

    `providers` is by target; a file is relative to its manifest, and one of the project's. A manifest
    with a Problem stays unresolved.
    """
    resolved, problems = [], []
    folder = ProjectFolder(project)
    for manifest in manifests:
        provider = providers[manifest.target]
        login = client_secret(provider)
        found = find(manifest.spec, provider)
        values: dict[str, Secret] = {}
        for pointer, reference in found:
            try:
                use = CREDENTIAL if pointer == login else TEXT
                path = _file_path(reference, manifest.source.path)
                target = project.targets.get(manifest.target)
                if target is None or not _is_named(target, path, project.root):
                    _refuse(path, folder.why_not_read(path) if path else "")
                if target is not None:
                    _refuse_unlisted(target, reference, path, project.root)
                    _refuse_own(project, target, reference, path)
                values[pointer] = _value(reference, path, environ, use)
            except _Unresolved as error:
                problems.append(_problem(manifest.source, f"/spec{pointer}", error))
        problems += _address_problems(manifest, provider, found, values)
        whole = found and len(values) == len(found)
        spec = substitute(manifest.spec, values) if whole else manifest.spec
        # A secret that is no text, such as an object, is no reference and must not be shown either.
        spec = seal_stated(provider, spec)
        if spec is manifest.spec:
            resolved.append(manifest)
            continue
        told = {pointer: _name(reference) for pointer, reference in found} if whole else EMPTY
        resolved.append(replace(manifest, spec=spec, references=told))
    return resolved, problems


def _refuse_unlisted(target: Target, reference: Reference, path: str, root: str) -> None:
    """Raise _Unresolved where the target lists what its manifests may refer to, and this is not among it."""
    member, allowed, name = "allowedEnv", target.allowed_env, reference.name
    if path:
        member, allowed, name = "allowedFiles", target.allowed_files, _below(path, root)
    if allowed is None or any(fnmatchcase(name, pattern) for pattern in allowed):
        return
    hint = f"the project file lists them: targets.{target.name}.{member}"
    raise _Unresolved(f"{reference.kind} {name} is not among what manifests may refer to", hint)


def _refuse_own(project: Project, target: Target, reference: Reference, path: str) -> None:
    """Raise _Unresolved for what the tool itself logs in or signs with, unless the target lists that by name.

    Whoever writes manifests would have it sent to a server as a secret of a client.
    """
    member, named, name = "allowedEnv", target.allowed_env, reference.name
    if path:
        member, named, name = "allowedFiles", target.allowed_files, _below(path, project.root)
    if name in (named or ()) and "*" not in name:
        return
    for at, own in project.credentials.items():
        if own.kind == reference.kind and _is_same(project, own, reference, path):
            raise _Unresolved(
                f"{_name(reference)} is what the project logs in or signs with ({at}), and not for manifests",
                f"give the client a secret of its own; or list this one, by its name and without `*`, in "
                f"targets.{target.name}.{member}",
            )


def _is_same(project: Project, own: Reference, reference: Reference, path: str) -> bool:
    """Whether a reference of a manifest leads to where one of the project file does."""
    if not path:
        # Windows takes the names of variables in either case.
        return own.name.casefold() == reference.name.casefold()
    there = _file_path(own, project.path)
    with suppress(OSError, ValueError):
        return os.path.samefile(path, there)  # noqa: PTH121 - validate loads no pathlib
    return real_path(path) == real_path(there)


def _is_named(target: Target, path: str, root: str) -> bool:
    """Whether the project file itself names this very file, and no link leads to another one."""
    if not path or "*" in path or _below(path, root) not in (target.allowed_files or ()):
        return False
    return not why_not_follow(_below(path, root), root)


def _below(path: str, root: str) -> str:
    """A path as the project file would state it."""
    return path if posixpath.isabs(path) else posixpath.relpath(path, root or ".")


def _address_problems(
    manifest: Manifest,
    provider: Provider,
    found: Sequence[tuple[str, Reference]],
    values: dict[str, Secret],
) -> list[Problem]:
    """The Problems of references to addresses that no server can send users to."""
    if not values:
        return []
    from reconciler.validation.uris.fields import uri_problems  # noqa: PLC0415 - few are by reference

    stated = {f"/spec{pointer}": reference for pointer, reference in found}
    spec = reveal(substitute(manifest.spec, values))
    return [
        # Without the hint, which may quote the value.
        replace(
            problem,
            message=f"the value of {_name(stated[problem.pointer])}: {problem.message}",
            hint="",
        )
        for problem in uri_problems(spec, provider.client_schema, manifest.source)
        if problem.pointer in stated
    ]


def _name(reference: Reference) -> str:
    return f"{reference.kind} {reference.name}"


def credentials(
    project: Project, target: Target, environ: Mapping[str, str] = os.environ
) -> tuple[Credentials, list[Problem]]:
    """What a target's `auth` refers to, and the Problems; a file is relative to the project file."""
    problems: list[Problem] = []

    def value(member: str, stated: Reference, use: str = CREDENTIAL) -> Secret:
        try:
            return _stated_value(project, stated, environ, use)
        except _Unresolved as error:
            pointer = f"/targets/{target.name}/auth/{member}"
            problems.append(_problem(Source(path=project.path), pointer, error))
            return Secret("")

    def name(member: str, stated: str | Reference) -> Secret | str:
        return stated if isinstance(stated, str) else value(member, stated)

    auth = target.auth
    if isinstance(auth, NoAuth):
        return Credentials(), problems
    if isinstance(auth, StaticToken):
        return Credentials(token=value("token", auth.token, TOKEN)), problems
    if isinstance(auth, Password):
        user = name("username", auth.username)
        return Credentials(name=user, password=value("password", auth.password)), problems
    found = Credentials(name=name("clientId", auth.client_id))
    if auth.private_key is not None:
        found = replace(found, private_key=value("privateKey", auth.private_key, TEXT))
    if auth.client_secret is not None:
        found = replace(found, client_secret=value("clientSecret", auth.client_secret))
    return found, problems


def fingerprint_key(
    project: Project, environ: Mapping[str, str] = os.environ
) -> tuple[Secret | None, list[Problem]]:
    """What the project's `fingerprintKey` refers to, None where it states none, and the Problems."""
    return _stated_key(project, "fingerprintKey", project.fingerprint_key, environ)


def plan_key(
    project: Project, environ: Mapping[str, str] = os.environ
) -> tuple[Secret | None, list[Problem]]:
    """What the project's `planKey` refers to, None where it states none, and the Problems."""
    return _stated_key(project, "planKey", project.plan_key, environ)


def named_value(named: Reference, environ: Mapping[str, str] = os.environ) -> Secret:
    """The value of a reference on the command line, whose file is relative to where that runs.

    Raises SelectionError where it leads nowhere.
    """
    try:
        return _value(named, named.name if named.kind == "file" else "", environ, TEXT)
    except _Unresolved as error:
        problem = f"{error}{f': {error.hint}' if error.hint else ''}"
    raise SelectionError(problem)


def _stated_key(
    project: Project, member: str, stated: Reference | None, environ: Mapping[str, str]
) -> tuple[Secret | None, list[Problem]]:
    if stated is None:
        return None, []
    try:
        return _stated_value(project, stated, environ, TEXT), []
    except _Unresolved as error:
        return None, [_problem(Source(path=project.path), f"/{member}", error)]


def _problem(source: Source, pointer: str, error: _Unresolved) -> Problem:
    return Problem(source=source, pointer=pointer, message=str(error), hint=error.hint)


def _stated_value(
    project: Project, reference: Reference, environ: Mapping[str, str], use: str
) -> Secret:
    """The value of a reference of the project file, which may name a file anywhere."""
    path = _file_path(reference, project.path)
    if path:
        _refuse(path, why_not_follow(reference.name, project.root))
    return _value(reference, path, environ, use)


def _file_path(reference: Reference, referrer: str) -> str:
    """The path of the file that a reference names, "" where it names none."""
    if reference.kind != "file":
        return ""
    return posixpath.join(posixpath.dirname(referrer), reference.name)


def _refuse(path: str, why: str) -> None:
    """Raise _Unresolved where there is a reason not to read a file."""
    if why:
        hint = "a manifest refers to files in the project's folder, the project file to any by its path"
        raise _Unresolved(f"{path} {why}, so it is not read", hint)


def _value(reference: Reference, path: str, environ: Mapping[str, str], use: str) -> Secret:
    if reference.kind == "env":
        text = environ.get(reference.name)
        if text is None:
            raise _Unresolved(f"the environment variable {reference.name} is not set")
    else:
        text = _text(path)
    # An editor and `echo` end a file with a line break, which is never a part of a secret.
    text = text.removesuffix("\n").removesuffix("\r")
    what, hint = value_fault(text, use)
    if what:
        raise _Unresolved(f"the value of {_name(reference)} {what}", hint)
    return Secret(text)


def _text(path: str) -> str:
    try:
        content = read_bytes(path)
    except Unreadable as error:
        raise _Unresolved(f"{path}: {error}") from None
    try:
        return content.decode()
    except UnicodeDecodeError:
        what = "UTF-16" if content.startswith(_UTF_16) else "not UTF-8 text"
        raise _Unresolved(f"{path}: this is {what}", "save it as UTF-8") from None
