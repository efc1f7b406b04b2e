"""Derives the schema of a whole manifest, for editors and for validate, from a client schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from reconciler.core.values import object_member
from reconciler.provider.references import is_bare_secret, takes_text
from reconciler.provider.schema_views import facts, says_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.model import Json, JsonObject

REFERENCE: Final = "#/$defs/reference"
# The words of JSON Schema whose schemas are about a value, or about what is in it.
_PARTS: Final = frozenset(
    {"items", "additionalProperties", "unevaluatedProperties", "then", "else"}
)
_NAMED_PARTS: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
_LISTED_PARTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAME_RULE: Final = (
    "a name is 1 to 63 small letters, digits, `.`, `_` and `-`, and begins with a letter or digit"
)
_GRACE_RULE: Final = "a grace period is a whole number and a unit: 24h, 7d, 0s"


def derive(client: JsonObject, kind: str) -> dict[str, Json]:
    """The JSON Schema (2020-12) of a manifest of `kind`, self-contained.

    To the literal values of the client schema it adds references, and it takes away what cannot
    be written. With `metadata.id` the client exists, so nothing is required of its spec.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": str(client["$id"]).removesuffix(":client") + ":manifest",
        "$comment": client["$comment"],
        "title": kind,
        "description": f"A manifest: one {client['title']} as it should be.",
        "type": "object",
        "properties": {
            "apiVersion": _constant("The version of the file format.", "reconciler/v1"),
            "kind": _constant("What the manifest describes.", kind),
            "metadata": {"$ref": "#/$defs/metadata"},
            "lifecycle": {"$ref": "#/$defs/lifecycle"},
            "spec": {"$ref": "#/$defs/spec"},
        },
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "if": {"properties": {"metadata": {"required": ["id"]}}, "required": ["metadata"]},
        "else": {"properties": {"spec": _when_created(client)}},
        "$defs": {
            "metadata": _metadata(),
            "lifecycle": _lifecycle(client),
            "spec": _spec(client),
            "reference": _reference(),
        },
    }


def _constant(description: str, value: str) -> JsonObject:
    return {"type": "string", "description": description, "const": value}


def _metadata() -> JsonObject:
    return {
        "type": "object",
        "description": "What the tool knows the client by.",
        "properties": {
            "name": {
                "type": "string",
                "description": "The key of the client, unique within its target.",
                "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$",
                "errorMessage": _NAME_RULE,
                "x-reconciler": {"message": _NAME_RULE},
            },
            "target": {
                "type": "string",
                "description": "The target of the project file whose server holds the client.",
                "minLength": 1,
            },
            "id": {
                "type": "string",
                "description": "The server's id of an existing client that this manifest is to manage.",
                "minLength": 1,
            },
            "formerly": {
                "type": "array",
                "description": "Keys that the client had before, each as `name`, or as "
                "`target/name` if it was of another target of the same server: it stays the client "
                "that it is, and only the record changes.",
                "items": {
                    "type": "string",
                    "pattern": "^([^/]+/)?[a-z0-9][a-z0-9._-]{0,62}$",
                    "x-reconciler": {
                        "message": "a former key is a name, or a target and a name with a slash between"
                    },
                },
                "minItems": 1,
                "uniqueItems": True,
            },
            "labels": {
                "type": "object",
                "description": "Labels of your own, to select clients by.",
                "additionalProperties": {"type": "string"},
            },
        },
        "required": ["name", "target"],
        "additionalProperties": False,
    }


def _lifecycle(client: JsonObject) -> JsonObject:
    writable = [name for name, field in _fields(client).items() if not field.get("readOnly")]
    return {
        "type": "object",
        "description": "What may happen to the client.",
        "properties": {
            "preventDestroy": {
                "type": "boolean",
                "description": "Whether the client must never be deleted, nor replaced.",
                "default": False,
            },
            "allowReplace": {
                "type": "boolean",
                "description": "Whether a change that no update can make may be made by a new "
                "client, with a new id and secret.",
                "default": False,
            },
            "allowNamesake": {
                "type": "boolean",
                "description": "Whether the client may be created though one that is not ours has its name.",
                "default": False,
            },
            "replaceGrace": {
                "type": "string",
                "description": "How long a client that was replaced lives on beside its successor, "
                "in place of the target's policy.replaceGrace. 0s deletes it at once.",
                "pattern": "^[0-9]{1,6}(s|m|h|d)$",
                "errorMessage": _GRACE_RULE,
                "x-reconciler": {"message": _GRACE_RULE},
            },
            "ignoreChanges": {
                "type": "array",
                "description": "JSON Pointers to fields of the spec that count when the client "
                "is created and not afterwards.",
                "items": {"type": "string", "enum": [f"/{name}" for name in writable]},
                "uniqueItems": True,
            },
        },
        "additionalProperties": False,
    }


