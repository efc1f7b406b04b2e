"""Words for what is wrong with a value: one finding a broken rule of its schema."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast

from reconciler.core.schema_walk import is_reference
from reconciler.core.secrets import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jsonschema.exceptions import ValidationError

    from reconciler.core.model import Json, JsonObject

_FORMS: Final = "use {env: NAME} or {file: path}"
_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_YAML_1_1: Final = {
    **dict.fromkeys(("yes", "y", "on", "true"), "true"),
    **dict.fromkeys(("no", "n", "off", "false"), "false"),
}
# Longer lists hide the one name that the reader needs.
_MOST_NAMES: Final = 16
_LONGEST_VALUE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong at `path`; with `at_key` the name of the last step is meant.

    Of the findings about one value only those of the lowest `rank` are told. `names` is the field
    that is missing, or the one that a misspelling stands for.
    """

    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    at_key: bool = False
    about: Literal["value", "missing", "key"] = "key"
    rank: int = 0
    names: str = ""


def unknown_member(
    path: tuple[str | int, ...],
    name: str,
    near: str,
    known: Sequence[str],
    elsewhere: Sequence[str],
) -> Finding:
    """A member that its object does not have; `elsewhere` are the pointers of objects that do."""
    if elsewhere:
        hint = "it belongs " + " or ".join(f"under {holder or 'the top'}" for holder in elsewhere)
    elif near:
        hint = f"did you mean `{near}`?"
    else:
        hint = f"known here: {_listed(known)}" if known else ""
    return Finding(
        path=(*path, name),
        message=f"unknown field `{_shortened(name)}`",
        hint=hint,
        at_key=True,
        names="" if elsewhere else near,
    )


def unknown_reference_form(path: tuple[str | int, ...], name: str) -> Finding:
    """A mapping in the place of a reference that is none that we know."""
    message = f"unknown reference form `{_shortened(name)}`"
    return Finding(path=(*path, name), message=message, hint=_FORMS, at_key=True)


def not_writable(path: tuple[str | int, ...], instead: str) -> Finding:
    """A member that only the server writes; `instead` says what else the writer may have meant."""
    name = str(path[-1])
    message = f"`{name}` is set by the server and cannot be written"
    return Finding(path=path, message=message, hint=instead or f"remove `{name}`", at_key=True)


def misplaced_member(path: tuple[str | int, ...], rule: str) -> Finding:
    """A member that its object has, though not beside the others that are there."""
    name = str(path[-1])
    message = rule or f"`{name}` cannot stand here"
    return Finding(path=path, message=message, hint=f"remove `{name}`", at_key=True)


def missing_member(path: tuple[str | int, ...], name: str, description: str, rule: str) -> Finding:
    """A member that its object must have; `rule` says why, where it is not always so."""
    return Finding(
        path=path,
        message=rule or f"`{name}` is missing",
        hint="" if rule else _opening(description),
        about="missing",
        names=name,
    )


def _opening(description: str) -> str:
    """The first two sentences, which say what a field is and why it matters."""
    return ". ".join(description.removesuffix(".").split(". ")[:2])


def wrong_value(
    error: ValidationError, path: tuple[str | int, ...], *, own: str, rule: str
) -> list[Finding]:
    """What is wrong with a value: by the words of its rule, its schema, or its schema's keyword."""
    if "propertyNames" in error.absolute_schema_path:
        name = cast("str", error.instance)
        message = own or f"`{_shortened(name)}` cannot be a name here"
        return [Finding(path=(*path, name), message=message, at_key=True)]
    keyword = str(error.validator)
    if rule:
        return [Finding(path=path, message=rule, about="value", rank=2)]
    if own and keyword != "type":
        return [Finding(path=path, message=own, about="value", rank=1)]
    where, message, hint = _WORDS.get(keyword, _no_fit)(error)
    rank = 0 if keyword == "type" else 1
    return [Finding(path=path + where, message=message, hint=hint, about="value", rank=rank)]


_Said = tuple[tuple[int, ...], str, str]


def _type(error: ValidationError) -> _Said:
    schema, value = cast("JsonObject", error.schema), error.instance
    if is_reference(schema):
        return (), "a reference belongs here, never the value itself", _FORMS
    stated = error.validator_value
    wanted = cast("list[str]", stated if isinstance(stated, list) else [stated])
    if "enum" in schema:
        allowed = f"one of {_listed(cast('list[Json]', schema['enum']))}"
    else:
        allowed = " or ".join(_TYPES[name] for name in wanted)
    return (), f"expected {allowed}, found {_described(value)}", _type_hint(wanted, value, schema)


