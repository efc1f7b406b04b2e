"""Turns a provider's folder into its Provider and the validator of its kind of manifest."""

from __future__ import annotations

import os
import posixpath
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.dataclass import dataclass
from reconciler.core.errors import InputError
from reconciler.core.model import Problem, Source
from reconciler.manifests.files import Unreadable, read_bytes
from reconciler.manifests.yaml.reader import read
from reconciler.project_folder import why_not_begin, why_not_follow
from reconciler.validation.validator import Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from reconciler.core.decode import Accepted
    from reconciler.core.project import Target
    from reconciler.provider.model import Provider

    Bodies: TypeAlias = tuple[Accepted, Accepted, Accepted]

_PACKAGE: Final = posixpath.dirname(posixpath.dirname(__file__))
_BODIES: Final = ("client", "create", "update")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A provider as its folder describes it, before a target lays its own over it."""

    validator: Validator
    descriptor: Accepted
    read_bodies: Callable[[], Bodies]

    @property
    def bodies(self) -> Bodies:
        """The client schema, and those of the bodies that create and update a client."""
        return self.read_bodies()

    @property
    def kind(self) -> str:
        """The kind of its clients."""
        return str(self.descriptor["clientKind"])

    @property
    def token(self) -> Accepted:
        """What its descriptor says of how to log in."""
        stated: Accepted = self.descriptor["token"]
        return stated

    def is_secret(self, path: Sequence[str]) -> bool:
        """Whether the value at `path` of a spec, or what holds it, must not be shown."""
        from reconciler.provider.schema_views import is_secret_path  # noqa: PLC0415 - of problems only

        return is_secret_path(self.bodies[0], path)

    def uri_problems(self, document: Any, source: Source) -> list[Problem]:
        """What is to be said of the addresses in a document, which may be invalid otherwise."""
        from reconciler.validation.uris.fields import uri_problems  # noqa: PLC0415 - most are plain

        spec = document.get("spec") if isinstance(document, dict) else None
        return uri_problems(spec, self.bodies[0], source)

    def provider(self, target: Target) -> Provider:
        """The provider as this target has it."""
        from reconciler.provider.descriptor import parse_provider  # noqa: PLC0415 - plan needs it

        overlay: dict[str, Any] = {"endpoints": target.endpoints}
        if target.collection is not None:
            overlay["collection"] = target.collection
        return parse_provider(self.descriptor, *self.bodies, overlay=overlay)


# By `os`, where `pathlib` would read better: validate would load that for nothing else, 1 ms.
def schemas_folder() -> str:
    """The folder of the schemas: inside the installed package, or beside it in the source."""
    bundled = f"{_PACKAGE}/schemas"
    return bundled if os.path.isdir(bundled) else f"{posixpath.dirname(_PACKAGE)}/schemas"  # noqa: PTH112


def names() -> list[str]:
    """The names of the providers that come with the tool."""
    folder = schemas_folder()
    return sorted(
        name
        for name in os.listdir(folder)  # noqa: PTH208
        if os.path.isfile(f"{folder}/{name}/provider.yaml")  # noqa: PTH113
    )


def default_name() -> str:
    """The name of the provider that `init` takes where none is named: the one whose example says so."""
    return next(filter(_is_default, names()), names()[0])


def _is_default(name: str) -> bool:
    # The descriptor alone: the help of `init` needs this, and validates nothing.
    example = _shipped_descriptor(f"{schemas_folder()}/{name}").get("example", {})
    return example.get("default") is True


def entry(provider: str, root: str) -> Entry:
    """The provider of this name, or with a slash that of a folder relative to `root`.

    Raises KeyError for a name that is not known, and InputError for a folder of the user's that
    does not describe a provider.
    """
    if "/" in provider:
        folder = posixpath.normpath(posixpath.join(root, provider))
        _refuse_links(folder, provider, root)
        return _entry(folder)
    if provider not in names():
        raise KeyError(provider)
    return _shipped_entry(f"{schemas_folder()}/{provider}")


def _refuse_links(folder: str, stated: str, root: str) -> None:
    """Raise InputError where a link would have something read that belongs to no provider of the project."""
    why = {folder: why_not_follow(stated, root)}
    for name in ("provider.yaml", *(f"{body}.schema.json" for body in _BODIES)):
        why[f"{folder}/{name}"] = why_not_begin(f"{folder}/{name}", root)
    for path, reason in why.items():
        if reason:
            raise _unusable(path, f"this {reason}: it is not read")


@cache
def validator(name: str) -> Validator:
    """The validator of one of the tool's own file formats, such as `project`."""
    return Validator(_bytes(f"{schemas_folder()}/{name}.schema.json").decode())


def schema_problems(name: str, document: Any, source: Source, text: bytes) -> list[Problem]:
    """What is wrong with a document of one of the tool's own file formats, whose file holds `text`."""
    judge = validator(name)
    if judge.accepts(document):
        return []
    from reconciler.manifests.yaml.positions import written_scalars  # noqa: PLC0415 - of problems only

    return judge.problems(document, source, written_scalars(text))


@cache
def _shipped_entry(folder: str) -> Entry:
    """A provider that comes with the tool, taken as it is."""
    # Tests hold its descriptor to the schema, and its manifest schema to what `derive` makes of the
    # client schema: to prove both again in every run takes longer than to read a small project.
    return Entry(
        validator=Validator(_bytes(f"{folder}/manifest.schema.json").decode()),
        descriptor=_shipped_descriptor(folder),
        read_bodies=partial(_shipped_bodies, folder),
    )


