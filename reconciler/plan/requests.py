"""Turns a change of one client into the requests that make it, in the vendor's dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from reconciler.core.changes import Request
from reconciler.core.model import MISSING, Json, JsonObject, LiveClient, Secret
from reconciler.core.pointer import escape
from reconciler.core.secrets import holds_secret, reveal
from reconciler.core.values import object_member, same
from reconciler.plan.diff import compare
from reconciler.plan.normalize import canonical, writable
from reconciler.provider.model import Endpoint, Field, Provider, UpdateStyle
from reconciler.validation.field_values import field_accepts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.core.changes import Operation
    from reconciler.provider.model import ChosenSecret


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
        tests = value_tests(provider, body, changed, hidden) if tested else []
        # Tests come first: operations apply in their order (RFC 6902 section 3), and behind its
        # replace a test would see the new value.
        update = [*tests, *json_patch(provider, wanted, body, changed)]
    elif provider.style is UpdateStyle.PUT_FULL:
        update = full_body(provider, wanted, body, ignore)
    else:
        update = partial_body(provider, wanted, body, changed)
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


def json_patch(
    provider: Provider, wanted: JsonObject, body: JsonObject, changed: Collection[str]
) -> list[Json]:
    """One operation for each changed field (RFC 6902), by path, that makes `body` what is wanted.

    An array is replaced whole: an index would rely on the server's order of its members.
    """
    return [_operation(provider.fields[name], wanted[name], body) for name in sorted(changed)]


def value_tests(
    provider: Provider, body: JsonObject, changed: Collection[str], hidden: Collection[str] = ()
) -> list[Json]:
    """The `test` operations that compare the changed fields with `body`, in the server's spelling.

    Null and floats are left out: a vendor's JSON Patch may have neither as a value, and would
    refuse the whole patch for such a test. The values of `hidden` fields become Secrets.
    """
    return [
        {"op": "test", "path": f"/{escape(name)}", "value": value}
        for name, value in _testable(provider, body, changed, hidden)
    ]


def _testable(
    provider: Provider, body: JsonObject, changed: Collection[str], hidden: Collection[str]
) -> Iterator[tuple[str, Json]]:
    for name in sorted(changed):
        spelled = provider.fields[name].read_as
        # As it is and not canonical: a test compares arrays member by member (RFC 6902 section 4.6).
        value = body.get(spelled)
        if value is None or isinstance(value, float):
            continue
        yield spelled, Secret(value) if name in hidden and not holds_secret(value) else value


def _operation(field: Field, wanted: Json, body: JsonObject) -> Json:
    path = f"/{escape(field.read_as)}"
    value = canonical(field, wanted)
    if value is None and field.clear is not None:
        if field.clear.remove:
            return {"op": "remove", "path": path}
        value = field.clear.value
    # The target of a `replace` must exist (RFC 6902 section 4.3), else the whole patch is refused; a
    # server may show null for what it does not hold. An `add` is right in both cases (section 4.1).
    exists = body.get(field.read_as) is not None
    return {"op": "replace" if exists else "add", "path": path, "value": value}


def full_body(
    provider: Provider, wanted: JsonObject, body: JsonObject, ignore: Collection[str] = ()
) -> dict[str, Json]:
    """Every field that an update takes, with the live value of those that the manifest does not declare.

    So it is right both where a PUT replaces and where it merges.
    """
    return {
        name: value
        for name in _update_fields(provider)
        if (value := _laid_over(provider.fields[name], wanted, body, ignore)) is not MISSING
    }


def partial_body(
    provider: Provider, wanted: JsonObject, body: JsonObject, changed: Collection[str]
) -> dict[str, Json]:
    """The changed fields, and those that the server would empty if a PUT left them out."""
    carried = {*changed, *provider.always}
    # What is not to change goes back as it is live, also where lifecycle.ignoreChanges let it differ.
    ignore = wanted.keys() - changed
    return {
        name: value
        for name in sorted(carried)
        if (value := _laid_over(provider.fields[name], wanted, body, ignore)) is not MISSING
    }


def _laid_over(field: Field, wanted: JsonObject, body: JsonObject, ignore: Collection[str]) -> Json:
    if field.name in wanted and field.name not in ignore:
        return canonical(field, wanted[field.name])
    live = body.get(field.read_as, MISSING)
    return MISSING if live is MISSING else writable(field, live)


def _update_fields(provider: Provider) -> list[str]:
    known = object_member(provider.update_schema, "properties")
    return sorted(
        name for name, field in provider.fields.items() if name in known and not field.read_only
    )


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
        field.read_as: field.default
        for field in provider.fields.values()
        if field.default is not MISSING
    }
    known = {provider.fields[name].read_as: value for name, value in body.items()}
    return {**defaults, **known}


def _carried_over(provider: Provider, body: JsonObject) -> dict[str, Json]:
    accepted = object_member(provider.create_schema, "properties")
    identifier = provider.identity.pointer.removeprefix("/")
    return {
        name: writable(field, live)
        for name, field in provider.fields.items()
        if name in accepted
        and name != identifier
        # The successor gets a secret of its own: the old one goes with its client.
        and not (field.read_only or field.secret or field.volatile)
        and (live := body.get(field.read_as)) is not None
        and not same(live, field.default)
        # An update, or an older server, may have left a value that no create takes.
        and field_accepts(provider.create_schema, name, writable(field, live))
    }


def _request(operation: Operation, endpoint: Endpoint, provider: Provider, body: Json) -> Request:
    enveloped = body if endpoint.envelope is None else {endpoint.envelope: body}
    return Request(
        operation=operation,
        method=endpoint.method,
        path=provider.collection + endpoint.path,
        content_type=None if body is None else endpoint.content_type,
        body=None if body is None else enveloped,
    )


def secret_update_request(
    provider: Provider, how: ChosenSecret, live: LiveClient, secret: Secret
) -> Request:
    """The update that gives a client the secret which the tool has made."""
    (request,) = update_requests(provider, {how.field: secret}, live.body, [how.field])
    return request


def rotation_request(provider: Provider, how: Endpoint) -> Request:
    """The call that has the server make a new secret. It has no body."""
    return Request(
        operation="update",
        method=how.method,
        path=provider.collection + how.path,
        content_type=None,
        body=None,
    )