def _type_hint(wanted: Sequence[str], value: Json, schema: JsonObject) -> str:
    if value is None:
        return "give it a value, or leave it out"
    if isinstance(value, dict):
        reference = set(value) in ({"env"}, {"file"})
        return "a reference cannot stand here: write the value itself" if reference else ""
    if isinstance(value, list):
        return ""
    if "array" in wanted:
        return f"write a list: [{_shown(value)}]"
    return _text_hint(wanted, value) if isinstance(value, str) else _quote_hint(value, schema)


def _text_hint(wanted: Sequence[str], text: str) -> str:
    if "boolean" in wanted and text.lower() in _YAML_1_1:
        return f"write {_YAML_1_1[text.lower()]}"
    numeric = "integer" in wanted or "number" in wanted
    return f"write {text}, without quotes" if numeric and _is_number(text) else ""


def _quote_hint(value: Json, schema: JsonObject) -> str:
    text = schema.get("type") in ("string", ["string", "null"]) and "enum" not in schema
    return f'write it in quotes, such as "{json.dumps(value)}"' if text else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _enum(error: ValidationError) -> _Said:
    allowed = cast("list[Json]", error.validator_value)
    near = nearest(error.instance, [item for item in allowed if isinstance(item, str)])
    message = f"{_described(error.instance)} is not one of {_listed(allowed)}"
    return (), message, f"did you mean `{near}`?" if near else ""


def _const(error: ValidationError) -> _Said:
    found = _described(error.instance)
    return (), f"must be {_shown(error.validator_value)}, found {found}", ""


def _range(error: ValidationError) -> _Said:
    schema = cast("Mapping[str, float]", error.schema)
    bounds = [
        f"{words} {_shown(schema[keyword])}"
        for keyword, words in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "more than"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "less than"),
        )
        if keyword in schema
    ]
    return (), f"{_shown(error.instance)} is out of range: {' and '.join(bounds)}", ""


def _length(error: ValidationError) -> _Said:
    if not error.instance:
        return (), "must not be empty", ""
    limit, size = cast("int", error.validator_value), len(cast("list[Json]", error.instance))
    bound = "at least" if str(error.validator).startswith("min") else "at most"
    noun = "characters" if isinstance(error.instance, str) else "members"
    return (), f"{bound} {limit} {noun} are wanted, it has {size}", ""


def _reference_size(error: ValidationError) -> _Said:
    if is_reference(cast("JsonObject", error.schema)):
        return (), "a reference has exactly one form", _FORMS
    return _length(error)


def _duplicate(error: ValidationError) -> _Said:
    first: dict[str, int] = {}
    for index, item in enumerate(cast("list[Json]", error.instance)):
        before = first.setdefault(canonical_json(item), index)
        if before != index:
            return (index,), f"{_shown(item)} is listed twice", "leave one out"
    return (), "a value is listed twice", "leave one out"


def _pattern(error: ValidationError) -> _Said:
    return (), f"{_described(error.instance)} does not match {error.validator_value}", ""


def _depends(error: ValidationError) -> _Said:
    held = cast("Mapping[str, Json]", error.instance)
    needs = cast("Mapping[str, list[str]]", error.validator_value)
    lacking = {
        f"`{name}` needs `{other}` beside it"
        for name, others in needs.items()
        if name in held
        for other in others
        if other not in held
    }
    return (), "; ".join(sorted(lacking)), ""


def _no_fit(error: ValidationError) -> _Said:
    return (
        (),
        f"the value does not fit its schema: {error.validator or 'nothing can stand here'}",
        "",
    )


_WORDS: Final[Mapping[str, Callable[[ValidationError], _Said]]] = {
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


def nearest(name: object, known: Sequence[str]) -> str:
    """The known name that `name` is most likely a misspelling of, "" where none is near.

    `redirect_uris` and `RedirectURIs` are `redirectUris` for certain; other names by likeness.
    """
    if not isinstance(name, str) or len(name) > _LONGEST_VALUE:
        return ""
    folded = {_folded(candidate): candidate for candidate in reversed(known)}
    likely = difflib.get_close_matches(_folded(name), folded, n=1)
    return folded[likely[0]] if likely else ""


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _listed(values: Sequence[Json]) -> str:
    shown = ", ".join(map(_shown, values[:_MOST_NAMES]))
    return shown if len(values) <= _MOST_NAMES else f"{shown}, ..."


def _described(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return _shown(value)
        case str():
            return f'the text "{_shortened(value)}"'
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return f"the number {_shown(value)}"


def _shown(value: Json) -> str:
    """A value as one would write it in YAML, on one line."""
    return _shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _shortened(text: str) -> str:
    line = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text[: _LONGEST_VALUE + 1]
    )
    return line if len(line) <= _LONGEST_VALUE else f"{line[:_LONGEST_VALUE]}..."
