"""Finds the secrets in what a server answers: by the fields that the client schema calls secret."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.core.model import JsonObject, Secret

if TYPE_CHECKING:
    from reconciler.provider.model import Provider


@lru_cache(maxsize=64)
def secret_names(provider: Provider) -> tuple[str, ...]:
    """The names that secret fields have in answers and in requests, each once."""
    secret = [field for field in provider.fields.values() if field.secret]
    return tuple(dict.fromkeys(name for field in secret for name in (field.read_as, field.name)))


def seal(provider: Provider, body: JsonObject) -> JsonObject:
    """`body`, an answer without its envelope, with a Secret in place of each secret value."""
    held = [name for name in secret_names(provider) if body.get(name) not in (None, "")]
    if not held:
        return body
    return {**body, **{name: Secret(body[name]) for name in held}}


def issued(provider: Provider, body: JsonObject) -> Secret | None:
    """The secret in a sealed answer, None where the server told none."""
    for name in secret_names(provider):
        value = body.get(name)
        if isinstance(value, Secret):
            return value
    return None
