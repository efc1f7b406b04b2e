"""Finds what a descriptor says that does not go with the client schema beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.pointer import escape, resolve, unescape
from reconciler.provider.model import Believed, Chosen
from reconciler.provider.schema_views import member_views, says_secret, views
from reconciler.provider.secrets import client_secret, secret_candidates
from reconciler.validation.suggestions import closest_name, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.provider.model import Provider
    from reconciler.validation.vocabulary.words import Fault


def descriptor_faults(provider: Provider) -> Iterator[Fault]:
    """The faults of provider.yaml, by JSON Pointers into it."""
    yield from _secret_faults(provider)
    yield from _name_faults(provider)
    yield from _id_faults(provider)
    yield from _query_faults(provider)


def _secret_faults(provider: Provider) -> Iterator[Fault]:
    if provider.secret:
        if not _is_secret_place(provider):
            yield "/secret", f"`{provider.secret}` points to no secret of client.schema.json"
        return
    found = secret_candidates(provider)
    if not found and provider.believed is not Believed.ALWAYS:
        yield "/secret/believed", "no field of client.schema.json is secret that could be believed"
    if found and not client_secret(provider):
        which = (
            f"{', '.join(found)} are secret, and which of them a client logs in with is not said"
        )
        yield "", f"{which}: `secret: {found[0]}` does"


def _is_secret_place(provider: Provider) -> bool:
    first, *rest = map(unescape, provider.secret.split("/")[1:])
    field = provider.fields.get(first)
    if field is None:
        return False
    of = views(field.schema)
    for name in rest:
        of = member_views(of, name)
    return says_secret(of) or (field.secret and not rest)


def _name_faults(provider: Provider) -> Iterator[Fault]:
    identity = provider.identity
    named = {
        "/identity/match": [identity.match] if identity.match is not None else [],
        "/identity/recognize": identity.recognize,
        "/identity/unique": identity.unique,
        "/endpoints/update/always": provider.always,
    }
    for place, names in named.items():
        for name in names:
            if name not in provider.fields:
                near = did_you_mean(closest_name(name, sorted(provider.fields)))
                yield place, f"there is no field `{name}`" + (f": {near}" if near else "")


def _id_faults(provider: Provider) -> Iterator[Fault]:
    identity = provider.identity
    if identity.chosen is Chosen.FIELD:
        field = provider.fields.get(identity.pointer.removeprefix("/"))
        if field is None or field.read_only or not (field.immutable or field.create_only):
            needs = f"at `{identity.pointer}` that a create takes and that is `immutable`"
            yield "/identity/chosen", f"`chosen: field` needs a field {needs}"
    pointed = resolve(
        {name: field.secret for name, field in provider.fields.items()}, identity.pointer
    )
    if pointed is True:
        yield "/identity/pointer", f"`{identity.pointer}` is a secret, and an id is shown"


def _query_faults(provider: Provider) -> Iterator[Fault]:
    pages = provider.pagination
    if provider.list is None or pages is None:
        return
    taken = {pages.limit_parameter, pages.offset_parameter, pages.page_parameter}
    for name in sorted(provider.list.query.keys() & (taken | {pages.token_parameter})):
        yield f"/endpoints/list/query/{escape(name)}", f"`{name}` is what asks for a page already"
