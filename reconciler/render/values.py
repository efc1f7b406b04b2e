"""Turns values of any origin into JSON-ready values and into one safe line of text.

Names and values come from servers that others write to. Shown raw, one of them could drive the
terminal, break out of a Markdown block or reorder a line for its reader.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reconciler.core.model import MISSING, Redacted, Secret
from reconciler.render.clean import clean

if TYPE_CHECKING:
    from reconciler.core.model import Json

# What is shown of one value or one name, in characters.
VALUE_LIMIT: Final = 200
_KEPT_BEFORE_A_DIFFERENCE: Final = 40


def plain(value: Json) -> Json:
    """Give `value` as `json` writes it: members sorted, secrets as what stands for them."""
    if isinstance(value, Mapping):
        return {str(name): plain(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    if isinstance(value, Redacted):
        return {"$secret": value.fingerprint}
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def name(text: str) -> str:
    """Show a key, an id or a sentence: clean, on one line, never longer than a value."""
    return clip(clean(text))


def clip(text: str, limit: int = VALUE_LIMIT) -> str:
    """Cut `text` at `limit` characters and say how long it was."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text):,} characters)"


def show(value: Json) -> str:
    """Show a value as JSON on one clean line, however long."""
    if value is MISSING:
        return "(none)"
    if isinstance(value, Redacted | Secret):
        return clean(str(value))
    return clean(json.dumps(plain(value), ensure_ascii=False))


def pretty(value: Json) -> list[str]:
    """Show a value as indented JSON, a list of clean lines."""
    text = json.dumps(plain(value), ensure_ascii=False, indent=2)
    return [clean(line) for line in text.split("\n")]


def transition(before: Json, after: Json) -> str:
    """Show `before -> after`, both clipped so that what differs stays in sight."""
    old, new = show(before), show(after)
    if max(len(old), len(new)) > VALUE_LIMIT:
        skipped = max(0, _common_prefix(old, new) - _KEPT_BEFORE_A_DIFFERENCE)
        lead = "…" if skipped else ""
        old, new = lead + old[skipped:], lead + new[skipped:]
    return f"{clip(old)} -> {clip(new)}"


def _common_prefix(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))
