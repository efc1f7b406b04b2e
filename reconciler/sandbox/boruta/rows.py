"""Turns Boruta's fields into stored clients and back, with their scopes and identity providers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.boruta.fields import DEFAULTS, FIELDS, WRITE_ONLY
from reconciler.sandbox.state import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.sandbox.state import Store
    from reconciler.sandbox.world import Mint, World

CLIENTS: Final = "boruta"
SCOPES: Final = "boruta scopes"
IDENTITY_PROVIDERS: Final = "boruta identity providers"
IDENTITY_PROVIDER: Final = "44444444-4444-4444-8444-444444444444"
ADMIN_UI: Final = "6a2f41a3-c54c-fce8-32d2-0324e1c32e20"
SECRET_LENGTH: Final = 86


def populate(world: World) -> None:
    """Add what a Boruta has from its first start to an empty state."""
    if world.store.rows(IDENTITY_PROVIDERS):
        return
    provider = {"id": IDENTITY_PROVIDER, "name": "Boruta administration interface"}
    world.store.add(IDENTITY_PROVIDERS, [Row(id=IDENTITY_PROVIDER, body=provider)])
    for name in ("openid", "email", "profile"):
        _add_scope(world.store, world.mint, name, public=True)
    own = world.credentials["boruta"]
    admin = new_row(world, {"id": ADMIN_UI, "name": "Boruta administration panel"})
    world.store.add(
        CLIENTS,
        [
            Row(id=ADMIN_UI, body=admin.body, hidden=admin.hidden | {"protected": True}),
            # Made by the server, listed like any other, and not protected.
            new_row(world, {"name": "public client"}),
            new_row(
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


def new_row(world: World, fields: Mapping[str, Any]) -> Row:
    """A client to store, of `fields`, with generated values and defaults for the rest."""
    fields = dict(fields)
    scopes = fields.pop("authorized_scopes", [])
    generated: dict[str, Any] = {
        "id": world.mint.uuid(),
        "secret": world.mint.secret(SECRET_LENGTH),
        "public_key": world.mint.public_key(),
        "did": None,
        "identity_provider": {"id": IDENTITY_PROVIDER},
        "authorized_scopes": in_stored_order(world.store, look_up_scopes(world, scopes)),
    }
    body = DEFAULTS | generated | fields
    body["identity_provider"] = identity_provider(world.store, body["identity_provider"]["id"])
    return to_row(body, {})


def edited_row(world: World, row: Row, fields: Mapping[str, Any]) -> Row:
    """A stored client with fields changed as by an administrator; scopes by name or id."""
    fields = dict(fields)
    if "authorized_scopes" in fields:
        scopes = look_up_scopes(world, fields["authorized_scopes"])
        fields["authorized_scopes"] = in_stored_order(world.store, scopes)
    return to_row(all_fields(row) | fields, row.hidden)


def all_fields(row: Row) -> dict[str, Any]:
    """A client's fields, the write-only ones among them."""
    return row.body | {name: row.hidden[name] for name in WRITE_ONLY}


def to_row(fields: Mapping[str, Any], hidden: Mapping[str, Any]) -> Row:
    """A client to store: the fields that answers show, and those that they never do."""
    seen = {name: value for name, value in fields.items() if name not in WRITE_ONLY}
    unseen = {name: fields[name] for name in FIELDS if name in WRITE_ONLY}
    return Row(id=seen["id"], body=seen, hidden={**hidden, **unseen})


def identity_provider(store: Store, provider_id: object) -> dict[str, Any] | None:
    """The `{id, name}` of an identity provider, None where there is none."""
    found = store.get(IDENTITY_PROVIDERS, str(provider_id).lower())
    return None if found is None else {"id": found.id, "name": found.body["name"]}


def look_up_scopes(world: World, wanted: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The scopes of these ids or names, in the order asked for.

    An id wins over a name; an unknown id is dropped, and so is a name with a blank in it; any other
    unknown name, the empty one too, is stored as a new scope. One that is asked for twice is there twice.
    """
    known = [row.body for row in world.store.rows(SCOPES)]
    by_id, by_name = {s["id"]: s for s in known}, {s["name"]: s for s in known}
    found = []
    for one in wanted:
        wanted_id, name = one.get("id"), str(one.get("name") or "")
        if wanted_id:
            scope = by_id.get(str(wanted_id))
        elif name not in by_name and not re.search(r"\s", name):
            scope = by_name[name] = _add_scope(world.store, world.mint, name, public=False)
        else:
            scope = by_name.get(name)
        if scope is not None:
            found.append({key: scope[key] for key in ("id", "name", "public")})
    return found


def in_stored_order(store: Store, scopes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The scopes in the order of a later read: the table's, not the request's."""
    places = {row.id: place for place, row in enumerate(store.rows(SCOPES))}
    return sorted(scopes, key=lambda scope: places[scope["id"]])


def _add_scope(store: Store, mint: Mint, name: str, *, public: bool) -> dict[str, Any]:
    scope = {"id": mint.uuid(), "label": None, "name": name, "public": public}
    store.add(SCOPES, [Row(id=str(scope["id"]), body=scope)])
    return scope
