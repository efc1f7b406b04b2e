"""Turns a provider's client schema into the files that a new project starts from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.model import Json, JsonObject
    from reconciler.manifests.catalog import Entry

KEY: Final = "storefront-web"

# Where a vendor's API is; capitals are for the user to fill in. A descriptor does not say it.
_ADDRESSES: Final = {
    "provident": "https://api.provident.ae/v2",
    "sailpoint": "https://TENANT.api.identitynow.com",
    "boruta": "https://boruta-admin.example.com/api",
}
_TEXTS: Final = {
    "name": "Storefront web",
    "description": "The web shop.",
    "redirect": "https://shop.example.com/callback",
    "scope": "orders.read",
}
_UUID: Final = "00000000-0000-4000-8000-000000000000"
_SECONDS: Final = 3600


def project_text(provider: str, entry: Entry) -> str:
    """Give a project file with one target, named like its provider."""
    base_url = _ADDRESSES.get(provider, f"https://{provider}.example.com")
    token = "" if entry.token_path else "      tokenUrl: https://login.example.com/oauth/token\n"
    variable = environment_prefix(provider)
    return (
        "# Which servers hold OAuth clients, and how to reach them.\n"
        "apiVersion: reconciler/v1\n"
        "kind: Project\n"
        "targets:\n"
        f"  {provider}:\n"
        f"    provider: {provider}\n"
        f"    baseUrl: {base_url}\n"
        "    auth: # secrets stay out of git: these are names of environment variables\n"
        f"      clientId: {{env: {variable}_ID}}\n"
        f"      clientSecret: {{env: {variable}_SECRET}}\n"
        f"{token}"
        '    manifests: ["clients/**/*.yaml"]\n'
        "    secrets: {sink: file, directory: .reconciler/secrets} # for the secrets of new clients\n"
        "# The record of which clients are ours: commit it, or keep it wherever all runs see it.\n"
        "inventory: {store: file, directory: .reconciler/inventory}\n"
    )


def environment_prefix(provider: str) -> str:
    """Give what the names of a provider's environment variables begin with."""
    return provider.upper().replace("-", "_")


def client_text(provider: str, entry: Entry) -> str:
    """Give a manifest with what a client of this kind needs at least, each field explained."""
    return (
        "# One OAuth client as it should be. Fields that are left out are left alone.\n"
        "apiVersion: reconciler/v1\n"
        f"kind: {entry.kind}\n"
        f"metadata: {{name: {KEY}, target: {provider}}}\n"
        "spec: # the vendor's own field names\n" + "".join(_spec_lines(entry.bodies[0]))
    )


def _spec_lines(client: JsonObject) -> Iterator[str]:
    fields: Any = client["properties"]
    required: Any = client.get("required", [])
    for name in dict.fromkeys([*(["name"] if "name" in fields else []), *required]):
        explanation = str(fields[name].get("description", "")).partition(". ")[0].rstrip(".")
        yield f"  {name}: {json.dumps(_sample(name, fields[name]))} # {explanation}\n"


def _sample(name: str, schema: Mapping[str, Any]) -> Json:
    """Give a value that the schema takes: its default, its first choice, or one that fits its name."""
    if schema.get("default") is not None:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    types = schema.get("type", "string")
    return _of_type(types if isinstance(types, str) else types[0], name, schema)


def _of_type(kind: str, name: str, schema: Mapping[str, Any]) -> Json:
    match kind:
        case "array":
            return [_sample(name, schema["items"])]
        case "object":
            inner = schema.get("properties", {}).items()
            return {key: _sample(key, each) for key, each in inner if not each.get("readOnly")}
        case "boolean":
            return True
        case "integer" | "number":
            return min(max(_SECONDS, schema.get("minimum", 0)), schema.get("maximum", _SECONDS))
        case _:
            return _text(name, schema)


def _text(name: str, schema: Mapping[str, Any]) -> str:
    if schema.get("format") == "uuid":
        return _UUID
    return next((text for word, text in _TEXTS.items() if word in name.lower()), "example")
