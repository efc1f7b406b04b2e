"""Where a record has a client: a target and a key, as `metadata.formerly` and `reconciler move` spell them."""

from __future__ import annotations

from typing import TypeAlias

# A target's name, and a key.
Place: TypeAlias = tuple[str, str]


def place_text(target: str, key: str) -> str:
    """A key of a target in one text: `target/key`."""
    return f"{target}/{key}"


def split_place(stated: str) -> Place:
    """The target, "" where none is stated, and the key, "" where all of a target's are meant."""
    # The last slash: no key has one.
    target, _, key = stated.rpartition("/")
    return target, key
