"""Finds the secrets in what is stated and answered: by what the client schema calls secret, at any depth."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

from reconciler.core.model import MISSING, Json, JsonObject, Secret
from reconciler.core.pointer import escape, resolve, unescape
from reconciler.core.secrets import reveal, secret_texts
from reconciler.core.values import object_member
from reconciler.provider.masks import is_mask
from reconciler.provider.model import Believed, ChosenSecret
from reconciler.provider.repeats import seal_repeats
from reconciler.provider.schema_views import (
    holds_secrets,
    item_views,
    masks_of,
    member_views,
    read_as,
    says,
    says_secret,
    views,
)
from reconciler.provider.spelling import first_name, respelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.provider.model import Field, Provider
    from reconciler.provider.schema_views import Views


# An answer that is nested deeper does not hide a secret for us.
_DEEPEST: Final = 5
# Servers have members that no schema of ours describes, and repeat in errors what they were sent.
_SECRET_NAME: Final = re.compile(
    r"secret|token|password|passwd|authorization|credential|private|api_?key", re.IGNORECASE
)


# What speaks of a field whose secrecy is a fact of its own.
_SECRET: Final[JsonObject] = {"x-reconciler": {"secret": True}}
# What RFC 7591 and vendors call it.
_CLIENT_SECRET: Final = re.compile(r"(client_?)?secret", re.IGNORECASE)


def sounds_secret(name: str) -> bool:
    """Whether a member that no schema describes is taken for a secret, by its name."""
    return _SECRET_NAME.search(name) is not None


# Asked for every answer, and the same for all of a provider.
@lru_cache(maxsize=64)
def _known_views(provider: Provider) -> Mapping[str, Views]:
    """What speaks of each member of a client, by the names that it has in answers and in requests."""
    known: dict[str, Views] = {}
    for field in provider.fields.values():
        own = (_SECRET, *views(field.schema)) if field.secret else views(field.schema)
        # By its own name first: what holds a part of another field may be a field as well.
        known[field.name] = (*own, *known.get(field.name, ()))
        if field.read_as != f"/{escape(field.name)}":
            first, *rest = map(unescape, field.read_as.split("/")[1:])
            known[first] = (*known.get(first, ()), *_held_at(rest, own))
    return known


def _held_at(path: Sequence[str], of: Views) -> Views:
    """What speaks of an object that holds at `path` a value of which `of` speaks."""
    if not path:
        return of
    return tuple({"properties": {path[0]: view}} for view in _held_at(path[1:], of))


@lru_cache(maxsize=64)
def _secret_fields(provider: Provider) -> frozenset[str]:
    """The names, in answers and in requests, of the fields that are secret or hold a secret."""
    return frozenset(
        name
        for field in provider.fields.values()
        if field.secret or holds_secrets(field.schema)
        for name in (field.name, first_name(field.read_as))
    )


@lru_cache(maxsize=64)
def secret_members(provider: Provider) -> frozenset[str]:
    """The names of all members that the client schema calls secret, at any depth."""
    fields = provider.fields.values()
    secret = [field for field in fields if field.secret]
    tops = {field.name for field in secret} | {_last_name(field.read_as) for field in secret}
    return frozenset(tops).union(*(_named_secrets(field.schema) for field in fields))


def _last_name(pointer: str) -> str:
    return unescape(pointer.rpartition("/")[2])


def _named_secrets(schema: Json) -> Iterator[str]:
    if isinstance(schema, list):
        for part in schema:
            yield from _named_secrets(part)
    if isinstance(schema, dict):
        members = schema.get("properties")
        for name, member in members.items() if isinstance(members, dict) else ():
            if says_secret(of := views(member)):
                yield from (name, _last_name(read_as(of, name)))
        for part in schema.values():
            yield from _named_secrets(part)


def seal(
    provider: Provider,
    body: JsonObject,
    secrets: Iterable[str] = (),
    *,
    is_new: bool = False,
) -> JsonObject:
    """`body`, an answer without its envelope, as manifests spell it, a Secret in place of each secret value.

    Secret is what the client schema calls so and, of what it does not describe, what is named so. So
    is a text that repeats one of the client's own secrets, or of `secrets`. `is_new` says that a
    create was answered so: where other answers have a hash or an old value at the client's own
    secret, that is a mask.
    """
    sealed = _sealed_fields(provider, body)
    if not _is_believed(provider, is_new=is_new):
        sealed = _disbelieved(sealed, client_secret(provider))
    own = (secret_in(provider, sealed), *(secret for _, secret in other_secrets(provider, sealed)))
    return seal_repeats(provider, sealed, (*secrets, *secret_texts([one for one in own if one])))


def _is_believed(provider: Provider, *, is_new: bool) -> bool:
    wanted = provider.believed
    return wanted is Believed.ALWAYS or (is_new and wanted is Believed.CREATE)


def _disbelieved(sealed: JsonObject, pointer: str) -> JsonObject:
    """`sealed` with the Secret at `pointer`, if there is one, as a mask."""
    name, rest = first_name(pointer or "/"), pointer[1:].partition("/")[2]
    held = sealed.get(name)
    if rest and isinstance(held, dict):
        return {**sealed, name: _disbelieved(held, f"/{rest}")}
    if not isinstance(held, Secret):
        return sealed
    return {**sealed, name: Secret(held.value, masked=True)}


def _sealed_fields(provider: Provider, body: JsonObject) -> JsonObject:
    """`body`, as manifests spell it, with a Secret in place of the value of each secret field."""
    known, body = _known_views(provider), respelled(provider, body)
    sealed = {
        name: seal_value(known[name], value) if name in known else seal_unknown(name, value)
        for name, value in body.items()
        if _may_hold_secret(provider, known, name, value)
    }
    changed = {name: value for name, value in sealed.items() if value != body[name]}
    return {**body, **changed} if changed else body


def _may_hold_secret(
    provider: Provider, known: Mapping[str, Views], name: str, value: Json
) -> bool:
    # Most fields are texts, numbers and lists of texts, and to look into none of them is quick.
    return name not in known or name in _secret_fields(provider) or _has_members(value)


def _has_members(value: Json) -> bool:
    if isinstance(value, list):
        return any(isinstance(member, dict | list) for member in value)
    return isinstance(value, dict)


def seal_stated(provider: Provider, spec: JsonObject) -> JsonObject:
    """`spec`, resolved, with a Secret in place of each value that the client schema calls secret."""
    held = _secret_fields(provider) & spec.keys()
    if not held:
        return spec
    known = _known_views(provider)
    return {
        name: _seal_known(known[name], value) if name in held else value
        for name, value in spec.items()
    }


def _seal_known(of: Views, value: Json) -> Json:
    """`value` with its secrets sealed, those aside that only their name gives away."""
    if isinstance(value, Secret) or says_secret(of):
        return _sealed(of, value)
    if isinstance(value, dict):
        return {name: _seal_known(member_views(of, name), member) for name, member in value.items()}
    if isinstance(value, list):
        return [_seal_known(item_views(of, index), item) for index, item in enumerate(value)]
    return value


def seal_value(of: Views, value: Json) -> Json:
    """A value of an answer, of which `of` speaks, with its secrets sealed."""
    if says_secret(of):
        return _sealed(of, value)
    if isinstance(value, dict):
        return {
            name: seal_value(inner, member)
            if (inner := member_views(of, name))
            else seal_unknown(name, member)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [seal_value(item_views(of, index), item) for index, item in enumerate(value)]
    return value


def seal_unknown(name: str, value: Json) -> Json:
    """A member that no schema describes, sealed where its name says that it is a secret."""
    # A number or a switch is named so too, `token_lifetime`, and is no secret.
    if sounds_secret(name) and isinstance(value, str | dict | list) and value:
        return _sealed((), value)
    return seal_value((), value)


def seal_echo(provider: Provider, name: str, value: Json) -> Json:
    """A member of an error, sealed as the field of that name is: servers repeat what they were sent."""
    return _seal_known(_known_views(provider).get(name, ()), value)


def _sealed(of: Views, value: Json) -> Json:
    # None and "" say that there is no secret, and a plan may show that.
    if value is None or value == "":
        return value
    plain = reveal(value)
    return Secret(plain, masked=is_mask(plain, masks_of(of)))


def secret_in(provider: Provider, body: JsonObject) -> Secret | None:
    """The secret that the client logs in with, in a sealed answer; None where the server told none."""
    pointer = client_secret(provider)
    value = resolve(body, pointer) if pointer else None
    # What the server shows in place of a secret must not be taken for one.
    return value if isinstance(value, Secret) and not value.masked else None


def untold_secret(provider: Provider, body: JsonObject) -> str:
    """What a sealed answer shows in the place of the client's own secret, in words; "" for no such member, or for it."""
    pointer = client_secret(provider)
    value = resolve(body, pointer) if pointer else MISSING
    if isinstance(value, Secret):
        return "a mask" if value.masked else ""
    if value is None:
        return "null"
    return "an empty text" if value == "" else ""


