"""Finds the secrets in what a server answers: by the fields that the client schema calls secret."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from reconciler.core.model import Json, JsonObject, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.provider.model import Provider


# An answer that is nested deeper does not hide a secret for us.
_DEEPEST: Final = 5


# Asked for every answer, and the same for all of a provider.
@lru_cache(maxsize=64)
def secret_names(provider: Provider) -> tuple[str, ...]:
    """The names that secret fields have in answers and in requests, each once."""
    secret = [field for field in provider.fields.values() if field.secret]
    return tuple(dict.fromkeys(name for field in secret for name in (field.read_as, field.name)))


def seal(provider: Provider, body: JsonObject) -> JsonObject:
    """`body`, an answer without its envelope, with a Secret in place of each secret value."""
    # None and "" say that there is no secret, and a plan may show that.
    sealed = [name for name in secret_names(provider) if body.get(name) not in (None, "")]
    if not sealed:
        return body
    return {**body, **{name: Secret(body[name]) for name in sealed}}


def secret_in(provider: Provider, body: JsonObject) -> Secret | None:
    """The secret in a sealed answer, None where the server told none."""
    for name in secret_names(provider):
        value = body.get(name)
        if isinstance(value, Secret):
            return value
    return None


def stated_secret(provider: Provider, spec: JsonObject) -> str | None:
    """The secret field that a spec states, None for none: then its owner has the secret already."""
    return next((name for name in spec if provider.fields[name].secret), None)


def secret_anywhere_in(provider: Provider, answer: Json) -> Secret | None:
    """The new secret in an answer of unknown shape: the first member named like a secret field."""
    names = secret_names(provider)
    return next((Secret(found) for found in _values(answer, names, 0)), None)


def _values(value: Json, names: tuple[str, ...], depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for member in value:
            yield from _values(member, names, depth + 1)
    if isinstance(value, dict):
        # This level before the next: a deeper member may be another client's.
        named = (value.get(name) for name in names)
        yield from (found for found in named if isinstance(found, str) and found)
        for member in value.values():
            yield from _values(member, names, depth + 1)
