"""Turns a change of one client into the requests that make it, in the vendor's dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from reconciler.core.changes import Request
from reconciler.core.model import MISSING, Json, JsonObject, LiveClient, Missing, Secret
from reconciler.core.secrets import reveal
from reconciler.core.values import object_member, same
from reconciler.plan.diff import compare
from reconciler.plan.fields.bodies import update_body
from reconciler.plan.fields.overlay import carried
from reconciler.plan.fields.patch import deep_operations, deep_tests
from reconciler.plan.normalize import canonical, identity, live_by_identity
from reconciler.provider.model import Endpoint, Field, Provider, UpdateStyle
from reconciler.provider.schema_views import (
    compare_by,
    is_stated,
    item_views,
    member_views,
    views,
)
from reconciler.validation.field_values import field_accepts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.core.changes import FieldChange, Operation
    from reconciler.provider.model import ChosenSecret
    from reconciler.provider.schema_views import Views


def path_for(request: Request, remote_id: str) -> str:
    """The path of `request` for the client `remote_id`, which is opaque and percent-encoded whole."""
    return request.path.replace("{id}", quote(remote_id, safe=""))


def create_requests(
    provider: Provider, wanted: JsonObject, *, chosen_id: str | None = None
) -> tuple[Request, ...]:
    """The POST that creates a client, and the call after it for fields that no POST takes.

    `chosen_id` is the remote id where the vendor lets one choose. The second request is a
    prediction: it rests on the documented defaults until the server has answered.
    """
    body = _create_body(provider, wanted)
    late = late_requests(provider, wanted, _predicted_answer(provider, body))
    if chosen_id is not None:
        body = {provider.identity.pointer.removeprefix("/"): chosen_id, **body}
    return (_request("create", provider.create, provider, body), *late)


def replacement_requests(
    provider: Provider, wanted: JsonObject, live: LiveClient, *, chosen_id: str | None = None
) -> tuple[Request, ...]:
    """The requests that create a successor of `live`, and the one that deletes it.

    What the manifest does not declare is carried over, so that it is not reset.
    """
    successor = {**_carried_over(provider, live.body), **wanted}
    return (
        *create_requests(provider, successor, chosen_id=chosen_id),
        delete_request(provider),
    )


def update_requests(
    provider: Provider,
    wanted: JsonObject,
    body: JsonObject,
    changed: Collection[str],
    *,
    ignore: Collection[str] = (),
    tested: bool = False,
    hidden: Collection[str] = (),
) -> tuple[Request, ...]:
    """The one request that makes the `changed` fields of the live `body` what is wanted.

    With `tested` a JSON Patch first tests that they are as in `body`; `hidden` are those whose
    live values must not be shown.
    """
    update: Json
    if provider.style is UpdateStyle.JSON_PATCH:
        tests = value_tests(provider, wanted, body, changed, hidden) if tested else []
        # Tests come first: operations apply in their order (RFC 6902 section 3), and behind its
        # replace a test would see the new value.
        update = [*tests, *json_patch(provider, wanted, body, changed)]
    else:
        update = update_body(provider, wanted, body, changed, ignore)
    return (_request("update", provider.update, provider, update),)


def late_requests(
    provider: Provider, wanted: JsonObject, created: JsonObject
) -> tuple[Request, ...]:
    """The call that a create needs after it, for fields that only an update takes.

    `created` is the answer to the create, sealed and without its envelope. Usually there is none
    to make, because the server's defaults are what is wanted.
    """
    late = {name: wanted[name] for name in wanted if provider.fields[name].update_only}
    # No key: only the names of the changes are used, and no fingerprint is shown.
    changes = compare(provider, late, created, key=b"")
    if not changes:
        return ()
    return update_requests(provider, wanted, created, [change.field for change in changes])


def delete_request(provider: Provider) -> Request:
    """The request that deletes a client. The vendor must have one."""
    if provider.delete is None:
        raise ValueError(f"{provider.title} has no call that deletes a client")
    return _request("delete", provider.delete, provider, None)


def needs_replace(provider: Provider, field: Field, after: Json) -> bool:
    """Whether no update can bring `field` to `after`, though a create can.

    That is so for immutable fields, and for a value that the update schema refuses and the
    create schema takes.
    """
    if field.immutable or field.create_only:
        return True
    if provider.style is UpdateStyle.JSON_PATCH:
        return False
    value = reveal(after)
    return not field_accepts(provider.update_schema, field.name, value) and field_accepts(
        provider.create_schema, field.name, value
    )


def blocked_changes(
    provider: Provider, wanted: JsonObject, changes: Iterable[FieldChange]
) -> list[FieldChange]:
    """Those of `changes` that no update can bring to what is wanted."""
    return [
        change
        for change in changes
        if needs_replace(provider, provider.fields[change.field], wanted[change.field])
        or changes_immutable(provider.fields[change.field], change)
    ]


def changes_immutable(field: Field, change: FieldChange) -> bool:
    """Whether something inside the field changes that no update can change."""
    return field.inside and _hits_immutable(views(field.schema), change.before, change.after)


def _hits_immutable(of: Views, before: Json | Missing, after: Json | Missing) -> bool:
    if same(before, after):
        return False
    if is_stated(of, "immutable"):
        return True
    if isinstance(after, dict):
        was = before if isinstance(before, dict) else {}
        return any(
            _hits_immutable(member_views(of, name), was.get(name, MISSING), member)
            for name, member in after.items()
        )
    return isinstance(after, list) and _hits_immutable_item(of, before, after)


def _hits_immutable_item(of: Views, before: Json | Missing, after: list[Json]) -> bool:
    """The same for a list: of the objects in it only those that a key tells apart are still the same."""
    by, was = compare_by(of), before if isinstance(before, list) else []
    index = live_by_identity(by, was)
    return any(
        _hits_immutable(item_views(of, 0), was[place], member)
        for member in after
        if (place := index.get(identity(by, member))) is not None
    )


def json_patch(
    provider: Provider, wanted: JsonObject, body: JsonObject, changed: Collection[str]
) -> list[Json]:
    """The operations (RFC 6902), by path, that make the changed fields of `body` what is wanted.

    There is one for each field, and for an object one for each stated member that differs.
    """
    fields = provider.fields
    return [
        operation
        for name in sorted(changed)
        for operation in deep_operations(fields[name], wanted[name], body)
    ]


def value_tests(
    provider: Provider,
    wanted: JsonObject,
    body: JsonObject,
    changed: Collection[str],
    hidden: Collection[str] = (),
) -> list[Json]:
    """The `test` operations that compare what changes with `body`, in the server's spelling.

    Null and floats are left out: a vendor's JSON Patch may have neither as a value, and would
    refuse the whole patch for such a test. The values of `hidden` fields become Secrets.
    """
    fields = provider.fields
    return [
        test
        for name in sorted(changed)
        for test in deep_tests(fields[name], wanted[name], body, hidden=name in hidden)
    ]


def _create_body(provider: Provider, wanted: JsonObject) -> dict[str, Json]:
    accepted = object_member(provider.create_schema, "properties")
    return {
        name: value
        for name in sorted(wanted)
        if name in accepted
        and (value := canonical(provider.fields[name], wanted[name])) is not MISSING
        and not (value is None and _unset(provider, provider.fields[name]))
    }


def _unset(provider: Provider, field: Field) -> bool:
    """Whether null means the same as leaving the field out, and a create can leave it out."""
    needed = provider.create_schema.get("required", ())
    is_needed = isinstance(needed, list | tuple) and field.name in needed
    return not is_needed and any(None in group for group in field.equal)


def _predicted_answer(provider: Provider, body: JsonObject) -> dict[str, Json]:
    """What the server will answer to a create, by the documented defaults."""
    defaults = {
        field.name: field.default
        for field in provider.fields.values()
        if field.default is not MISSING
    }
    return {**defaults, **body}


def _carried_over(provider: Provider, body: JsonObject) -> dict[str, Json]:
    accepted = object_member(provider.create_schema, "properties")
    identifier = provider.identity.pointer.removeprefix("/")
    return {
        name: value
        for name, field in provider.fields.items()
        if name in accepted
        and name != identifier
        # The successor gets a secret of its own: the old one goes with its client.
        and not (field.read_only or field.secret or field.volatile)
        and (live := body.get(field.name)) is not None
        and not same(live, field.default)
        and (value := carried(field, live)) is not MISSING
        # An update, or an older server, may have left a value that no create takes.
        and field_accepts(provider.create_schema, name, value)
    }


def _request(operation: Operation, endpoint: Endpoint, provider: Provider, body: Json) -> Request:
    enveloped = body if endpoint.envelope is None else {endpoint.envelope: body}
    return Request(
        operation=operation,
        method=endpoint.method,
        path=_path(provider, endpoint),
        content_type=None if body is None else endpoint.content_type,
        body=None if body is None else enveloped,
    )


def _path(provider: Provider, endpoint: Endpoint) -> str:
    query = f"?{urlencode(endpoint.query)}" if endpoint.query else ""
    return f"{provider.collection}{endpoint.path}{query}"


def secret_update_request(
    provider: Provider, how: ChosenSecret, live: LiveClient, secret: Secret
) -> Request:
    """The update that gives a client the secret which the tool has made."""
    (request,) = update_requests(provider, {how.field: secret}, live.body, [how.field])
    return request


def rotation_request(provider: Provider, how: Endpoint) -> Request:
    """The call that has the server make a new secret, or take the old one away. It has no body."""
    return Request(
        operation="update",
        method=how.method,
        path=_path(provider, how),
        content_type=None,
        body=None,
    )
