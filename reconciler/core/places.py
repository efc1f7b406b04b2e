"""Where a record has a client: a target and a key, as `metadata.formerly` and `reconciler move` spell them."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

# A target's name, and a key.
Place: TypeAlias = tuple[str, str]
# What the schemas say of the name of either.
_NAME: Final = "[a-z0-9][a-z0-9._-]{0,62}"
_WHOLE: Final = re.compile(f"{_NAME}/{_NAME}")


def place_text(target: str, key: str) -> str:
    """A key of a target in one text: `target/key`."""
    return f"{target}/{key}"


def split_place(stated: str) -> Place:
    """The target, "" where none is stated, and the key, "" where all of a target's are meant."""
    # The last slash: no key has one.
    target, _, key = stated.rpartition("/")
    return target, key


def is_place(stated: str) -> bool:
    """Whether a text names a key of a target, and nothing that could be a path to elsewhere."""
    return _WHOLE.fullmatch(stated) is not None
