"""Says which live values of a client a change rests on, and which of them have moved since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.changes import Action
from reconciler.core.model import MISSING, Missing, Redacted
from reconciler.core.secrets import fingerprint, holds_secret
from reconciler.core.values import object_member, same
from reconciler.plan.applied import ignored_fields
from reconciler.plan.fields.overlay import carried
from reconciler.plan.normalize import canonical, declared_part, settled_part
from reconciler.provider.model import UpdateStyle
from reconciler.provider.schema_views import views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.changes import Change
    from reconciler.core.model import Json, JsonObject
    from reconciler.core.project import ConflictCheck
    from reconciler.provider.model import Field, Provider


def conflict_check(provider: Provider, stated: ConflictCheck | None) -> ConflictCheck:
    """How a write makes sure that its client has not moved: as stated, else by the style of updates."""
    # If-Match (RFC 9110 section 13.1.1) would be the usual way; vendors without an ETag have none.
    if stated is not None:
        return stated
    tests = provider.style is UpdateStyle.JSON_PATCH and provider.takes_tests
    return "test" if tests else "reread"


def precondition_values(provider: Provider, change: Change, body: JsonObject) -> dict[str, Json]:
    """The values of `body`, a sealed answer, that `change` rests on: canonical, by field name.

    An update rests on the fields that the manifest declares and on those that its PUT carries over;
    a delete or a replace rests on all that the server shows of the client. What the server changes
    by itself is left out.
    """
    found = {name: _value(provider, change, name, body) for name in _names(provider, change)}
    return {name: value for name, value in sorted(found.items()) if value is not MISSING}


def moved_fields(
    provider: Provider, change: Change, before: JsonObject, now: JsonObject
) -> list[str]:
    """The fields that `change` rests on and that differ between two bodies of its client, sorted."""
    old, new = (
        precondition_values(provider, change, before),
        precondition_values(provider, change, now),
    )
    return sorted(
        name
        for name in old.keys() | new.keys()
        if not same(old.get(name, MISSING), new.get(name, MISSING))
    )


def showable_values(
    provider: Provider, change: Change, fingerprinted: JsonObject, body: JsonObject
) -> dict[str, Json]:
    """The values that `change` rests on, without those that are secret or were last applied as one.

    A secret that is to change is among the change's fields, as a fingerprint. `fingerprinted` has
    the names of the fields of which the inventory holds a fingerprint.
    """
    hidden = {moved.field for moved in change.fields if isinstance(moved.before, Redacted)}
    wanted = {} if change.manifest is None else change.manifest.spec
    return {
        name: value
        for name, value in precondition_values(provider, change, body).items()
        if name not in hidden
        and name not in fingerprinted
        and not provider.fields[name].secret
        and not holds_secret(wanted.get(name))
        and not holds_secret(value)
    }


def fingerprint_client(provider: Provider, body: JsonObject, key: bytes) -> str:
    """A keyed fingerprint of all that `body` shows of a client and that does not move by itself."""
    values = {
        name: _settled(field, body[name])
        for name, field in provider.fields.items()
        if name in body and not field.volatile
    }
    return fingerprint(key, values)


def _names(provider: Provider, change: Change) -> Iterator[str]:
    if change.action in (Action.DELETE, Action.REPLACE) or change.manifest is None:
        yield from (name for name, field in provider.fields.items() if not field.volatile)
        return
    yield from change.manifest.spec.keys() - ignored_fields(change.manifest)
    # An adoption without a request writes nothing, so that no field is carried back.
    if change.requests:
        yield from _carried(provider)


def _carried(provider: Provider) -> tuple[str, ...]:
    """The fields that an update takes along, whether or not they are to change."""
    if provider.style is UpdateStyle.PUT_FULL:
        return tuple(object_member(provider.update_schema, "properties").keys() & provider.fields)
    return provider.always if provider.style is UpdateStyle.PUT_PARTIAL else ()


def _value(provider: Provider, change: Change, name: str, body: JsonObject) -> Json:
    field: Field = provider.fields[name]
    if field.write_only:
        return MISSING
    live = body.get(field.name, MISSING)
    spec = {} if change.manifest is None else change.manifest.spec
    # The manifest of a delete is the successor's: it says nothing of what the predecessor declares.
    if name in spec and change.action is not Action.DELETE:
        return canonical(field, declared_part(field, spec[name], live))
    # As a request would carry it back: what the server adds to a member by itself is no edit.
    return _settled(field, live if field.read_only or live is MISSING else carried(field, live))


def _settled(field: Field, live: Json | Missing) -> Json | Missing:
    """`live` in canonical form, without what changes by itself."""
    kept = live
    if field.inside and live is not MISSING:
        kept = settled_part(views(field.schema), live)
    return canonical(field, kept)
