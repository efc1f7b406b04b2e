"""Finds what identifies a client in what a server shows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.pointer import resolve

if TYPE_CHECKING:
    from reconciler.core.model import Json
    from reconciler.provider.model import Provider


def id_in(provider: Provider, body: Json) -> str | None:
    """The remote id in `body`, an integer as its decimal text; None where there is none."""
    found = resolve(body, provider.identity.pointer)
    # True is an int in Python, and no number.
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) and found else None
