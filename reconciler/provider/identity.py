"""Finds what identifies a client in what a server shows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.pointer import resolve

if TYPE_CHECKING:
    from reconciler.core.model import Json
    from reconciler.provider.model import Provider


def client_id_in(provider: Provider, body: Json) -> str | None:
    """The id that the client logs in with (RFC 6749 section 2.2), where that is not the remote id; else None."""
    pointer = provider.identity.client_id
    return None if pointer is None else _id_at(body, pointer)


def id_in(provider: Provider, body: Json) -> str | None:
    """The remote id in `body`, an integer as its decimal text; None where there is none."""
    return _id_at(body, provider.identity.pointer)


def _id_at(body: Json, pointer: str) -> str | None:
    found = resolve(body, pointer)
    # True is an int in Python, and no number.
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) and found else None
