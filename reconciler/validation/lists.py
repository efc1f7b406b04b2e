"""Turns a value that stands where a list belongs into the list that was meant, as YAML to paste."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from reconciler.core.scalars import spell_item
from reconciler.core.values import object_member
from reconciler.provider.patterns import matches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.model import Json, JsonObject


def list_hint(value: str | float, schema: JsonObject, written: str | None) -> str:
    """The hint that writes `value`, `written` in these characters, as the list that `schema` wants.

    A text of several scopes is split at its blanks, as OAuth joins them (RFC 6749, section 3.3);
    at commas only where an item of the list could not hold one. "" where no item can be made of it.
    """
    item = _item_schema(schema)
    if isinstance(value, str):
        pieces = _pieces(value, schema, item)
    else:
        pieces = [json.dumps(value) if written is None else written]
    spelled = [_spell(piece, value, schema, item) for piece in pieces]
    return f"write a list: [{', '.join(spelled)}]" if all(spelled) else ""


def _item_schema(schema: JsonObject) -> JsonObject:
    """What the schema says of an item's literal value, references aside; {} where it says nothing."""
    items = object_member(schema, "items")
    branches = None if "type" in items else items.get("anyOf")
    return cast("JsonObject", branches[0]) if isinstance(branches, list) else items


def _pieces(text: str, schema: JsonObject, item: JsonObject) -> list[str]:
    if "x-uri" in schema:
        from reconciler.validation.uris.check import split_addresses  # noqa: PLC0415 - of few fields

        return split_addresses(text)
    pieces = [piece.strip(",") for piece in text.split()]
    return [part for piece in pieces for part in _at_commas(piece, item) if part]


def _at_commas(piece: str, item: JsonObject) -> list[str]:
    parts = piece.split(",")
    return (
        parts if not _takes(item, piece) and all(_takes(item, part) for part in parts) else [piece]
    )


def _takes(item: JsonObject, text: str) -> bool:
    """Whether an item may be `text`, as far as its choices and its pattern say."""
    choices, pattern = item.get("enum"), item.get("pattern")
    if isinstance(choices, list) and text not in choices:
        return False
    return not isinstance(pattern, str) or matches(pattern, text)


def _spell(piece: str, value: Json, schema: JsonObject, item: JsonObject) -> str:
    if item.get("type") == "object":
        names = cast("Sequence[str]", object_member(schema, "x-reconciler").get("compareBy", ()))
        # The last is the name that people know it by.
        return f"{{{names[-1]}: {spell_item(piece)}}}" if names else ""
    is_text = isinstance(value, str) if "type" not in item else item["type"] == "string"
    return spell_item(piece) if is_text else piece
