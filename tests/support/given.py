"""Builds core values in one line each, so that a test shows only what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.core.model import (
    Intent,
    Inventory,
    InventoryEntry,
    Lifecycle,
    LiveClient,
    LiveState,
    Manifest,
    Source,
)
from reconciler.core.project import Policy, Reference, StaticToken, Target
from reconciler.plan.context import TargetContext
from reconciler.plan.record.intents import sealed_intent
from reconciler.provider.model import (
    Endpoint,
    ErrorShape,
    Field,
    Identity,
    Provider,
    TokenRequest,
    UpdateStyle,
)
from reconciler.provider.schema_views import answer_pointer

KEY = b"a key for fingerprints"


_WORDS = {"is_set": "set", "compare_by": "compareBy", "equal": "equal", "read_as": "readAs"}


def field(name: str, **facts: Any) -> Field:
    """A field of which the schema says the same as `facts`, where words of a schema are read."""
    said = {word: facts[fact] for fact, word in _WORDS.items() if fact in facts}
    said = {
        word: list(value) if isinstance(value, tuple) else value for word, value in said.items()
    }
    schema = dict(facts.pop("schema", {}))
    if said:
        schema["x-reconciler"] = {**said, **schema.get("x-reconciler", {})}
    pointer = answer_pointer(facts.pop("read_as", name))
    return Field(**{"name": name, "schema": schema, "read_as": pointer, **facts})


def provider(*fields: Field, **facts: Any) -> Provider:
    """A vendor whose schemas take every field that is not read-only; JSON Patch unless said otherwise."""
    writable = {each.name: dict(each.schema) for each in fields if not each.read_only}
    created = {name: one for name, one in writable.items() if not _named(fields, name).update_only}
    updated = {name: one for name, one in writable.items() if not _named(fields, name).create_only}
    stated = {
        "name": "acme",
        "title": "Example server",
        "kind": "ExampleClient",
        "collection": "/clients",
        "list": Endpoint(method="GET", expect=frozenset({200})),
        "pagination": None,
        "create": Endpoint(method="POST", expect=frozenset({201})),
        "read": Endpoint(method="GET", path="/{id}", expect=frozenset({200})),
        "update": Endpoint(
            method="PATCH",
            path="/{id}",
            expect=frozenset({200}),
            content_type="application/json-patch+json",
        ),
        "delete": Endpoint(method="DELETE", path="/{id}", expect=frozenset({204})),
        "style": UpdateStyle.JSON_PATCH,
        "always": (),
        "identity": Identity(pointer="/id", match="name"),
        "token": TokenRequest(path="/token"),
        "errors": ErrorShape(hints={}),
        "rate_limit": None,
        "fields": {each.name: each for each in fields},
        "client_schema": {"properties": writable},
        "create_schema": {"properties": created},
        "update_schema": {"properties": updated},
        "protected": frozenset(),
    }
    return Provider(**{**stated, **facts})


def _named(fields: tuple[Field, ...], name: str) -> Field:
    return next(each for each in fields if each.name == name)


def manifest(name: str = "web", **facts: Any) -> Manifest:
    """A manifest of target `shop`; keyword arguments of Lifecycle go into its lifecycle."""
    lifecycle = {
        word: facts.pop(word)
        for word in ("prevent_destroy", "allow_replace", "allow_namesake", "ignore_changes")
        if word in facts
    }
    stated = {
        "source": Source(path=f"clients/{name}.yaml"),
        "kind": "ExampleClient",
        "name": name,
        "target": "shop",
        "lifecycle": Lifecycle(**lifecycle),
        "spec": {},
    }
    return Manifest(**{**stated, **facts})


def live(*clients: LiveClient, **facts: Any) -> LiveState:
    stated = {"clients": {client.remote_id: client for client in clients}, "listed": True}
    return LiveState(**{**stated, **facts})


def client(remote_id: str, **body: Any) -> LiveClient:
    return LiveClient(remote_id=remote_id, body={"id": remote_id, **body})


def entry(remote_id: str, **facts: Any) -> InventoryEntry:
    stated = {
        "remote_id": remote_id,
        "applied": {},
        "applied_at": "2026-01-01T00:00:00Z",
        "digest": "",
    }
    return InventoryEntry(**{**stated, **facts})


def intent(key: str = "web", remote_id: str | None = None, **facts: Any) -> Intent:
    """A create of which nobody knows what came; keyword arguments are its facts."""
    at = "2026-11-23T10:00:00Z"
    return sealed_intent(KEY, Intent(key=key, remote_id=remote_id, facts=facts, digest="", at=at))


def target(**facts: Any) -> Target:
    """The target `shop`, which anybody can log in to."""
    stated = {
        "name": "shop",
        "provider": "acme",
        "base_url": "https://id.example.com",
        "auth": StaticToken(token=Reference(kind="env", name="TOKEN")),
        "manifests": ("clients/*.yaml",),
    }
    return Target(**{**stated, **facts})


def context(of: Provider, **facts: Any) -> TargetContext:
    """A target `shop`; `entries` is its inventory.

    `policy`, `base_url` and `conflict_check` are the target's. `others` may be the keys alone of
    manifests that are not planned, and `claimed` are ids that such manifests state.
    """
    about = {
        name: facts.pop(name) for name in ("policy", "base_url", "conflict_check") if name in facts
    }
    entries = facts.pop("entries", {})
    others = facts.pop("others", {})
    if not isinstance(others, dict):
        others = {key: manifest(key) for key in others}
    claimed = {
        f"claims-{one}": manifest(f"claims-{one}", id=one) for one in facts.pop("claimed", ())
    }
    stated = {
        "target": target(**about),
        "provider": of,
        "inventory": Inventory(target="shop", entries=entries),
        "live": live(),
        "key": KEY,
        "others": {**others, **claimed},
    }
    return TargetContext(**{**stated, **facts})


def with_policy(known: TargetContext, policy: Policy) -> TargetContext:
    """The same target under another policy."""
    return replace(known, target=replace(known.target, policy=policy))


__all__ = [
    "KEY",
    "client",
    "context",
    "entry",
    "field",
    "live",
    "manifest",
    "provider",
    "replace",
    "target",
    "with_policy",
]
