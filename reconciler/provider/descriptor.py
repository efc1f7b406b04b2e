"""Turns a descriptor and the schemas beside it into a Provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.decode import decoder
from reconciler.core.model import EMPTY
from reconciler.core.project import RATE_LIMIT
from reconciler.provider.model import (
    Answers,
    Believed,
    Chosen,
    ChosenSecret,
    Clear,
    ClientAuthentication,
    Endpoint,
    ErrorShape,
    Field,
    Identity,
    IssuedSecret,
    Known,
    Merges,
    PageStyle,
    Pagination,
    Provider,
    Registration,
    Scheme,
    Switch,
    TokenRequest,
    UpdateStyle,
)
from reconciler.provider.schema_views import (
    read_as,
    says,
    says_secret,
    speaks_of_inside,
    views,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.decode import Accepted
    from reconciler.core.model import Json, JsonObject

# What a target's overlay need not say of an endpoint that the vendor's descriptor does not have.
_USUAL: Final[Mapping[str, JsonObject]] = {
    "list": {"method": "GET", "expect": (200,)},
    "delete": {"method": "DELETE", "path": "/{id}", "expect": (204,)},
}

# What a field's own schema says of it in the standard's words.
_STANDARD: Final = ("readOnly", "writeOnly", "default")


def parse_provider(
    descriptor: Accepted,
    client: Accepted,
    create: JsonObject,
    update: JsonObject,
    *,
    overlay: Accepted = EMPTY,
) -> Provider:
    """Read a descriptor that `provider.schema.json` holds valid, with its three schemas.

    `overlay` may hold a target's `collection` and `endpoints`; members of an endpoint that it
    leaves out stay as the descriptor has them.
    """
    endpoints = _endpoints(descriptor["endpoints"], overlay.get("endpoints", {}))
    fields = _fields(client)
    return _PROVIDER(
        {
            **descriptor,
            "collection": overlay.get("collection", descriptor["collection"]),
            "list": _optional_endpoint(endpoints, "list"),
            "pagination": _pagination(endpoints.get("list", {}).get("pagination", {})),
            "listIsDescribed": "pagination" in endpoints.get("list", {"pagination": None}),
            "create": _ENDPOINT(endpoints["create"]),
            "read": _ENDPOINT(endpoints["read"]),
            "update": _ENDPOINT(endpoints["update"]),
            "delete": _optional_endpoint(endpoints, "delete"),
            **_update_words(endpoints["update"]),
            "fields": fields,
            "clientSchema": client,
            "createSchema": create,
            "updateSchema": update,
            "switch": _switch(descriptor.get("switch"), fields),
            "rotate": _rotate(descriptor.get("rotate"), fields),
            **_secret_words(descriptor.get("secret", "")),
        }
    )


def _endpoints(own: Accepted, overlay: Accepted) -> dict[str, Accepted]:
    return {
        name: {**_USUAL.get(name, EMPTY), **own.get(name, EMPTY), **overlay.get(name, EMPTY)}
        # A target may add an endpoint: some installations have a list or a delete, others not.
        for name in [*own, *overlay]
    }


def _optional_endpoint(endpoints: Mapping[str, Accepted], name: str) -> Endpoint | None:
    return _ENDPOINT(endpoints[name]) if name in endpoints else None


def _update_words(stated: Accepted) -> dict[str, object]:
    # RFC 7396 merges at every depth; of a PUT that takes a part nothing of the kind is promised.
    merges = {"merge-patch": "deep", "put-partial": "top"}
    # A target may lay another style over the descriptor's words, and it has to have its say.
    stated_merges = stated.get("merges") if stated["style"] in merges else None
    return {
        "style": stated["style"],
        "always": stated.get("always", ()),
        "merges": stated_merges or merges.get(stated["style"], "top"),
        "takesTests": stated.get("tests", True),
        "carriesId": stated.get("carriesId", False),
        "carriesUnknown": stated.get("unknown", "carry") == "carry",
    }


def _pagination(stated: Accepted) -> Pagination | None:
    # A list without pages needs no description but of what proves it whole.
    plain = stated.get("style", "none") == "none" and not {"total", "next"} & stated.keys()
    return None if plain else _PAGINATION(stated)


def _switch(stated: Accepted | None, fields: Mapping[str, Field]) -> Switch | None:
    """The switch; ValueError for a field that no update can set."""
    if stated is None:
        return None
    switch = _SWITCH(stated)
    if switch.field not in fields or fields[switch.field].read_only:
        raise ValueError(f"the switch {switch.field!r} of provider.yaml is no writable field")
    return switch


def _secret_words(stated: Accepted | str) -> dict[str, object]:
    words: Accepted = {"pointer": stated} if isinstance(stated, str) else stated
    return {"secret": words.get("pointer", ""), "believed": words.get("believed", "always")}


def _rotate(
    stated: Accepted | None, fields: Mapping[str, Field]
) -> IssuedSecret | ChosenSecret | None:
    """How a client gets a new secret; ValueError for a field that is none, or that no update can set."""
    if stated is None:
        return None
    if stated["style"] == "call":
        finish = stated.get("finish")
        return IssuedSecret(
            call=_ENDPOINT(stated),
            secret=stated.get("secret", ""),
            finish=None if finish is None else _ENDPOINT(finish),
        )
    name = stated["field"]
    if name not in fields or not fields[name].secret or fields[name].read_only:
        raise ValueError(f"the rotate field {name!r} of provider.yaml is no writable secret field")
    return ChosenSecret(field=name)


def _fields(client: Accepted) -> dict[str, Field]:
    # The client schema of a user's own was not held against a schema: what is wrong in it raises
    # AttributeError, KeyError or TypeError, and the caller says in which file.
    properties: Accepted = client["properties"]
    return {name: _field(name, schema) for name, schema in properties.items()}


def _field(name: str, schema: Accepted) -> Field:
    # A fact of the standard's own words stands once: `x-reconciler` has no word for it.
    standard = {word: schema[word] for word in _STANDARD if word in schema}
    of = views(schema)
    # A branch may say it too, and what one of them calls secret is secret.
    secret = {"secret": True} if says_secret(of) else {}
    standard |= {word: True for word in ("readOnly", "writeOnly") if says(of, word)}
    own = {
        **schema.get("x-reconciler", EMPTY),
        **secret,
        "readAs": read_as((schema,), name),
        "inside": speaks_of_inside(schema),
    }
    return _FIELD({**own, **standard, "name": name, "schema": schema})


def _equal(stated: list[list[Json]]) -> tuple[tuple[Json, ...], ...]:
    return tuple(map(tuple, stated))


_ENDPOINT: Final = decoder(Endpoint, expect=frozenset, answers=Answers, query=dict)
_PAGINATION: Final = decoder(Pagination, style=PageStyle)
_SWITCH: Final = decoder(Switch)
_CLEAR: Final = decoder(Clear, remove=bool)
_FIELD: Final = decoder(
    Field,
    names={"is_set": "set"},
    compare_by=tuple,
    equal=_equal,
    clear=_CLEAR,
    known=decoder(Known, made=tuple, dropped=tuple),
    **dict.fromkeys(
        (
            "is_set",
            "immutable",
            "secret",
            "volatile",
            "create_only",
            "update_only",
            "read_only",
            "write_only",
        ),
        bool,
    ),
)
_PROVIDER: Final = decoder(
    Provider,
    names={"kind": "clientKind"},
    style=UpdateStyle,
    merges=Merges,
    believed=Believed,
    always=tuple,
    identity=decoder(Identity, chosen=Chosen, recognize=tuple, unique=tuple),
    token=decoder(
        TokenRequest, scheme=Scheme, client_authentication=ClientAuthentication, parameters=dict
    ),
    registration=decoder(Registration),
    errors=decoder(ErrorShape, messages=tuple, speaks_on=frozenset),
    rate_limit=RATE_LIMIT,
    protected=frozenset,
)