@cache
def _shipped_bodies(folder: str) -> Bodies:
    return _bodies(folder)


def _shipped_descriptor(folder: str) -> Accepted:
    path = f"{folder}/provider.yaml"
    return _object(read(_bytes(path), path).documents[0])


@cache
def _entry(folder: str) -> Entry:
    """A provider that the user describes: its files are proven before they are used."""
    from reconciler.provider.descriptor import parse_provider  # noqa: PLC0415 - as in `provider`
    from reconciler.provider.manifest_schema import derive  # noqa: PLC0415 - as above

    descriptor, stated = _descriptor(f"{folder}/provider.yaml"), _bodies(folder)
    bodies = _without_refs(folder, stated)
    try:
        provider = parse_provider(descriptor, *bodies)
        kind = provider.kind
        manifest_validator = Validator(derive(bodies[0], kind))
        manifest_validator.accepts({})  # compiles it, and so says whether it is a schema at all
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unusable(f"{folder}/client.schema.json", f"no client schema: {error!r}") from None
    _refuse_unsupported(folder, provider, stated)
    return Entry(validator=manifest_validator, descriptor=descriptor, read_bodies=lambda: bodies)


def _without_refs(folder: str, stated: Bodies) -> Bodies:
    from reconciler.provider.schema_limits import Unusable, check, check_work  # noqa: PLC0415 - as in `_entry`
    from reconciler.provider.schema_refs import without_refs  # noqa: PLC0415 - as above

    found: list[Accepted] = []
    for name, body in zip(_BODIES, stated, strict=True):
        try:
            check(body)
            whole = _object(without_refs(body))
            check_work(whole)
            Validator(whole).accepts({})  # compiles it, and so says whether it is a schema at all
            found.append(whole)
        except Unusable as error:
            place = f" ({error.pointer})" if error.pointer else ""
            path = f"{folder}/{name}.schema.json"
            raise _unusable(path, f"{error}{place}", error.pointer) from None
        except ValueError as error:
            path = f"{folder}/{name}.schema.json"
            raise _unusable(path, f"this is not a JSON Schema: {error!r}") from None
    client, create, update = found
    return client, create, update


def _refuse_unsupported(folder: str, provider: Provider, stated: Bodies) -> None:
    """Raise all that is asked for and not done: manifests are not judged by such a folder."""
    from reconciler.validation.vocabulary.descriptor import descriptor_faults  # noqa: PLC0415 - as in `_entry`
    from reconciler.validation.vocabulary.fields import field_faults  # noqa: PLC0415 - as above
    from reconciler.validation.vocabulary.words import body_words, client_words  # noqa: PLC0415 - as above

    client, create, update = stated
    by_file = {
        "client.schema.json": [*client_words(client), *field_faults(provider, client)],
        "create.schema.json": [*body_words(create)],
        "update.schema.json": [*body_words(update)],
        "provider.yaml": [*descriptor_faults(provider)],
    }
    problems = [
        _whole(f"{folder}/{name}", message, pointer)
        for name, faults in by_file.items()
        for pointer, message in dict.fromkeys(faults)
    ]
    if problems:
        from reconciler.manifests.yaml.positions import locate  # noqa: PLC0415 - of problems only

        raise InputError(locate(problems, _bytes, lambda _: False))


def _bodies(folder: str) -> Bodies:
    client, create, update = (_schema(f"{folder}/{body}.schema.json") for body in _BODIES)
    return client, create, update


def _descriptor(path: str) -> Accepted:
    text = _bytes(path)
    reading = read(text, path)
    problems = [problem for problem in reading.problems if problem.severity == "error"]
    if len(reading.documents) == 1:
        found = schema_problems("provider", reading.documents[0], Source(path=path), text)
        problems.extend(found)
    elif not problems:
        problems.append(_whole(path, "a descriptor is one document"))
    if problems:
        from reconciler.manifests.yaml.positions import locate  # noqa: PLC0415 - of problems only

        raise InputError(locate(problems, lambda _: text, lambda _: False))
    return _object(reading.documents[0])


def _schema(path: str) -> Accepted:
    import json  # noqa: PLC0415 - 1.5 ms: validate leaves its schemas to the fast validator

    text = _bytes(path)
    try:
        return _object(json.loads(text))
    except (TypeError, ValueError, RecursionError) as error:
        from reconciler.validation.merges import unmerged_lines  # noqa: PLC0415 - most are JSON

        if lines := unmerged_lines(text):
            raise _unusable(path, f"a merge is unfinished at line {lines[0]}") from None
        raise _unusable(path, f"this is not a JSON Schema: {error}") from None


def _object(document: Any) -> Accepted:
    if not isinstance(document, dict):
        raise TypeError("an object is wanted")
    return document


def _bytes(path: str) -> bytes:
    try:
        return read_bytes(path)
    except Unreadable as error:
        raise _unusable(path, str(error)) from None


def _whole(path: str, message: str, pointer: str = "") -> Problem:
    return Problem(source=Source(path=path), pointer=pointer, message=message)


def _unusable(path: str, message: str, pointer: str = "") -> InputError:
    return InputError([_whole(path, message, pointer)])
