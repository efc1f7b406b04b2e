"""Turns the project file into a Project, or into everything that is wrong with it."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import InputError
from reconciler.core.model import Problem, Source
from reconciler.core.pointer import escape
from reconciler.core.project import ClientCredentials, Project, parse, reference
from reconciler.manifests import catalog, patterns
from reconciler.manifests.files import Unreadable, is_like_manifest, read_bytes
from reconciler.manifests.yaml.reader import read
from reconciler.project_folder import places_of, why_not_begin, why_not_follow, why_not_keep
from reconciler.validation import folders, logins, rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.project import Target

NAME: Final = "reconciler.yaml"

_PUBLIC: Final = frozenset(
    {"clientId", "tokenUrl", "scope", "keyId", "algorithm", "parameters", "username"}
)
_NOT_ONE: Final = "this is not a project file: nothing in it says `apiVersion: reconciler/v1`"
_SECRETS: Final = ("clientSecret", "privateKey", "token", "password")
_KEYS: Final = ("fingerprintKey", "planKey")
_BY_REFERENCE: Final = "`{}` must be a reference: a secret does not belong into git"


def load(path: str) -> Project:
    """The Project of a project file; raises InputError with all problems of one that cannot be used.

    What only the providers can tell is left to `problems`.
    """
    return load_with_warnings(path)[0]


def load_with_warnings(path: str) -> tuple[Project, list[Problem]]:
    """The Project as `load` gives it, and the warnings of its file."""
    text = _text(path)
    reading = read(text, path)
    document: Any = reading.documents[0] if reading.documents else None
    found = [
        *reading.problems,
        *_schema_problems(document, len(reading.documents), Source(path=path), text),
    ]
    found = rules.deduplicate(found)
    errors = [problem for problem in found if problem.severity == "error"]
    if document is None and not errors:
        message = "the project file is empty: `reconciler init` writes one"
        errors = [_whole_file(path, message)]
    if errors:
        from reconciler.manifests.yaml.positions import locate  # noqa: PLC0415 - of problems only

        raise InputError(locate(errors, lambda _: text, is_secret))
    return parse(document, path=path, root=posixpath.dirname(path) or "."), found


def _text(path: str) -> bytes:
    """The text of a project file. Raises InputError."""
    why = why_not_begin(path)
    if why:
        message = f"this {why}: it is not read; name the file that it leads to"
        raise InputError([_whole_file(path, message)])
    try:
        text = read_bytes(path)
    except Unreadable as error:
        raise InputError([_whole_file(path, str(error))]) from None
    # What a link leads to may be anything that lies in the folder, and problems show its lines.
    if os.path.islink(path) and not is_like_manifest(text):  # noqa: PTH114 - a Path costs more
        raise InputError([_whole_file(path, _NOT_ONE)])
    return text


def _whole_file(path: str, message: str) -> Problem:
    return Problem(source=Source(path=path), pointer="", message=message)


def is_secret(tokens: tuple[str, ...]) -> bool:
    """Whether a text at this path of keys would be a secret, written out in place of a reference."""
    if tokens and tokens[0] in _KEYS:
        return tokens[-1] not in {"env", "file"}
    if len(tokens) < 3 or tokens[0] != "targets":  # noqa: PLR2004
        return False
    if tokens[2] == "secrets":
        return "recipients" in tokens  # a private key that was taken for its public one
    if tokens[2] != "auth":
        return False
    return tokens[3:4] == () or (tokens[3] not in _PUBLIC and tokens[-1] not in {"env", "file"})


def problems(project: Project) -> Iterator[Problem]:
    """The Problems of a project that its schema cannot find."""
    source = Source(path=project.path)
    yield from _link_problems(project, source)
    yield from folder_problems(project)
    for target in project.targets.values():
        yield from _target_address_problems(target, source)
        yield from _pattern_problems(target, source)
        yield from rules.former_name_problems(source, project, target)
        yield from _provider_problems(target, project, source)


def _link_problems(project: Project, source: Source) -> Iterator[Problem]:
    """The Problems of folders and files that the project file states, and that a link leads out of the project."""
    bundles = {
        f"/targets/{escape(target.name)}/caBundle": target.ca_bundle
        for target in project.targets.values()
        if target.ca_bundle is not None
    }
    stated = {folder.pointer: folder.path for folder in folders.folders_of(project)}
    for pointer, path in {**stated, **bundles}.items():
        if not path.startswith("~") and (why := why_not_follow(path, project.root)):
            yield Problem(source=source, pointer=pointer, message=f"{path} {why}")


def folder_problems(project: Project) -> Iterator[Problem]:
    """The Problems of folders that the tool writes into, and that are for something else too."""
    read = [*_bases(project), *_provider_folders(project)]
    paths = [*folders.paths_of(project), *(path for _, path, _ in read)]
    places = places_of(paths, project.root)
    yield from _placing_problems(project)
    yield from folders.folder_problems(project, places)
    yield from folders.reading_problems(project, read, places)


def _placing_problems(project: Project) -> Iterator[Problem]:
    """The Problems of folders that the tool writes into, and that are not where somebody would look for them."""
    source = Source(path=project.path)
    for folder in folders.folders_of(project):
        if why := why_not_keep(folder.path, project.root):
            message, hint = f"{folder.path} {why}", "give it a folder of its own"
            yield Problem(source=source, pointer=folder.pointer, message=message, hint=hint)
        # Of these the spool alone is looked for in the home folder.
        if folder.kind != "spool" and folder.path.startswith("~"):
            message = f"{folder.path} would be a folder called `{folder.path.split('/')[0]}` in the project"
            hint = "write the path in full, or one within the project"
            yield Problem(source=source, pointer=folder.pointer, message=message, hint=hint)


def _provider_folders(project: Project) -> Iterator[tuple[str, str, str]]:
    for target in project.targets.values():
        if "/" in target.provider:
            pointer = f"/targets/{escape(target.name)}/provider"
            yield pointer, target.provider, "the files of a provider"


def _bases(project: Project) -> Iterator[tuple[str, str, str]]:
    """The pointer of each usable pattern that lists files, and the folders where it begins."""
    for target in project.targets.values():
        for index, pattern in enumerate(target.manifests):
            if patterns.is_exclusion(pattern) or patterns.unusable_reason(pattern) is not None:
                continue
            for each in patterns.expand(pattern):
                pointer = f"/targets/{escape(target.name)}/manifests/{index}"
                yield pointer, patterns.base_folder(each) or ".", "manifests"


def _schema_problems(document: Any, count: int, source: Source, text: bytes) -> Iterator[Problem]:
    if count > 1:
        yield Problem(source=source, pointer="", message="a project file is one document")
    if document is None:
        return
    # Found before the schema is asked, whose message would quote the secret.
    leaks = dict(_literal_secrets(document))
    for problem in catalog.schema_problems("project", document, source, text):
        if not any(f"{problem.pointer}/".startswith(f"{leak}/") for leak in leaks):
            yield problem
    for pointer in _nul_pointers(document, ""):
        message = "a NUL character stands in it, which no path, name or address has"
        yield Problem(source=source, pointer=pointer, message=message, hint="take the `\\0` out")
    for pointer, message in leaks.items():
        hint = "write {env: NAME} or {file: path}"
        yield Problem(source=source, pointer=pointer, message=message, hint=hint, at_key=True)


def _nul_pointers(value: Any, pointer: str) -> Iterator[str]:
    if isinstance(value, str) and "\0" in value:
        yield pointer
    inside = value.items() if isinstance(value, dict) else ()
    for name, member in enumerate(value) if isinstance(value, list) else inside:
        yield from _nul_pointers(member, f"{pointer}/{escape(str(name))}")


def _literal_secrets(document: Any) -> Iterator[tuple[str, str]]:
    """The pointers of what stands in the place of a reference, each with its message."""
    stated: Mapping[str, Any] = document if isinstance(document, dict) else {}
    for key in _KEYS:
        if stated.get(key) is not None and reference(stated[key]) is None:
            yield f"/{key}", _BY_REFERENCE.format(key)
    for name, target in _members(document, "targets").items():
        pointer = f"/targets/{escape(name)}/auth"
        auth = target.get("auth") if isinstance(target, dict) else None
        if isinstance(auth, str | int | float) and auth != "none":
            yield pointer, "`auth` takes clientId and clientSecret, or token, by reference"
        for member in _SECRETS:
            stated = _members(target, "auth")
            if member in stated and reference(stated[member]) is None:
                yield f"{pointer}/{member}", _BY_REFERENCE.format(member)


def _members(holder: Any, name: str) -> Mapping[str, Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {}


def _target_address_problems(target: Target, source: Source) -> Iterator[Problem]:
    pointer = f"/targets/{target.name}"
    stated = "issuer" if target.is_issuer else "baseUrl"
    yield from rules.address_problems(source, f"{pointer}/{stated}", target.base_url)
    if isinstance(target.auth, ClientCredentials) and target.auth.token_url is not None:
        yield from rules.address_problems(source, f"{pointer}/auth/tokenUrl", target.auth.token_url)


def _pattern_problems(target: Target, source: Source) -> Iterator[Problem]:
    misplaced = patterns.misplaced_exclusions(target.manifests)
    for index, pattern in enumerate(target.manifests):
        message, hint = patterns.unusable_reason(pattern), ""
        if message is None and index in misplaced:
            message = "nothing is listed before this exclusion that it could take away"
            hint = "put it after the patterns that list the files"
        if message is not None:
            pointer = f"/targets/{target.name}/manifests/{index}"
            yield Problem(source=source, pointer=pointer, message=message, hint=hint)


def _provider_problems(target: Target, project: Project, source: Source) -> Iterator[Problem]:
    try:
        entry = catalog.entry(target.provider, project.root)
    except KeyError:
        from reconciler.validation.suggestions import suggest  # noqa: PLC0415 - of problems only

        yield Problem(
            source=source,
            pointer=f"/targets/{target.name}/provider",
            message=f"unknown provider `{target.provider}`",
            hint=suggest(target.provider, catalog.names()),
        )
    except InputError as error:
        yield from error.problems
    else:
        yield from logins.login_problems(source, project, target, entry.token)
        if target.is_issuer and entry.provider(target).registration is None:
            yield Problem(
                source=source,
                pointer=f"/targets/{target.name}/issuer",
                message=f"{target.provider} does not say what an issuer names: `issuer` is for registration (RFC 7591)",
                hint="state `baseUrl` in its place",
                at_key=True,
            )
        if target.conflict_check == "test":
            yield from rules.conflict_check_problems(source, target, entry.provider(target))
