"""The project file to a Project, or to everything that is wrong with it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import InputError
from reconciler.core.model import Problem, Source
from reconciler.core.pointer import escape
from reconciler.core.project import ClientCredentials, Project, parse, reference
from reconciler.manifests import catalog, globs
from reconciler.manifests.files import Unreadable, read_bytes
from reconciler.manifests.yaml.positions import locate
from reconciler.manifests.yaml.reader import read
from reconciler.validation import rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.project import Target

NAME: Final = "reconciler.yaml"

_PUBLIC: Final = frozenset({"clientId", "tokenUrl", "scope"})
_SECRETS: Final = ("clientSecret", "token")
_BY_REFERENCE: Final = "`{}` must be a reference: a secret does not belong into git"


def load(path: str) -> Project:
    """Read a project file; raise InputError with all problems of one that cannot be used.

    What needs the providers to be judged is left to `problems`.
    """
    try:
        text = read_bytes(path)
    except Unreadable as error:
        raise InputError(
            [Problem(source=Source(path=path), pointer="", message=str(error))]
        ) from None
    reading = read(text, path)
    document: Any = reading.documents[0] if reading.documents else None
    found = [*reading.problems, *_refused(document, len(reading.documents), Source(path=path))]
    errors = [problem for problem in rules.distinct(found) if problem.severity == "error"]
    if document is None and not errors:
        message = "the project file is empty: `reconciler init` writes one"
        errors = [Problem(source=Source(path=path), pointer="", message=message)]
    if errors:
        raise InputError(locate(errors, lambda _: text, is_secret))
    return parse(document, path=path, root=posixpath.dirname(path) or ".")


def is_secret(tokens: tuple[str, ...]) -> bool:
    """Whether what stands there in a project file would be a secret in place of a reference."""
    if tokens[:1] == ("fingerprintKey",):
        return tokens[-1] not in {"env", "file"}
    if len(tokens) < 3 or tokens[0] != "targets":  # noqa: PLR2004
        return False
    if tokens[2] == "secrets":
        return "recipients" in tokens  # a private key that was taken for its public one
    if tokens[2] != "auth":
        return False
    return tokens[3:4] == () or (tokens[3] not in _PUBLIC and tokens[-1] not in {"env", "file"})


def problems(project: Project) -> Iterator[Problem]:
    """Judge what the schema of the project file cannot."""
    source = Source(path=project.path)
    for target in project.targets.values():
        yield from _addresses(target, source)
        yield from _globs(target, source)
        yield from _provider(target, project, source)


def _refused(document: Any, count: int, source: Source) -> Iterator[Problem]:
    if count > 1:
        yield Problem(source=source, pointer="", message="a project file is one document")
    if document is None:
        return
    leaks = dict(_literal_secrets(document))
    for problem in catalog.validator("project").problems(document, source):
        if not any(f"{problem.pointer}/".startswith(f"{leak}/") for leak in leaks):
            yield problem
    for pointer, message in leaks.items():
        hint = "write {env: NAME} or {file: path}"
        yield Problem(source=source, pointer=pointer, message=message, hint=hint, at_key=True)


def _literal_secrets(document: Any) -> Iterator[tuple[str, str]]:
    """Find what stands in the place of a reference, as its pointer and what to say of it.

    The schema is not asked about these: it would quote them.
    """
    key = document.get("fingerprintKey") if isinstance(document, dict) else None
    if key is not None and reference(key) is None:
        yield "/fingerprintKey", _BY_REFERENCE.format("fingerprintKey")
    for name, target in _members(document, "targets").items():
        pointer = f"/targets/{escape(name)}/auth"
        auth = target.get("auth") if isinstance(target, dict) else None
        if isinstance(auth, str | int | float):
            yield pointer, "`auth` takes clientId and clientSecret, or token, by reference"
        for member in _SECRETS:
            stated = _members(target, "auth")
            if member in stated and reference(stated[member]) is None:
                yield f"{pointer}/{member}", _BY_REFERENCE.format(member)


def _members(holder: Any, name: str) -> Mapping[str, Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {}


def _addresses(target: Target, source: Source) -> Iterator[Problem]:
    pointer = f"/targets/{target.name}"
    yield from rules.address(source, f"{pointer}/baseUrl", target.base_url)
    if isinstance(target.auth, ClientCredentials) and target.auth.token_url is not None:
        yield from rules.address(source, f"{pointer}/auth/tokenUrl", target.auth.token_url)


def _globs(target: Target, source: Source) -> Iterator[Problem]:
    for index, pattern in enumerate(target.manifests):
        message = globs.complaint(pattern)
        if message is not None:
            pointer = f"/targets/{target.name}/manifests/{index}"
            yield Problem(source=source, pointer=pointer, message=message)


def _provider(target: Target, project: Project, source: Source) -> Iterator[Problem]:
    try:
        entry = catalog.entry(target.provider, project.root)
    except KeyError:
        yield Problem(
            source=source,
            pointer=f"/targets/{target.name}/provider",
            message=f"unknown provider `{target.provider}`",
            hint=rules.nearest(target.provider, catalog.names()),
        )
    except InputError as error:
        yield from error.problems
    else:
        yield from rules.token_address(source, target, entry.token_path)
        if target.conflict_check == "test":
            yield from rules.guard(source, target, entry.provider(target))
