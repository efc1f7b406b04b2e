"""Finds the value that a JSON Pointer (RFC 6901) points to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import MISSING

if TYPE_CHECKING:
    from reconciler.core.model import Json, Missing


def resolve(document: Json, pointer: str) -> Json | Missing:
    """The value in `document` that `pointer` points to, MISSING where there is none.

    `pointer` is one of ours, from a descriptor: "" is the whole document, else it starts with "/".
    """
    value: Json | Missing = document
    for token in pointer.split("/")[1:]:
        value = _member(value, token.replace("~1", "/").replace("~0", "~"))
    return value


def _member(value: Json | Missing, name: str) -> Json | Missing:
    found: Json | Missing = MISSING
    if isinstance(value, dict):
        found = value.get(name, MISSING)
    elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        found = value[int(name)]
    return found
