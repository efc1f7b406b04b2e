"""Makes the body of an update, in each style but a JSON Patch: whole, the changed fields, or a merge patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import MISSING, Json, JsonObject
from reconciler.core.values import object_member
from reconciler.plan.fields.overlay import (
    carried,
    hidden_members,
    hidden_unknown_members,
    laid_over,
    merged_part,
    unknown_members,
)
from reconciler.provider.model import Field, Merges, Provider, UpdateStyle
from reconciler.validation.field_values import field_accepts

if TYPE_CHECKING:
    from collections.abc import Collection


def update_body(
    provider: Provider,
    wanted: JsonObject,
    body: JsonObject,
    changed: Collection[str],
    ignore: Collection[str] = (),
) -> dict[str, Json]:
    """The body that makes the `changed` fields of the live `body` what is wanted.

    With it goes what the server would refuse the update without.
    """
    if provider.style is UpdateStyle.PUT_FULL:
        stated = full_body(provider, wanted, body, ignore)
    elif provider.merges is Merges.DEEP:
        stated = merge_patch(provider, wanted, body, changed)
    else:
        stated = partial_body(provider, wanted, body, changed)
    return _own_id(provider, body) | stated | repaired_fields(provider, body, changed)


def _own_id(provider: Provider, body: JsonObject) -> dict[str, Json]:
    """What holds the client's id, as the server shows it, where an update has to carry that."""
    name = provider.identity.pointer.split("/")[1]
    return {name: body[name]} if provider.carries_id else {}


def full_body(
    provider: Provider, wanted: JsonObject, body: JsonObject, ignore: Collection[str] = ()
) -> dict[str, Json]:
    """Every field that an update takes, with the live value of what the manifest does not declare.

    That is at any depth, and what no schema describes is among it unless the descriptor says to drop
    that. So it is right both where a PUT replaces and where it merges.
    """
    known = {
        name: value
        for name in _update_fields(provider)
        if (value := _laid_over(provider.fields[name], wanted, body, ignore)) is not MISSING
    }
    return {**known, **unknown_members(provider, body)} if provider.carries_unknown else known


def merge_patch(
    provider: Provider, wanted: JsonObject, body: JsonObject, changed: Collection[str]
) -> dict[str, Json]:
    """The JSON Merge Patch (RFC 7396) that makes the changed fields of `body` what is wanted.

    It has what differs, at any depth, and no live member of an object that nobody stated: the server
    keeps those. Null takes a member away.
    """
    fields = provider.fields
    return {
        name: merged_part(fields[name], wanted[name], body.get(name, MISSING))
        for name in sorted(changed)
    }


def partial_body(
    provider: Provider, wanted: JsonObject, body: JsonObject, changed: Collection[str]
) -> dict[str, Json]:
    """The changed fields, and those that the server would empty if a PUT left them out."""
    # What is not to change goes back as it is live, also where lifecycle.ignoreChanges let it differ.
    ignore = wanted.keys() - changed
    return {
        name: value
        for name in sorted({*changed, *provider.always})
        if (value := _laid_over(provider.fields[name], wanted, body, ignore)) is not MISSING
    }


def repaired_fields(
    provider: Provider, body: JsonObject, changed: Collection[str]
) -> dict[str, Json]:
    """The values that an update of the live `body` carries in place of those that no update takes."""
    return {
        name: field.when_invalid
        for name, field in provider.fields.items()
        if field.when_invalid is not MISSING
        and name not in changed
        and field.name in body
        and not field_accepts(provider.update_schema, name, carried(field, body[field.name]))
    }


def hidden_secrets(
    provider: Provider,
    wanted: JsonObject,
    body: JsonObject,
    changed: Collection[str],
    ignore: Collection[str] = (),
) -> tuple[str, ...]:
    """The JSON Pointers of secrets that an update would lose: it must carry them, and the server hides them."""
    if provider.merges is Merges.DEEP or provider.style is UpdateStyle.JSON_PATCH:
        return ()
    whole = provider.style is UpdateStyle.PUT_FULL
    names = _update_fields(provider) if whole else sorted({*changed, *provider.always})
    left = ignore if whole else wanted.keys() - changed
    found = [
        pointer
        for name in names
        for pointer in hidden_members(
            provider.fields[name],
            MISSING if name in left else wanted.get(name, MISSING),
            body.get(name, MISSING),
        )
    ]
    carries_unknown = whole and provider.carries_unknown
    return (*found, *(hidden_unknown_members(provider, body) if carries_unknown else ()))


def _laid_over(field: Field, wanted: JsonObject, body: JsonObject, ignore: Collection[str]) -> Json:
    live = body.get(field.name, MISSING)
    if field.name in wanted and field.name not in ignore:
        return laid_over(field, wanted[field.name], live)
    return MISSING if live is MISSING else carried(field, live)


def _update_fields(provider: Provider) -> list[str]:
    known = object_member(provider.update_schema, "properties")
    return sorted(
        name for name, field in provider.fields.items() if name in known and not field.read_only
    )
