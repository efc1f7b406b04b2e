"""Turns a provider's folder into its Provider and the validator of its kind of manifest."""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import InputError
from reconciler.core.model import Problem, Source
from reconciler.manifests.files import Unreadable, read_bytes
from reconciler.manifests.yaml.positions import locate
from reconciler.manifests.yaml.reader import read
from reconciler.provider.descriptor import parse_provider
from reconciler.provider.manifest_schema import derive
from reconciler.validation.validator import Validator

if TYPE_CHECKING:
    from reconciler.core.model import JsonObject
    from reconciler.core.project import Target
    from reconciler.provider.model import Provider

_PACKAGE: Final = Path(__file__).parent.parent
_BODIES: Final = ("client", "create", "update")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A provider as its folder describes it, before a target lays its own over it."""

    kind: str
    token_path: str | None
    secret_fields: frozenset[str]
    validator: Validator
    descriptor: JsonObject
    bodies: tuple[JsonObject, JsonObject, JsonObject]

    def provider(self, target: Target) -> Provider:
        """The provider as this target has it."""
        overlay: dict[str, Any] = {"endpoints": target.endpoints}
        if target.collection is not None:
            overlay["collection"] = target.collection
        return parse_provider(self.descriptor, *self.bodies, overlay=overlay)


def schemas_folder() -> Path:
    """The folder of the schemas: inside the installed package, or beside it in the source."""
    bundled = _PACKAGE / "schemas"
    return bundled if bundled.is_dir() else _PACKAGE.parent / "schemas"


def names() -> list[str]:
    """The names of the providers that come with the tool."""
    return sorted(found.parent.name for found in schemas_folder().glob("*/provider.yaml"))


def default_name() -> str:
    """The name of the provider that `init` takes where none is named: the one whose example says so."""
    found = (name for name in names() if _is_default(schemas_folder() / name / "provider.yaml"))
    return next(found, names()[0])


def _is_default(descriptor: Path) -> bool:
    # Read without its schema: the help of `init` needs this, and validates nothing.
    (document,) = read(descriptor.read_bytes(), descriptor.name).documents
    return _object(_object(document).get("example", {})).get("default") is True


def entry(provider: str, root: str) -> Entry:
    """The provider of this name, or with a slash that of a folder relative to `root`.

    Raises KeyError for a name that is not known, and InputError for a folder of the user's that
    does not describe a provider.
    """
    if "/" in provider:
        return _entry(posixpath.normpath(f"{root}/{provider}"))
    if provider not in names():
        raise KeyError(provider)
    return _entry(str(schemas_folder() / provider))


@cache
def validator(name: str) -> Validator:
    """The validator of one of the tool's own file formats, such as `project`."""
    return Validator(json.loads((schemas_folder() / f"{name}.schema.json").read_bytes()))


@cache
def _entry(folder: str) -> Entry:
    descriptor = _descriptor(f"{folder}/provider.yaml")
    client, create, update = (_schema(f"{folder}/{body}.schema.json") for body in _BODIES)
    try:
        provider = parse_provider(descriptor, client, create, update)
        manifest_validator = Validator(derive(client, provider.kind))
        manifest_validator.accepts({})  # compiles it, and so says whether it is a schema at all
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unusable(f"{folder}/client.schema.json", f"no client schema: {error!r}") from None
    return Entry(
        kind=provider.kind,
        token_path=provider.token.path,
        secret_fields=frozenset(name for name, each in provider.fields.items() if each.secret),
        validator=manifest_validator,
        descriptor=descriptor,
        bodies=(client, create, update),
    )


def _descriptor(path: str) -> JsonObject:
    text = _bytes(path)
    reading = read(text, path)
    problems = [problem for problem in reading.problems if problem.severity == "error"]
    if len(reading.documents) == 1:
        found = validator("provider").problems(reading.documents[0], Source(path=path))
        problems.extend(found)
    elif not problems:
        problems.append(_whole(path, "a descriptor is one document"))
    if problems:
        raise InputError(locate(problems, lambda _: text, lambda _: False))
    return _object(reading.documents[0])


def _schema(path: str) -> JsonObject:
    try:
        return _object(json.loads(_bytes(path)))
    except (TypeError, ValueError, RecursionError) as error:
        raise _unusable(path, f"this is not a JSON Schema: {error}") from None


def _object(document: Any) -> JsonObject:
    if not isinstance(document, dict):
        raise TypeError("an object is wanted")
    return document


def _bytes(path: str) -> bytes:
    try:
        return read_bytes(path)
    except Unreadable as error:
        raise _unusable(path, str(error)) from None


def _whole(path: str, message: str) -> Problem:
    return Problem(source=Source(path=path), pointer="", message=message)


def _unusable(path: str, message: str) -> InputError:
    return InputError([_whole(path, message)])