def _reference() -> JsonObject:
    rule = "an environment variable's name is letters, digits and _"
    return {
        "title": "Reference",
        "description": "Where a value is that must not be in git. It is read at plan time and "
        "counts as secret from then on.",
        "type": "object",
        "properties": {
            "env": {
                "type": "string",
                "description": "The name of an environment variable.",
                "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                "x-reconciler": {"message": rule},
            },
            "file": {
                "type": "string",
                "description": "The path of a file, relative to the manifest; one newline at its "
                "end is not part of the value.",
                "minLength": 1,
            },
        },
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _spec(client: JsonObject) -> JsonObject:
    rules = [_relaxed(rule) for rule in _rules(client) if not _only_when_created(rule)]
    return {
        "type": "object",
        "description": f"The fields of the {client['title']}, named as in the vendor's documentation. "
        "A field that is left out is not managed.",
        "properties": {name: _place(name, field) for name, field in _fields(client).items()},
        "additionalProperties": False,
        **({"allOf": rules} if rules else {}),
    }


def _when_created(client: JsonObject) -> JsonObject:
    rules = [
        rule if _only_when_created(rule) else _only_required(rule)
        for rule in _rules(client)
        if _only_when_created(rule) or "required" in _then(rule)
    ]
    return {"required": client.get("required", []), **({"allOf": rules} if rules else {})}


def _relaxed(rule: JsonObject) -> JsonObject:
    """The part of a rule that holds for an existing client too, whose other fields are unknown."""
    then = {name: value for name, value in _then(rule).items() if name != "required"}
    return {**rule, "then": then}


def _only_required(rule: JsonObject) -> JsonObject:
    then = {
        name: value for name, value in _then(rule).items() if name in {"required", "x-reconciler"}
    }
    return {**rule, "then": then}


def _only_when_created(rule: JsonObject) -> bool:
    return object_member(rule, "x-reconciler").get("createOnly") is True


def _rules(client: JsonObject) -> list[JsonObject]:
    return cast("list[JsonObject]", client.get("allOf", []))


def _then(rule: JsonObject) -> Mapping[str, Json]:
    return object_member(rule, "then")


def _fields(schema: JsonObject) -> Mapping[str, JsonObject]:
    return cast("Mapping[str, JsonObject]", schema.get("properties", {}))


def _place(name: str, schema: JsonObject, *, secret: bool = False) -> JsonObject:
    """What may stand in the place of a value that `schema` describes; `secret` as what holds it says."""
    if any(view.get("readOnly") for view in _all_of(schema)):
        return _not_writable(name, schema)
    schema = _with_uri_keyword(schema)
    secret = secret or any(says_secret((view,)) for view in _all_of(schema))
    if takes_text(schema) or is_bare_secret(schema):
        return _text_or_reference(schema, secret=secret)
    return _with_references_inside(schema, secret=secret)


def _with_uri_keyword(schema: JsonObject) -> JsonObject:
    """`schema` with `x-uri` where it says so: a keyword that the fast validator asks us about."""
    kind = facts(schema).get("uri")
    return schema if kind is None else {**schema, "x-uri": kind}


def _all_of(schema: JsonObject) -> Iterator[JsonObject]:
    """`schema` and all that has to hold of the same value beside it."""
    yield schema
    for branch in cast("list[JsonObject]", schema.get("allOf", [])):
        yield from _all_of(branch)


def _not_writable(name: str, schema: JsonObject) -> JsonObject:
    return {
        "description": schema.get("description", ""),
        "readOnly": True,
        "not": {},
        "doNotSuggest": True,
        "errorMessage": f"{name} is set by the server and cannot be written",
        **{key: schema[key] for key in ("x-reconciler",) if key in schema},
    }


def _text_or_reference(schema: JsonObject, *, secret: bool) -> JsonObject:
    outer = {key: schema[key] for key in ("description", "default", "writeOnly") if key in schema}
    if secret:
        return {**outer, "$ref": REFERENCE}
    literal = {key: value for key, value in schema.items() if key not in outer}
    return {**outer, "anyOf": [literal, {"$ref": REFERENCE}]}


def _with_references_inside(schema: JsonObject, *, secret: bool) -> JsonObject:
    derived = dict(schema)
    for word in _PARTS & schema.keys():
        part = schema[word]
        if isinstance(part, dict):
            derived[word] = _place("", part, secret=secret)
    for word in _NAMED_PARTS & schema.keys():
        members = cast("Mapping[str, JsonObject]", schema[word])
        derived[word] = {
            name: _place(name, member, secret=secret) for name, member in members.items()
        }
    for word in _LISTED_PARTS & schema.keys():
        branches = cast("list[JsonObject]", schema[word])
        derived[word] = [_place("", branch, secret=secret) for branch in branches]
    return derived
