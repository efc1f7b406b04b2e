"""Turns a provider's descriptor and client schema into the files that a new project starts from."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reconciler.provider.references import takes_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.model import Json
    from reconciler.manifests.catalog import Entry

KEY: Final = "storefront-web"

# A provider's folder need not have an example of anything: these fit where it has none.
# What the names of environment variables end with, by the member that refers to one.
_VARIABLES: Final = {
    "clientId": "ID",
    "clientSecret": "SECRET",
    "privateKey": "PRIVATE_KEY",
    "token": "TOKEN",
    "username": "USERNAME",
    "password": "PASSWORD",
}
_TOKEN_URL: Final = "https://login.example.com/oauth/token"  # noqa: S105 - an address
_NUMBER: Final = 3600
_TEXT: Final = "example"
_BY_FORMAT: Final = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://shop.example.com",
}
# Anything else goes in quotes: an address that ends with a colon would begin a mapping.
_PLAIN: Final = re.compile(r"[A-Za-z./][A-Za-z0-9./:_-]*[A-Za-z0-9./_-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a new project starts with: `provider` is what its target names, a name or a folder."""

    provider: str
    entry: Entry

    @property
    def name(self) -> str:
        """The name of the project's one target: that of the provider, also where a folder is named."""
        return str(self.entry.descriptor["name"])

    @property
    def variable(self) -> str:
        """What the names of the target's environment variables begin with."""
        return self.name.upper().replace("-", "_")


def project_text(start: Start) -> str:
    """A project file with one target."""
    example: Any = start.entry.descriptor.get("example", {})
    base_url = example.get("baseUrl", f"https://{start.name}.example.com")
    return (
        "# Which servers hold OAuth clients, and how to reach them.\n"
        "apiVersion: reconciler/v1\n"
        "kind: Project\n"
        "targets:\n"
        f"  {start.name}:\n"
        f"    provider: {_scalar(start.provider)}\n"
        f"    baseUrl: {_scalar(base_url)}\n"
        f"{_auth_text(start, example.get('tokenUrl', _TOKEN_URL))}"
        '    manifests: ["clients/**/*.yaml"]\n'
        "    secrets: {sink: file, directory: .reconciler/secrets} # for the secrets of new clients\n"
        "# The record of which clients are ours: commit it, or keep it wherever all runs see it.\n"
        "inventory: {store: file, directory: .reconciler/inventory}\n"
        f"{_key_text(start)}"
    )


def _auth_text(start: Start, token_url: str) -> str:
    """How the target logs in, as its provider wants it."""
    token, name = start.entry.token, start.variable
    scheme = token.get("scheme", "Bearer")
    if scheme == "none":
        return "    auth: none # the server asks nobody; a token for a gateway before it may stand here\n"
    by_key = token.get("clientAuthentication") == "private_key_jwt"
    secret = "privateKey" if by_key else "clientSecret"
    members = {
        "Basic": ("username", "password"),
        "token": ("token",),
        "SSWS": ("token",),
    }.get(scheme, ("clientId", secret))
    lines = [f"      {member}: {{env: {name}_{_VARIABLES[member]}}}\n" for member in members]
    if "clientId" in members and not token.get("path"):
        lines.append(f"      tokenUrl: {_scalar(token_url)}\n")
    word = "    auth: # secrets stay out of git: these are names of environment variables\n"
    return word + "".join(lines)


def _key_text(start: Start) -> str:
    if start.entry.token.get("scheme") != "none":
        return ""
    return (
        "# What fingerprints of secrets are made with, where no login has a secret: 32 random bytes or more.\n"
        f"fingerprintKey: {{env: {start.variable}_FINGERPRINT_KEY}}\n"
    )


def client_text(start: Start) -> str:
    """A manifest with what a client of this kind needs at least, each field explained."""
    return (
        "# One OAuth client as it should be. Fields that are left out are left alone.\n"
        "apiVersion: reconciler/v1\n"
        f"kind: {start.entry.kind}\n"
        f"metadata: {{name: {KEY}, target: {start.name}}}\n"
        "spec: # the vendor's own field names\n" + "".join(_spec_lines(start))
    )


def _scalar(text: str) -> str:
    """`text` as a YAML scalar."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def sample_spec(start: Start) -> dict[str, Json]:
    """The fields that a client of this kind needs at least, by name."""
    fields: Any = start.entry.bodies[0]["properties"]
    return {
        name: _sample(name, fields[name], start.variable) for name in _sampled_names(start, fields)
    }


def _spec_lines(start: Start) -> Iterator[str]:
    fields: Any = start.entry.bodies[0]["properties"]
    for name, sample in sample_spec(start).items():
        value = json.dumps(sample, ensure_ascii=False)
        yield f"  {_scalar(name)}: {value}{_explanation(fields[name])}\n"


def _sampled_names(start: Start, fields: Mapping[str, Any]) -> Iterable[str]:
    client: Any = start.entry.bodies[0]
    named = [one for one in ["name", *client.get("required", [])] if one in fields]
    # Where nothing is required, what its author has an example for; a manifest states something.
    shown = [one for one, field in fields.items() if "examples" in field]
    return dict.fromkeys(named or shown or [*fields][:1])


def _explanation(field: Mapping[str, Any]) -> str:
    """The first sentence of a field's description, as a comment on one line."""
    sentence = " ".join(str(field.get("description", "")).partition(". ")[0].split())
    return f" # {sentence.rstrip('.')}" if sentence else ""


def _sample(name: str, schema: Mapping[str, Any], variable: str) -> Json:
    """A value that the schema takes: its first example, its default, its first choice, or one of its type.

    For a secret it is a reference, which is all that a manifest may hold of one.
    """
    if schema.get("x-reconciler", {}).get("secret") and takes_text(schema):
        return {"env": f"{variable}_CLIENT_{re.sub('[^A-Za-z0-9]', '_', name).upper()}"}
    if schema.get("examples"):
        return schema["examples"][0]
    # A default of null says that the field may be left out, and shows nobody what to write.
    if schema.get("default") is not None:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    stated = schema.get("type", "string")
    types = [stated] if isinstance(stated, str) else stated
    return _of_type(next(one for one in types if one != "null"), name, schema, variable)


def _of_type(kind: str, name: str, schema: Mapping[str, Any], variable: str) -> Json:
    match kind:
        case "array":
            return [_sample(name, schema["items"], variable)] if "items" in schema else []
        case "object":
            members = schema.get("properties", {})
            wanted = [each for each in schema.get("required", members) if each in members]
            return {
                each: _sample(each, members[each], variable)
                for each in wanted
                if not members[each].get("readOnly")
            }
        case "boolean":
            return True
        case "integer" | "number":
            return min(max(_NUMBER, schema.get("minimum", 0)), schema.get("maximum", _NUMBER))
        case _:
            return _BY_FORMAT.get(schema.get("format", ""), _TEXT)
