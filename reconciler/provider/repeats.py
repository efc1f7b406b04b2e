"""Seals what a server repeats of a secret in a field that is none: a description, a name, a member of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.masking.needles import SHORTEST_MASKED
from reconciler.core.model import Json, JsonObject, Secret
from reconciler.provider.spelling import first_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.provider.model import Provider


def seal_repeats(provider: Provider, body: JsonObject, secrets: Iterable[str]) -> JsonObject:
    """`body` with a Secret in place of each text that has one of `secrets` in it, as it is.

    Ids stay: by them a client is found. The time is linear in the length of `body`.
    """
    # One that is shorter stands in words by chance.
    told = {secret for secret in secrets if len(secret) >= SHORTEST_MASKED}
    if not told:
        return body
    ids = _id_fields(provider)
    sealed = {name: value if name in ids else _seal(value, told) for name, value in body.items()}
    changed = {name: value for name, value in sealed.items() if value is not body[name]}
    return {**body, **changed} if changed else body


def _id_fields(provider: Provider) -> frozenset[str]:
    pointers = (provider.identity.pointer, provider.identity.client_id or "")
    # One inside of an object is sealed with it, and then is no id.
    return frozenset(first_name(pointer) for pointer in pointers if pointer.count("/") == 1)


def _seal(value: Json, told: Collection[str]) -> Json:
    """The value with its repeats sealed; the very same where there is none."""
    if isinstance(value, str):
        return Secret(value) if any(secret in value for secret in told) else value
    if isinstance(value, list):
        items = [_seal(item, told) for item in value]
        return items if any(map(_differs, items, value)) else value
    if isinstance(value, dict):
        members = {name: _seal(member, told) for name, member in value.items()}
        return members if any(map(_differs, members.values(), value.values())) else value
    return value


def _differs(one: Json, other: Json) -> bool:
    return one is not other