def other_secrets(provider: Provider, body: JsonObject) -> Iterator[tuple[str, Secret]]:
    """The secrets in a sealed answer that the server issued besides the client's own, with their names.

    Such is the registration_access_token of RFC 7591. Only an answer to a create may tell it.
    """
    own = client_secret(provider)
    for field in provider.fields.values():
        pointers = [f"/{escape(field.name)}"] if field.secret and field.read_only else []
        for pointer in (*pointers, *issued_members(field)):
            value = resolve(body, pointer)
            if pointer != own and isinstance(value, Secret) and not value.masked:
                yield pointer.removeprefix("/").replace("/", "."), value


@lru_cache(maxsize=64)
def client_secret(provider: Provider) -> str:
    """The JSON Pointer in a spec to the secret that a client logs in with, "" where none can be told.

    It is the one that provider.yaml names or rotates. Else it is the only secret field, or of
    several the one of that name; and where no field is secret, the same of members of fields.
    """
    if provider.secret or isinstance(provider.rotate, ChosenSecret):
        rotated = provider.rotate.field if isinstance(provider.rotate, ChosenSecret) else ""
        return provider.secret or f"/{escape(rotated)}"
    return _only_one(secret_candidates(provider))


def secret_candidates(provider: Provider) -> list[str]:
    """The JSON Pointers in a spec to what may be the secret that a client logs in with.

    They are the secret fields, and where no field is secret the secret members that a server issues.
    """
    fields = provider.fields.values()
    tops = [f"/{escape(field.name)}" for field in fields if field.secret]
    return tops or [pointer for field in fields for pointer in issued_members(field)]


