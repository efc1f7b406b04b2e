"""Hypothesis strategies for clients of a vendor, made from its client schema."""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import strategies as st

from reconciler.plan.normalize import canonical
from reconciler.provider.model import Field, Provider
from support.vendors import vendor

HOSTS = st.sampled_from(["a", "b", "shop", "orders"])
URIS = st.builds("https://{}.example.com/{}".format, HOSTS, st.sampled_from(["cb", "x", "y"]))
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=8
)
IDS = st.integers(0, 9).map(lambda number: str(uuid.UUID(int=number + 1)))
# Fields whose values must fit each other, or fit what a server already holds: they are kept fixed.
FIXED = {
    "boruta": {
        "identity_provider": {"id": "44444444-4444-4444-8444-444444444444"},
        "id_token_signature_alg": "RS512",
        "userinfo_signed_response_alg": "HS256",
        "key_pair_type": {"type": "rsa", "modulus_size": "2048", "exponent_size": "65537"},
    },
    "sailpoint": {"grantTypes": ["CLIENT_CREDENTIALS"]},
    "provident": {},
}
SCOPES = st.lists(st.sampled_from(["openid", "email", "profile"]), unique=True).map(
    lambda names: [{"name": name} for name in names]
)
# Of no scope a server makes all of them, so that a manifest states at least one.
SCOPE_NAMES = st.lists(
    st.sampled_from(["sp:read", "sp:write", "orders.read"]), unique=True, min_size=1
)


def values(provider: Provider, field: Field) -> st.SearchStrategy[Any]:
    """Values that a manifest may state for `field`."""
    fixed = FIXED.get(provider.name, {})
    if field.name in fixed:
        return st.just(fixed[field.name])
    if field.name == "authorized_scopes":
        return SCOPES
    if field.name == "scope":
        return SCOPE_NAMES
    return _of_schema(dict(field.schema), field.name)


def _of_schema(schema: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_of_type(kind, schema, name) for kind in kinds])


def _of_type(kind: str, schema: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    low, high = schema.get("minimum", 0), schema.get("maximum", 100_000)
    by_type = {
        "null": st.none(),
        "boolean": st.booleans(),
        "integer": st.integers(low, min(high, 2**31 - 1)),
        "number": st.integers(low, high),
        "object": st.just({}),
        "string": _strings(schema, name),
    }
    if kind == "array":
        return st.lists(_of_schema(schema["items"], name), max_size=4, unique=True)
    return by_type[kind]


def _strings(schema: dict[str, Any], name: str) -> st.SearchStrategy[str]:
    if schema.get("format") == "uuid":
        return IDS
    if "Ips" in name:
        return st.sampled_from(["203.0.113.7", "198.51.100.0/24", "2001:db8::1"])
    return URIS if "uri" in name.lower() or "url" in name.lower() else WORDS


def specs(name: str, *, partial: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Specs of `name`, with all that a create needs unless `partial`, and any of the rest."""
    provider = vendor(name)
    required = set() if partial else set(provider.client_schema.get("required", ()))
    chosen = {
        field.name: values(provider, field)
        for field in provider.fields.values()
        if not (field.read_only or field.secret or field.write_only)
    }
    return st.fixed_dictionaries(
        {key: strategy for key, strategy in chosen.items() if key in required},
        optional={key: strategy for key, strategy in chosen.items() if key not in required},
    )


def shown(provider: Provider, spec: dict[str, Any], remote_id: str) -> dict[str, Any]:
    """What an answer shows of a client that is as `spec` says, undeclared fields at a default."""
    body: dict[str, Any] = {}
    for field in provider.fields.values():
        if field.write_only or field.volatile:
            continue
        value = spec.get(field.name, None if field.default is None else field.default)
        if field.name in spec or isinstance(value, str | int | list | dict):
            body[field.name] = canonical(field, value)
    return {**body, provider.identity.pointer.removeprefix("/"): remote_id}
