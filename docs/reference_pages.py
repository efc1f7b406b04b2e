"""Turns a JSON Schema into a page for people: one table of fields for every object in it."""  # noqa: INP001 - beside the script that runs it

from __future__ import annotations

import json
from typing import Any

Schema = dict[str, Any]
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
    "null": "null",
}
_HEAD = ["| field | type | required | default | notes |", "|---|---|---|---|---|"]


def file_page(schema: Schema) -> str:
    """The page of a file format or an output."""
    return _page(schema["title"], schema["description"], _sections(schema))


def client_page(manifest: Schema, client: Schema, descriptor: Schema) -> str:
    """The page of a client kind: its manifest, the rules between fields, and what cannot be written."""
    opening = (
        f"A manifest: one client of {descriptor['title']} as it should be. The fields of `spec` are"
        f" named as in [the vendor's documentation]({descriptor['docs']})."
        f" A field that is left out is not managed. Required fields of `spec` are required unless"
        f" `metadata.id` binds the manifest to an existing client.\n\n"
        f"For editors: `schemas/{descriptor['name']}/manifest.schema.json`."
    )
    created = {**manifest["$defs"]["spec"], "required": client.get("required", [])}
    shown = {**manifest, "$defs": {**manifest["$defs"], "spec": created}}
    rules = [f"- {text}" for text in dict.fromkeys(_messages(client.get("allOf", [])))]
    closing = ["## Rules between fields", "", *rules, ""] if rules else []
    return _page(f"{manifest['title']} manifest", opening, [*_sections(shown), *closing])


def _page(title: str, opening: str, lines: list[str]) -> str:
    return "\n".join([f"# {title}", "", opening, "", *lines]).rstrip("\n") + "\n"


def _messages(node: Any) -> list[str]:
    if isinstance(node, list):
        return [text for item in node for text in _messages(item)]
    if not isinstance(node, dict):
        return []
    own = node.get("x-reconciler", {}).get("message")
    return ([own] if own else []) + [text for item in node.values() for text in _messages(item)]


def _sections(root: Schema) -> list[str]:
    """A table for the root, then one for every object below it, each named by its path, once."""
    lines: list[str] = []
    waiting = [("", root)]
    seen: set[str] = set()
    while waiting:
        path, schema = waiting.pop(0)
        content = json.dumps(schema, sort_keys=True)
        if content in seen:
            continue
        seen.add(content)
        if path:
            lines += [f"## `{path}`", "", schema.get("description", ""), ""]
        lines += _table(root, schema)
        waiting[:0] = _below(root, schema, path)
    reference = root.get("$defs", {}).get("reference")
    if reference:
        lines += ["## References", "", reference["description"], "", *_table(root, reference)]
    return lines


def _below(root: Schema, schema: Schema, path: str) -> list[tuple[str, Schema]]:
    """The objects with members of their own that a schema's members are or hold."""
    found = []
    for name, member in schema.get("properties", {}).items():
        place, inner = f"{path}.{name}".lstrip("."), _meant(root, member)
        if "items" in inner:
            place, inner = f"{place}[]", _meant(root, inner["items"])
        elif isinstance(inner.get("additionalProperties"), dict):
            place, inner = f"{place}.*", _meant(root, inner["additionalProperties"])
        if "properties" in inner and not _is_reference(inner):
            found.append((place, inner))
    return found + _variants(root, schema, path)


def _variants(root: Schema, schema: Schema, path: str) -> list[tuple[str, Schema]]:
    """The titled objects that a schema is one of, by what one of its members says."""
    chosen = [_meant(root, rule.get("then", {})) for rule in schema.get("allOf", [])]
    return [(f"{path} ({one['title']})", one) for one in chosen if "title" in one]


def _table(root: Schema, schema: Schema) -> list[str]:
    fields = {name: _meant(root, member) for name, member in schema["properties"].items()}
    required = schema.get("required", [])
    writable = {name: field for name, field in fields.items() if "not" not in field}
    rows = [_row(root, name, field, name in required) for name, field in writable.items()]
    server = [f"`{name}`" for name in fields if name not in writable]
    note = ["", f"Set by the server, never written: {', '.join(server)}."] if server else []
    return [*_HEAD, *rows, *note, ""]


def _row(root: Schema, name: str, field: Schema, required: bool) -> str:  # noqa: FBT001 - a cell
    default = f"`{json.dumps(field['default'])}`" if "default" in field else ""
    cells = [f"`{name}`", _type(root, field), "yes" if required else "", default, _notes(field)]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _meant(root: Schema, schema: Schema) -> Schema:
    """A schema with its `$ref` put in its place; of a choice with null, the rest."""
    choices = [item for item in schema.get("anyOf", []) if item.get("type") != "null"]
    if len(choices) == 1 and "properties" not in schema:
        schema = {**choices[0], **{key: schema[key] for key in ("description",) if key in schema}}
    if "$ref" not in schema:
        return schema
    return {**root["$defs"][schema["$ref"].rpartition("/")[2]], **schema}


def _is_reference(schema: Schema) -> bool:
    return schema.get("title") == "Reference"


def _type(root: Schema, schema: Schema) -> str:
    meant = _meant(root, schema)
    if _is_reference(meant):
        return "reference"
    if "anyOf" in meant and "type" not in meant:
        return " or ".join(dict.fromkeys(_type(root, item) for item in meant["anyOf"]))
    stated = meant.get("type", [])
    names = [_TYPES[name] for name in ([stated] if isinstance(stated, str) else stated)]
    if "items" in meant:
        names = [*names[1:], f"list of {_type(root, meant['items'])}"]
    return " or ".join(names) or "any"


def _notes(field: Schema) -> str:
    literal: Schema = next(iter(field.get("anyOf", [])), {})
    told = {
        **literal,
        **field,
        "x-reconciler": {**literal.get("x-reconciler", {}), **field.get("x-reconciler", {})},
    }
    notes = [told.get("description", ""), _form(told), _allowed(told), _bounds(told)]
    return " ".join(note for note in notes if note)


def _form(field: Schema) -> str:
    """What a pattern asks for, in words."""
    told = [part for part in (field, *field.get("items", {}).get("anyOf", [])) if "pattern" in part]
    message = next((part.get("x-reconciler", {}).get("message", "") for part in told), "")
    return f"{message[0].upper()}{message[1:]}." if message else ""


def _allowed(field: Schema) -> str:
    values = field.get("enum") or field.get("items", {}).get("enum")
    if "const" in field:
        return f"Always `{_written(field['const'])}`."
    return f"One of {', '.join(f'`{_written(value)}`' for value in values)}." if values else ""


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _bounds(field: Schema) -> str:
    words = {
        "minimum": "At least",
        "exclusiveMinimum": "More than",
        "maximum": "At most",
        "maxLength": "At most",
    }
    units = {"maxLength": " characters"}
    said = [
        f"{word} {field[key]}{units.get(key, '')}." for key, word in words.items() if key in field
    ]
    return " ".join(said)
