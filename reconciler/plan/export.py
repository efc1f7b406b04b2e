"""Turns a live client into the manifest document that describes it as it is."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.file_names import is_portable
from reconciler.core.model import MISSING, Json, JsonObject, Missing, Secret, Source
from reconciler.core.pointer import escape, unescape
from reconciler.core.values import object_member, same
from reconciler.plan.diff import compare
from reconciler.plan.fields.parts import secret_parts
from reconciler.plan.normalize import canonical, sorted_members
from reconciler.provider import references
from reconciler.provider.schema_views import (
    compare_by,
    is_stated,
    item_views,
    member_views,
    says,
    says_secret,
    views,
)
from reconciler.validation.uris.fields import uri_problems

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.core.model import LiveClient
    from reconciler.provider.model import Field, Provider
    from reconciler.provider.schema_views import Views
    from reconciler.validation.validator import Validator

_LONGEST_KEY: Final = 63
_INTEGERS: Final = range(-(2**63), 2**64)  # those that a file can hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A field of a live client that its manifest does not state, or states otherwise, and why."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The manifest of a live client: a valid document that a plan finds no difference from."""

    document: Mapping[str, Json]
    notes: tuple[Note, ...] = ()

    @property
    def spec(self) -> JsonObject:
        """What the document says of the client."""
        return object_member(self.document, "spec")


def export(
    provider: Provider,
    client: LiveClient,
    validator: Validator,
    *,
    key: str,
    target: str,
    full: bool = False,
) -> Exported:
    """The manifest of `client`, as the server shows it, in the order of the client schema.

    Secrets, and what a request cannot set or an answer does not show, are left out; so are the
    documented defaults, unless `full`. What `validator`, that of the provider's manifests, refuses
    is left out with a note. `metadata.id` is stated only where the manifest would not be valid
    without it, since a field that a new client needs cannot be stated. ValueError for a `key` or
    a `target` that no manifest can have.
    """
    values = dict(_writable_values(provider, client.body, full=full))
    spec = {name: value for name, value in values.items() if not _why_unfit(provider, name, value)}
    notes = [
        Note(field=name, reason=_why_unfit(provider, name, values[name]))
        for name in values.keys() - spec.keys()
    ]
    notes += _note_nulls(provider, client.body)
    bound = {"name": key, "target": target, "id": client.remote_id}
    # First: what a schema says of an address is less than what is wrong with it.
    notes += _address_notes(provider, spec)
    notes += _take_out_refused(validator, _document(provider, bound, spec), spec)
    # Last, by the comparison of a plan: so a plan right after an import is empty by construction.
    notes += _take_out_differing(provider, spec, client.body)
    notes += _secret_notes(spec, client.body)
    # A manifest that holds an id cannot be replaced, so the id stays only where it must (0009).
    without_id = _document(provider, {"name": key, "target": target}, spec)
    problems = validator.problems(without_id)
    notes += [Note(field="metadata.id", reason=problem.message) for problem in problems]
    return Exported(
        document=_document(provider, bound, spec) if problems else without_id,
        notes=tuple(sorted(notes, key=lambda note: (note.field, note.reason))),
    )


def _document(provider: Provider, metadata: JsonObject, spec: JsonObject) -> dict[str, Json]:
    return {
        "apiVersion": "reconciler/v1",
        "kind": provider.kind,
        "metadata": metadata,
        "spec": spec,
    }


def _writable_values(
    provider: Provider, body: JsonObject, *, full: bool
) -> Iterator[tuple[str, Json]]:
    """What an answer says of the fields that can be written, as a manifest would say it."""
    required = _required(provider)
    for field in provider.fields.values():
        if field.read_only or field.secret or field.write_only or field.volatile:
            continue
        live = body.get(field.name, MISSING)
        # Servers show null for what is not set, also where no request may state null.
        if live is MISSING or (live is None and not _takes_null(field.schema)):
            continue
        if full or field.name in required or not _is_default(field, live):
            stated = _as_stated(views(field.schema), live)
            # Of an object that is all secrets nothing is left to state.
            if stated != {} or live == {}:
                yield field.name, stated


