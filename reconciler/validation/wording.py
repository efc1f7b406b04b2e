"""Turns a schema keyword that a value breaks into a finding in words."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

from reconciler.core.scalars import quote, resolve
from reconciler.core.values import canonical_json
from reconciler.validation.findings import FORMS, Finding, as_yaml, describe, join_values, shorten
from reconciler.validation.lists import list_hint
from reconciler.validation.schema_walk import is_reference
from reconciler.validation.suggestions import closest_name, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jsonschema.exceptions import ValidationError

    from reconciler.core.model import Json, JsonObject

# Each is compared with what is written; no list that people choose from is as long.
_MOST_CHOICES: Final = 1000
_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
# What YAML 1.1 tools read as booleans: to YAML 1.2, which we read, these are texts.
_YAML_1_1: Final = {
    **dict.fromkeys(("yes", "y", "on", "true"), "true"),
    **dict.fromkeys(("no", "n", "off", "false"), "false"),
}


def wrong_value(
    error: ValidationError, path: tuple[str | int, ...], *, own: str, rule: str, written: str | None
) -> list[Finding]:
    """The findings about a value, in the words of its rule, its schema, or its schema's keyword.

    `written` are the characters of the plain scalar that it is, None where it is none.
    """
    if "propertyNames" in error.absolute_schema_path:
        name = cast("str", error.instance)
        message = own or f"`{shorten(name)}` cannot be a name here"
        return [Finding(path=(*path, name), message=message, at_key=True)]
    keyword = str(error.validator)
    if rule:
        return [Finding(path=path, message=rule, about="value", rank=2)]
    if own and keyword != "type":
        return [Finding(path=path, message=own, about="value", rank=1)]
    where, message, hint = _WORDS.get(keyword, _no_fit)(error, written)
    rank = 0 if keyword == "type" else 1
    return [Finding(path=path + where, message=message, hint=hint, about="value", rank=rank)]


_Wording = tuple[tuple[int, ...], str, str]


def _type(error: ValidationError, written: str | None) -> _Wording:
    schema, value = cast("JsonObject", error.schema), error.instance
    if is_reference(schema):
        return (), "a reference belongs here, never the value itself", FORMS
    stated = error.validator_value
    wanted = cast("list[str]", stated if isinstance(stated, list) else [stated])
    if "enum" in schema:
        allowed = f"one of {join_values(cast('list[Json]', schema['enum']))}"
    else:
        allowed = " or ".join(_TYPES[name] for name in wanted)
    return (
        (),
        f"expected {allowed}, found {describe(value, written)}",
        _type_hint(wanted, value, schema, written),
    )


def _type_hint(wanted: Sequence[str], value: Json, schema: JsonObject, written: str | None) -> str:
    if value is None:
        text = written and "string" in wanted and "enum" not in schema
        instead = f", or write {quote(written or '')} for the text" if text else ""
        return f"give it a value, or leave it out{instead}"
    if isinstance(value, dict):
        reference = set(value) in ({"env"}, {"file"})
        return "a reference cannot stand here: write the value itself" if reference else ""
    if isinstance(value, list):
        return ""
    if "array" in wanted:
        return list_hint(cast("str | float", value), schema, written)
    if isinstance(value, str):
        return _text_hint(wanted, value, schema, plain=written is not None)
    return _quote_hint(value, schema, written)


def _text_hint(wanted: Sequence[str], text: str, schema: JsonObject, *, plain: bool) -> str:
    if "boolean" in wanted and text.lower() in _YAML_1_1:
        return f"write {_YAML_1_1[text.lower()]}"
    number = _as_number(text, wanted, schema)
    # What is plain has no quotes to take away: YAML 1.2 has no underscores in numbers.
    return f"write {number}{'' if plain else ', without quotes'}" if number else ""


def _quote_hint(value: Json, schema: JsonObject, written: str | None) -> str:
    text = schema.get("type") in ("string", ["string", "null"]) and "enum" not in schema
    stated = json.dumps(value) if written is None else written
    return f"write it in quotes, such as {quote(stated)}" if text else ""


def _as_number(text: str, wanted: Sequence[str], schema: JsonObject) -> str:
    """The plain scalar that a text was meant as, "" where it is no number of a wanted type."""
    bare = text.strip().replace("_", "")
    try:
        value = resolve(bare) if re.search("[0-9]", bare) else None
    except ValueError:
        return ""
    if value not in cast("list[Json]", schema.get("enum", [value])):
        return ""
    whole = isinstance(value, int) and {"integer", "number"} & set(wanted)
    return bare if whole or (isinstance(value, float) and "number" in wanted) else ""


def _enum(error: ValidationError, written: str | None) -> _Wording:
    allowed = cast("list[Json]", error.validator_value)
    texts = [item for item in allowed[:_MOST_CHOICES] if isinstance(item, str)]
    near = closest_name(error.instance, texts)
    message = f"{describe(error.instance, written)} is not one of {join_values(allowed)}"
    return (), message, did_you_mean(near)


def _const(error: ValidationError, written: str | None) -> _Wording:
    found = describe(error.instance, written)
    return (), f"must be {as_yaml(error.validator_value)}, found {found}", ""


def _range(error: ValidationError, written: str | None) -> _Wording:
    schema = cast("Mapping[str, float]", error.schema)
    bounds = [
        f"{words} {as_yaml(schema[keyword])}"
        for keyword, words in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "more than"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "less than"),
        )
        if keyword in schema
    ]
    return (), f"{as_yaml(error.instance, written)} is out of range: {' and '.join(bounds)}", ""


def _length(error: ValidationError, _written: str | None) -> _Wording:
    if not error.instance:
        return (), "must not be empty", ""
    limit, size = cast("int", error.validator_value), len(cast("list[Json]", error.instance))
    bound = "at least" if str(error.validator).startswith("min") else "at most"
    noun = "characters" if isinstance(error.instance, str) else "members"
    return (), f"{bound} {limit} {noun} are wanted, it has {size}", ""


def _reference_size(error: ValidationError, _written: str | None) -> _Wording:
    if is_reference(cast("JsonObject", error.schema)):
        return (), "a reference has exactly one form", FORMS
    return _length(error, None)


def _duplicate(error: ValidationError, _written: str | None) -> _Wording:
    # By canonical JSON: to Python 1 equals True, to JSON Schema it does not.
    first: dict[str, int] = {}
    for index, item in enumerate(cast("list[Json]", error.instance)):
        before = first.setdefault(canonical_json(item), index)
        if before != index:
            return (index,), f"{as_yaml(item)} is listed twice", "leave one out"
    return (), "a value is listed twice", "leave one out"


def _pattern(error: ValidationError, _written: str | None) -> _Wording:
    return (), f"{describe(error.instance)} does not match {error.validator_value}", ""


def _depends(error: ValidationError, _written: str | None) -> _Wording:
    present = cast("Mapping[str, Json]", error.instance)
    needs = cast("Mapping[str, list[str]]", error.validator_value)
    missing = {
        f"`{name}` needs `{other}` beside it"
        for name, others in needs.items()
        if name in present
        for other in others
        if other not in present
    }
    return (), "; ".join(sorted(missing)), ""


def _no_fit(error: ValidationError, _written: str | None) -> _Wording:
    return (
        (),
        f"the value does not fit its schema: {error.validator or 'nothing can stand here'}",
        "",
    )


_WORDS: Final[Mapping[str, Callable[[ValidationError, str | None], _Wording]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _range),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _length),
    **dict.fromkeys(("minProperties", "maxProperties"), _reference_size),
    "uniqueItems": _duplicate,
    "pattern": _pattern,
    "dependentRequired": _depends,
}
