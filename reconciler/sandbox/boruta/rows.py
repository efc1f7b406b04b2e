"""Turns Boruta's fields into stored clients and back, with the scopes and identity providers they refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.boruta.fields import DEFAULTS, FIELDS, WRITE_ONLY
from reconciler.sandbox.state import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.sandbox.mint import Mint
    from reconciler.sandbox.state import Store
    from reconciler.sandbox.world import World

CLIENTS: Final = "boruta"
SCOPES: Final = "boruta scopes"
IDENTITY_PROVIDERS: Final = "boruta identity providers"
IDENTITY_PROVIDER: Final = "44444444-4444-4444-8444-444444444444"
ADMIN_UI: Final = "6a2f41a3-c54c-4fce-8d2f-6b0d3f3c0f3a"
SECRET_LENGTH: Final = 86


def populate(world: World) -> None:
    """Put into an empty state what a Boruta has from its first start."""
    if world.store.rows(IDENTITY_PROVIDERS):
        return
    provider = {"id": IDENTITY_PROVIDER, "name": "Boruta administration interface"}
    world.store.add(IDENTITY_PROVIDERS, [Row(id=IDENTITY_PROVIDER, body=provider)])
    for name in ("openid", "email", "profile"):
        _add_scope(world.store, world.mint, name, public=True)
    own = world.credentials["boruta"]
    admin = fill(world, {"id": ADMIN_UI, "name": "Boruta administration interface"})
    world.store.add(
        CLIENTS,
        [
            Row(id=ADMIN_UI, body=admin.body, hidden=admin.hidden | {"protected": True}),
            fill(world, {"name": "public client"}),
            fill(
                world,
                {
                    "id": own.client_id,
                    "name": "reconciler",
                    "secret": own.client_secret,
                    "supported_grant_types": ["client_credentials"],
                },
            ),
        ],
    )


def fill(world: World, fields: Mapping[str, Any]) -> Row:
    """Make a stored client of `fields`, generated values and defaults for the rest."""
    fields = dict(fields)
    scopes = fields.pop("authorized_scopes", [])
    generated: dict[str, Any] = {
        "id": world.mint.uuid(),
        "secret": world.mint.secret(SECRET_LENGTH),
        "public_key": world.mint.public_key(),
        "did": None,
        "identity_provider": {"id": IDENTITY_PROVIDER},
        "authorized_scopes": stored_order(world.store, resolve(world, scopes)),
    }
    body = DEFAULTS | generated | fields
    body["identity_provider"] = identity_provider(world.store, body["identity_provider"]["id"])
    return split(body, {})


def touch(world: World, row: Row, fields: Mapping[str, Any]) -> Row:
    """Change stored fields as an administrator would; scopes by name or id."""
    fields = dict(fields)
    if "authorized_scopes" in fields:
        scopes = resolve(world, fields["authorized_scopes"])
        fields["authorized_scopes"] = stored_order(world.store, scopes)
    return split(joined(row) | fields, row.hidden)


def joined(row: Row) -> dict[str, Any]:
    """Give a client's fields, the write-only ones among them."""
    return row.body | {name: row.hidden[name] for name in WRITE_ONLY}


def split(fields: Mapping[str, Any], hidden: Mapping[str, Any]) -> Row:
    """Give the stored form of a client: what answers show, and what they never do."""
    seen = {name: value for name, value in fields.items() if name not in WRITE_ONLY}
    unseen = {name: fields[name] for name in FIELDS if name in WRITE_ONLY}
    return Row(id=seen["id"], body=seen, hidden={**hidden, **unseen})


def identity_provider(store: Store, provider_id: object) -> dict[str, Any] | None:
    """Give `{id, name}` of an identity provider, or None."""
    found = store.get(IDENTITY_PROVIDERS, str(provider_id).lower())
    return None if found is None else {"id": found.id, "name": found.body["name"]}


def resolve(world: World, wanted: Iterable[object]) -> list[dict[str, Any]]:
    """Look up scopes by id or name, in the order asked for.

    An id wins over a name; an unknown id is dropped; an unknown name becomes a new scope.
    """
    known = [row.body for row in world.store.rows(SCOPES)]
    by_id, by_name = {s["id"]: s for s in known}, {s["name"]: s for s in known}
    found: dict[str, dict[str, Any]] = {}
    for one in wanted:
        scope = None
        wanted_id, name = (
            (one.get("id"), one.get("name")) if isinstance(one, dict) else (None, None)
        )
        if wanted_id:
            scope = by_id.get(str(wanted_id))
        elif name and isinstance(name, str):
            scope = by_name.get(name)
            if scope is None:
                scope = _add_scope(world.store, world.mint, name, public=False)
                by_name[name] = scope
        if scope is not None:
            found[scope["id"]] = {key: scope[key] for key in ("id", "name", "public")}
    return list(found.values())


def stored_order(store: Store, scopes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put scopes in the order that a later read gives: the table's, not the request's."""
    places = {row.id: place for place, row in enumerate(store.rows(SCOPES))}
    return sorted(scopes, key=lambda scope: places[scope["id"]])


def _add_scope(store: Store, mint: Mint, name: str, *, public: bool) -> dict[str, Any]:
    scope = {"id": mint.uuid(), "label": None, "name": name, "public": public}
    store.add(SCOPES, [Row(id=str(scope["id"]), body=scope)])
    return scope
