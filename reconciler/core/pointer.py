"""Reads and writes JSON Pointers (RFC 6901)."""

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
        value = _member(value, unescape(token))
    return value


def _member(value: Json | Missing, name: str) -> Json | Missing:
    found: Json | Missing = MISSING
    if isinstance(value, dict):
        found = value.get(name, MISSING)
    elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        found = value[int(name)]
    return found


def escape(token: str) -> str:
    """`token` as a reference token of a pointer (RFC 6901 section 3)."""
    # "~" first: the other way round it would escape what stands for "/".
    return token.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """The name that a reference token stands for (RFC 6901 section 4)."""
    # "~1" first, as RFC 6901 says: "~01" is "~1" and not "/".
    return token.replace("~1", "/").replace("~0", "~")