def _note_nulls(provider: Provider, body: JsonObject) -> Iterator[Note]:
    """A note for each field that a new client needs, and for which the server shows null."""
    for name in _required(provider):
        field = provider.fields[name]
        if body.get(field.name, MISSING) is None and not _takes_null(field.schema):
            yield Note(field=name, reason="the server shows null, which a manifest cannot state")


def _required(provider: Provider) -> Sequence[str]:
    needed = provider.client_schema.get("required")
    return needed if isinstance(needed, list) else ()


def _takes_null(schema: JsonObject) -> bool:
    types = schema.get("type", "null")
    return types == "null" or (isinstance(types, list | tuple) and "null" in types)


def _is_default(field: Field, live: Json) -> bool:
    """Whether a client that states nothing of `field` has this value too."""
    default = None if isinstance(field.default, Missing) else field.default
    return same(canonical(field, live), canonical(field, default))


def _as_stated(of: Views, value: Json) -> Json:
    """`value` without the members that cannot be written, are secret, are not known, or are not set."""
    if isinstance(value, list):
        by = compare_by(of)
        named = [_named(by, member, value) for member in value]
        items = [_as_stated(item_views(of, index), item) for index, item in enumerate(named)]
        return sorted_members(items) if is_stated(of, "set") else items
    if not isinstance(value, dict):
        return value
    return {
        name: _as_stated(inner, member)
        for name, member in value.items()
        if _belongs(of, inner := member_views(of, name), member)
    }


def _belongs(of: Views, inner: Views, member: Json) -> bool:
    """Whether a manifest states a live `member`, of which `inner` speaks, of an object that `of` speaks of."""
    closed = any(view.get("additionalProperties") is False for view in of)
    return not (
        says(inner, "readOnly")
        or says(inner, "writeOnly")
        or is_stated(inner, "volatile")
        or says_secret(inner)
        or isinstance(member, Secret)
        or (closed and not inner)
        or (member is None and not all(map(_takes_null, inner)))
    )


def _secret_notes(spec: JsonObject, body: JsonObject) -> Iterator[Note]:
    """A note for each secret inside a field that the manifest states without it."""
    for name in spec:
        for pointer, _ in secret_parts(body.get(name)):
            reason = "a secret does not belong into git: state a reference, or it is not managed"
            yield Note(field=f"{name}{pointer}", reason=reason)


def _named(by: Sequence[str], member: Json, among: Sequence[Json]) -> Json:
    """A member of a list by the name that people know it by, where no other member has the same.

    The schema lists the surest identifier first and the one for people last.
    """
    if not isinstance(member, dict):
        return member
    for name in reversed(by):
        value = member.get(name)
        alike = [one for one in among if isinstance(one, dict) and one.get(name) == value]
        if value and len(alike) == 1:
            return {key: one for key, one in member.items() if key == name or key not in by}
    return member


def _why_unfit(provider: Provider, name: str, value: Json) -> str:
    """Why a manifest cannot hold `value`, whatever its schema says; "" if it can."""
    if not _can_be_read(value):
        return "the server shows a number that no file can hold"
    if references.find({name: value}, provider):
        # A server could have another secret of this machine sent to it that way.
        return "the server shows what would be a reference to a secret"
    return ""


