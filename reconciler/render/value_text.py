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
from reconciler.render.terminal import escape_unprintable

if TYPE_CHECKING:
    from reconciler.core.model import Json

# What is shown of one value or one name, in characters.
VALUE_LIMIT: Final = 200
_CONTEXT_BEFORE_DIFFERENCE: Final = 40


def json_ready(value: Json) -> Json:
    """The value as `json` writes it: members sorted, secrets as a fingerprint or `(secret)`."""
    if isinstance(value, Mapping):
        return {str(name): json_ready(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [json_ready(member) for member in value]
    # The fingerprint lets a reader see that a secret changed, and nothing more.
    if isinstance(value, Redacted):
        return {"$secret": value.fingerprint}
    if isinstance(value, Secret):
        return str(value)
    # JSON has neither NaN nor infinity (RFC 8259, section 6), and `json` would write them.
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def one_line(text: str) -> str:
    """A key, an id or a sentence: escaped, on one line, never longer than a value."""
    return clip(escape_unprintable(text))


def clip(text: str, limit: int = VALUE_LIMIT) -> str:
    """The text cut at `limit` characters, with how long it was."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text):,} characters)"


def json_line(value: Json) -> str:
    """A value as JSON on one escaped line, however long."""
    if value is MISSING:
        return "(none)"
    if isinstance(value, Redacted | Secret):
        return escape_unprintable(str(value))
    # Readable letters, and then what a terminal would obey escaped: JSON escapes only a part of it.
    return escape_unprintable(json.dumps(json_ready(value), ensure_ascii=False))


def json_lines(value: Json) -> list[str]:
    """A value as indented JSON, a list of escaped lines."""
    text = json.dumps(json_ready(value), ensure_ascii=False, indent=2)
    # Split first: escaping would turn our own line breaks into text.
    return [escape_unprintable(line) for line in text.split("\n")]


def transition_text(before: Json, after: Json) -> str:
    """The text `before -> after`, both clipped so that what differs stays in sight."""
    old, new = json_line(before), json_line(after)
    if max(len(old), len(new)) > VALUE_LIMIT:
        skipped = max(0, _common_prefix(old, new) - _CONTEXT_BEFORE_DIFFERENCE)
        lead = "…" if skipped else ""
        old, new = lead + old[skipped:], lead + new[skipped:]
    return f"{clip(old)} -> {clip(new)}"


def _common_prefix(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))