def _only_one(pointers: list[str]) -> str:
    named = [each for each in pointers if _CLIENT_SECRET.fullmatch(each.rpartition("/")[2])]
    best = pointers if len(pointers) == 1 else named
    return best[0] if len(best) == 1 else ""


def issued_members(field: Field) -> Iterator[str]:
    """The JSON Pointers to the members of a field that are secret and that the server issues."""
    yield from _issued(field.schema, f"/{escape(field.name)}", read_only=field.read_only)


def _issued(schema: Json, pointer: str, *, read_only: bool) -> Iterator[str]:
    of = views(cast("JsonObject", schema))
    read_only = read_only or says(of, "readOnly")
    for view in of:
        for name, member in object_member(view, "properties").items():
            inner, below = views(cast("JsonObject", member)), f"{pointer}/{escape(name)}"
            if says_secret(inner):
                if read_only or says(inner, "readOnly"):
                    yield below
            else:
                yield from _issued(member, below, read_only=read_only)


def stated_secret(provider: Provider, spec: JsonObject) -> str | None:
    """The field of a spec that states the client's own secret, None for none.

    Then its owner has the secret already. Another secret, such as a password for mail, is not it.
    """
    pointer = client_secret(provider)
    return (
        unescape(pointer.split("/")[1])
        if pointer and resolve(spec, pointer) is not MISSING
        else None
    )


def secret_at(answer: Json, pointer: str) -> Secret | None:
    """The new secret at a JSON Pointer into an answer, as it came; None for none, or for a mask."""
    found = resolve(answer, pointer)
    is_told = isinstance(found, str) and found and not is_mask(found)
    return Secret(found) if is_told else None


def secret_anywhere_in(provider: Provider, answer: Json) -> Secret | None:
    """The new secret in an answer of unknown shape: the first member named like the client's own."""
    return next((Secret(found) for found in _values(answer, _secret_names(provider), 0)), None)


@lru_cache(maxsize=64)
def _secret_names(provider: Provider) -> tuple[str, ...]:
    """What the member with the client's own secret is called, in answers and in requests."""
    pointer = client_secret(provider)
    if not pointer:
        return ()
    of = _known_views(provider).get(first_name(pointer), ())
    shown = provider.fields[first_name(pointer)].read_as if pointer.count("/") == 1 else ""
    for step in map(unescape, pointer.split("/")[2:]):
        of = member_views(of, step)
        shown = read_as(of, step)
    return tuple(dict.fromkeys((_last_name(shown), _last_name(pointer))))


def _values(value: Json, names: tuple[str, ...], depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for member in value:
            yield from _values(member, names, depth + 1)
    if isinstance(value, dict):
        # This level before the next: a deeper member may be another client's.
        named = (value.get(name) for name in names)
        yield from (
            found for found in named if isinstance(found, str) and found and not is_mask(found)
        )
        for member in value.values():
            yield from _values(member, names, depth + 1)
