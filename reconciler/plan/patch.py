"""Turns the differences of a client into what its server takes: RFC 6902, a whole or a partial PUT body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import MISSING, Json, JsonObject, Secret
from reconciler.core.pointer import escape
from reconciler.core.secrets import holds_secret
from reconciler.core.values import object_member
from reconciler.plan.normalize import canonical, writable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.provider.model import Field, Provider


def json_patch(
    provider: Provider, wanted: JsonObject, body: JsonObject, changed: Collection[str]
) -> list[Json]:
    """One operation a changed field (RFC 6902), sorted by path, that makes `body` what is wanted.

    An array is replaced whole: an index into it would be a bet on the server's order.
    """
    return [_operation(provider.fields[name], wanted[name], body) for name in sorted(changed)]


def value_tests(
    provider: Provider, body: JsonObject, changed: Collection[str], hidden: Collection[str] = ()
) -> list[Json]:
    """The `test` operations that hold the changed fields to `body`, as the server spelled them.

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
    return {"op": "replace" if field.read_as in body else "add", "path": path, "value": value}


def full_body(
    provider: Provider, wanted: JsonObject, body: JsonObject, ignore: Collection[str] = ()
) -> dict[str, Json]:
    """Every field that an update takes, wanted laid over live: right whether a PUT replaces or merges."""
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