def _can_be_read(value: Json) -> bool:
    if isinstance(value, dict):
        return all(map(_can_be_read, value.values()))
    if isinstance(value, list):
        return all(map(_can_be_read, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or value in _INTEGERS


def _take_out_refused(
    validator: Validator, document: JsonObject, spec: dict[str, Json]
) -> Iterator[Note]:
    """Take out of `spec`, which `document` holds, what the schema refuses; a note for each."""
    # The document holds this very `spec`, so that each turn sees what is left of it. Given a copy,
    # the loop would never end.
    while problems := validator.problems(document):
        found: dict[str, str] = {}
        for problem in problems:
            within = problem.pointer.partition("/spec")[2]
            if within and (place := _take_out(spec, within)):
                found.setdefault(place, problem.message)
        if not found:
            raise ValueError(problems[0].message)
        for place, message in found.items():
            yield Note(
                field=place, reason=f"a manifest may not state the server's value: {message}"
            )


def _take_out(spec: dict[str, Json], pointer: str) -> str:
    """Take the least that holds what is at `pointer` out of `spec`; where it stood, "" where nothing was.

    That is a member of an object: of a list nothing is left out, since it would be another list.
    """
    first, _, rest = pointer.removeprefix("/").partition("/")
    name = unescape(first)
    if name not in spec:
        return ""
    inner = spec[name]
    if rest and isinstance(inner, dict) and (place := _take_out(inner, rest)):
        return f"{name}/{place}"
    del spec[name]
    return name


def _address_notes(provider: Provider, spec: dict[str, Json]) -> Iterator[Note]:
    """A note for each address that no manifest may state, whose field leaves `spec`, or that is doubtful."""
    for problem in uri_problems(spec, provider.client_schema, Source(path="")):
        name = _field_of(problem.pointer)
        if problem.severity == "error":
            spec.pop(name, None)
        says = "may not state" if problem.severity == "error" else "states"
        advice = f"; {problem.hint}" if problem.hint else ""
        place = problem.pointer.removeprefix("/spec/")
        reason = f"a manifest {says} the server's value: {problem.message}{advice}"
        yield Note(field=place, reason=reason)


def _field_of(pointer: str) -> str:
    _, _, within = pointer.partition("/spec/")
    return unescape(within.partition("/")[0])


def _take_out_differing(
    provider: Provider, spec: dict[str, Json], body: JsonObject
) -> Iterator[Note]:
    """Take out of `spec` what a plan would find to differ all the same; a note for each."""
    # No key: secret fields are not in `spec`, so that no fingerprint is made.
    while changes := compare(provider, spec, body, key=b""):
        for change in changes:
            for pointer in [inner.pointer for inner in change.nested] or [""]:
                if place := _take_out(spec, f"/{escape(change.field)}{pointer}"):
                    reason = "a manifest cannot state the whole of the server's value"
                    yield Note(field=place, reason=reason)


def keys(
    provider: Provider, clients: Iterable[LiveClient], taken: Collection[str]
) -> dict[str, str]:
    """A key for each of `clients`, by remote id: its name in small letters, or else its id.

    None is in `taken`, none is given twice, none is what Windows cannot have as a file's name, and
    none depends on the order of `clients`.
    """
    match = provider.identity.match or "name"
    names = {client.remote_id: slug(str(client.body.get(match) or "")) for client in clients}
    # None of several clients of a name gets it: which one did would hang on the server's order.
    shared = Counter(names.values())
    given: dict[str, str] = {}
    used = {*taken}
    for remote_id in sorted(names):
        name = names[remote_id]
        if shared[name] == 1 and name not in taken and is_portable(name):
            given[remote_id] = name
            used.add(name)
    for remote_id in sorted(names.keys() - given.keys()):
        spelled = slug(remote_id)
        given[remote_id] = _free_key(spelled if is_portable(spelled) else f"client-{spelled}", used)
        used.add(given[remote_id])
    return given


def _free_key(name: str, used: Collection[str]) -> str:
    name = name[:_LONGEST_KEY].rstrip("-._")
    number, key = 1, name
    while key in used:
        number += 1
        key = f"{name[: _LONGEST_KEY - 6]}-{number}"  # room for a dash and five digits
    return key


def slug(text: str) -> str:
    """`text` as a key may be: small letters, digits, `.`, `_` and `-`; "" where nothing is left."""
    # Decomposed, a letter loses its accent and not itself.
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    # Stripped twice: the cut may leave one of these at the end, where no key may have it.
    return re.sub(r"[^a-z0-9._]+", "-", plain).strip("-._")[:_LONGEST_KEY].rstrip("-._")
